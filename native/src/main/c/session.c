/* Rows 1 and 2: what a process inherits without being asked: session, signals, umask, descriptors. */
#include "sequence.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#ifndef SYS_close_range
#define SYS_close_range 436 /* the same on every architecture; Linux 5.9 */
#endif

#define FDS_MAX 65536  /* looked at one by one */
#define LAST_SIGNAL 64 /* _NSIG of the kernel; the C library hides two of them, which are inherited all the same */
#define KERNEL_MASK_SIZE 8
#define OOM_SCORE_FILE "/proc/self/oom_score_adj"
#define OOM_SCORE_INSIDE "1000" /* the highest: first of all */

/* The kernel's struct sigaction begins with the handler; the rest, zero, is no flags and an empty mask. */
union kernel_action {
    void (*handler)(int);
    unsigned char whole[64];
};

static int kernel_sigaction(int number, const union kernel_action *action, union kernel_action *old)
{
    return (int)syscall(SYS_rt_sigaction, number, action, old, KERNEL_MASK_SIZE);
}

/* The serial number of this process' session keyring; -1 with errno. */
static long session_keyring(void)
{
    return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
}

/* The agent's session keyring may hold its credentials: a new, empty one (keyctl(2)). */
static int leave_keyring(struct context *context, struct failure *failure)
{
    context->keyring_left = session_keyring();
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
        return 0;
    context->keyring_left = -1;
    /* ENOSYS: there are no keys in this kernel. EPERM: a filter around us refuses the call to everybody inside too. */
    return errno == ENOSYS || errno == EPERM ? 0 : failed(failure, errno, "keyctl KEYCTL_JOIN_SESSION_KEYRING");
}

void leave_groups(struct context *context)
{
    /* EPERM: a user namespace around us denies it to everybody inside, as ours will (user_namespaces(7)). */
    context->groups_left =
        (context->plan->asked & BIT(SESSION)) != 0 && has_capability(CAP_SETGID) && setgroups(0, NULL) == 0;
}

/*
 * When the machine runs out of memory the kernel is to take the build and not the agent (proc_pid_oom_score_adj(5)).
 * init keeps the same: of two, the kernel takes the larger one. Anybody may raise it; lowering it again takes a file of
 * /proc that can be written, which the second wall refuses.
 */
static void raise_oom_score(struct context *context)
{
    context->oom_raised = write_file(OOM_SCORE_FILE, OOM_SCORE_INSIDE) == 0;
    if (!context->oom_raised)
        note(context, SESSION, "%s stays as it is: %s", OOM_SCORE_FILE, strerror(errno));
}

int session_apply(struct context *context, struct failure *failure)
{
    if (leave_keyring(context, failure) != 0)
        return -1;
    raise_oom_score(context);
    /* Never EPERM: we were just forked, so we lead no process group (setsid(2)). Without a controlling terminal there
       is no TIOCSTI at the agent's (CVE-2017-5226). */
    if (setsid() < 0)
        return failed(failure, errno, "setsid");
    for (int number = 1; number <= LAST_SIGNAL; number++) {
        const union kernel_action action = {.whole = {0}};
        if (number != SIGKILL && number != SIGSTOP && kernel_sigaction(number, &action, NULL) != 0)
            return failed(failure, errno, "rt_sigaction %d", number);
    }
    /* Only tightened: an agent that lets its group write does so on purpose. */
    umask(umask(0) | S_IWOTH);
    return 0;
}

int session_verify(struct context *context, struct failure *failure)
{
    if (context->groups_left && getgroups(0, NULL) != 0)
        return failed(failure, 0, "getgroups: supplementary groups left");
    long keyring = context->keyring_left < 0 ? 0 : session_keyring();
    if (keyring < 0)
        return failed(failure, errno, "keyctl KEYCTL_GET_KEYRING_ID");
    if (context->keyring_left >= 0 && keyring == context->keyring_left)
        return failed(failure, 0, "keyctl: still in session keyring %ld", keyring);
    if (getsid(0) != getpid())
        return failed(failure, 0, "getsid: still in session %d", (int)getsid(0));
    for (int number = 1; number <= LAST_SIGNAL; number++) {
        union kernel_action action = {.whole = {0}};
        if (kernel_sigaction(number, NULL, &action) != 0)
            return failed(failure, errno, "rt_sigaction %d", number);
        if (action.handler != SIG_DFL)
            return failed(failure, 0, "rt_sigaction: signal %d is not at its default", number);
    }
    char score[16];
    if (context->oom_raised &&
        (read_file_at(AT_FDCWD, OOM_SCORE_FILE, score, sizeof score) < 0 || strcmp(score, OOM_SCORE_INSIDE "\n") != 0))
        note(context, SESSION, "%s is not " OOM_SCORE_INSIDE, OOM_SCORE_FILE);
    mode_t mask = umask(0);
    umask(mask);
    if ((mask & S_IWOTH) == 0)
        return failed(failure, 0, "umask: %04o", (unsigned)mask);
    return 0;
}

