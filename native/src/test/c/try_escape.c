/*
 * What the escape suite of the launcher's own sandbox tries where a shell cannot: one program, one attempt per call.
 *
 *   try_escape ATTEMPT [ARGUMENT...]
 *
 * prints REACHED before the decisive step, then ESCAPED and what it got, or STOPPED and why not. LACKING says that this
 * kernel has no such thing, with or without a sandbox. Status 2: the attempt itself is broken.
 *
 * Every attempt ends where an interface answers: nothing is exploited, nothing outside of the test's own processes and
 * files is changed. Without a sandbox most of them succeed for any user, which is what the suite checks first.
 *
 * `neighbour`, `serve-unix`, `linger`, `with-terminal` and `with-key` are the other side: what is attacked.
 */
#include <arpa/inet.h>
#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <mqueue.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Numbers of calls and names that older headers lack; the same on both architectures. */
#define CALL_OPEN_TREE 428
#define CALL_FSOPEN 430
#define CALL_FSCONFIG 431
#define CALL_CLONE3 435
#define CALL_PIDFD_OPEN 434
#define CALL_PIDFD_GETFD 438
#define CALL_IO_URING_SETUP 425
#define FAMILY_VSOCK 40

static const char secret[] = "what the neighbour knows";

struct attempt {
    const char *name;
    int arguments;
    void (*run)(char **arguments);
};

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "try_escape: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void reached(void)
{
    (void)puts("REACHED");
    (void)fflush(stdout);
}

__attribute__((format(printf, 1, 2))) static _Noreturn void escaped(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)printf("ESCAPED ");
    (void)vprintf(format, list);
    (void)puts("");
    va_end(list);
    exit(0);
}

static _Noreturn void stopped(const char *what)
{
    (void)printf("STOPPED %s: %s\n", what, strerror(errno));
    exit(0);
}

static _Noreturn void lacking(const char *what)
{
    (void)printf("LACKING %s\n", what);
    exit(0);
}

static long number(const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 0);
    if (errno != 0 || *end != '\0' || end == text) {
        errno = EINVAL;
        die(text);
    }
    return value;
}

/* A call that hands out a descriptor, or anything else that is no error, has been let through. */
static void judge(const char *what, long result)
{
    if (result < 0 && errno == ENOSYS)
        stopped(what);
    if (result < 0)
        stopped(what);
    escaped("%s", what);
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        stopped(path);
    if (write(fd, text, strlen(text)) < 0)
        stopped(path);
    (void)close(fd);
}

/* Namespaces of one's own, in which one is root: what any user may have, and what opens the kernel's root-only code. */
static void become_root_in(int flags)
{
    char map[64];
    unsigned uid = getuid(), gid = getgid();
    if (unshare(CLONE_NEWUSER | flags) != 0)
        stopped("unshare");
    write_text("/proc/self/setgroups", "deny");
    (void)snprintf(map, sizeof map, "0 %u 1", uid);
    write_text("/proc/self/uid_map", map);
    (void)snprintf(map, sizeof map, "0 %u 1", gid);
    write_text("/proc/self/gid_map", map);
}

/* ---- files ---- */

/* open FILE FLAGS, of r w n(onblock) p(ath). */
static void try_open(char **arguments)
{
    int flags = O_CLOEXEC;
    bool readable = strchr(arguments[1], 'r') != NULL, writable = strchr(arguments[1], 'w') != NULL;
    flags |= readable && writable ? O_RDWR : writable ? O_WRONLY : O_RDONLY;
    if (strchr(arguments[1], 'n') != NULL)
        flags |= O_NONBLOCK;
    if (strchr(arguments[1], 'p') != NULL)
        flags |= O_PATH;
    reached();
    judge("open", open(arguments[0], flags));
}

/* fifo FILE: writes to a pipe of the machine's, which a read-only mount does not forbid. */
static void try_fifo(char **arguments)
{
    reached();
    int fd = open(arguments[0], O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        stopped("open");
    judge("write", write(fd, "x", 1));
}

/* parents-files: is there a file or pipe of our parent's that we can open for writing? Writes nothing. */
static void try_parents_files(char **arguments)
{
    (void)arguments;
    char path[64];
    int error = ENOENT;
    reached();
    for (int fd = 3; fd < 256; fd++) {
        (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getppid(), fd);
        if (open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) >= 0)
            escaped("%s", path);
        if (errno != ENOENT)
            error = errno;
    }
    errno = error;
    stopped("open");
}

