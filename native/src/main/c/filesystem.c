/*
 * Row `filesystem`: the view. It is built beside the host's tree and entered by pivot_root(2) at the end, so that a
 * failure on the way leaves the host's view as it was, never half a sandbox.
 */
#include "mounting.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

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
    bool refused; /* the host refuses views as such: the launch may go on without one */
    struct sources sources[MOUNTS_MAX];
    int devices[NELEM(devices)];
    int root;  /* the new tree */
    int empty; /* a file with nothing in it */
    int empty_directory;
};

static int open_source(const char *path, int *fd, struct failure *failure)
{
    *fd = walk_from_root(path);
    return *fd < 0 ? failed(failure, errno, "open %s", path) : 0;
}

/* What the command could open if nothing covered it, by numbers: row `landlock_fs` leaves it out by any name. */
static void note_covered(struct context *context)
{
    const struct plan *plan = context->plan;
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_step *step = &plan->mounts[i];
        struct stat status;
        if (step->kind != MOUNT_HIDE && step->kind != MOUNT_TMPFS && step->kind != MOUNT_BIND)
            continue;
        int fd CLEANUP_FD = walk_from_root(step->target);
        if (fd < 0 || fstat(fd, &status) != 0)
            continue;
        bool directory = S_ISDIR(status.st_mode);
        char path[FD_PATH_SIZE];
        if (faccessat(AT_FDCWD, fd_path(path, fd), R_OK, AT_EACCESS) == 0 ||
            (directory && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0))
            context->covered[i] = (struct identity){status.st_dev, status.st_ino};
    }
}

