/* init and command; see launch.h. */
#include "launch.h"
#include "processes.h"
#include "report.h"
#include "task.h"
#include "usage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SETUP_TIMEOUT_MS 30000
#define GATE_POLL_MS 5 /* for a gate that is a plain file */
#define KILL_AGAIN_MS 50
#define KILLS_IN_VAIN 100
#define BLOCK_LOOK_MS 1000 /* between two looks whether the block has ended */
#define NEVER INT64_MAX

struct init {
    struct launch *launch;
    const struct plan *plan;
    int signals;
    bool has_pid_namespace;
    pid_t command;
    pid_t heir; /* what the command left behind to write its status down; 0: there is none, or nobody waits for it */
    struct task task;
    int ready; /* read end: the command's process has done its rows */
    int go;    /* write end: it may start the command */
    struct usage usage;
    bool command_ended;
    int status;       /* the command's */
    enum limit limit; /* that ended it, or LIMIT_COUNT */
    int ending_by;    /* the signal that began the end; KILL follows. 0: it goes on */
    bool ended_by_request;
    bool requested; /* that everybody ends, also after the command did */
    int64_t kill_at_ms;
    int kills; /* how often everybody was sent KILL */
};

/* ---- the command's process ---- */

static int exec_status(int error)
{
    return error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/*
 * As execvp(3), but a directory in PATH that may not be searched does not turn "there is no such command" into
 * "permission denied": shells do not either. Returns with errno.
 */
static void exec_command(char **command)
{
    const char *directories = getenv("PATH");
    if (strchr(command[0], '/') != NULL || directories == NULL) {
        (void)execvp(command[0], command);
        return;
    }
    int error = ENOENT;
    while (*directories != '\0') {
        char path[PATH_MAX];
        const char *end = strchrnul(directories, ':');
        int length = (int)(end - directories);
        int n = snprintf(path, sizeof path, "%.*s%s%s", length, directories, length > 0 ? "/" : "./", command[0]);
        directories = *end == ':' ? end + 1 : end;
        if (n < 0 || (size_t)n >= sizeof path || access(path, F_OK) != 0)
            continue;
        (void)execvp(path, command); /* with a slash: this file, by the shell when it has no format of its own */
        error = errno;
    }
    errno = error;
}

/*
 * The helper's work, by the process that would have become the command. As after an execve(2), it has no descriptors
 * but its own, and nothing of the launch in its memory that somebody else reads.
 */
static _Noreturn void run_job(struct context *context)
{
    const struct places *places = &context->places;
    const int own[] = {places->directory, places->store, places->records};
    enum job job = context->plan->job;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    context->own_fd_count = 0;
    for (size_t i = 0; i < NELEM(own); i++)
        if (own[i] >= 0)
            context->own_fds[context->own_fd_count++] = own[i];
    if (close_others(context) != 0 || munmap(context->shared, sizeof *context->shared) != 0 ||
        sigaction(SIGPIPE, &ignore, NULL) != 0) /* without a reader the work is still done */
        _exit(EXIT_REFUSED);
    _exit(helper_run(job, places, STDOUT_FILENO));
}

static _Noreturn void command_run(struct launch *launch, pid_t init_pid, int ready, int go)
{
    struct shared *shared = launch->context.shared;
    char byte = 'r';
    if (is_applied(&launch->context, SESSION) && session_lead() != 0)
        _exit(EXIT_REFUSED);
    if (is_applied(&launch->context, FILESYSTEM) && session_own_null() != 0)
        _exit(EXIT_REFUSED);
    /* In a pid namespace the kernel ends everybody with init; elsewhere at least the command goes with it. */
    if (init_pid != 1 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != init_pid))
        _exit(EXIT_REFUSED);
    cgroup_enter(&launch->context);
    sequence_run(&launch->context, STAGE_COMMAND);
    if (write_all(ready, &byte, 1) != 0 || read(go, &byte, 1) != 1)
        _exit(EXIT_REFUSED);
    if (unblock_signals() != 0)
        _exit(EXIT_REFUSED);
    if (launch->context.plan->job != JOB_NONE)
        run_job(&launch->context);
    char **command = launch->context.plan->command;
    exec_command(command);
    int error = errno;
    atomic_store(&shared->exec_status, exec_status(error));
    atomic_store(&shared->exec_error, error);
    if (launch->context.plan->report_file == NULL) /* with a report the error stands there, and stderr is the command's
                                                    */
        (void)dprintf(STDERR_FILENO, "sandbox-launcher: %s: %s\n", command[0], strerror(error));
    _exit(exec_status(error));
}

