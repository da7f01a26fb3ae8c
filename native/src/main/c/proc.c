/* Row `proc`: a /proc that shows the sandbox alone, and lets nobody turn the kernel's knobs. */
#include "mounting.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

/* Kernel knobs that belong to user id 0 by ownership, whatever its capabilities: root agents must not reach them. */
static const char *const proc_knobs[] = {"/proc/sys",    "/proc/sysrq-trigger", "/proc/irq",  "/proc/bus",
                                         "/proc/fs",     "/proc/acpi",          "/proc/scsi", "/proc/dynamic_debug",
                                         "/proc/driver", "/proc/asound"};

static int protect_knob(const char *path, struct failure *failure)
{
    if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) != 0)
        return errno == ENOENT ? 0 : failed(failure, errno, "bind %s", path);
    int fd CLEANUP_FD = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return failed(failure, errno, "open %s", path);
    return set_attributes(fd, true, ATTRIBUTE_RDONLY) == 0 ? 0 : failed(failure, errno, "mount_setattr %s", path);
}

/*
 * Root's kernel objects are root's whatever its capabilities, and in a user namespace of its own it could mount them
 * anew: cgroups, for one, with a switch that kills the agent. So there are no further user namespaces for root, and
 * no writable knobs. Only inside our own user namespace: elsewhere the limit would be the host's.
 */
static int restrain_root(const struct context *context, struct failure *failure)
{
    static const char limit[] = "/proc/sys/user/max_user_namespaces";
    if (is_applied(context, USER_NAMESPACE)) {
        char text[32];
        if (write_file(limit, "0") != 0)
            return failed(failure, errno, "write %s", limit);
        if (read_file_at(AT_FDCWD, limit, text, sizeof text) < 0 || strcmp(text, "0\n") != 0)
            return failed(failure, errno, "read %s", limit);
    }
    for (size_t i = 0; i < NELEM(proc_knobs); i++)
        if (protect_knob(proc_knobs[i], failure) != 0)
            return -1;
    return 0;
}

int proc_apply(struct context *context, struct failure *failure)
{
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return failed(failure, errno, "mount proc on /proc");
    return context->uid == 0 ? restrain_root(context, failure) : 0;
}

int proc_verify(struct context *context, struct failure *failure)
{
    (void)context;
    char text[16];
    ssize_t n = readlink("/proc/self", text, sizeof text - 1);
    if (n < 0)
        return failed(failure, errno, "readlink /proc/self");
    text[n] = '\0';
    return strcmp(text, "1") == 0 ? 0 : failed(failure, 0, "/proc/self: init is %s", text);
}
