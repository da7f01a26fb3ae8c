#include "helper_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#ifndef SYS_openat2
#define SYS_openat2 437 /* the same on every architecture; Linux 5.6 */
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* the same on every architecture; Linux 6.6 */
#endif
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1U
#endif

/* <linux/openat2.h>, which older headers lack. */
#define WITHIN_MOUNT 1U
#define NO_MAGIC_LINKS 2U
#define NO_SYMLINKS 4U
#define BENEATH 8U

struct open_how_v0 {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};

/* openat2(2) refuses flags that mean nothing beside O_PATH. */
#define SAFE(flags) (O_NOFOLLOW | O_CLOEXEC | (((flags)&O_PATH) != 0 ? 0 : O_NONBLOCK | O_NOCTTY))

/*
 * One component: O_NOFOLLOW alone keeps it from leaving the directory, since names of a listing have no slash. So the
 * call before Linux 5.6 is as safe, except that it enters mounts.
 */
static int open_at(int parent, const char *name, int flags, enum crossing crossing)
{
    struct open_how_v0 how = {.flags = (uint64_t)(unsigned)(flags | SAFE(flags)),
                              .resolve = BENEATH | NO_SYMLINKS | NO_MAGIC_LINKS |
                                         (crossing == STAY_ON_MOUNT ? WITHIN_MOUNT : 0)};
    int fd = (int)syscall(SYS_openat2, parent, name, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) /* EPERM: a filter around us does not know the call */
        return fd;
    fd = openat(parent, name, flags | SAFE(flags));
    struct stat inside, outside;
    if (fd < 0 || crossing == CROSS_MOUNTS)
        return fd;
    if (fstat(fd, &inside) == 0 && fstat(parent, &outside) == 0 && inside.st_dev == outside.st_dev)
        return fd;
    close_fd(&fd);
    errno = EXDEV;
    return -1;
}

/* fd may be one of O_PATH, which fchmod(2) refuses. */
static int set_mode(int fd, mode_t mode)
{
    char path[40];
    if (syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0)
        return 0;
    if (errno != ENOSYS && errno != EPERM && errno != EINVAL)
        return -1;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d",
                   fd); /* means the open file itself, whatever its name is now */
    return fchmodat(AT_FDCWD, path, mode, 0);
}

int grant_fd(int fd, mode_t mode)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -1;
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 0700) == 0700) {
        errno = EACCES;
        return -1;
    }
    return set_mode(fd, mode);
}

int grant(int parent, const char *name)
{
    int fd CLEANUP_FD = open_at(parent, name, O_PATH | O_DIRECTORY, CROSS_MOUNTS);
    return fd < 0 ? -1 : grant_fd(fd, 0700);
}

int open_directory(int parent, const char *name, enum crossing crossing)
{
    int fd = open_at(parent, name, O_RDONLY | O_DIRECTORY, crossing);
    struct stat status;
    if (fd < 0) {
        if (errno != EACCES || grant(parent, name) != 0)
            return -1;
        return open_at(parent, name, O_RDONLY | O_DIRECTORY, crossing);
    }
    /* It can be listed without the right to search it, which everything else needs. */
    if (fstat(fd, &status) == 0 && status.st_uid == geteuid() && (status.st_mode & 0100) == 0)
        (void)grant_fd(fd, 0700); /* where it fails, what is in it is reported */
    return fd;
}

int reopen_directory(int fd)
{
    int again = open_directory(fd, ".", CROSS_MOUNTS);
    if (again >= 0 || errno != EACCES || grant_fd(fd, 0700) != 0)
        return again;
    return open_directory(fd, ".", CROSS_MOUNTS);
}

int open_file(int parent, const char *name, struct stat *status)
{
    /* Asked first: opening a device or a pipe has effects. */
    if (fstatat(parent, name, status, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    int fd = -1;
    if (S_ISREG(status->st_mode))
        fd = open_at(parent, name, O_RDONLY, CROSS_MOUNTS);
    else
        errno = EINVAL;
    if (fd < 0)
        return -1;
    if (fstat(fd, status) == 0 && S_ISREG(status->st_mode))
        return fd;
    close_fd(&fd);
    errno = EINVAL;
    return -1;
}

int listing_begin(struct listing *listing, int fd)
{
    listing->fd = fd;
    listing->at = 0;
    listing->filled = 0;
    return lseek(fd, 0, SEEK_SET) < 0 ? -1 : 0;
}

/* getdents64(2): inode (8 bytes), offset (8), length of the record (2), type (1), name. */
#define RECORD_LENGTH_AT 16
#define TYPE_AT 18
#define NAME_AT 19

int listing_next(struct listing *listing, const char **name, unsigned char *type)
{
    for (;;) {
        if (listing->at == listing->filled) {
            long n = syscall(SYS_getdents64, listing->fd, listing->buffer, sizeof listing->buffer);
            if (n <= 0)
                return (int)n;
            listing->at = 0;
            listing->filled = (size_t)n;
        }
        const char *record = listing->buffer + listing->at;
        size_t left = listing->filled - listing->at;
        uint16_t length = 0;
        if (left > NAME_AT)
            memcpy(&length, record + RECORD_LENGTH_AT, sizeof length);
        /* The kernel's word; a FUSE file system's names come through it. */
        if (length <= NAME_AT || length > left || memchr(record + NAME_AT, '\0', length - NAME_AT) == NULL) {
            errno = EIO;
            return -1;
        }
        listing->at += length;
        *name = record + NAME_AT;
        *type = (unsigned char)record[TYPE_AT];
        if (**name == '\0' || strchr(*name, '/') != NULL || strlen(*name) > NAME_MAX) {
            errno = EIO;
            return -1;
        }
        if (strcmp(*name, ".") != 0 && strcmp(*name, "..") != 0)
            return 1;
    }
}

unsigned char type_of(int parent, const char *name)
{
    struct stat status;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return DT_UNKNOWN;
    return (unsigned char)IFTODT(status.st_mode);
}

static int rename_once(int from, const char *name, int to, const char *new_name)
{
    if (syscall(SYS_renameat2, from, name, to, new_name, RENAME_NOREPLACE) == 0)
        return 0;
    struct stat status;
    /* The file system does not know the flag (NFS, old FUSE). Nothing else runs that could take the name meanwhile. */
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (fstatat(to, new_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return errno == ENOENT ? renameat(from, name, to, new_name) : -1;
}

int move_entry(int from, const char *name, int to, const char *new_name)
{
    if (rename_once(from, name, to, new_name) == 0)
        return 0;
    if (errno != EACCES)
        return -1;
    /* rename(2) writes to both parents, and to a directory itself when its parent changes. */
    bool granted = grant_fd(from, 0700) == 0;
    granted = grant_fd(to, 0700) == 0 || granted;
    granted = grant(from, name) == 0 || granted;
    if (granted)
        return rename_once(from, name, to, new_name);
    errno = EACCES;
    return -1;
}

bool path_push(struct path *path, const char *name)
{
    size_t size = strlen(name);
    size_t slash = path->length > 0 ? 1 : 0;
    if (path->length + slash + size >= sizeof path->text)
        return false;
    if (slash != 0)
        path->text[path->length] = '/';
    memcpy(path->text + path->length + slash, name, size + 1);
    path->length += slash + size;
    return true;
}

void path_cut(struct path *path, size_t length)
{
    path->length = length;
    path->text[length] = '\0';
}