static int open_sources(const struct plan *plan, struct view *view, struct failure *failure)
{
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_step *step = &plan->mounts[i];
        struct sources *sources = &view->sources[i];
        switch (step->kind) {
        case MOUNT_BIND:
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
        case MOUNT_SYMLINK:
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
static int restrict_target(const struct view *view, const char *path, bool recursive, unsigned attributes,
                           struct failure *failure)
{
    int fd CLEANUP_FD = -1;
    if (target_of(view, path, CREATE_NOTHING, &fd, failure) != 0)
        return -1;
    return set_attributes(fd, recursive, attributes) == 0 ? 0 : failed(failure, errno, "mount_setattr %s", path);
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
    unsigned attributes = ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV;
    if (step->read_only)
        attributes |= ATTRIBUTE_RDONLY;
    if (step->noexec)
        attributes |= ATTRIBUTE_NOEXEC;
    return restrict_target(view, step->target, true, attributes, failure);
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
    unsigned long flags = MS_NOSUID | MS_NODEV | (step->noexec ? MS_NOEXEC : 0);
    if (step->size > 0)
        (void)snprintf(options, sizeof options, "mode=1777,size=%llu", (unsigned long long)step->size);
    else
        (void)snprintf(options, sizeof options, "mode=1777");
    return mount_new(view, step->target, "tmpfs", flags, options, failure);
}

/*
 * A volatile overlay leaves a mark in its work directory, by which the next mount would be refused: after a crash the
 * upper layer may be anything (kernel documentation, overlayfs, "Volatile mount"). Ours is used in one block only, and
 * no block outlives a crash. Where the mark stays, the mount says so.
 */
static void remove_volatile_mark(int work)
{
    int features CLEANUP_FD = walk(work, "/work/incompat", CREATE_NOTHING);
    if (features >= 0 && unlinkat(features, "volatile/dirty", 0) == 0)
        (void)unlinkat(features, "volatile", AT_REMOVEDIR);
}

static int mount_overlay(struct view *view, const struct mount_step *step, const struct sources *sources,
                         struct failure *failure)
{
    /* The layers by descriptor: no escaping of `,` and `:` in paths, and no race. userxattr is what a user namespace
       needs (Linux 5.11); without a persistent index two kernels' defaults agree. */
    char options[160];
    /* volatile (Linux 5.10): or its end, with each launch's, waits until all that is unwritten on the upper layer's
       whole file system is on the disk, and so would each fsync of a build. */
    (void)snprintf(options, sizeof options,
                   "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/"
                   "proc/self/fd/%d,userxattr,index=off%s",
                   sources->first, sources->upper, sources->work, step->durable ? "" : ",volatile");
    remove_volatile_mark(sources->work);
    unsigned long flags = MS_NOSUID | MS_NODEV | (step->noexec ? MS_NOEXEC : 0);
    return mount_new(view, step->target, "overlay", flags, options, failure);
}

/* What is there in the place of an overlay. There may be more than one. */
static void tell(struct context *context, const struct mount_step *step, const char *what, int error)
{
    const char *before = context->shared->outcomes[FILESYSTEM].detail;
    note(context, FILESYSTEM, "%s%s%s is %s, since there is no overlay: %s", before, before[0] != '\0' ? "; " : "",
         step->target, what, strerror(error));
}

/* The upper layer alone: what is written there is kept as an overlay would, and nothing of the host is seen. */
static int mount_upper(struct context *context, struct view *view, const struct mount_step *step,
                       const struct sources *sources, struct failure *failure)
{
    struct stat status;
    if (fstat(sources->upper, &status) != 0)
        return failed(failure, errno, "stat %s", step->upper);
    const struct mount_step upper = {.kind = MOUNT_BIND, .source = step->upper, .target = step->target};
    const struct sources from = {sources->upper, -1, -1};
    if (mount_bind(view, &upper, &from, failure) != 0)
        return -1;
    context->instead[step - context->plan->mounts] = (struct identity){status.st_dev, status.st_ino};
    return 0;
}

/* In its place where the kernel makes none: what the host has there, and nothing of it is changed either. */
static int mount_lower(struct view *view, const struct mount_step *step, const struct sources *sources,
                       struct failure *failure)
{
    const struct mount_step lower = {
        .kind = MOUNT_BIND, .read_only = true, .noexec = step->noexec, .source = step->target, .target = step->target};
    return mount_bind(view, &lower, sources, failure);
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
    int directory CLEANUP_FD = -1;
    if (target_of(view, step->target, CREATE_NOTHING, &directory, failure) != 0)
        return -1;
    for (size_t i = 0; i < NELEM(devices); i++) {
        if (view->devices[i] < 0)
            continue;
        int target CLEANUP_FD = openat(directory, devices[i].name, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (target < 0)
            return failed(failure, errno, "create %s/%s", step->target, devices[i].name);
        if (bind_tree(view->devices[i], target) != 0)
            return failed(failure, errno, "bind %s/%s", step->target, devices[i].name);
    }
    static const char *const mount_points[] = {"pts", "shm"};
    for (size_t i = 0; i < NELEM(mount_points); i++)
        if (mkdirat(directory, mount_points[i], 0755) != 0)
            return failed(failure, errno, "mkdir %s/%s", step->target, mount_points[i]);
    for (size_t i = 0; i < NELEM(device_links); i++)
        if (symlinkat(device_links[i][0], directory, device_links[i][1]) != 0)
            return failed(failure, errno, "symlink %s/%s", step->target, device_links[i][1]);
    /* The devices too: they can be written to all the same, but root, whose they are, could change the host's modes. */
    if (set_attributes(directory, true, ATTRIBUTE_RDONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NOEXEC) != 0)
        return failed(failure, errno, "mount_setattr %s", step->target);
    if (path_in(path, step->target, "pts", failure) != 0 ||
        mount_new(view, path, "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620", failure) != 0)
        return -1;
    if (path_in(path, step->target, "shm", failure) != 0)
        return -1;
    return mount_new(view, path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777", failure);
}

/* The directory that the last component of path is in, made where it is missing; *name is that component. */
static int parent_of(const struct view *view, const char *path, const char **name, struct failure *failure)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = (size_t)(slash - path);
    memcpy(parent, path, length);
    parent[length] = '\0';
    *name = slash + 1;
    int fd = -1;
    return target_of(view, length == 0 ? "/" : parent, CREATE_DIRECTORY, &fd, failure) == 0 ? fd : -1;
}

/* Whether a file of this name is in an overlay's upper layer, and is no mark that there is none. */
static bool is_own_file(const struct mount_step *overlay, int upper, const struct mount_step *step)
{
    struct stat status;
    int fd CLEANUP_FD = walk(upper, step->target + strlen(overlay->target), CREATE_NOTHING);
    return fd >= 0 && fstat(fd, &status) == 0 && !(S_ISCHR(status.st_mode) && status.st_rdev == 0);
}

/*
 * Takes a file of the host's out of an overlay, which notes in its upper layer that there is none: programs then do
 * without, where many fail at a file that is there and cannot be read. The command may make a file of its own in its
 * place, and a later launch of the block finds that one. False where it has to be covered.
 */
static bool leave_out(struct context *context, struct view *view, size_t i, int target)
{
    const struct plan *plan = context->plan;
    const struct mount_step *step = &plan->mounts[i];
    const struct mount_step *around = step_around(context, i);
    struct failure ignored;
    const char *name;
    struct statfs shown;
    /* Where the kernel made no overlay, the host's file is there, whatever the upper layer holds. */
    if (around == NULL || around->kind != MOUNT_OVERLAY || fstatfs(target, &shown) != 0 ||
        shown.f_type != OVERLAY_MAGIC)
        return false;
    if (!is_own_file(around, view->sources[around - plan->mounts].upper, step)) {
        struct stat status;
        int parent CLEANUP_FD = parent_of(view, step->target, &name, &ignored);
        if (parent < 0 || unlinkat(parent, name, 0) != 0 || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
            return false;
    }
    context->left_out[i] = true;
    return true;
}

/* Covers a directory with an empty one and anything else with a file that nobody may open. */
static int mount_hide(struct context *context, struct view *view, size_t i, struct failure *failure)
{
    const struct mount_step *step = &context->plan->mounts[i];
    struct stat status;
    int target CLEANUP_FD = -1;
    if (target_of(view, step->target, CREATE_NOTHING, &target, failure) != 0)
        return cannot_exist(context, i, failure->error) ? 0 : -1;
    if (fstat(target, &status) != 0)
        return failed(failure, errno, "stat %s", step->target);
    if (S_ISREG(status.st_mode) && leave_out(context, view, i, target))
        return 0;
    if (bind_tree(S_ISDIR(status.st_mode) ? view->empty_directory : view->empty, target) != 0)
        return failed(failure, errno, "cover %s", step->target);
    return restrict_target(view, step->target, false, ATTRIBUTE_RDONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV, failure);
}

static int make_symlink(struct view *view, const struct mount_step *step, struct failure *failure)
{
    const char *name;
    int parent CLEANUP_FD = parent_of(view, step->target, &name, failure);
    if (parent < 0)
        return -1;
    return symlinkat(step->source, parent, name) == 0 ? 0 : failed(failure, errno, "symlink %s", step->target);
}

static int mount_kind(struct context *context, struct view *view, size_t i, struct failure *failure)
{
    const struct mount_step *step = &context->plan->mounts[i];
    const struct sources *sources = &view->sources[i];
    switch (step->kind) {
    case MOUNT_BIND:
        return mount_bind(view, step, sources, failure);
    case MOUNT_TMPFS:
        return mount_tmpfs(view, step, failure);
    case MOUNT_OVERLAY:
        if (mount_overlay(view, step, sources, failure) == 0)
            return 0;
        tell(context, step, step->or_read_only ? "read-only" : "without what the machine has there", failure->error);
        return step->or_read_only ? mount_lower(view, step, sources, failure)
                                  : mount_upper(context, view, step, sources, failure);
    case MOUNT_HIDE:
        return mount_hide(context, view, i, failure);
    case MOUNT_SYMLINK:
        return make_symlink(view, step, failure);
    case MOUNT_DEV:
        break;
    }
    return mount_dev(view, step, failure);
}

static int mount_step(struct context *context, struct view *view, size_t i, struct failure *failure)
{
    const struct mount_step *step = &context->plan->mounts[i];
    if (step->kind == MOUNT_HIDE && is_in_upper_layer(context, i))
        return 0;
    return mount_kind(context, view, i, failure);
}

/* What hidden files and directories show; on a mount of its own, since the stage cannot be bound. */
static int make_empty(const char *stage, struct view *view, struct failure *failure)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/files", stage);
    if (mkdir(path, 0755) != 0)
        return failed(failure, errno, "mkdir %s", path);
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=4096") != 0)
        return failed(failure, errno, "mount tmpfs on %s", path);
    (void)snprintf(path, sizeof path, "%s/files/empty", stage);
    /* An empty file that can be read would pass for the real one: an empty list of users, settings that say nothing. */
    view->empty = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0000);
    if (view->empty < 0)
        return failed(failure, errno, "create %s", path);
    (void)snprintf(path, sizeof path, "%s/files/directory", stage);
    if (mkdir(path, 0555) != 0)
        return failed(failure, errno, "mkdir %s", path);
    view->empty_directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return view->empty_directory >= 0 ? 0 : failed(failure, errno, "open %s", path);
}

static int mount_host(const struct plan *plan, const char *path, struct view *view, struct failure *failure)
{
    if (mount("/", path, NULL, MS_BIND | MS_REC, NULL) != 0)
        return failed(failure, errno, "bind / on %s", path);
    view->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (view->root < 0)
        return failed(failure, errno, "open %s", path);
    unsigned attributes = ATTRIBUTE_RDONLY | ATTRIBUTE_NOSUID;
    for (size_t i = 0; i < plan->mount_count; i++)
        if (plan->mounts[i].kind == MOUNT_DEV) /* devices come from there alone */
            attributes |= ATTRIBUTE_NODEV;
    if (plan->root == ROOT_READ_ONLY && set_attributes(view->root, true, attributes) != 0)
        return failed(failure, errno, "mount_setattr /");
    return 0;
}

/* Room for mount points and links only; it becomes read-only when they are there. */
static int mount_empty(const char *path, struct view *view, struct failure *failure)
{
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=1048576") != 0)
        return failed(failure, errno, "mount tmpfs on %s", path);
    view->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (view->root < 0)
        return failed(failure, errno, "open %s", path);
    /* The kernel mounts a new /proc only where one can be seen already; this one is covered by row `proc`. */
    int proc CLEANUP_FD = -1;
    int source CLEANUP_FD = walk_from_root("/proc");
    if (source < 0 || target_of(view, "/proc", CREATE_DIRECTORY, &proc, failure) != 0)
        return source < 0 ? failed(failure, errno, "open /proc") : -1;
    if (bind_tree(source, proc) != 0)
        return failed(failure, errno, "bind /proc");
    return restrict_target(view, "/proc", true,
                           ATTRIBUTE_RDONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV | ATTRIBUTE_NOEXEC, failure);
}

/* The new root, at `root` of the stage (a tmpfs that nothing else sees). */
static int mount_root(const struct plan *plan, const char *stage, struct view *view, struct failure *failure)
{
    char path[64];
    /* Unbindable: or the recursive bind of / would bring the stage along. */
    if (mount(NULL, stage, NULL, MS_UNBINDABLE, NULL) != 0)
        return failed(failure, errno, "mount %s unbindable", stage);
    if (make_empty(stage, view, failure) != 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/root", stage);
    if (mkdir(path, 0755) != 0)
        return failed(failure, errno, "mkdir %s", path);
    return plan->root == ROOT_EMPTY ? mount_empty(path, view, failure) : mount_host(plan, path, view, failure);
}

/* By these the kernel, or a filter around it, refuses an operation as such. ENOMEM and the like are no refusal. */
static bool is_refusal(int error)
{
    return error == EPERM || error == EACCES || error == ENOSYS || error == EINVAL || error == ENODEV ||
           error == EOPNOTSUPP;
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
    int here CLEANUP_FD = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (here < 0)
        return failed(failure, errno, "open %s", cwd);
    if (fchdir(view->root) != 0)
        return failed(failure, errno, "fchdir to the new root");
    if (syscall(SYS_pivot_root, ".", ".") != 0) {
        int error = errno;
        if (fchdir(here) != 0) /* or the command would start in a tree that nobody sees any more */
            return failed(failure, errno, "chdir back to %s", cwd);
        view->refused = is_refusal(error);
        return failed(failure, error, "pivot_root");
    }
    /* The old root now lies on top of the new one; detached, nothing of it can be reached any more. */
    if (fchdir(old) != 0 || umount2(".", MNT_DETACH) != 0)
        return failed(failure, errno, "umount the old root");
    if (chdir("/") != 0 || fchdir(directory) != 0)
        return failed(failure, errno, "chdir %s", cwd);
    return 0;
}

/* unopened: why a source of the plan could not be opened; status SKIPPED when all of them were. */
static int build(struct context *context, const char *stage, struct view *view, const struct failure *unopened,
                 struct failure *failure)
{
    const struct plan *plan = context->plan;
    if (mount_root(plan, stage, view, failure) != 0) {
        view->refused = is_refusal(failure->error);
        return -1;
    }
    if (unopened->status != SKIPPED) {
        *failure = *unopened;
        return -1;
    }
    for (size_t i = 0; i < plan->mount_count; i++)
        if (mount_step(context, view, i, failure) != 0)
            return -1;
    if (plan->root == ROOT_EMPTY && set_attributes(view->root, false, ATTRIBUTE_RDONLY) != 0)
        return failed(failure, errno, "mount_setattr /");
    return enter(context, view, failure);
}

static int stage_and_build(struct context *context, struct view *view, const struct failure *unopened,
                           struct failure *failure)
{
    /* Some directory to hang the stage on; covered only in our namespace, and only until pivot_root. */
    static const char *const places[] = {"/tmp", "/run", "/mnt", "/var", "/home", "/usr"};
    int error = ENOENT;
    for (size_t i = 0; i < NELEM(places); i++) {
        if (mount("tmpfs", places[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700,size=65536") != 0) {
            if (error == ENOENT)
                error = errno;
            continue;
        }
        int result = build(context, places[i], view, unopened, failure);
        if (result != 0 && umount2(places[i], MNT_DETACH) != 0 && errno != EINVAL) {
            view->refused = false;
            return failed(failure, errno, "umount %s", places[i]);
        }
        return result;
    }
    view->refused = error == ENOENT || is_refusal(error);
    return failed(failure, error, "mount tmpfs for the new root");
}

static int open_all(const struct context *context, struct view *view, struct failure *failure)
{
    if (context->cwd[0] != '/')
        return failed(failure, ENOENT, "getcwd: the working directory is gone or out of reach");
    return open_sources(context->plan, view, failure);
}

/*
 * A build can make any path of the plan unusable, and use up what the kernel needs for a mount. So a view that fails
 * for such a reason refuses the launch: the command would otherwise run on the host's tree. Only a host that refuses
 * views as such runs it without one.
 */
int filesystem_apply(struct context *context, struct failure *failure)
{
    context->proc_self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (context->proc_self < 0)
        return failed(failure, errno, "open /proc/self");
    struct view *view = malloc(sizeof *view);
    if (view == NULL)
        return failed(failure, errno, "malloc");
    view->refused = false;
    view->root = view->empty = view->empty_directory = -1;
    for (size_t i = 0; i < MOUNTS_MAX; i++)
        view->sources[i] = (struct sources){-1, -1, -1};
    for (size_t i = 0; i < NELEM(view->devices); i++)
        view->devices[i] = -1;

    note_covered(context);
    mode_t mask = umask(0); /* the modes above are meant as they stand */
    /* Opened before the stage covers anything. Whether a failure counts shows when the kernel has made a root. */
    struct failure unopened = {.status = SKIPPED};
    (void)open_all(context, view, &unopened);
    int result = stage_and_build(context, view, &unopened, failure);
    umask(mask);
    if (result != 0 && !view->refused)
        atomic_store(&context->shared->broken, true);

    for (size_t i = 0; i < MOUNTS_MAX; i++) {
        close_fd(&view->sources[i].first);
        close_fd(&view->sources[i].upper);
        close_fd(&view->sources[i].work);
    }
    for (size_t i = 0; i < NELEM(view->devices); i++)
        close_fd(&view->devices[i]);
    close_fd(&view->root);
    close_fd(&view->empty);
    close_fd(&view->empty_directory);
    free(view);
    return result;
}
