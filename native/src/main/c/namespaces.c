/*
 * The namespace rows, each compared with where we came from. init is born into all of them where that can be; where it
 * cannot, each is unshared alone, so that each has its own errno.
 */
#include "sequence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

static const struct namespace
{
    enum primitive primitive;
    int flag;
    const char *link;
}
namespaces[] = {
    {USER_NAMESPACE, CLONE_NEWUSER, "/proc/self/ns/user"},       {PID_NAMESPACE, CLONE_NEWPID, "/proc/self/ns/pid"},
    {MOUNT_NAMESPACE, CLONE_NEWNS, "/proc/self/ns/mnt"},         {IPC_NAMESPACE, CLONE_NEWIPC, "/proc/self/ns/ipc"},
    {UTS_NAMESPACE, CLONE_NEWUTS, "/proc/self/ns/uts"},          {NETWORK_NAMESPACE, CLONE_NEWNET, "/proc/self/ns/net"},
    {CGROUP_NAMESPACE, CLONE_NEWCGROUP, "/proc/self/ns/cgroup"},
};

static const struct namespace *find(enum primitive primitive)
{
    size_t i = 0;
    while (namespaces[i].primitive != primitive)
        i++;
    return &namespaces[i];
}

static int read_link(const char *path, char *text, size_t size)
{
    ssize_t n = readlink(path, text, size - 1);
    if (n < 0)
        return -1;
    text[n] = '\0';
    return 0;
}

int namespaces_remember(struct context *context)
{
    for (size_t i = 0; i < NELEM(namespaces); i++) {
        if ((context->plan->asked & BIT(namespaces[i].primitive)) == 0)
            continue;
        char *text = context->namespaces[namespaces[i].primitive];
        /* A kernel without this namespace has no such link, and then unshare says so. */
        if (read_link(namespaces[i].link, text, sizeof context->namespaces[0]) != 0 && errno != ENOENT)
            return -1;
    }
    return 0;
}

int namespaces_at_once(const struct context *context)
{
    primitive_set asked = context->plan->asked;
    int flags = 0;
    if ((asked & BIT(USER_NAMESPACE)) == 0)
        return 0;
    for (size_t i = 0; i < NELEM(namespaces); i++)
        if ((asked & BIT(namespaces[i].primitive)) != 0)
            flags |= namespaces[i].flag;
    return flags;
}

static int enter(const struct context *context, enum primitive primitive, struct failure *failure)
{
    if ((context->born_in & find(primitive)->flag) != 0 || unshare(find(primitive)->flag) == 0)
        return 0;
    if (errno == EINVAL || errno == ENOSYS)
        return unavailable(failure, errno, "unshare: not in this kernel");
    return failed(failure, errno, "unshare");
}

static int differs(struct context *context, enum primitive primitive, struct failure *failure)
{
    char now[64];
    const char *link = find(primitive)->link;
    if (read_link(link, now, sizeof now) != 0)
        return failed(failure, errno, "readlink %s", link);
    if (context->namespaces[primitive][0] == '\0' || strcmp(now, context->namespaces[primitive]) == 0)
        return failed(failure, 0, "%s: still %s", link, now);
    return 0;
}

static int map_id(const char *path, unsigned id, struct failure *failure)
{
    char line[64];
    (void)snprintf(line, sizeof line, "%u %u 1", id, id);
    return write_file(path, line) == 0 ? 0 : failed(failure, errno, "write %s", path);
}

static int check_map(const char *path, unsigned id, struct failure *failure)
{
    char text[256];
    if (read_file_at(AT_FDCWD, path, text, sizeof text) < 0)
        return failed(failure, errno, "read %s", path);
    unsigned inside, outside, count;
    int end = 0;
    if (sscanf(text, "%u %u %u %n", &inside, &outside, &count, &end) != 3 || text[end] != '\0' || inside != id ||
        outside != id || count != 1)
        return failed(failure, 0, "%s: not %u %u 1", path, id, id);
    return 0;
}

int user_namespace_verify(struct context *context, struct failure *failure)
{
    if (differs(context, USER_NAMESPACE, failure) != 0 || check_map("/proc/self/uid_map", context->uid, failure) != 0 ||
        check_map("/proc/self/gid_map", context->gid, failure) != 0)
        return -1;
    /* Ubuntu's AppArmor lets unshare succeed and withholds the capabilities, which is what all the rest needs. */
    if (!has_capability(CAP_SYS_ADMIN))
        return failed(failure, EPERM, "no capabilities in the new namespace (AppArmor?)");
    return 0;
}

