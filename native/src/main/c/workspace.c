/*
 * The size of the workspace. Only root of the machine can limit that, by a file system of that size or by a project
 * quota; everybody can look whether somebody has: ext4 and XFS show no more of themselves below a directory with a
 * project quota than the quota allows (statfs(2), ext4_statfs_project() and xfs_qm_statvfs() of the kernel).
 */
#include "mounting.h"
#include "sequence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443 /* Linux 5.14, the same number everywhere */
#endif

/* Tries what a quota would need, so that the first thing that is missing has its name and errno. */
static int why_not(int path_only, const char *path, uint64_t size, struct failure *failure)
{
    int directory CLEANUP_FD = openat(path_only, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct fsxattr attributes = {0};
    struct if_dqblk quota = {0};
    unsigned long long mebibytes = (unsigned long long)size >> 20;
    if (directory < 0)
        return failed(failure, errno, "open %s", path);
    if (ioctl(directory, FS_IOC_FSGETXATTR, &attributes) != 0)
        return unavailable(failure, errno, "%s has %llu MiB, and no project quota: FS_IOC_FSGETXATTR", path, mebibytes);
    if (attributes.fsx_projid == 0)
        return unavailable(failure, 0, "%s has %llu MiB, and no project quota", path, mebibytes);
    if (syscall(SYS_quotactl_fd, directory, QCMD(Q_GETQUOTA, PRJQUOTA), attributes.fsx_projid, &quota) != 0)
        return unavailable(failure, errno, "%s has %llu MiB: quotactl_fd of project %u", path, mebibytes,
                           attributes.fsx_projid);
    return unavailable(failure, 0, "%s has %llu MiB, the quota of project %u", path, mebibytes, attributes.fsx_projid);
}

static int check(struct context *context, struct failure *failure)
{
    const struct plan *plan = context->plan;
    struct statvfs room;
    int directory CLEANUP_FD = walk_from_root(plan->workspace);
    if (directory < 0 || fstatvfs(directory, &room) != 0)
        return failed(failure, errno, "statvfs %s", plan->workspace);
    uint64_t size = (uint64_t)room.f_blocks * room.f_frsize;
    /* Without blocks at all it is a file system that does not count. */
    if (size == 0 || size > plan->workspace_size)
        return why_not(directory, plan->workspace, size, failure);
    note(context, WORKSPACE_SIZE, "%llu MiB, the size that was there", (unsigned long long)size >> 20);
    return 0;
}

int workspace_size_apply(struct context *context, struct failure *failure)
{
    return check(context, failure);
}

int workspace_size_verify(struct context *context, struct failure *failure)
{
    return check(context, failure);
}
