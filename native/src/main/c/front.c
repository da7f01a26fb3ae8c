/* front and setup; see launch.h. */
#include "launch.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

static const int ending_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};

int block_signals(void)
{
    sigset_t all;
    struct sigaction action = {.sa_handler = SIG_DFL};
    /* A caller that ignores SIGCHLD would take our children's statuses away, since that is inherited. */
    if (sigfillset(&all) != 0 || sigaction(SIGCHLD, &action, NULL) != 0)
        return -1;
    return sigprocmask(SIG_SETMASK, &all, NULL);
}

int open_signals(void)
{
    sigset_t set;
    if (sigemptyset(&set) != 0 || sigaddset(&set, SIGCHLD) != 0)
        return -1;
    for (size_t i = 0; i < NELEM(ending_signals); i++)
        if (sigaddset(&set, ending_signals[i]) != 0)
            return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int next_signal(int signals, bool outside_only)
{
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
        /* A sender that has no pid here is outside. Only the kernel can say SI_USER and the like: sigqueue(3) with a
           forged pid says SI_QUEUE (rt_sigqueueinfo(2)). */
        bool outside = info.ssi_pid == 0 && (info.ssi_code == SI_USER || info.ssi_code == SI_KERNEL);
        if (!outside_only || outside || info.ssi_signo == SIGCHLD)
            return (int)info.ssi_signo;
    }
    return 0;
}

int release_stdio(const struct launch *launch)
{
    /* Whoever reads the command's output waits for all its writers: a launcher must not be one of them. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (dup2(launch->null, fd) < 0)
            return -1;
    return 0;
}

struct segments {
    struct iovec span[8];
    size_t count;
};

static int find_segments(struct dl_phdr_info *object, size_t size, void *found)
{
    struct segments *segments = found;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size;
    for (size_t i = 0; i < object->dlpi_phnum && segments->count < NELEM(segments->span); i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || (header->p_flags & PF_W) != 0)
            continue;
        uintptr_t start = object->dlpi_addr + header->p_vaddr;
        uintptr_t end = start + header->p_memsz;
        start &= ~(page - 1);
        segments->span[segments->count++] = (struct iovec){.iov_base = (void *)start, .iov_len = end - start};
    }
    return 1; /* a static program is one object */
}

void release_text(void)
{
    struct segments segments = {.count = 0};
    (void)dl_iterate_phdr(find_segments, &segments);
    for (size_t i = 0; i < segments.count; i++) /* where it fails, it stays */
        (void)madvise(segments.span[i].iov_base, segments.span[i].iov_len, MADV_DONTNEED);
}

void say_refused(const struct launch *launch, char *buffer, size_t used, const char *reason)
{
    if (launch->report >= 0) {
        used = report_close(buffer, used, reason);
        (void)write_all(launch->report, buffer, used); /* the reader may be gone; there is nobody else to tell */
    } else if (launch->complaints >= 0) {
        (void)dprintf(launch->complaints, "sandbox-launcher: refused: %s\n", reason);
    }
}

/* For what fails before there is an init to report: the agent would wait for a report in vain. */
static int refuse_early(const struct launch *launch, const char *what)
{
    char buffer[REPORT_MAX];
    char reason[128];
    (void)snprintf(reason, sizeof reason, "%s: %s", what, strerror(errno));
    size_t used = (size_t)snprintf(buffer, sizeof buffer, "%s", REPORT_FIRST_LINE);
    say_refused(launch, buffer, used, reason);
    atomic_store(&launch->context.shared->status, EXIT_REFUSED << 8);
    atomic_store(&launch->context.shared->ended, true); /* front has nothing to add */
    return EXIT_REFUSED;
}

/* As fork(2), but the child is front's: or each launch would leave a zombie where pid 1 does not reap (an agent's JVM
   that is pid 1 of its container). */
static pid_t fork_sibling(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, (unsigned long)CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    return pid < 0 && errno == EINVAL ? fork() : pid; /* user-mode emulation knows only the usual flags */
}

/* The long way. Forks init into the pid namespace and tells it the pid that the outside knows it by. */
static _Noreturn void setup_run(struct launch *launch)
{
    int told[2];
    sequence_run(&launch->context, STAGE_SETUP);
    if (pipe2(told, O_CLOEXEC) != 0)
        _exit(refuse_early(launch, "pipe"));
    pid_t pid = fork_sibling();
    if (pid < 0)
        _exit(refuse_early(launch, "clone"));
    if (pid > 0)
        _exit(write_all(told[1], &pid, sizeof pid) == 0 ? 0 : EXIT_REFUSED);
    close_fd(&told[1]);
    pid_t self;
    if (read(told[0], &self, sizeof self) != (ssize_t)sizeof self)
        _exit(EXIT_REFUSED);
    close_fd(&told[0]);
    init_run(launch, self);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* What setup and everything after it may keep open. */
static void name_own_fds(struct launch *launch)
{
    struct context *context = &launch->context;
    const struct places *places = &context->places;
    const int own[] = {launch->report, launch->gate,      launch->complaints, launch->block,  launch->null,
                       launch->socket, places->directory, places->store,      places->records};
    context->own_fd_count = 0;
    for (size_t i = 0; i < NELEM(own); i++)
        if (own[i] >= 0)
            context->own_fds[context->own_fd_count++] = own[i];
    context->own_fd_count += cgroup_fds(&context->cgroup, context->own_fds + context->own_fd_count);
    qsort(context->own_fds, context->own_fd_count, sizeof(int), by_number);
}

static int exit_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : EXIT_REFUSED;
}