/* ---- ending others ---- */

/*
 * Sends to every descendant; for launches without a pid namespace, where kill(-1) would reach the agent. What is forked
 * meanwhile is found in the next round.
 */
static void signal_descendants(int number)
{
    size_t count = 0;
    struct process *list = list_processes(&count);
    for (size_t i = 0; i < count; i++)
        if (list[i].ours)
            (void)kill(list[i].pid, number); /* ESRCH: it ended first */
    free(list);
}

static void signal_all(const struct init *init, int number)
{
    if (number == SIGKILL)
        cgroup_kill(&init->launch->context.cgroup);
    if (init->has_pid_namespace)
        (void)kill(-1, number); /* everybody in the namespace but us; ESRCH: nobody */
    else
        signal_descendants(number);
}

/*
 * Passes a signal on to everybody. INT and QUIT are what a terminal sends, and whoever handles them goes on; the others
 * mean the end, by KILL after the grace. A second one of a kind says nothing new: front and the caller may both send
 * it.
 */
static void begin_end(struct init *init, int number)
{
    if (number == init->ending_by)
        return;
    signal_all(init, number);
    if (number == SIGINT || number == SIGQUIT)
        return;
    signal_all(init, SIGCONT); /* a stopped process hears nothing */
    if (init->ending_by == 0)
        init->kill_at_ms = now_ms() + (int64_t)init->plan->grace_s * 1000;
    init->ending_by = number;
}

/* A limit has run out: nobody is asked. */
static void end_by_limit(struct init *init, enum limit limit)
{
    if (!init->command_ended && init->limit == LIMIT_COUNT)
        init->limit = limit;
    init->usage.ended_all |= 1U << limit;
    init->ending_by = SIGKILL;
    init->kill_at_ms = now_ms();
}

/* ---- talking ---- */

static void append_to_report(const struct launch *launch, const char *text, size_t size)
{
    /* The reader may be gone, or the disk full; there is nobody else to tell. */
    if (launch->report >= 0)
        (void)write_all(launch->report, text, size);
}

/* The status goes through the shared page; the end of the socket says that it is there. */
static void tell_front(struct launch *launch, int status)
{
    struct shared *shared = launch->context.shared;
    atomic_store(&shared->status, status);
    atomic_store(&shared->ended, true);
    close_fd(&launch->socket);
}

/* report, used: the first part as far as it stands, when it was not written yet. */
static _Noreturn void refuse(struct init *init, const char *report, size_t used, const char *reason)
{
    struct launch *launch = init->launch;
    char buffer[REPORT_MAX];
    if (used > 0)
        memcpy(buffer, report, used);
    else if (!atomic_load(&launch->context.shared->reported))
        used = (size_t)snprintf(buffer, sizeof buffer, "%s", REPORT_FIRST_LINE);
    say_refused(launch, buffer, used, reason);
    if (init->command > 0) {
        (void)kill(init->command, SIGKILL);
        (void)waitpid(init->command, NULL, 0);
    }
    cgroup_remove(&launch->context.cgroup);
    tell_front(launch, EXIT_REFUSED << 8);
    _exit(EXIT_REFUSED);
}

static _Noreturn void refuse_errno(struct init *init, const char *what)
{
    char reason[128];
    (void)snprintf(reason, sizeof reason, "%s: %s", what, strerror(errno));
    refuse(init, NULL, 0, reason);
}

/* Why a signal ended the command: as a word of the report, with a blank before it; empty when nothing is known. */
static void describe_cause(const struct init *init, char *text, size_t size)
{
    const char *cause = init->limit != LIMIT_COUNT ? limit_name(init->limit)
                        : init->ended_by_request   ? "terminated"
                                                   : "";
    (void)snprintf(text, size, "%s%s", cause[0] == '\0' ? "" : " ", cause);
}

static void report_end(struct init *init)
{
    const struct shared *shared = init->launch->context.shared;
    char text[2048];
    char cause[32];
    size_t size = sizeof text;
    size_t used = 0;
    int error = atomic_load(&shared->exec_error);
    if (error != 0) {
        char name[256];
        printable_copy(name, sizeof name, init->plan->command == NULL ? "" : init->plan->command[0]);
        used += (size_t)snprintf(text, size, "exec %d %s\n", error, name);
    }
    describe_cause(init, cause, sizeof cause);
    if (!init->command_ended)
        used += (size_t)snprintf(text + used, size - used, "exit signal %d terminated\n", SIGKILL);
    else if (WIFSIGNALED(init->status))
        used += (size_t)snprintf(text + used, size - used, "exit signal %d%s\n", WTERMSIG(init->status), cause);
    else
        used += (size_t)snprintf(text + used, size - used, "exit code %d\n", WEXITSTATUS(init->status));
    if (init->task.status >= 0)
        used += (size_t)snprintf(text + used, size - used, "task code %d\n", init->task.status);
    used += usage_report(&init->usage, text + used, size - used);
    append_to_report(init->launch, text, used);
}

