#include "mounting.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442 /* the same on every architecture */
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef SYS_openat2
#define SYS_openat2 437 /* the same on every architecture; Linux 5.6 */
#endif
#define NO_SYMLINKS 4 /* RESOLVE_NO_SYMLINKS of <linux/openat2.h>, which older headers lack */

struct open_how_v0 {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};

/* <linux/mount.h> clashes with <sys/mount.h> in some C libraries. */
struct attributes {
    uint64_t set;
    uint64_t clear;
    uint64_t propagation;
    uint64_t user_namespace;
};

const char *fd_path(char text[FD_PATH_SIZE], int fd)
{
    (void)snprintf(text, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
    return text;
}

static int create_at(int directory, const char *name, enum create create)
{
    if (create == CREATE_DIRECTORY)
        return mkdirat(directory, name, 0755);
    int fd CLEANUP_FD = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    return fd < 0 ? -1 : 0;
}

/* One step of a walk: an O_PATH descriptor of name in directory, which must not be a symbolic link. */
static int step_into(int directory, const char *name)
{
    int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    struct stat status;
    if (fstat(fd, &status) != 0) {
        close_fd(&fd);
        return -1;
    }
    if (S_ISLNK(status.st_mode)) {
        close_fd(&fd);
        errno = ELOOP;
        return -1;
    }
    return fd;
}

/* The whole walk in one call (openat2(2)): a launch takes a hundred of them. */
static int walk_at_once(int from, const char *path)
{
    /* Without O_NOFOLLOW: with it and O_PATH, a link at the end would be opened itself. */
    const struct open_how_v0 how = {.flags = O_PATH | O_CLOEXEC, .resolve = NO_SYMLINKS};
    return (int)syscall(SYS_openat2, from, path, &how, sizeof how);
}

int walk(int root, const char *path, enum create create)
{
    int whole = walk_at_once(root, path[1] == '\0' ? "." : path + 1);
    if (whole >= 0)
        return whole;
    /* Step by step, where the call is missing or refused, to make what is missing, and to say what is wrong. */
    char name[NAME_MAX + 1];
    int at = fcntl(root, F_DUPFD_CLOEXEC, 3);
    while (at >= 0 && *path == '/' && path[1] != '\0') {
        const char *end = strchrnul(path + 1, '/');
        size_t length = (size_t)(end - path - 1);
        if (length > NAME_MAX) { /* of a working directory on FUSE or NTFS; the plan's own paths are bounded */
            close_fd(&at);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, path + 1, length);
        name[length] = '\0';
        path = end;
        int next = step_into(at, name);
        if (next < 0 && errno == ENOENT && create != CREATE_NOTHING) {
            if (create_at(at, name, *end == '/' ? CREATE_DIRECTORY : create) != 0 && errno != EEXIST) {
                close_fd(&at);
                return -1;
            }
            next = step_into(at, name);
        }
        close_fd(&at);
        at = next;
    }
    return at;
}

int walk_from_root(const char *path)
{
    int whole = walk_at_once(AT_FDCWD, path);
    if (whole >= 0)
        return whole;
    int root CLEANUP_FD = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? -1 : walk(root, path, CREATE_NOTHING);
}

/* \040 and the like, in place. */
static void unescape(char *text)
{
    char *out = text;
    while (*text != '\0') {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' && text[2] <= '7' && text[3] >= '0' &&
            text[3] <= '7') {
            *out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 4;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

bool next_mount(char **text, struct mount_line *mount)
{
    if (*text == NULL || **text == '\0')
        return false;
    char *start = *text;
    char *line = strsep(text, "\n");
    char *field[6] = {NULL};
    for (size_t i = 0; i < NELEM(field); i++)
        field[i] = strsep(&line, " ");
    if (field[5] == NULL || !parse_number(field[0], INT32_MAX, &mount->id) ||
        !parse_number(field[1], INT32_MAX, &mount->parent)) {
        *text = start;
        return false;
    }
    unescape(field[4]);
    mount->path = field[4];
    mount->options = field[5];
    return true;
}

bool is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 &&
           (path[length] == '\0' || path[length] == '/' || strcmp(directory, "/") == 0);
}

const struct mount_step *step_around(const struct context *context, size_t step)
{
    const struct mount_step *mounts = context->plan->mounts;
    for (size_t i = step; i-- > 0;)
        if (is_below(mounts[step].target, mounts[i].target) && strcmp(mounts[step].target, mounts[i].target) != 0)
            return &mounts[i];
    return NULL;
}

bool is_in_upper_layer(const struct context *context, size_t step)
{
    const struct mount_step *around = step_around(context, step);
    return around != NULL && around->kind == MOUNT_OVERLAY &&
           context->instead[around - context->plan->mounts].inode != 0;
}

bool cannot_exist(const struct context *context, size_t step, int error)
{
    const struct mount_step *around = step_around(context, step);
    bool overlay = around != NULL && around->kind == MOUNT_OVERLAY;
    return error == ENOENT || error == ENOTDIR || (overlay && error == ELOOP);
}

/*
 * A remount keeps only the flags that it is given, and may not drop those that came from a more privileged mount
 * namespace: EPERM. So the ones that are there go in again (mount(2), MS_REMOUNT with MS_BIND).
 */
static int remount(int fd, unsigned attributes)
{
    char path[FD_PATH_SIZE];
    struct statvfs status;
    if (fstatvfs(fd, &status) != 0)
        return -1;
    unsigned long flags = MS_REMOUNT | MS_BIND;
    if ((status.f_flag & ST_RDONLY) != 0 || (attributes & ATTRIBUTE_RDONLY) != 0)
        flags |= MS_RDONLY;
    if ((status.f_flag & ST_NOSUID) != 0 || (attributes & ATTRIBUTE_NOSUID) != 0)
        flags |= MS_NOSUID;
    if ((status.f_flag & ST_NODEV) != 0 || (attributes & ATTRIBUTE_NODEV) != 0)
        flags |= MS_NODEV;
    if ((status.f_flag & ST_NOEXEC) != 0 || (attributes & ATTRIBUTE_NOEXEC) != 0)
        flags |= MS_NOEXEC;
    if ((status.f_flag & ST_NOATIME) != 0)
        flags |= MS_NOATIME;
    if ((status.f_flag & ST_NODIRATIME) != 0)
        flags |= MS_NODIRATIME;
    if ((status.f_flag & ST_RELATIME) != 0)
        flags |= MS_RELATIME;
    return mount(NULL, fd_path(path, fd), NULL, flags, NULL);
}

/* Each mount at or below the one of fd, from the top down. Mounts that another one covers cannot be reached, nor
 * matter. */
static int remount_tree(int fd, unsigned attributes)
{
    char link[FD_PATH_SIZE];
    char top[PATH_MAX];
    ssize_t length = readlink(fd_path(link, fd), top, sizeof top - 1);
    if (length < 0)
        return -1;
    top[length] = '\0';
    size_t capacity = (size_t)1 << 22; /* thousands of mounts of long names */
    char *text = malloc(capacity);
    if (text == NULL)
        return -1;
    int result = read_file_at(AT_FDCWD, "/proc/self/mountinfo", text, capacity) < 0 ? -1 : remount(fd, attributes);
    char *rest = text;
    struct mount_line line;
    while (result == 0 && next_mount(&rest, &line)) {
        if (!is_below(line.path, top) || strcmp(line.path, top) == 0)
            continue;
        int below CLEANUP_FD = walk_from_root(line.path);
        if (below < 0 && errno != ENOENT)
            errno = EIO; /* the way there is a build's: that is no refusal of the kernel's */
        result = below < 0 ? -1 : remount(below, attributes);
        if (result != 0 && (errno == ENOENT || errno == EINVAL))
            result = 0; /* it lies under another mount, where there is nothing, or something that is no mount */
    }
    int error = errno;
    free(text);
    errno = error;
    return result;
}

int set_attributes(int fd, bool recursive, unsigned attributes)
{
    const struct attributes set = {.set = attributes};
    unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0u);
    if (syscall(SYS_mount_setattr, fd, "", flags, &set, sizeof set) == 0)
        return 0;
    /* EPERM: a container's filter that knows mount(2) and not this; where it is the kernel's word, the older way hears
       the same. */
    if (errno != ENOSYS && errno != EPERM)
        return -1;
    return recursive ? remount_tree(fd, attributes) : remount(fd, attributes);
}