/* descriptors TEXT: writes to everything that we inherited beside stdin, stdout and stderr. */
static void try_descriptors(char **arguments)
{
    int error = EBADF;
    reached();
    for (int fd = 3; fd < 1024; fd++) {
        if (dprintf(fd, "%s\n", arguments[0]) > 0)
            escaped("descriptor %d", fd);
        if (errno != EBADF)
            error = errno;
    }
    errno = error;
    stopped("write");
}

/* chroot-out FILE: the oldest way out of a chroot, by a second one that leaves the working directory behind. */
static void try_chroot_out(char **arguments)
{
    char directory[] = "escape-XXXXXX";
    if (mkdtemp(directory) == NULL)
        die("mkdtemp");
    reached();
    if (chroot(directory) != 0)
        stopped("chroot");
    for (int i = 0; i < 100; i++)
        if (chdir("..") != 0)
            stopped("chdir");
    if (chroot(".") != 0)
        stopped("chroot");
    judge("open", open(arguments[0], O_RDONLY | O_CLOEXEC));
}

/* lock FILE: keeps everybody else from taking it. */
static void try_lock(char **arguments)
{
    int fd = open(arguments[0], O_RDONLY | O_CLOEXEC);
    reached();
    if (fd < 0)
        stopped("open");
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    judge("fcntl", fcntl(fd, F_SETLK, &lock));
}

/* lease FILE: lets everybody else who opens it wait. */
static void try_lease(char **arguments)
{
    int fd = open(arguments[0], O_RDONLY | O_CLOEXEC);
    reached();
    if (fd < 0)
        stopped("open");
    judge("fcntl", fcntl(fd, F_SETLEASE, F_RDLCK));
}

/* ---- processes ---- */

static void try_ptrace(char **arguments)
{
    pid_t pid = (pid_t)number(arguments[0]);
    reached();
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0)
        stopped("ptrace");
    escaped("PTRACE_SEIZE");
}

/* vm-read PID ADDRESS */
static void try_vm_read(char **arguments)
{
    char text[sizeof secret];
    struct iovec here = {text, sizeof text}, there = {(void *)(uintptr_t)number(arguments[1]), sizeof text};
    reached();
    ssize_t n = process_vm_readv((pid_t)number(arguments[0]), &here, 1, &there, 1, 0);
    if (n == (ssize_t)sizeof text && memcmp(text, secret, sizeof text) == 0)
        escaped("%s", text);
    stopped("process_vm_readv");
}

/* memory PID ADDRESS, by /proc */
static void try_memory(char **arguments)
{
    char path[64], text[sizeof secret];
    (void)snprintf(path, sizeof path, "/proc/%s/mem", arguments[0]);
    reached();
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        stopped("open");
    ssize_t n = pread(fd, text, sizeof text, (off_t)number(arguments[1]));
    if (n == (ssize_t)sizeof text && memcmp(text, secret, sizeof text) == 0)
        escaped("%s", text);
    stopped("pread");
}

static void try_take_descriptor(char **arguments)
{
    reached();
    int fd = (int)syscall(CALL_PIDFD_OPEN, (pid_t)number(arguments[0]), 0);
    if (fd < 0)
        stopped("pidfd_open");
    judge("pidfd_getfd", syscall(CALL_PIDFD_GETFD, fd, 1, 0));
}

/* limit PID: lowers how large a file another process may write, to what it is. */
static void try_limit(char **arguments)
{
    pid_t pid = (pid_t)number(arguments[0]);
    struct rlimit limit = {1 << 30, 1 << 30};
    reached();
    judge("prlimit", prlimit(pid, RLIMIT_FSIZE, &limit, NULL));
}

static void try_slow_down(char **arguments)
{
    reached();
    judge("setpriority", setpriority(PRIO_PROCESS, (id_t)number(arguments[0]), 5));
}

/* end-parent SIGNAL: does our parent go away? The parent of a command in a sandbox is its init. */
static void try_end_parent(char **arguments)
{
    pid_t parent = getppid();
    reached();
    if (kill(parent, (int)number(arguments[0])) != 0)
        stopped("kill");
    for (int i = 0; i < 40; i++) {
        if (getppid() != parent)
            escaped("the parent is gone");
        (void)usleep(25000);
    }
    errno = 0;
    stopped("kill: the parent is still there");
}

/* linger NAME: a process that nobody wants; the suite looks for the name. */
static void linger(char **arguments)
{
    (void)arguments;
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)sleep(300);
}

