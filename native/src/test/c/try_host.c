/*
 * Runs a command on a host that is made to say no: an older kernel, or a container's filter, by a seccomp filter around
 * it.
 *
 *   try_host [OPTION...] -- COMMAND [ARG...]
 *
 *   --refuse CALL=ERRNO   the system call fails, with EPERM, ENOSYS, EINVAL, EACCES or ENOSPC; or does nothing and
 *                         returns 0, with NOTHING
 *   --container           what the usual container engines refuse without further options, with their error numbers
 *   --no-user-namespaces ERRNO   unshare and clone with CLONE_NEWUSER fail
 *   --landlock ABI        Landlock as of that ABI: 0 for a kernel without it, `off` for one that was booted without it.
 *                         An ABI above this kernel's: a ruleset about files or the network must have all that the ABI
 *                         knows, and this kernel gets what it knows of that
 *   --landlock-log FILE   with --landlock: a line for each ruleset and each rule
 *   --stall MS            landlock_restrict_self takes that long
 *   --refuse-open PATH=ERRNO   open by exactly that name fails
 *   --few-prctls          prctl(2) knows neither the ambient set nor the securebits, as in gVisor
 *
 * Landlock's versions and open are decided by this process, which the kernel asks (seccomp_unotify(2)): it looks at
 * what the call was given and either answers in the kernel's place, as the older kernel would, or lets the call go on.
 * What a call was given could be changed in between; that matters for a sandbox, and not for a test of our own
 * launcher.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE (1UL << 0)
#endif

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "not one of the launcher's architectures"
#endif

#define NELEM(array) (sizeof(array) / sizeof(array)[0])
#define NAMESPACE_FLAGS                                                                                                \
    (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | 0x02000000)
#define MAX_RULES 128
#define NO_LANDLOCK_RULE (-1)
#define LANDLOCK_OFF (-2)

/* Those since Linux 5.1 have one number everywhere; headers may be older than the kernel. */
static const struct {
    const char *name;
    int number;
} calls[] = {
    {"unshare", SYS_unshare},
    {"mount", SYS_mount},
    {"umount2", SYS_umount2},
    {"pivot_root", SYS_pivot_root},
    {"setns", SYS_setns},
    {"keyctl", SYS_keyctl},
    {"add_key", SYS_add_key},
    {"request_key", SYS_request_key},
    {"seccomp", SYS_seccomp},
    {"memfd_create", SYS_memfd_create},
    {"statx", SYS_statx},
    {"renameat2", SYS_renameat2},
    {"name_to_handle_at", SYS_name_to_handle_at},
    {"bpf", SYS_bpf},
    {"perf_event_open", SYS_perf_event_open},
    {"userfaultfd", SYS_userfaultfd},
    {"open_by_handle_at", SYS_open_by_handle_at},
    {"ptrace", SYS_ptrace},
    {"pidfd_send_signal", 424},
    {"io_uring_setup", 425},
    {"open_tree", 428},
    {"move_mount", 429},
    {"fsopen", 430},
    {"fsconfig", 431},
    {"fsmount", 432},
    {"fspick", 433},
    {"pidfd_open", 434},
    {"clone3", 435},
    {"close_range", 436},
    {"openat2", 437},
    {"pidfd_getfd", 438},
    {"faccessat2", 439},
    {"mount_setattr", 442},
    {"landlock_create_ruleset", 444},
    {"landlock_add_rule", 445},
    {"landlock_restrict_self", 446},
    {"fchmodat2", 452},
};

static const struct {
    const char *name;
    int number;
} errors[] = {{"EPERM", EPERM},   {"ENOSYS", ENOSYS},         {"EINVAL", EINVAL}, {"EACCES", EACCES},
              {"ENOSPC", ENOSPC}, {"EOPNOTSUPP", EOPNOTSUPP}, {"NOTHING", 0}};

struct rule {
    int number;
    int error;
};

struct host {
    struct rule rules[MAX_RULES];
    size_t rule_count;
    int namespaces_error; /* of clone with a flag for a namespace, or 0 */
    int users_error;      /* of clone and unshare with the flag for a user namespace, or 0 */
    int landlock;
    int real_landlock; /* this kernel's ABI */
    FILE *landlock_log;
    unsigned stall_ms; /* or 0 */
    bool few_prctls;
    const char *closed_path;
    int closed_error;
};

static _Noreturn void die(const char *what, const char *object)
{
    (void)fprintf(stderr, "try_host: %s %s: %s\n", what, object, strerror(errno));
    exit(2);
}

static int call_number(const char *name)
{
    for (size_t i = 0; i < NELEM(calls); i++)
        if (strcmp(calls[i].name, name) == 0)
            return calls[i].number;
    errno = EINVAL;
    die("unknown call", name);
}

