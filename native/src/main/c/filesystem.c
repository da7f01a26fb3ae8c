/*
 * Rows `filesystem` and `proc`: the view. It is built beside the host's tree and entered by pivot_root(2) at the end,
 * so that a failure on the way leaves the host's view as it was, never half a sandbox.
 *
 * No path is ever resolved through a symbolic link: what is in a workspace is not ours, and may change under us.
 */
#include "sequence.h"

#include <dirent.h>
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
#define SYS_mount_setattr 442 /* the same on every architecture; Linux 5.12 */
#endif

/* <linux/mount.h> clashes with <sys/mount.h> in some C libraries. */
struct attributes {
    uint64_t set;
    uint64_t clear;
    uint64_t propagation;
    uint64_t user_namespace;
};
#define ATTRIBUTE_RDONLY 1u
#define ATTRIBUTE_NOSUID 2u
#define ATTRIBUTE_NODEV 4u
#define ATTRIBUTE_NOEXEC 8u
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

#define FD_PATH_SIZE 40

/* What a mount step takes from the host, opened before anything is mounted. */
struct sources {
    int first; /* bind source, overlay's lower layer */
    int upper;
    int work;
};

static const struct {
    const char *name;
    bool optional; /* some containers lack it, and few programs ask for it */
} devices[] = {{"null", false}, {"zero", false}, {"random", false}, {"urandom", false}, {"full", true}, {"tty", true}};
static const char *const device_links[][2] = {
    {"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"},
    {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"},
};

struct view {
    struct sources sources[MOUNTS_MAX];
    int devices[NELEM(devices)];
    int root;  /* the new tree */
    int empty; /* a file with nothing in it */
};

static const char *fd_path(char text[FD_PATH_SIZE], int fd)
{
    (void)snprintf(text, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
    return text;
}

static int set_attributes(int fd, unsigned flags, uint64_t set)
{
    struct attributes attributes = {.set = set};
    return (int)syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | flags, &attributes, sizeof attributes);
}

static int attributes_failed(struct failure *failure, const char *path)
{
    if (errno == ENOSYS)
        return unavailable(failure, errno, "mount_setattr %s: needs Linux 5.12", path);
    return failed(failure, errno, "mount_setattr %s", path);
}

/* What to make of a missing component of a target. */
enum create { CREATE_NOTHING, CREATE_DIRECTORY, CREATE_FILE };

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

/*
 * Walks an absolute, canonical path below root without following any symbolic link, the last included. Missing
 * components are made when asked for: directories on the way, `create` at the end. An O_PATH descriptor, or -1.
 */
static int walk(int root, const char *path, enum create create)
{
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

static int open_source(const char *path, int *fd, struct failure *failure)
{
    int root CLEANUP_FD = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return failed(failure, errno, "open /");
    *fd = walk(root, path, CREATE_NOTHING);
    return *fd < 0 ? failed(failure, errno, "open %s", path) : 0;
}

static int open_sources(const struct plan *plan, struct view *view, struct failure *failure)
{
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_step *step = &plan->mounts[i];
        struct sources *sources = &view->sources[i];
        switch (step->kind) {
        case MOUNT_BIND:
        case MOUNT_RO_BIND:
            if (open_source(step->source, &sources->first, failure) != 0)
                return -1;
            break;
        case MOUNT_OVERLAY:
            if (open_source(step->target, &sources->first, failure) != 0 ||
                open_source(step->upper, &sources->upper, failure) != 0 ||
                open_source(step->work, &sources->work, failure) != 0)
                return -1;
            break;
        case MOUNT_DEV:
            for (size_t d = 0; d < NELEM(devices); d++) {
                char path[32];
                (void)snprintf(path, sizeof path, "/dev/%s", devices[d].name);
                if (view->devices[d] < 0 && open_source(path, &view->devices[d], failure) != 0 &&
                    !(devices[d].optional && failure->error == ENOENT))
                    return -1;
            }
            break;
        case MOUNT_TMPFS:
        case MOUNT_HIDE:
            break;
        }
    }
    return 0;
}

/* Mounts the tree at source over target, with its submounts. Locked submounts forbid anything else. */
static int bind_tree(int source, int target)
{
    char from[FD_PATH_SIZE], to[FD_PATH_SIZE];
    return mount(fd_path(from, source), fd_path(to, target), NULL, MS_BIND | MS_REC, NULL);
}

static int target_of(const struct view *view, const char *path, enum create create, int *fd, struct failure *failure)
{
    *fd = walk(view->root, path, create);
    return *fd < 0 ? failed(failure, errno, "target %s", path) : 0;
}

/* A fresh descriptor of the top mount at path: the one used to mount on it still means what lies below. */
static int restrict_target(const struct view *view, const char *path, unsigned flags, uint64_t attributes,
                           struct failure *failure)
{
    int fd CLEANUP_FD = -1;
    if (target_of(view, path, CREATE_NOTHING, &fd, failure) != 0)
        return -1;
    return set_attributes(fd, flags, attributes) == 0 ? 0 : attributes_failed(failure, path);
}

static int mount_bind(struct view *view, const struct mount_step *step, const struct sources *sources,
                      struct failure *failure)
{
    struct stat status;
    if (fstat(sources->first, &status) != 0)
        return failed(failure, errno, "stat %s", step->source);
    int target CLEANUP_FD = -1;
    enum create create = S_ISDIR(status.st_mode) ? CREATE_DIRECTORY : CREATE_FILE;
    if (target_of(view, step->target, create, &target, failure) != 0)
        return -1;
    if (bind_tree(sources->first, target) != 0)
        return failed(failure, errno, "bind %s", step->target);
    uint64_t attributes = ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV;
    if (step->kind == MOUNT_RO_BIND)
        attributes |= ATTRIBUTE_RDONLY;
    return restrict_target(view, step->target, AT_RECURSIVE, attributes, failure);
}

static int mount_new(struct view *view, const char *path, const char *type, unsigned long flags, const char *options,
                     struct failure *failure)
{
    int target CLEANUP_FD = -1;
    char to[FD_PATH_SIZE];
    if (target_of(view, path, CREATE_DIRECTORY, &target, failure) != 0)
        return -1;
    if (mount(type, fd_path(to, target), type, flags, options) != 0)
        return failed(failure, errno, "mount %s on %s", type, path);
    return 0;
}

static int mount_tmpfs(struct view *view, const struct mount_step *step, struct failure *failure)
{
    char options[64];
    if (step->size > 0)
        (void)snprintf(options, sizeof options, "mode=1777,size=%llu", (unsigned long long)step->size);
    else
        (void)snprintf(options, sizeof options, "mode=1777");
    return mount_new(view, step->target, "tmpfs", MS_NOSUID | MS_NODEV, options, failure);
}

static int mount_overlay(struct view *view, const struct mount_step *step, const struct sources *sources,
                         struct failure *failure)
{
    /* The layers by descriptor: no escaping of `,` and `:` in paths, and no race. userxattr is what a user namespace
       needs (Linux 5.11); without a persistent index two kernels' defaults agree. */
    char options[160];
    (void)snprintf(options, sizeof options,
                   "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/"
                   "proc/self/fd/%d,userxattr,index=off",
                   sources->first, sources->upper, sources->work);
    return mount_new(view, step->target, "overlay", MS_NOSUID | MS_NODEV, options, failure);
}

static int path_in(char path[PATH_MAX], const char *directory, const char *name, struct failure *failure)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", directory, name);
    return n < PATH_MAX ? 0 : failed(failure, ENAMETOOLONG, "%s", directory);
}