/*
 * set-uid PROGRAM: starts a program that belongs to root and has the set-uid bit, one that waits for input, and looks
 * whom it runs as. It gets no input.
 */
static void try_set_uid(char **arguments)
{
    int pipes[2];
    struct stat status;
    char path[64], line[256], name[NAME_MAX + 1] = "";
    /* Not whose it is: in a user namespace that does not map root, its files show another owner. */
    if (stat(arguments[0], &status) != 0 || (status.st_mode & S_ISUID) == 0)
        lacking("a set-uid program to start");
    if (pipe2(pipes, O_CLOEXEC) != 0)
        die("pipe");
    reached();
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (dup2(pipes[0], 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
            _exit(1);
        (void)execl(arguments[0], arguments[0], (char *)NULL);
        _exit(1);
    }
    const char *base = strrchr(arguments[0], '/');
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)child);
    unsigned effective = UINT_MAX;
    for (int i = 0; i < 400 && effective == UINT_MAX; i++) {
        FILE *file = fopen(path, "re");
        while (file != NULL && fgets(line, sizeof line, file) != NULL) {
            unsigned real, now;
            (void)sscanf(line, "Name: %255s", name);
            if (strcmp(name, base == NULL ? arguments[0] : base + 1) == 0 &&
                sscanf(line, "Uid: %u %u", &real, &now) == 2)
                effective = now;
        }
        if (file != NULL)
            (void)fclose(file);
        (void)usleep(5000);
    }
    (void)kill(child, SIGKILL);
    (void)close(pipes[1]);
    (void)waitpid(child, NULL, 0);
    if (effective == UINT_MAX) {
        errno = ESRCH;
        die(arguments[0]);
    }
    if (effective != getuid())
        escaped("runs as user %u", effective);
    errno = 0;
    stopped("no other user");
}

/* ---- system calls and namespaces ---- */

static void try_unshare(char **arguments)
{
    (void)arguments;
    reached();
    become_root_in(0);
    escaped("root in a user namespace");
}

static void leave_or_report(const char *what, long pid)
{
    if (pid == 0)
        _exit(0);
    if (pid > 0)
        (void)waitpid((pid_t)pid, NULL, 0);
    judge(what, pid);
}