static int error_number(const char *name)
{
    for (size_t i = 0; i < NELEM(errors); i++)
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].number;
    errno = EINVAL;
    die("unknown error", name);
}

static void refuse(struct host *host, const char *name, int error)
{
    if (host->rule_count == MAX_RULES) {
        errno = E2BIG;
        die("too many", "rules");
    }
    host->rules[host->rule_count++] = (struct rule){call_number(name), error};
}

/* NAME=ERRNO, cut in two. */
static int split(char *text)
{
    char *equals = strrchr(text, '=');
    if (equals == NULL) {
        errno = EINVAL;
        die("not NAME=ERRNO:", text);
    }
    *equals = '\0';
    return error_number(equals + 1);
}

static void as_container(struct host *host)
{
    static const char *const privileged[] = {
        "unshare",           "mount",         "umount2", "pivot_root",    "setns",       "keyctl",
        "add_key",           "request_key",   "bpf",     "open_tree",     "move_mount",  "fsopen",
        "fsconfig",          "fsmount",       "fspick",  "mount_setattr", "userfaultfd", "perf_event_open",
        "open_by_handle_at", "io_uring_setup"};
    for (size_t i = 0; i < NELEM(privileged); i++)
        refuse(host, privileged[i], EPERM);
    refuse(host, "clone3", ENOSYS);
    host->namespaces_error = EPERM;
}

static size_t parse(struct host *host, int argc, char **argv)
{
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char *value = i + 1 < argc ? argv[i + 1] : NULL;
        errno = EINVAL;
        if (strcmp(argv[i], "--container") == 0) {
            as_container(host);
            continue;
        }
        if (strcmp(argv[i], "--few-prctls") == 0) {
            host->few_prctls = true;
            continue;
        }
        if (value == NULL)
            die("no value or unknown:", argv[i]);
        if (strcmp(argv[i], "--refuse") == 0) {
            int error = split(value);
            refuse(host, value, error);
        } else if (strcmp(argv[i], "--no-user-namespaces") == 0) {
            host->users_error = error_number(value);
        } else if (strcmp(argv[i], "--landlock") == 0) {
            host->landlock = strcmp(value, "off") == 0 ? LANDLOCK_OFF : atoi(value);
        } else if (strcmp(argv[i], "--landlock-log") == 0) {
            host->landlock_log = fopen(value, "ae");
            if (host->landlock_log == NULL)
                die("open", value);
        } else if (strcmp(argv[i], "--stall") == 0) {
            host->stall_ms = (unsigned)atoi(value);
        } else if (strcmp(argv[i], "--refuse-open") == 0) {
            host->closed_error = split(value);
            host->closed_path = value;
        } else {
            die("unknown option", argv[i]);
        }
        i++;
    }
    if (i + 1 >= argc)
        die("no", "command");
    return (size_t)i + 1;
}

/* ---- the filter ---- */

static void refuse_number(struct sock_filter *program, unsigned short *n, uint32_t number, int error)
{
    program[(*n)++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    program[(*n)++] =
        (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA));
}

/* Refuses a call by the low half of its first argument, on machines whose first byte is the low one. Loads anew what it
   was given, for whoever comes next. */
static unsigned short compose_flags(struct sock_filter *program, unsigned short n, uint32_t number, uint32_t flags,
                                    int error)
{
    program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));
    program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    return n;
}

static unsigned short compose(const struct host *host, struct sock_filter *program)
{
    unsigned short n = 0;
    const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_filter ask = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    const struct sock_filter load_number = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
    program[n++] = allow;
    program[n++] = load_number;
    for (size_t i = 0; i < host->rule_count; i++)
        refuse_number(program, &n, (uint32_t)host->rules[i].number, host->rules[i].error);
    if (host->landlock != NO_LANDLOCK_RULE || host->stall_ms != 0)
        for (uint32_t number = 444; number <= 446; number++) {
            program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
            program[n++] = ask;
        }
    if (host->closed_path != NULL) {
        program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1);
        program[n++] = ask;
    }
    if (host->namespaces_error != 0)
        n = compose_flags(program, n, SYS_clone, NAMESPACE_FLAGS, host->namespaces_error);
    if (host->users_error != 0) {
        n = compose_flags(program, n, SYS_clone, CLONE_NEWUSER, host->users_error);
        n = compose_flags(program, n, SYS_unshare, CLONE_NEWUSER, host->users_error);
        refuse_number(program, &n, 435, ENOSYS); /* clone3, whose flags no filter can see */
    }
    if (host->few_prctls) {
        program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 7);
        program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));
        refuse_number(program, &n, PR_CAP_AMBIENT, EINVAL);
        refuse_number(program, &n, PR_GET_SECUREBITS, EINVAL);
        refuse_number(program, &n, PR_SET_SECUREBITS, EINVAL);
    }
    program[n++] = allow;
    return n;
}