/* ---- up to the gate ---- */

/* Takes what front or the outside sends. Returns the signal that asks for the end, or 0. */
static int request_to_end(struct init *init)
{
    int request = 0;
    int number;
    while ((number = next_signal(init->signals, init->has_pid_namespace)) != 0)
        if (number != SIGCHLD)
            request = number;
    unsigned char byte;
    ssize_t n = init->launch->socket < 0 ? -1 : recv(init->launch->socket, &byte, sizeof byte, MSG_DONTWAIT);
    if (n == 1)
        request = byte;
    else if (n == 0) {
        close_fd(&init->launch->socket);
        request = SIGTERM; /* front was killed: nobody waits for this any more */
    }
    return request;
}

static int wait_for(struct init *init, int fd, int64_t until_ms)
{
    int64_t left = until_ms - now_ms();
    struct pollfd polls[] = {{.fd = fd, .events = POLLIN},
                             {.fd = init->signals, .events = POLLIN},
                             {.fd = init->launch->socket, .events = POLLIN}};
    if (left <= 0)
        return 0;
    int n = poll(polls, NELEM(polls), left > 1000 ? 1000 : (int)left);
    return n > 0 && polls[0].revents != 0;
}

static const char *wait_for_command(struct init *init, char *buffer, size_t size)
{
    int64_t until = now_ms() + SETUP_TIMEOUT_MS;
    while (now_ms() < until) {
        if (wait_for(init, init->ready, until)) {
            char byte;
            ssize_t n = read(init->ready, &byte, 1);
            if (n == 1)
                return NULL;
            if (n == 0)
                return "the process that was to become the command ended while it was "
                       "set up";
        }
        if (request_to_end(init) != 0)
            return "terminated";
    }
    (void)snprintf(buffer, size, "setting up took longer than %d s", SETUP_TIMEOUT_MS / 1000);
    return buffer;
}

/* NULL when it opened, else why not. */
static const char *wait_at_gate(struct init *init, char *buffer, size_t size)
{
    int gate = init->launch->gate;
    struct stat kind;
    if (gate < 0)
        return NULL;
    if (fstat(gate, &kind) != 0)
        return "gate closed";
    bool plain = S_ISREG(kind.st_mode);
    int64_t until = now_ms() + (int64_t)init->plan->gate_timeout_s * 1000;
    while (now_ms() < until) {
        bool there = plain || wait_for(init, gate, until);
        if (there) {
            char byte = 0;
            ssize_t n = plain ? pread(gate, &byte, 1, 0) : read(gate, &byte, 1);
            if (n == 1)
                return byte == 'o' ? NULL : "gate closed";
            if ((n == 0 && !plain) || (n < 0 && errno != EINTR && errno != EAGAIN))
                return "gate closed";
        }
        if (plain)
            (void)wait_for(init, -1, now_ms() + GATE_POLL_MS);
        if (request_to_end(init) != 0)
            return "terminated";
    }
    (void)snprintf(buffer, size, "gate timed out after %llu s", (unsigned long long)init->plan->gate_timeout_s);
    return buffer;
}

/* ---- while it runs ---- */

/* The oldest process that has become our child by the end of the command. */
static pid_t find_heir(const struct init *init)
{
    pid_t heir = 0;
    size_t count = 0;
    if (init->plan->task_result == NULL)
        return 0;
    struct process *list = list_processes(&count);
    for (size_t i = 0; i < count; i++)
        if (list[i].parent == getpid() && list[i].pid != init->command && (heir == 0 || list[i].pid < heir))
            heir = list[i].pid;
    free(list);
    return heir;
}