static void try_clone(char **arguments)
{
    (void)arguments;
    reached();
    /* flags first on both architectures; with bits above the lower 32, which the kernel cuts off */
    leave_or_report("clone", syscall(SYS_clone, 0xffffffff00000000ul | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static void try_clone3(char **arguments)
{
    (void)arguments;
    uint64_t clone_arguments[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0};
    reached();
    leave_or_report("clone3", syscall(CALL_CLONE3, clone_arguments, sizeof clone_arguments));
}

/* The 32-bit gate of x86_64: other numbers for the same calls. 310 is unshare there. */
static void try_gate32(char **arguments)
{
    (void)arguments;
#ifdef __x86_64__
    reached();
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        long result = 310;
        __asm__ volatile("int $0x80" : "+a"(result) : "b"((long)CLONE_NEWUSER) : "memory", "r8", "r9", "r10", "r11");
        _exit((int)result < 0 ? -(int)result : 0);
    }
    int status;
    if (waitpid(child, &status, 0) != child)
        die("waitpid");
    if (WIFSIGNALED(status))
        lacking("a 32-bit gate");
    errno = WEXITSTATUS(status);
    judge("unshare through the 32-bit gate", errno == 0 ? 0 : -1);
#else
    lacking("a 32-bit gate");
#endif
}

static void try_modify_ldt(char **arguments)
{
    (void)arguments;
#ifdef __x86_64__
    char table[64];
    reached();
    judge("modify_ldt", syscall(SYS_modify_ldt, 0, table, sizeof table));
#else
    lacking("modify_ldt");
#endif
}

static void try_fsconfig(char **arguments)
{
    (void)arguments;
    reached();
    become_root_in(CLONE_NEWNS);
    int fd = (int)syscall(CALL_FSOPEN, "tmpfs", 0);
    if (fd < 0)
        stopped("fsopen");
    /* 1 is FSCONFIG_SET_STRING, the command with the overflow; an ordinary value */
    judge("fsconfig", syscall(CALL_FSCONFIG, fd, 1, "size", "4096", 0));
}

static void try_open_tree(char **arguments)
{
    (void)arguments;
    uint64_t clone_arguments[8] = {CLONE_NEWUSER | CLONE_NEWNS, 0, 0, 0, SIGCHLD, 0, 0, 0};
    reached();
    long pid = syscall(CALL_CLONE3, clone_arguments, sizeof clone_arguments);
    if (pid < 0)
        stopped("clone3");
    if (pid == 0) /* OPEN_TREE_CLONE and AT_RECURSIVE: of a tree with locked mounts no less can be had */
        _exit(syscall(CALL_OPEN_TREE, AT_FDCWD, "/", 1 | 0x8000) >= 0 ? 0 : errno);
    int status;
    if (waitpid((pid_t)pid, &status, 0) != pid)
        die("waitpid");
    errno = WEXITSTATUS(status);
    judge("open_tree", errno == 0 ? 0 : -1);
}

/* nf_tables: asks which generation its rules are; no rule is made. */
static void try_nftables(char **arguments)
{
    (void)arguments;
    struct {
        struct nlmsghdr header;
        struct nfgenmsg body;
    } request = {.header = {.nlmsg_len = sizeof request,
                            .nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN,
                            .nlmsg_flags = NLM_F_REQUEST}};
    union {
        struct nlmsghdr header;
        char bytes[4096];
    } answer;
    reached();
    become_root_in(CLONE_NEWNET);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd < 0)
        stopped("socket");
    if (send(fd, &request, sizeof request, 0) < 0)
        stopped("send");
    ssize_t n = recv(fd, &answer, sizeof answer, 0);
    if (n < (ssize_t)sizeof answer.header)
        stopped("recv");
    if (answer.header.nlmsg_type == NLMSG_ERROR)
        lacking("nf_tables");
    escaped("nf_tables answers");
}

/* The older netfilter interface; 64 is IPT_SO_GET_INFO. */
static void try_iptables(char **arguments)
{
    (void)arguments;
    char info[84] = "filter";
    socklen_t size = sizeof info;
    reached();
    become_root_in(CLONE_NEWNET);
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (fd < 0)
        stopped("socket");
    if (getsockopt(fd, IPPROTO_IP, 64, info, &size) != 0 && errno == ENOPROTOOPT)
        lacking("the old iptables interface");
    judge("getsockopt", errno == EPERM ? -1 : 0);
}

static void try_packet(char **arguments)
{
    (void)arguments;
    reached();
    become_root_in(CLONE_NEWNET);
    judge("AF_PACKET", socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

/* Forged packets of any kind; the flag in the type is what a comparison with SOCK_RAW overlooks. */
static void try_raw(char **arguments)
{
    (void)arguments;
    reached();
    become_root_in(CLONE_NEWNET);
    judge("SOCK_RAW", socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static void try_xfrm(char **arguments)
{
    (void)arguments;
    reached();
    become_root_in(CLONE_NEWNET);
    judge("NETLINK_XFRM", socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM));
}

static void try_cgroup(char **arguments)
{
    reached();
    become_root_in(CLONE_NEWNS | CLONE_NEWCGROUP);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        stopped("mount private");
    judge("mount cgroup2", mount("cgroup", arguments[0], "cgroup2", 0, NULL));
}

/* overlay LOWER UPPER WORK TARGET */
static void try_overlay(char **arguments)
{
    char options[3 * PATH_MAX + 64];
    reached();
    become_root_in(CLONE_NEWNS);
    (void)snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s,userxattr", arguments[0], arguments[1],
                   arguments[2]);
    judge("mount overlay", mount("overlay", arguments[3], "overlay", 0, options));
}

/* tmpfs DIRECTORY, as whoever we are */
static void try_tmpfs(char **arguments)
{
    reached();
    judge("mount", mount("tmpfs", arguments[0], "tmpfs", 0, NULL));
}

static void try_io_uring(char **arguments)
{
    (void)arguments;
    char parameters[120] = {0};
    reached();
    judge("io_uring_setup", syscall(CALL_IO_URING_SETUP, 1, parameters));
}

static void try_userfaultfd(char **arguments)
{
    (void)arguments;
    reached();
    judge("userfaultfd", syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */));
}

static void try_perf(char **arguments)
{
    (void)arguments;
    struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE,
                                    .size = sizeof event,
                                    .config = PERF_COUNT_SW_TASK_CLOCK,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1};
    reached();
    judge("perf_event_open", syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
}

/* Most machines refuse bpf(2) to the unprivileged, later: a bad pointer tells whether the kernel looked at it. */
static void try_bpf(char **arguments)
{
    (void)arguments;
    reached();
    if (syscall(SYS_bpf, BPF_MAP_CREATE, NULL, sizeof(union bpf_attr)) != 0 && errno == EFAULT)
        escaped("the kernel looked at the arguments");
    stopped("bpf");
}

static void try_add_key(char **arguments)
{
    (void)arguments;
    reached();
    judge("add_key", syscall(SYS_add_key, "user", "try-escape", "x", 1, -2 /* KEY_SPEC_PROCESS_KEYRING */));
}

/* read-key NAME: from the session keyring, which is inherited. */
static void try_read_key(char **arguments)
{
    char text[64] = "";
    reached();
    /* 10 is KEYCTL_SEARCH, 11 KEYCTL_READ, -3 KEY_SPEC_SESSION_KEYRING */
    long key = syscall(SYS_keyctl, 10, -3, "user", arguments[0], 0);
    if (key < 0)
        stopped("keyctl");
    if (syscall(SYS_keyctl, 11, key, text, sizeof text - 1) < 0)
        stopped("keyctl");
    escaped("%s", text);
}

static void try_personality(char **arguments)
{
    (void)arguments;
    reached();
    judge("personality", personality(READ_IMPLIES_EXEC));
}

static void try_vsock(char **arguments)
{
    (void)arguments;
    reached();
    int fd = socket(FAMILY_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    judge("AF_VSOCK", fd);
}

/* A raw socket whose type carries a flag, which a comparison with SOCK_RAW overlooks. On AF_UNIX anybody may have one.
 */
static void try_raw_flags(char **arguments)
{
    (void)arguments;
    reached();
    judge("SOCK_RAW|SOCK_CLOEXEC", socket(AF_UNIX, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static void try_uevents(char **arguments)
{
    (void)arguments;
    reached();
    judge("NETLINK_KOBJECT_UEVENT", socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT));
}

/* memory-file PROGRAM: runs a program that is no file of any file system. */
static void try_memory_file(char **arguments)
{
    char buffer[65536];
    ssize_t n;
    int from = open(arguments[0], O_RDONLY | O_CLOEXEC);
    if (from < 0)
        die(arguments[0]);
    reached();
    int fd = (int)syscall(SYS_memfd_create, "program", 0);
    if (fd < 0)
        stopped("memfd_create");
    while ((n = read(from, buffer, sizeof buffer)) > 0)
        if (write(fd, buffer, (size_t)n) != n)
            die("write");
    char *const words[] = {"program", "hello", NULL};
    (void)fexecve(fd, words, environ);
    stopped("fexecve");
}

static void hello(char **arguments)
{
    (void)arguments;
    escaped("the program runs");
}

/* A route to somewhere; connecting a datagram socket sends nothing. 198.51.100.1 is for documentation (RFC 5737). */
static void try_route(char **arguments)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
    if (inet_pton(AF_INET, arguments[0], &address.sin_addr) != 1)
        die(arguments[0]);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    reached();
    judge("connect", connect(fd, (struct sockaddr *)&address, sizeof address));
}

/* ---- talking to the neighbour ---- */

static void read_answer(int fd)
{
    char text[128] = "";
    if (recv(fd, text, sizeof text - 1, 0) > 0 && strcmp(text, secret) == 0)
        escaped("%s", text);
    stopped("recv");
}

static void connect_and_read(int fd, const void *address, socklen_t size)
{
    struct timeval wait = {5, 0}; /* only so that a lost datagram does not hang the suite */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0)
        die("socket");
    reached();
    if (connect(fd, address, size) != 0)
        stopped("connect");
    (void)send(fd, "x", 1,
               MSG_NOSIGNAL); /* the neighbour answers a datagram, and a stream at once: then this may fail */
    read_answer(fd);
}

static struct sockaddr_in local(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void try_tcp(char **arguments)
{
    struct sockaddr_in address = local(arguments[0]);
    connect_and_read(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &address, sizeof address);
}

/* The same listener by an IPv6 socket. */
static void try_tcp6(char **arguments)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)number(arguments[0]))};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT)
        lacking("IPv6");
    if (inet_pton(AF_INET6, "::ffff:127.0.0.1", &address.sin6_addr) != 1)
        die("inet_pton");
    connect_and_read(fd, &address, sizeof address);
}