/* init closed its end: because the command ended, or because it was killed. */
static int end_of_launch(struct launch *launch)
{
    const struct shared *shared = launch->context.shared;
    if (atomic_load(&shared->finished))
        while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
            ; /* init, at once; where it lives on, whoever inherits it waits for it */
    if (atomic_load(&shared->ended))
        return exit_status(atomic_load(&shared->status));
    cgroup_remove(&launch->context.cgroup); /* init was killed, and everybody with it */
    if (atomic_load(&shared->started))
        return 128 + SIGKILL;
    char buffer[REPORT_MAX];
    size_t used = 0;
    if (!atomic_load(&shared->reported))
        used = (size_t)snprintf(buffer, sizeof buffer, "%s", REPORT_FIRST_LINE);
    say_refused(launch, buffer, used, "the launcher was killed");
    return EXIT_REFUSED;
}

static int wait_for_init(struct launch *launch, int signals)
{
    int wait_ms = RELEASE_AFTER_MS;
    for (;;) {
        struct pollfd polls[] = {{.fd = launch->socket, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
        int n = poll(polls, NELEM(polls), wait_ms);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return EXIT_REFUSED;
        }
        if (n == 0) {
            release_text();
            wait_ms = -1;
        }
        for (int number = next_signal(signals, false); number != 0; number = next_signal(signals, false))
            if (number == SIGCHLD) {
                while (waitpid(-1, NULL, WNOHANG) > 0)
                    ; /* setup and init, whose ends say nothing: the shared page does */
            } else {
                unsigned char byte = (unsigned char)number;
                if (send(launch->socket, &byte, sizeof byte, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
                    return EXIT_REFUSED;
            }
        if (polls[0].revents == 0)
            continue;
        return end_of_launch(launch); /* init says nothing through the socket; that it closes it is the message */
    }
}

/* clone(2) of a child that holds one end of a socket, whose other end is the caller's. */
static pid_t fork_with_socket(struct launch *launch, int flags)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    pid_t pid = (pid_t)syscall(SYS_clone, (unsigned long)(flags | CLONE_PARENT_SETTID | SIGCHLD), 0,
                               &launch->context.shared->init_pid, 0, 0);
    launch->socket = ends[pid == 0];
    close_fd(&ends[pid != 0]);
    if (pid < 0)
        close_fd(&launch->socket);
    if (pid == 0)
        name_own_fds(launch);
    return pid;
}

/*
 * The short way: init is born into all of its namespaces. False when that cannot be, or when the user namespace is not
 * what the rest needs; then nothing has happened yet, and the long way finds out which row is refused and why.
 */
static bool start_at_once(struct launch *launch)
{
    struct context *context = &launch->context;
    char byte = 'i';
    int flags = namespaces_at_once(context);
    pid_t pid = flags == 0 ? -1 : fork_with_socket(launch, flags);
    if (pid < 0)
        return false;
    if (pid == 0) {
        context->born_in = flags;
        sequence_run(context, STAGE_SETUP);
        if (!is_applied(context, USER_NAMESPACE) || send(launch->socket, &byte, 1, MSG_NOSIGNAL) != 1)
            _exit(EXIT_REFUSED);
        init_run(launch, context->shared->init_pid);
    }
    if (recv(launch->socket, &byte, 1, 0) == 1)
        return true;
    close_fd(&launch->socket);
    (void)waitpid(pid, NULL, 0);
    memset(context->shared, 0, sizeof *context->shared);
    return false;
}

int front_run(struct launch *launch)
{
    if (block_signals() != 0)
        return refuse_early(launch, "sigprocmask");
    cgroup_prepare(&launch->context);
    leave_groups(&launch->context);
    if (!start_at_once(launch)) {
        pid_t setup = fork_with_socket(launch, 0);
        if (setup < 0)
            return refuse_early(launch, "fork");
        if (setup == 0)
            setup_run(launch);
    }
    close_fd(&launch->gate);
    close_fd(&launch->block);
    int signals = open_signals();
    if (signals < 0 || release_stdio(launch) != 0)
        return EXIT_REFUSED; /* closing the socket ends the rest */
    return wait_for_init(launch, signals);
}