/* True when there is no child left. */
static bool reap(struct init *init)
{
    bool just_ended = false;
    for (;;) {
        int status;
        struct rusage usage;
        pid_t pid = wait4(-1, &status, WNOHANG, &usage);
        if (pid < 0)
            return errno == ECHILD;
        if (pid == 0)
            break;
        enum limit limit = usage_ended(&init->usage, status, &usage);
        /* A shell that says into a full log why its child ended is ended for the same reason. */
        if (pid == init->heir && limit == LIMIT_FILE_SIZE)
            end_by_limit(init, limit);
        if (pid != init->command)
            continue;
        init->status = status;
        if (init->limit == LIMIT_COUNT)
            init->limit = limit;
        if (init->limit == LIMIT_COUNT && !init->ended_by_request && WIFSIGNALED(status) &&
            WTERMSIG(status) == SIGKILL && usage_out_of_memory(&init->usage))
            init->limit = LIMIT_MEMORY;
        init->command_ended = true;
        init->heir = find_heir(init);
        just_ended = true;
    }
    /* Only when somebody is left: without a pid namespace, looking for them takes all of /proc. */
    if (just_ended && !init->plan->keep_background)
        begin_end(init, SIGTERM);
    return false;
}

/*
 * The task is over: what the command left behind to write the status down, and to show that it lives, has nothing to do
 * any more. Whatever else the command started in the background has another parent by now, and goes on.
 */
static void end_task(struct init *init)
{
    size_t count = 0;
    bool numbers_are_ours = !init->has_pid_namespace || is_applied(&init->launch->context, PROC);
    init->usage.ended_ms = now_ms();
    if (init->heir == 0 || !numbers_are_ours)
        return;
    struct process *list = list_processes(&count);
    mark_family(list, count, init->heir);
    for (size_t i = 0; i < count; i++)
        if (list[i].ours)
            (void)kill(list[i].pid, SIGKILL); /* ESRCH: it ended first */
    free(list);
}

/* KILLs whoever is left when the grace is over. How long to wait for the next look, in milliseconds. */
static int press_on(struct init *init)
{
    if (init->ending_by == 0)
        return 60000;
    int64_t left = init->kill_at_ms - now_ms();
    if (left > 0)
        return left < 60000 ? (int)left : 60000;
    signal_all(init, SIGKILL);
    init->kills++;
    return KILL_AGAIN_MS;
}

/*
 * The block has ended. Where the agent knows no process of this launch by its number, as in a container, its file is
 * the one thing that init and the agent have in common. A build that gets at the file can only end itself.
 */
static bool block_ended(const struct init *init)
{
    struct stat status;
    return init->launch->block >= 0 &&
           (fstat(init->launch->block, &status) != 0 || status.st_nlink == 0 || status.st_size > 0);
}

static void run_to_the_end(struct init *init)
{
    bool released = false;
    for (;;) {
        bool alone = reap(init);
        if (init->command_ended && task_ends(&init->task))
            end_task(init);
        if (init->ending_by == 0 && block_ended(init)) {
            init->ended_by_request |= !init->command_ended;
            init->requested = true;
            begin_end(init, SIGTERM);
        }
        /* Processes that may not be killed by us: another user's, without the capability. Our end is theirs. */
        if (init->has_pid_namespace && init->kills > KILLS_IN_VAIN)
            alone = true;
        if (alone) {
            report_end(init); /* before front ends, so that whoever waits for it finds it */
            usage_tell(&init->usage, !init->requested ? REQUEST_NONE : init->kills == 0 ? REQUEST_MET : REQUEST_FORCED);
            atomic_store(&init->launch->context.shared->finished, true);
        }
        if (init->command_ended && init->launch->socket >= 0)
            tell_front(init->launch, init->status); /* at once: work in the background goes on behind it */
        if (alone) {
            cgroup_remove(&init->launch->context.cgroup);
            return;
        }
        int wait_ms = 0;
        if (init->ending_by != SIGKILL) {
            wait_ms = INT_MAX;
            enum limit limit = usage_look(&init->usage, &wait_ms);
            if (limit != LIMIT_COUNT)
                end_by_limit(init, limit);
        }
        int press_ms = press_on(init);
        wait_ms = init->ending_by == SIGKILL || press_ms < wait_ms ? press_ms : wait_ms;
        bool watching = init->task.result != NULL && !init->task.over && init->command_ended;
        struct pollfd polls[] = {{.fd = init->signals, .events = POLLIN},
                                 {.fd = init->launch->socket, .events = POLLIN},
                                 {.fd = watching ? init->task.events : -1, .events = POLLIN}};
        if (watching && wait_ms > TASK_LOOK_MS)
            wait_ms = TASK_LOOK_MS;
        if (init->launch->block >= 0 && wait_ms > BLOCK_LOOK_MS)
            wait_ms = BLOCK_LOOK_MS;
        if (!released && wait_ms > RELEASE_AFTER_MS)
            wait_ms = RELEASE_AFTER_MS;
        if (poll(polls, NELEM(polls), wait_ms) == 0 && !released) { /* EINTR, ENOMEM: the loop looks again */
            release_text();
            released = true;
        }
        int request = request_to_end(init);
        if (request == 0)
            continue;
        if (!init->command_ended)
            init->ended_by_request = true;
        init->requested |= request != SIGINT && request != SIGQUIT;
        begin_end(init, request);
    }
}