static void try_udp(char **arguments)
{
    struct sockaddr_in address = local(arguments[0]);
    connect_and_read(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), &address, sizeof address);
}

/* Changes the working directory when the name of a file has one: an address has room for 108 bytes, less than many
 * paths. */
static socklen_t unix_address(struct sockaddr_un *address, const char *name, bool abstract)
{
    const char *base = abstract ? NULL : strrchr(name, '/');
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (base != NULL) {
        char directory[PATH_MAX];
        (void)snprintf(directory, sizeof directory, "%.*s", (int)(base - name), name);
        name = chdir(directory) == 0 ? base + 1 : "not-there";
    }
    size_t length = strlen(name);
    if (length + 1 >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        die(name);
    }
    memcpy(address->sun_path + (abstract ? 1 : 0), name, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

static void try_unix(char **arguments)
{
    struct sockaddr_un address;
    socklen_t size = unix_address(&address, arguments[0], false);
    connect_and_read(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), &address, size);
}

static void try_abstract(char **arguments)
{
    struct sockaddr_un address;
    socklen_t size = unix_address(&address, arguments[0], true);
    connect_and_read(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), &address, size);
}

static void try_shm(char **arguments)
{
    reached();
    const char *text = shmat((int)number(arguments[0]), NULL, SHM_RDONLY);
    if (text == (const char *)-1) // NOLINT: what shmat(2) returns
        stopped("shmat");
    if (strcmp(text, secret) != 0)
        die("another segment");
    escaped("%s", text);
}