/* A /dev of our own: six devices of the host's, links, terminals and shared memory of its own. */
static int mount_dev(struct view *view, const struct mount_step *step, struct failure *failure)
{
    char path[PATH_MAX];
    if (mount_new(view, step->target, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=65536", failure) != 0)
        return -1;
    for (size_t i = 0; i < NELEM(devices); i++) {
        int target CLEANUP_FD = -1;
        if (view->devices[i] < 0)
            continue;
        if (path_in(path, step->target, devices[i].name, failure) != 0 ||
            target_of(view, path, CREATE_FILE, &target, failure) != 0)
            return -1;
        if (bind_tree(view->devices[i], target) != 0)
            return failed(failure, errno, "bind %s", path);
        if (restrict_target(view, path, 0, ATTRIBUTE_NOSUID | ATTRIBUTE_NOEXEC, failure) != 0)
            return -1;
    }
    if (path_in(path, step->target, "pts", failure) != 0 ||
        mount_new(view, path, "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620", failure) != 0)
        return -1;
    if (path_in(path, step->target, "shm", failure) != 0 ||
        mount_new(view, path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777", failure) != 0)
        return -1;
    int directory CLEANUP_FD = -1;
    if (target_of(view, step->target, CREATE_NOTHING, &directory, failure) != 0)
        return -1;
    for (size_t i = 0; i < NELEM(device_links); i++)
        if (symlinkat(device_links[i][0], directory, device_links[i][1]) != 0)
            return failed(failure, errno, "symlink %s/%s", step->target, device_links[i][1]);
    return set_attributes(directory, 0, ATTRIBUTE_RDONLY) == 0 ? 0 : attributes_failed(failure, step->target);
}

/* Covers a directory with an empty one and anything else with an empty file. */
static int mount_hide(struct view *view, const struct mount_step *step, struct failure *failure)
{
    struct stat status;
    int target CLEANUP_FD = -1;
    if (target_of(view, step->target, CREATE_NOTHING, &target, failure) != 0)
        return -1;
    if (fstat(target, &status) != 0)
        return failed(failure, errno, "stat %s", step->target);
    if (S_ISDIR(status.st_mode)) {
        if (mount_new(view, step->target, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0555,size=4096", failure) !=
            0)
            return -1;
    } else if (bind_tree(view->empty, target) != 0) {
        return failed(failure, errno, "bind an empty file on %s", step->target);
    }
    return restrict_target(view, step->target, 0, ATTRIBUTE_RDONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV, failure);
}

static int mount_step(struct view *view, const struct mount_step *step, const struct sources *sources,
                      struct failure *failure)
{
    switch (step->kind) {
    case MOUNT_BIND:
    case MOUNT_RO_BIND:
        return mount_bind(view, step, sources, failure);
    case MOUNT_TMPFS:
        return mount_tmpfs(view, step, failure);
    case MOUNT_OVERLAY:
        return mount_overlay(view, step, sources, failure);
    case MOUNT_HIDE:
        return mount_hide(view, step, failure);
    case MOUNT_DEV:
        break;
    }
    return mount_dev(view, step, failure);
}

/* What a hidden file shows; on a mount of its own, since the stage cannot be bound. */
static int make_empty_file(const char *stage, struct view *view, struct failure *failure)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/files", stage);
    if (mkdir(path, 0755) != 0)
        return failed(failure, errno, "mkdir %s", path);
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=4096") != 0)
        return failed(failure, errno, "mount tmpfs on %s", path);
    (void)snprintf(path, sizeof path, "%s/files/empty", stage);
    view->empty = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    return view->empty >= 0 ? 0 : failed(failure, errno, "create %s", path);
}

/* The host's tree as the new root, at `root` of the stage (a tmpfs that nothing else sees). */
static int mount_root(const struct plan *plan, const char *stage, struct view *view, struct failure *failure)
{
    char path[64];
    /* Unbindable: or the recursive bind of / would bring the stage along. */
    if (mount(NULL, stage, NULL, MS_UNBINDABLE, NULL) != 0)
        return failed(failure, errno, "mount %s unbindable", stage);
    (void)snprintf(path, sizeof path, "%s/root", stage);
    if (mkdir(path, 0755) != 0)
        return failed(failure, errno, "mkdir %s", path);
    if (mount("/", path, NULL, MS_BIND | MS_REC, NULL) != 0)
        return failed(failure, errno, "bind / on %s", path);
    if (make_empty_file(stage, view, failure) != 0)
        return -1;
    view->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (view->root < 0)
        return failed(failure, errno, "open %s", path);
    uint64_t attributes = ATTRIBUTE_RDONLY | ATTRIBUTE_NOSUID;
    for (size_t i = 0; i < plan->mount_count; i++)
        if (plan->mounts[i].kind == MOUNT_DEV) /* devices come from there alone */
            attributes |= ATTRIBUTE_NODEV;
    if (plan->root_read_only && set_attributes(view->root, AT_RECURSIVE, attributes) != 0)
        return attributes_failed(failure, "/");
    return 0;
}

static int enter(const struct context *context, struct view *view, struct failure *failure)
{
    int old CLEANUP_FD = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (old < 0)
        return failed(failure, errno, "open /");
    /* Looked up in the new tree before there is no way back; the name is for chdir(2) afterwards. */
    const char *cwd = context->cwd;
    int directory CLEANUP_FD = walk(view->root, cwd, CREATE_NOTHING);
    if (directory < 0)
        return failed(failure, errno, "working directory %s", cwd);
    if (fchdir(view->root) != 0)
        return failed(failure, errno, "fchdir to the new root");
    if (syscall(SYS_pivot_root, ".", ".") != 0)
        return failed(failure, errno, "pivot_root");
    /* From here on there is neither a way back nor a half of it that would do. */
    atomic_store(&context->shared->broken, true);
    /* The old root now lies on top of the new one; detached, nothing of it can be reached any more. */
    if (fchdir(old) != 0 || umount2(".", MNT_DETACH) != 0)
        return failed(failure, errno, "umount the old root");
    if (chdir("/") != 0 || fchdir(directory) != 0)
        return failed(failure, errno, "chdir %s", cwd);
    atomic_store(&context->shared->broken, false);
    return 0;
}

static int build(const struct context *context, const char *stage, struct view *view, struct failure *failure)
{
    const struct plan *plan = context->plan;
    if (mount_root(plan, stage, view, failure) != 0)
        return -1;
    for (size_t i = 0; i < plan->mount_count; i++)
        if (mount_step(view, &plan->mounts[i], &view->sources[i], failure) != 0)
            return -1;
    return enter(context, view, failure);
}

static int stage_and_build(const struct context *context, struct view *view, struct failure *failure)
{
    /* Some directory to hang the stage on; covered only in our namespace, and only until pivot_root. */
    static const char *const places[] = {"/tmp", "/run", "/mnt", "/var", "/home", "/usr"};
    int error = ENOENT;
    for (size_t i = 0; i < NELEM(places); i++) {
        if (mount("tmpfs", places[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700,size=65536") != 0) {
            error = errno;
            continue;
        }
        int result = build(context, places[i], view, failure);
        if (result != 0 && umount2(places[i], MNT_DETACH) != 0 && errno != EINVAL)
            return failed(failure, errno, "umount %s", places[i]);
        return result;
    }
    return failed(failure, error, "mount tmpfs for the new root");
}

int filesystem_apply(struct context *context, struct failure *failure)
{
    if (context->cwd[0] != '/')
        return failed(failure, ENOENT, "getcwd: the working directory is gone or out of reach");
    struct view *view = malloc(sizeof *view);
    if (view == NULL)
        return failed(failure, errno, "malloc");
    view->root = view->empty = -1;
    for (size_t i = 0; i < MOUNTS_MAX; i++)
        view->sources[i] = (struct sources){-1, -1, -1};
    for (size_t i = 0; i < NELEM(view->devices); i++)
        view->devices[i] = -1;

    mode_t mask = umask(0); /* the modes above are meant as they stand */
    int result = open_sources(context->plan, view, failure);
    if (result == 0)
        result = stage_and_build(context, view, failure);
    umask(mask);

    for (size_t i = 0; i < MOUNTS_MAX; i++) {
        close_fd(&view->sources[i].first);
        close_fd(&view->sources[i].upper);
        close_fd(&view->sources[i].work);
    }
    for (size_t i = 0; i < NELEM(view->devices); i++)
        close_fd(&view->devices[i]);
    close_fd(&view->root);
    close_fd(&view->empty);
    free(view);
    return result;
}

/* \040 and the like, in place (proc_pid_mountinfo(5)). */
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

static bool is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool has_option(const char *options, const char *option)
{
    size_t length = strlen(option);
    for (const char *at = options; at != NULL; at = strchr(at, ',')) {
        if (*at == ',')
            at++;
        if (strncmp(at, option, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* One line of mountinfo against the plan; notes which steps were met. */
static int check_mount(const struct plan *plan, const char *path, const char *options, bool *seen,
                       struct failure *failure)
{
    bool writable_here = !plan->root_read_only;
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_step *step = &plan->mounts[i];
        if (step->kind != MOUNT_RO_BIND && step->kind != MOUNT_HIDE && is_below(path, step->target))
            writable_here = true;
        if (strcmp(path, step->target) == 0)
            seen[i] = true;
    }
    if (!has_option(options, "ro") && !writable_here)
        return failed(failure, 0, "mountinfo: %s is writable", path);
    if (!has_option(options, "nosuid") && plan->root_read_only)
        return failed(failure, 0, "mountinfo: %s is not nosuid", path);
    return 0;
}

static int check_mountinfo(const struct plan *plan, char *text, struct failure *failure)
{
    bool seen[MOUNTS_MAX] = {false};
    size_t lines = 0;
    for (char *line = strsep(&text, "\n"); line != NULL && *line != '\0'; line = strsep(&text, "\n"), lines++) {
        char *field[6];
        for (size_t i = 0; i < NELEM(field); i++)
            field[i] = strsep(&line, " ");
        if (field[5] == NULL)
            return failed(failure, 0, "mountinfo: a line that is cut");
        unescape(field[4]);
        if (check_mount(plan, field[4], field[5], seen, failure) != 0)
            return -1;
    }
    if (lines == 0)
        return failed(failure, 0, "mountinfo is empty");
    for (size_t i = 0; i < plan->mount_count; i++)
        if (!seen[i])
            return failed(failure, 0, "mountinfo: %s is not mounted", plan->mounts[i].target);
    return 0;
}

/* Asked of the path itself: a mount may be listed and lie under another one. */
static int check_read_only(const char *path, struct failure *failure)
{
    int root CLEANUP_FD = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return failed(failure, errno, "open /");
    int fd CLEANUP_FD = walk(root, path, CREATE_NOTHING);
    if (fd < 0)
        return failed(failure, errno, "open %s", path);
    struct statvfs status;
    if (fstatvfs(fd, &status) != 0)
        return failed(failure, errno, "statvfs %s", path);
    return (status.f_flag & ST_RDONLY) != 0 ? 0 : failed(failure, 0, "statvfs: %s is writable", path);
}

/* There is nothing to be read at a hidden path. */
static int check_hidden(const char *path, struct failure *failure)
{
    struct stat status;
    int fd CLEANUP_FD = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return failed(failure, errno, "open %s", path);
    if (fstat(fd, &status) != 0)
        return failed(failure, errno, "stat %s", path);
    if (!S_ISDIR(status.st_mode))
        return S_ISREG(status.st_mode) && status.st_size == 0 ? 0 : failed(failure, 0, "%s is not empty", path);
    DIR *list = fdopendir(fd);
    if (list == NULL)
        return failed(failure, errno, "opendir %s", path);
    fd = -1; /* the list has it now */
    size_t entries = 0;
    while (readdir(list) != NULL)
        entries++;
    (void)closedir(list);
    return entries == 2 ? 0 : failed(failure, 0, "%s is not empty", path); /* `.` and `..` */
}

int filesystem_verify(struct context *context, struct failure *failure)
{
    const struct plan *plan = context->plan;
    size_t capacity = (size_t)1 << 22; /* thousands of mounts of long names */
    char *text = malloc(capacity);
    if (text == NULL)
        return failed(failure, errno, "malloc");
    int result = 0;
    if (read_file_at(AT_FDCWD, "/proc/self/mountinfo", text, capacity) < 0)
        result = failed(failure, errno, "read /proc/self/mountinfo");
    else
        result = check_mountinfo(plan, text, failure);
    free(text);
    if (result == 0 && plan->root_read_only)
        result = check_read_only("/", failure);
    for (size_t i = 0; result == 0 && i < plan->mount_count; i++) {
        if (plan->mounts[i].kind == MOUNT_RO_BIND || plan->mounts[i].kind == MOUNT_HIDE)
            result = check_read_only(plan->mounts[i].target, failure);
        if (result == 0 && plan->mounts[i].kind == MOUNT_HIDE)
            result = check_hidden(plan->mounts[i].target, failure);
    }
    return result;
}

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
    return set_attributes(fd, AT_RECURSIVE, ATTRIBUTE_RDONLY) == 0 ? 0 : attributes_failed(failure, path);
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