static int install(const struct host *host, bool listen)
{
    static struct sock_filter program[2 * MAX_RULES + 32];
    struct sock_fprog filter = {.len = compose(host, program), .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, listen ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0UL, &filter);
}

/* ---- answers in the kernel's place ---- */

static bool read_from(const struct seccomp_notif *request, uint64_t address, void *buffer, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%u/mem", request->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = pread(fd, buffer, size, (off_t)address);
    (void)close(fd);
    return n == (ssize_t)size;
}

static bool write_to(const struct seccomp_notif *request, uint64_t address, const void *buffer, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%u/mem", request->pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = pwrite(fd, buffer, size, (off_t)address);
    (void)close(fd);
    return n == (ssize_t)size;
}

static uint64_t fs_bits(int abi)
{
    /* Documentation/userspace-api/landlock.rst: 13 rights in ABI 1, then REFER, TRUNCATE, in ABI 5 IOCTL_DEV, and in
       ABI 9 RESOLVE_UNIX */
    int count = abi >= 9 ? 17 : abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;
    return (UINT64_C(1) << count) - 1;
}

/* bind and connect by TCP; in ABI 10 by UDP too. */
static uint64_t net_bits(int abi)
{
    return abi >= 10 ? 15 : 3;
}

/* This kernel gets what it knows; whether all that the newer one knows was asked for is what the test is about. */
static int create_newer(const struct seccomp_notif *request, uint64_t attributes[3], const struct host *host)
{
    const uint64_t refer = UINT64_C(1) << 13; /* alone in a layer that is not about files */
    if ((attributes[0] & ~refer) != 0 && attributes[0] != fs_bits(host->landlock))
        return EINVAL;
    if (attributes[1] != 0 && attributes[1] != net_bits(host->landlock))
        return EINVAL;
    attributes[0] &= fs_bits(host->real_landlock);
    attributes[1] &= net_bits(host->real_landlock);
    return write_to(request, request->data.args[0], attributes, 3 * sizeof attributes[0]) ? 0 : EFAULT;
}

/* The error that a kernel of this ABI answers, or 0 for whatever the running one does. */
static int create_ruleset(const struct seccomp_notif *request, const struct host *host)
{
    int abi = host->landlock;
    uint64_t address = request->data.args[0], size = request->data.args[1], flags = request->data.args[2];
    uint64_t attributes[8] = {0};
    if (flags != 0)
        return EINVAL;
    if (size < 8)
        return 0;
    if (size > sizeof attributes)
        return E2BIG;
    if (!read_from(request, address, attributes, (size_t)size))
        return EFAULT;
    size_t known = abi >= 6 ? 3 : abi >= 4 ? 2 : 1;
    for (size_t i = known; i < NELEM(attributes); i++)
        if (attributes[i] != 0)
            return E2BIG;
    if (host->landlock_log != NULL)
        (void)fprintf(host->landlock_log, "ruleset %llx %llx %llx\n", (unsigned long long)attributes[0],
                      (unsigned long long)attributes[1], (unsigned long long)attributes[2]);
    bool unknown =
        (attributes[0] & ~fs_bits(abi)) != 0 || (attributes[1] & ~net_bits(abi)) != 0 || (attributes[2] & ~3ULL) != 0;
    if (unknown)
        return EINVAL;
    return abi > host->real_landlock && size >= 24 ? create_newer(request, attributes, host) : 0;
}

struct path_rule {
    uint64_t access;
    int32_t parent;
} __attribute__((packed));

static int add_rule(const struct seccomp_notif *request, const struct host *host)
{
    struct path_rule rule;
    if ((uint32_t)request->data.args[1] == 2)
        return host->landlock < 4 ? EINVAL : 0;
    if (!read_from(request, request->data.args[2], &rule, sizeof rule))
        return EFAULT;
    if (host->landlock_log != NULL) {
        char link[64], path[4096];
        (void)snprintf(link, sizeof link, "/proc/%u/fd/%d", request->pid, rule.parent);
        ssize_t n = readlink(link, path, sizeof path - 1);
        path[n < 0 ? 0 : n] = '\0';
        (void)fprintf(host->landlock_log, "rule %llx %s\n", (unsigned long long)rule.access, path);
    }
    if (host->landlock <= host->real_landlock)
        return 0;
    rule.access &= fs_bits(host->real_landlock);
    return write_to(request, request->data.args[2], &rule, sizeof rule) ? 0 : EFAULT;
}