int session_lead(void)
{
    return setsid() < 0 ? -1 : 0;
}

int session_own_null(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat status;
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fstat(fd, &status) != 0)
            return -1;
        if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
            continue;
        int own CLEANUP_FD = open("/dev/null", (flags & O_ACCMODE) | O_CLOEXEC);
        if (own < 0 ? errno != ENOENT : dup2(own, fd) < 0) /* ENOENT: a view without a /dev */
            return -1;
    }
    return 0;
}

int unblock_signals(void)
{
    sigset_t none;
    if (sigemptyset(&none) != 0)
        return -1;
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool is_own(const struct context *context, int fd)
{
    for (size_t i = 0; i < context->own_fd_count; i++)
        if (context->own_fds[i] == fd)
            return true;
    return false;
}

static int close_span(unsigned first, unsigned last)
{
    return first > last ? 0 : (int)syscall(SYS_close_range, first, last, 0);
}

/* The way before close_range(2), and where a filter around us refuses it. */
static int close_listed(const struct context *context, struct failure *failure)
{
    DIR *list = opendir("/proc/self/fd");
    if (list == NULL)
        return failed(failure, errno, "opendir /proc/self/fd");
    int result = 0;
    struct dirent *entry;
    while (result == 0 && (errno = 0, entry = readdir(list)) != NULL) {
        uint64_t fd;
        if (!parse_number(entry->d_name, INT_MAX, &fd) || fd < 3 || is_own(context, (int)fd) || (int)fd == dirfd(list))
            continue;
        if (close((int)fd) != 0 && errno != EINTR)
            result = failed(failure, errno, "close %d", (int)fd);
    }
    if (result == 0 && errno != 0)
        result = failed(failure, errno, "readdir /proc/self/fd");
    if (closedir(list) != 0 && result == 0)
        result = failed(failure, errno, "closedir /proc/self/fd");
    return result;
}

int close_fds_apply(struct context *context, struct failure *failure)
{
    /* An inherited descriptor, a directory of the host for one, would be a way around the view (CVE-2024-21626). */
    unsigned first = 3;
    for (size_t i = 0; i < context->own_fd_count; i++) {
        unsigned own = (unsigned)context->own_fds[i];
        if (own > first && close_span(first, own - 1) != 0)
            return close_listed(context, failure);
        first = own + 1;
    }
    if (close_span(first, UINT_MAX) != 0)
        return close_listed(context, failure);
    return 0;
}

int close_others(const struct context *context)
{
    struct rlimit limit;
    unsigned first = 3;
    for (;;) {
        unsigned end = UINT_MAX;
        for (size_t i = 0; i < context->own_fd_count; i++)
            if ((unsigned)context->own_fds[i] >= first && (unsigned)context->own_fds[i] < end)
                end = (unsigned)context->own_fds[i];
        if (close_span(first, end - 1) != 0)
            break;
        if (end == UINT_MAX)
            return 0;
        first = end + 1;
    }
    /* Before Linux 5.9. Descriptors above the limit were opened before somebody lowered it. */
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -1;
    for (int fd = 3; fd < (limit.rlim_cur < FDS_MAX ? (int)limit.rlim_cur : FDS_MAX); fd++)
        if (!is_own(context, fd))
            (void)close(fd); /* EBADF: there is none */
    return 0;
}

int close_fds_verify(struct context *context, struct failure *failure)
{
    (void)context;
    /* A directory as stdin would be a way around the view, as any other descriptor of one. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat status;
        if (fstat(fd, &status) != 0)
            return failed(failure, errno, "fstat %d", fd);
        if (S_ISDIR(status.st_mode))
            return failed(failure, 0, "descriptor %d is a directory", fd);
    }
    /* Seen by the process that becomes the command: whatever is open there must go away with execve(2). */
    DIR *list = opendir("/proc/self/fd");
    if (list == NULL)
        return failed(failure, errno, "opendir /proc/self/fd");
    int result = 0;
    struct dirent *entry;
    while (result == 0 && (errno = 0, entry = readdir(list)) != NULL) {
        uint64_t fd;
        if (!parse_number(entry->d_name, INT_MAX, &fd) || fd < 3)
            continue;
        int flags = fcntl((int)fd, F_GETFD);
        if (flags < 0)
            result = failed(failure, errno, "fcntl %d", (int)fd);
        else if ((flags & FD_CLOEXEC) == 0)
            result = failed(failure, 0, "descriptor %d would be inherited", (int)fd);
    }
    if (result == 0 && errno != 0)
        result = failed(failure, errno, "readdir /proc/self/fd");
    if (closedir(list) != 0 && result == 0)
        result = failed(failure, errno, "closedir /proc/self/fd");
    return result;
}