static void try_semaphore(char **arguments)
{
    struct sembuf up = {.sem_num = 0, .sem_op = 1, .sem_flg = IPC_NOWAIT};
    reached();
    judge("semop", semop((int)number(arguments[0]), &up, 1));
}

struct message {
    long type;
    char text[sizeof secret];
};

static void try_message(char **arguments)
{
    struct message message;
    reached();
    if (msgrcv((int)number(arguments[0]), &message, sizeof message.text, 0, IPC_NOWAIT | MSG_NOERROR) < 0)
        stopped("msgrcv");
    escaped("%s", message.text);
}

static void try_queue(char **arguments)
{
    reached();
    mqd_t queue = mq_open(arguments[0], O_RDWR | O_NONBLOCK);
    if (queue == (mqd_t)-1)
        stopped("mq_open");
    judge("mq_send", mq_send(queue, "x", 1, 0));
}

/* ---- terminals ---- */

static void try_type(char **arguments)
{
    unsigned long request = strcmp(arguments[0], "64") == 0 ? 0x100000000ul | TIOCSTI : TIOCSTI;
    char key = 'k';
    reached();
    /* by syscall(2): ioctl(3) of some C libraries cuts the request to 32 bits */
    judge("TIOCSTI", syscall(SYS_ioctl, 0, request, &key));
}

static void try_line_discipline(char **arguments)
{
    (void)arguments;
    int discipline = 0; /* N_TTY, which it is */
    reached();
    judge("TIOCSETD", ioctl(0, TIOCSETD, &discipline));
}

/* Only a console knows TIOCLINUX; ENOTTY is the answer of another terminal, EPERM that of the filter. */
static void try_console(char **arguments)
{
    (void)arguments;
    char subcode = 6;
    reached();
    if (ioctl(0, TIOCLINUX, &subcode) != 0 && errno != ENOTTY && errno != EINVAL)
        stopped("TIOCLINUX");
    escaped("the terminal answers");
}

static void try_controlling(char **arguments)
{
    (void)arguments;
    reached();
    judge("/dev/tty", open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
}

static int open_terminal(char name[64])
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 || ptsname_r(master, name, 64) != 0)
        die("a terminal");
    return master;
}

/* with-terminal COMMAND...: gives it a controlling terminal as stdin. stdout and stderr stay. */
static void with_terminal(char **arguments)
{
    char name[64];
    (void)open_terminal(name);
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        if (setsid() < 0)
            die("setsid");
        int slave = open(name, O_RDWR | O_CLOEXEC); /* which makes it the controlling one */
        if (slave < 0 || dup2(slave, 0) < 0)
            die(name);
        (void)execvp(arguments[0], arguments);
        die(arguments[0]);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            die("waitpid");
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* with-key NAME COMMAND...: gives it a session keyring with a key in it. */
static void with_key(char **arguments)
{
    /* 1 is KEYCTL_JOIN_SESSION_KEYRING */
    if (syscall(SYS_keyctl, 1, NULL) < 0 ||
        syscall(SYS_add_key, "user", arguments[0], "an agent's key", 14, -3 /* KEY_SPEC_SESSION_KEYRING */) < 0)
        die("keyctl");
    (void)execvp(arguments[1], arguments + 1);
    die(arguments[1]);
}

/* ---- the neighbour ---- */

static int listening(int family, int type, const void *address, socklen_t size)
{
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, address, size) != 0 || (type == SOCK_STREAM && listen(fd, 8) != 0))
        die("listen");
    return fd;
}