/* Field 22 of /proc/self/stat: with the pid, it names this process for good (proc_pid_stat(5)). */
static unsigned long long own_start_time(void)
{
    char text[1024];
    unsigned long long start = 0;
    if (read_file_at(AT_FDCWD, "/proc/self/stat", text, sizeof text) < 0)
        return 0;
    const char *at = strrchr(text, ')'); /* the name before it may hold anything */
    for (int field = 2; at != NULL && field < 22; field++) {
        at = strchr(at, ' ');
        if (at != NULL)
            at++;
    }
    return at != NULL && sscanf(at, "%llu", &start) == 1 ? start : 0;
}

static int fork_command(struct init *init)
{
    int ready[2], go[2];
    if (pipe2(ready, O_CLOEXEC) != 0 || pipe2(go, O_CLOEXEC) != 0)
        return -1;
    pid_t self = getpid();
    init->command = fork();
    if (init->command < 0)
        return -1;
    if (init->command == 0) {
        struct launch *launch = init->launch;
        close_fd(&ready[0]);
        close_fd(&go[1]);
        close_fd(&init->signals);
        close_fd(&launch->report);
        close_fd(&launch->gate);
        close_fd(&launch->socket);
        close_fd(&launch->complaints);
        close_fd(&launch->block);
        close_fd(&launch->null);
        command_run(launch, self, ready[1], go[0]);
    }
    close_fd(&ready[1]);
    close_fd(&go[0]);
    init->ready = ready[0];
    init->go = go[1];
    return 0;
}

_Noreturn void init_run(struct launch *launch, pid_t init_pid)
{
    struct context *context = &launch->context;
    struct init init = {.launch = launch,
                        .plan = context->plan,
                        .kill_at_ms = NEVER,
                        .limit = LIMIT_COUNT,
                        .task = {.directory = -1, .events = -1, .status = -1}};
    char report[REPORT_MAX];
    char reason[512];
    /* Read before the view: a /proc that is not ours may not show us any more. */
    unsigned long long start = own_start_time();

    init.signals = open_signals();
    if (init.signals < 0)
        refuse_errno(&init, "signalfd");
    sequence_run(context, STAGE_INIT);
    if (atomic_load(&context->shared->broken)) {
        sequence_finish(context);
        size_t rows = report_rows(report, context, LEVEL_NONE, init_pid, start);
        refuse(&init, report, rows, broken_view(context, reason, sizeof reason));
    }
    init.has_pid_namespace = getpid() == 1;
    if (!init.has_pid_namespace && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        refuse_errno(&init, "prctl PR_SET_CHILD_SUBREAPER, which a profile without pid_namespace needs");
    if (fork_command(&init) != 0)
        refuse_errno(&init, "fork");
    if (shield_init() != 0)
        refuse_errno(&init, "shielding init");

    const char *trouble = wait_for_command(&init, reason, sizeof reason);
    sequence_finish(context);
    enum level level = level_of(launch->context.plan->standard, init.plan->asked, context->shared->outcomes);
    size_t used = report_rows(report, context, level, init_pid, start);
    if (trouble == NULL)
        trouble = shortfall(context, level, reason, sizeof reason);
    if (trouble != NULL)
        refuse(&init, report, used, trouble);
    used = report_close(report, used, NULL);
    append_to_report(launch, report, used);
    atomic_store(&context->shared->reported, true);
    if (launch->probe) {
        (void)kill(init.command, SIGKILL);
        (void)waitpid(init.command, NULL, 0);
        cgroup_remove(&context->cgroup);
        tell_front(launch, 0);
        _exit(0);
    }

    trouble = wait_at_gate(&init, reason, sizeof reason);
    if (trouble != NULL)
        refuse(&init, NULL, 0, trouble);
    close_fd(&launch->gate);
    close_fd(&launch->complaints);
    if (release_stdio(launch) != 0)
        refuse_errno(&init, "letting go of stdio");
    atomic_store(&context->shared->started, true);
    usage_begin(&init.usage, context, init.has_pid_namespace);
    task_watch(&init.task, context->plan);
    if (write_all(init.go, "g", 1) != 0)
        refuse(&init, NULL, 0, "the process that was to become the command is gone");
    close_fd(&init.go);
    close_fd(&init.ready);

    run_to_the_end(&init);
    _exit(0);
}