static int enter_user_namespace(const struct context *context, struct failure *failure)
{
    if (enter(context, USER_NAMESPACE, failure) != 0)
        return -1;
    /* Files that a build makes must stay the agent's: the ids are mapped to themselves (user_namespaces(7)).
       setgroups must be denied before gid_map may be written. */
    if (write_file("/proc/self/setgroups", "deny") != 0)
        return failed(failure, errno, "write /proc/self/setgroups");
    if (map_id("/proc/self/uid_map", context->uid, failure) != 0)
        return -1;
    return map_id("/proc/self/gid_map", context->gid, failure);
}

/*
 * There is no way back out of a user namespace, and one without maps or capabilities is worse than none: files would
 * belong to nobody. So a child goes first, and what it finds decides.
 */
static int try_user_namespace(struct context *context, struct failure *failure)
{
    struct failure *trial = &context->shared->trial;
    pid_t child = fork();
    if (child < 0)
        return failed(failure, errno, "fork");
    if (child == 0)
        _exit(enter_user_namespace(context, trial) == 0 && user_namespace_verify(context, trial) == 0 ? 0 : 1);
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return failed(failure, errno, "waitpid");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (!WIFEXITED(status))
        return failed(failure, 0, "the process that tried it was killed");
    *failure = *trial;
    return -1;
}

int user_namespace_apply(struct context *context, struct failure *failure)
{
    /* Born in it, we are the child that goes first. */
    if ((context->born_in & CLONE_NEWUSER) == 0 && try_user_namespace(context, failure) != 0)
        return -1;
    return enter_user_namespace(context, failure);
}

int pid_namespace_apply(struct context *context, struct failure *failure)
{
    /* Takes effect for our next child, which becomes its init; never for a process that goes on by itself. */
    return enter(context, PID_NAMESPACE, failure);
}

int pid_namespace_verify(struct context *context, struct failure *failure)
{
    if (getpid() != 1)
        return failed(failure, 0, "getpid: init is %d", (int)getpid());
    return differs(context, PID_NAMESPACE, failure);
}

int mount_namespace_apply(struct context *context, struct failure *failure)
{
    if (enter(context, MOUNT_NAMESPACE, failure) != 0)
        return -1;
    /* Otherwise what is mounted on the host later shows up in the view, or ours on the host. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return failed(failure, errno, "mount / private");
    return 0;
}

int mount_namespace_verify(struct context *context, struct failure *failure)
{
    return differs(context, MOUNT_NAMESPACE, failure);
}

int ipc_namespace_apply(struct context *context, struct failure *failure)
{
    return enter(context, IPC_NAMESPACE, failure);
}

int ipc_namespace_verify(struct context *context, struct failure *failure)
{
    return differs(context, IPC_NAMESPACE, failure);
}

int uts_namespace_apply(struct context *context, struct failure *failure)
{
    return enter(context, UTS_NAMESPACE, failure); /* the host's name stays: builds look it up */
}

int uts_namespace_verify(struct context *context, struct failure *failure)
{
    return differs(context, UTS_NAMESPACE, failure);
}

int cgroup_namespace_apply(struct context *context, struct failure *failure)
{
    return enter(context, CGROUP_NAMESPACE, failure);
}

int cgroup_namespace_verify(struct context *context, struct failure *failure)
{
    return differs(context, CGROUP_NAMESPACE, failure);
}

/* SIOCGIFFLAGS or SIOCSIFFLAGS on the loopback interface (netdevice(7)). 0 or -1. */
static int loopback(unsigned long request, struct ifreq *interface)
{
    int fd CLEANUP_FD = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)snprintf(interface->ifr_name, sizeof interface->ifr_name, "lo");
    return ioctl(fd, request, interface);
}

int network_namespace_apply(struct context *context, struct failure *failure)
{
    if (enter(context, NETWORK_NAMESPACE, failure) != 0)
        return -1;
    /* Tests talk to servers of their own on localhost. */
    struct ifreq interface = {.ifr_flags = IFF_UP | IFF_RUNNING};
    return loopback(SIOCSIFFLAGS, &interface) == 0 ? 0 : failed(failure, errno, "SIOCSIFFLAGS lo");
}

int network_namespace_verify(struct context *context, struct failure *failure)
{
    if (differs(context, NETWORK_NAMESPACE, failure) != 0)
        return -1;
    struct ifreq interface = {.ifr_flags = 0};
    if (loopback(SIOCGIFFLAGS, &interface) != 0)
        return failed(failure, errno, "SIOCGIFFLAGS lo");
    if ((interface.ifr_flags & IFF_UP) == 0)
        return failed(failure, 0, "SIOCGIFFLAGS: lo is down");
    return 0;
}