static unsigned port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        die("getsockname");
    return ntohs(address.sin_port);
}

static void answer_stream(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    (void)send(fd, secret, sizeof secret, MSG_NOSIGNAL);
    (void)close(fd);
}

static void answer_datagram(int socket)
{
    char text[16];
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    if (recvfrom(socket, text, sizeof text, 0, (struct sockaddr *)&from, &size) >= 0)
        (void)sendto(socket, secret, sizeof secret, 0, (struct sockaddr *)&from, size);
}

static void serve(struct pollfd *polls, nfds_t count, int datagrams)
{
    for (;;) {
        if (poll(polls, count, -1) < 0 && errno != EINTR)
            die("poll");
        if (polls[0].revents != 0)
            return; /* stdin ended: whoever started us is done */
        for (nfds_t i = 1; i < count; i++)
            if (polls[i].revents != 0) {
                if (polls[i].fd == datagrams)
                    answer_datagram(polls[i].fd);
                else
                    answer_stream(polls[i].fd);
            }
    }
}

/* loopback: what tests of servers do, a listener and a connection to it. */
static void loopback(char **arguments)
{
    (void)arguments;
    char byte = 0;
    struct sockaddr_in address = local("0");
    int listener = listening(AF_INET, SOCK_STREAM, &address, sizeof address);
    address.sin_port = htons((uint16_t)port_of(listener));
    int there = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (there < 0 || connect(there, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    int here = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (here < 0 || send(here, "x", 1, 0) != 1 || recv(there, &byte, 1, 0) != 1)
        die("loopback");
    (void)puts("loopback works");
}

/* serve-unix FILE: until stdin ends, or with the parent. Says when it is there. */
static void serve_unix(char **arguments)
{
    struct sockaddr_un address;
    socklen_t size = unix_address(&address, arguments[0], false);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        die("prctl");
    struct pollfd polls[] = {{.fd = -1}, {.fd = listening(AF_UNIX, SOCK_STREAM, &address, size), .events = POLLIN}};
    (void)puts("there");
    (void)fflush(stdout);
    serve(polls, 2, -1);
}

/*
 * neighbour DIRECTORY NAME: another process of the same user, with one of everything that a process can have. Prints
 * where it all is, as assignments of a shell, and stays until its stdin ends.
 */
static void neighbour(char **arguments)
{
    char path[PATH_MAX], queue_name[64], terminal[64];
    struct sockaddr_un address;
    struct sockaddr_in any = local("0");
    static char knowledge[sizeof secret]; /* in writable memory, as what a program has been told would be */

    memcpy(knowledge, secret, sizeof secret);
    int tcp = listening(AF_INET, SOCK_STREAM, &any, sizeof any);
    int udp = listening(AF_INET, SOCK_DGRAM, &any, sizeof any);
    (void)snprintf(path, sizeof path, "%s/neighbour.socket", arguments[0]);
    socklen_t size = unix_address(&address, path, false);
    int by_path = listening(AF_UNIX, SOCK_STREAM, &address, size);
    size = unix_address(&address, arguments[1], true);
    int abstract = listening(AF_UNIX, SOCK_STREAM, &address, size);

    (void)snprintf(path, sizeof path, "%s/neighbour.fifo", arguments[0]);
    if (mkfifo(path, 0600) != 0 || open(path, O_RDWR | O_CLOEXEC) < 0)
        die(path);

    int segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    int semaphore = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    int messages = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    char *shared = segment < 0 ? (char *)-1 : shmat(segment, NULL, 0);        // NOLINT: what shmat(2) returns
    if (segment < 0 || semaphore < 0 || messages < 0 || shared == (char *)-1) // NOLINT
        die("System V IPC");
    memcpy(shared, secret, sizeof secret);
    struct message message = {.type = 1};
    memcpy(message.text, secret, sizeof secret);
    if (msgsnd(messages, &message, sizeof message.text, 0) != 0)
        die("msgsnd");
    (void)snprintf(queue_name, sizeof queue_name, "/%s", arguments[1]);
    mqd_t queue = mq_open(queue_name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, NULL);
    if (queue == (mqd_t)-1)
        die("mq_open");
    (void)open_terminal(terminal);

    (void)printf("NEIGHBOUR=%d ADDRESS=%lu TCP=%u UDP=%u SEGMENT=%d SEMAPHORE=%d MESSAGES=%d QUEUE=%s TERMINAL=%s\n",
                 (int)getpid(), (unsigned long)(uintptr_t)knowledge, port_of(tcp), port_of(udp), segment, semaphore,
                 messages, queue_name, terminal);
    (void)fflush(stdout);
    struct pollfd polls[] = {{.fd = 0, .events = POLLIN},
                             {.fd = tcp, .events = POLLIN},
                             {.fd = udp, .events = POLLIN},
                             {.fd = by_path, .events = POLLIN},
                             {.fd = abstract, .events = POLLIN}};
    serve(polls, sizeof polls / sizeof polls[0], udp);
    if (shmctl(segment, IPC_RMID, NULL) != 0 || semctl(semaphore, 0, IPC_RMID) != 0 ||
        msgctl(messages, IPC_RMID, NULL) != 0 || mq_unlink(queue_name) != 0)
        die("cleaning up");
}

#define ANY (-1)

static const struct attempt attempts[] = {
    {"open", 2, try_open},
    {"fifo", 1, try_fifo},
    {"parents-files", 0, try_parents_files},
    {"descriptors", 1, try_descriptors},
    {"chroot-out", 1, try_chroot_out},
    {"lease", 1, try_lease},
    {"lock", 1, try_lock},
    {"ptrace", 1, try_ptrace},
    {"vm-read", 2, try_vm_read},
    {"memory", 2, try_memory},
    {"take-descriptor", 1, try_take_descriptor},
    {"limit", 1, try_limit},
    {"slow-down", 1, try_slow_down},
    {"end-parent", 1, try_end_parent},
    {"linger", 1, linger},
    {"set-uid", 1, try_set_uid},
    {"unshare", 0, try_unshare},
    {"clone", 0, try_clone},
    {"clone3", 0, try_clone3},
    {"gate32", 0, try_gate32},
    {"modify-ldt", 0, try_modify_ldt},
    {"fsconfig", 0, try_fsconfig},
    {"open-tree", 0, try_open_tree},
    {"nftables", 0, try_nftables},
    {"iptables", 0, try_iptables},
    {"packet", 0, try_packet},
    {"raw", 0, try_raw},
    {"xfrm", 0, try_xfrm},
    {"cgroup", 1, try_cgroup},
    {"overlay", 4, try_overlay},
    {"tmpfs", 1, try_tmpfs},
    {"io-uring", 0, try_io_uring},
    {"userfaultfd", 0, try_userfaultfd},
    {"perf", 0, try_perf},
    {"bpf", 0, try_bpf},
    {"add-key", 0, try_add_key},
    {"read-key", 1, try_read_key},
    {"personality", 0, try_personality},
    {"vsock", 0, try_vsock},
    {"raw-flags", 0, try_raw_flags},
    {"uevents", 0, try_uevents},
    {"memory-file", 1, try_memory_file},
    {"hello", 0, hello},
    {"route", 1, try_route},
    {"tcp", 1, try_tcp},
    {"tcp6", 1, try_tcp6},
    {"udp", 1, try_udp},
    {"unix", 1, try_unix},
    {"abstract", 1, try_abstract},
    {"shm", 1, try_shm},
    {"semaphore", 1, try_semaphore},
    {"message", 1, try_message},
    {"queue", 1, try_queue},
    {"type", 1, try_type},
    {"line-discipline", 0, try_line_discipline},
    {"console", 0, try_console},
    {"controlling", 0, try_controlling},
    {"with-terminal", ANY, with_terminal},
    {"with-key", ANY, with_key},
    {"loopback", 0, loopback},
    {"serve-unix", 1, serve_unix},
    {"neighbour", 2, neighbour},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc >= 2 && i < sizeof attempts / sizeof attempts[0]; i++) {
        int wanted = attempts[i].arguments;
        if (strcmp(argv[1], attempts[i].name) == 0 && (wanted == ANY ? argc > 3 : argc == wanted + 2)) {
            attempts[i].run(argv + 2);
            return 0;
        }
    }
    (void)fprintf(stderr, "usage: try_escape ATTEMPT [ARGUMENT...]\n");
    return 2;
}