static void answer_landlock(const struct seccomp_notif *request, struct seccomp_notif_resp *response,
                            const struct host *host)
{
    const uint64_t *args = (const uint64_t *)request->data.args;
    int abi = host->landlock;
    int error = 0;
    if (abi == NO_LANDLOCK_RULE) {
        error = 0;
    } else if (abi == 0 || abi == LANDLOCK_OFF) {
        error = abi == 0 ? ENOSYS : EOPNOTSUPP;
    } else if (request->data.nr == 444 && args[2] == 1) {
        response->val = abi;
        return;
    } else if (request->data.nr == 444) {
        error = create_ruleset(request, host);
    } else if (request->data.nr == 445) {
        error = add_rule(request, host);
    } else {
        error = args[1] != 0 && abi < 7 ? EINVAL : 0;
    }
    if (host->landlock_log != NULL)
        (void)fflush(host->landlock_log);
    response->error = -error;
    if (error == 0)
        response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}

/* Answers later, or never when nobody waits for the answer any more. The caller goes on at once. */
static void answer_late(int listener, struct seccomp_notif_resp *response, unsigned after_ms)
{
    if (fork() != 0)
        return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd <= 2; fd++)
        (void)dup2(null, fd);
    for (unsigned waited = 0; waited < after_ms; waited += 100) {
        struct pollfd gone = {.fd = listener};
        if (poll(&gone, 1, 100) > 0 && (gone.revents & POLLHUP) != 0)
            _exit(0);
    }
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, response);
    _exit(0);
}

static void answer_open(const struct seccomp_notif *request, struct seccomp_notif_resp *response,
                        const struct host *host)
{
    char path[256] = "";
    size_t size = strlen(host->closed_path) + 1;
    if (size <= sizeof path && read_from(request, request->data.args[1], path, size) &&
        memcmp(path, host->closed_path, size) == 0)
        response->error = -host->closed_error;
    else
        response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}

/* One question; false when there will be no more. */
static bool answer(int listener, const struct host *host)
{
    struct seccomp_notif request;
    memset(&request, 0, sizeof request);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
        return errno == EINTR || errno == ENOENT;
    struct seccomp_notif_resp response = {.id = request.id};
    if (request.data.nr == SYS_openat)
        answer_open(&request, &response, host);
    else
        answer_landlock(&request, &response, host);
    if (request.data.nr == 446 && host->stall_ms != 0) {
        answer_late(listener, &response, host->stall_ms);
        return true;
    }
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0 || errno == ENOENT;
}

/* ---- the command and who answers for it ---- */

static void send_descriptor(int socket, int fd)
{
    char byte = 'f';
    struct iovec data = {&byte, 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.space = {0}};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (sendmsg(socket, &message, 0) != 1)
        die("sendmsg", "listener");
}

static int receive_descriptor(int socket)
{
    char byte;
    struct iovec data = {&byte, 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.space = {0}};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    int fd = -1;
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message) != NULL)
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static _Noreturn void run(const struct host *host, char **command, int socket)
{
    int listener = install(host, socket >= 0);
    if (listener < 0)
        die("seccomp:", "filter");
    if (socket >= 0) {
        send_descriptor(socket, listener);
        (void)close(listener);
        (void)close(socket);
    }
    (void)execvp(command[0], command);
    die("exec", command[0]);
}

/* The command's processes may outlive it: somebody has to answer until the last of them is gone. */
static void answer_on(int listener, const struct host *host)
{
    if (fork() != 0)
        return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd <= 2; fd++)
        (void)dup2(null, fd);
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    while (poll(&wait, 1, -1) > 0 && (wait.revents & POLLIN) != 0 && answer(listener, host))
        ;
    _exit(0);
}

static int supervise(const struct host *host, pid_t child, int listener)
{
    int status;
    for (;;) {
        struct pollfd wait = {.fd = listener, .events = POLLIN};
        (void)poll(&wait, 1, 20);
        if ((wait.revents & POLLIN) != 0 && !answer(listener, host))
            die("answer", "");
        if (waitpid(child, &status, WNOHANG) == child)
            break;
    }
    answer_on(listener, host);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    struct host host = {.landlock = NO_LANDLOCK_RULE};
    char **command = argv + parse(&host, argc, argv);
    host.real_landlock = (int)syscall(444, NULL, 0UL, 1UL);
    if (host.landlock == NO_LANDLOCK_RULE && host.closed_path == NULL && host.stall_ms == 0)
        run(&host, command, -1);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        die("socketpair", "");
    pid_t child = fork();
    if (child < 0)
        die("fork", "");
    if (child == 0)
        run(&host, command, ends[1]);
    (void)close(ends[1]);
    int listener = receive_descriptor(ends[0]);
    if (listener < 0)
        die("no", "listener");
    return supervise(&host, child, listener);
}
