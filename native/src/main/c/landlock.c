/*
 * The Landlock rows: the same view once more, as rules on the process instead of on mounts. They hold where a mount is
 * found to be missing, and where namespaces are refused (Documentation/userspace-api/landlock.rst).
 *
 * The rules are derived from the plan's mounts, so that the two walls cannot disagree. Each row is a layer of its own.
 */
#include "landlock.h"
#include "mounting.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/*
 * From <linux/landlock.h> of Linux 7.2 (ABI 10): the headers of a build machine may be older than the kernel of an
 * agent. ABI 7 added switches for the audit log, ABI 8 one for programs with threads; what later ones than 10 add is
 * not asked for.
 */
#define SYS_LANDLOCK_CREATE_RULESET 444
#define SYS_LANDLOCK_ADD_RULE 445
#define SYS_LANDLOCK_RESTRICT_SELF 446
#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1

#define FS_EXECUTE (1ULL << 0)
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_REMOVE_DIR (1ULL << 4)
#define FS_REMOVE_FILE (1ULL << 5)
#define FS_MAKE_CHAR (1ULL << 6)
#define FS_MAKE_DIR (1ULL << 7)
#define FS_MAKE_REG (1ULL << 8)
#define FS_MAKE_SOCK (1ULL << 9)
#define FS_MAKE_FIFO (1ULL << 10)
#define FS_MAKE_BLOCK (1ULL << 11)
#define FS_MAKE_SYM (1ULL << 12)
#define FS_REFER (1ULL << 13)        /* ABI 2 */
#define FS_TRUNCATE (1ULL << 14)     /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15)    /* ABI 5 */
#define FS_RESOLVE_UNIX (1ULL << 16) /* ABI 9: to connect to a socket that was not made under these rules */
#define NET_TCP 3ULL                 /* ABI 4: bind and connect */
#define NET_UDP 12ULL                /* ABI 10: bind; connect and send */
#define SCOPE_ALL 3ULL               /* ABI 6: abstract Unix sockets, signals */

/* What a file can have. */
#define FS_FILE (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV | FS_RESOLVE_UNIX)
#define FS_READ (FS_READ_FILE | FS_READ_DIR)
/* No device nodes: nobody without a capability makes any, but for the marks of an overlay. */
#define FS_WRITE                                                                                                       \
    (FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SOCK | FS_MAKE_FIFO |        \
     FS_MAKE_SYM | FS_REFER | FS_TRUNCATE)
#define FS_DEVICES (FS_READ | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset_attributes {
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
};

struct path_rule {
    uint64_t access;
    int32_t parent;
} __attribute__((packed));

/* The kernel's ABI, 1 or more; 0 with a failure when there is none. */
static int abi(int wanted, const char *since, struct failure *failure)
{
    long version = syscall(SYS_LANDLOCK_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
    if (version < 0 && errno == EOPNOTSUPP)
        (void)unavailable(failure, errno, "landlock_create_ruleset: switched off when the machine was booted");
    else if (version < 0 && errno == ENOSYS)
        (void)unavailable(failure, errno, "landlock_create_ruleset: not in this kernel");
    else if (version < 0)
        (void)failed(failure, errno, "landlock_create_ruleset");
    else if (version < wanted)
        (void)unavailable(failure, 0, "needs Landlock ABI %d (%s), this kernel has %ld", wanted, since, version);
    return version < wanted ? 0 : (int)version;
}

/* Unknown bits are EINVAL, and so is a structure with more in it than the kernel knows (E2BIG). */
static uint64_t known_fs(int version)
{
    uint64_t access = FS_REFER - 1;
    if (version >= 2)
        access |= FS_REFER;
    if (version >= 3)
        access |= FS_TRUNCATE;
    if (version >= 5)
        access |= FS_IOCTL_DEV;
    if (version >= 9)
        access |= FS_RESOLVE_UNIX;
    return access;
}

static uint64_t known_net(int version)
{
    return version >= 10 ? NET_TCP | NET_UDP : NET_TCP;
}

static int create(const struct ruleset_attributes *attributes, int version, struct failure *failure)
{
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    int fd = (int)syscall(SYS_LANDLOCK_CREATE_RULESET, attributes, size, 0);
    return fd >= 0 ? fd : failed(failure, errno, "landlock_create_ruleset");
}

static int restrict_self(int ruleset, struct failure *failure)
{
    if (syscall(SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0) != 0)
        return failed(failure, errno, "landlock_restrict_self");
    return 0;
}

static int add_rule(int ruleset, int fd, uint64_t access, const char *path, struct failure *failure)
{
    struct path_rule rule = {.access = access, .parent = fd};
    if (rule.access != 0 && syscall(SYS_LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) != 0)
        return failed(failure, errno, "landlock_add_rule %s", path);
    return 0;
}

static int allow(int ruleset, uint64_t known, const char *path, uint64_t access, struct failure *failure)
{
    struct stat status;
    int fd CLEANUP_FD = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : failed(failure, errno, "open %s", path); /* what is not there needs no leave */
    if (fstat(fd, &status) != 0)
        return failed(failure, errno, "stat %s", path);
    if (!S_ISDIR(status.st_mode))
        access &= FS_FILE; /* EINVAL otherwise */
    return add_rule(ruleset, fd, access & known, path, failure);
}

/*
 * A job's directories, by descriptor: none of them is in its view. The same rights for each, or the kernel denies to
 * move a file to the one that has more. Devices can be moved, since a build can leave marks of overlays; the job's
 * filter has no call to make one.
 */
static int allow_places(const struct context *context, int ruleset, uint64_t access, struct failure *failure)
{
    const struct places *places = &context->places;
    const int fds[] = {places->directory, places->store, places->records};
    for (size_t i = 0; i < NELEM(fds); i++)
        if (fds[i] >= 0 && add_rule(ruleset, fds[i], access, "a directory of the job", failure) != 0)
            return -1;
    return 0;
}

/* Programs cannot do without these: where there is no view, they are the host's. */
static bool is_temporary(const char *path)
{
    static const char *const places[] = {"/tmp", "/var/tmp", "/dev/shm"};
    for (size_t i = 0; i < NELEM(places); i++)
        if (strcmp(path, places[i]) == 0)
            return true;
    return false;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* Hidden only because it is one of them by another mount: that one's rule holds here too. */
static bool is_temporary_again(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_step *step = &plan->mounts[i];
        if (step->kind != MOUNT_HIDE && is_temporary(step->target) && is_same_file(path, step->target))
            return true;
    }
    return false;
}

/* Its target shows something else than the host has there, or nothing. */
static bool covers_host(const struct plan *plan, const struct mount_step *step)
{
    switch (step->kind) {
    case MOUNT_HIDE:
        return !is_temporary_again(plan, step->target);
    case MOUNT_TMPFS:
        return !is_temporary(step->target);
    case MOUNT_BIND: /* a control directory is meant wherever it shows */
        return !step->control && strcmp(step->source, step->target) != 0 && !is_temporary(step->target);
    case MOUNT_OVERLAY: /* shows what the host has, as long as nothing is written */
    case MOUNT_DEV:
    case MOUNT_SYMLINK:
        break;
    }
    return false;
}

/* Where the command finds what this step is about. */
static const char *place_of(const struct mount_step *step, bool view)
{
    return !view && step->control ? step->source : step->target;
}

static bool has_view(const struct context *context)
{
    return is_applied(context, FILESYSTEM) || (context->plan->asked & BIT(FILESYSTEM)) == 0;
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/*
 * What a mount of the plan leaves to the command. Sockets are connected to where the launch says what is there: in what
 * it may write to and in what it names, not in the host's temporary directories, which other programs of the user use.
 */
static uint64_t access_of(const struct plan *plan, const struct mount_step *step, bool view)
{
    bool sockets = view || (step->kind == MOUNT_BIND && !is_temporary(step->target));
    uint64_t access = sockets ? FS_READ | FS_RESOLVE_UNIX : FS_READ;
    if (!step->noexec)
        access |= FS_EXECUTE;
    /* Without the view a target is the host's own, which nobody meant to be written. A file made for the launch (its
       passwd and the like) may be read there, a whole directory not. */
    if (!view && covers_host(plan, step))
        return step->kind == MOUNT_BIND && !is_directory(step->target) ? FS_READ : 0;
    switch (step->kind) {
    case MOUNT_BIND:
        if (step->read_only)
            return access;
        /* The agent reads what a step left in its control directory: it follows links, and waits for ever at a pipe. */
        return step->control ? (access | FS_WRITE) & ~(FS_MAKE_SYM | FS_MAKE_FIFO | FS_MAKE_SOCK | FS_REFER)
                             : access | FS_WRITE;
    case MOUNT_OVERLAY:
        return view ? access | FS_WRITE : access;
    case MOUNT_TMPFS:
        return access | FS_WRITE;
    case MOUNT_DEV:
        return FS_DEVICES;
    case MOUNT_HIDE:
    case MOUNT_SYMLINK:
        break;
    }
    return 0;
}

bool landlock_hides(const struct plan *plan, const struct mount_step *step)
{
    return covers_host(plan, step) && access_of(plan, step, false) == 0;
}

bool landlock_names(const struct plan *plan, const struct mount_step *step)
{
    return access_of(plan, step, false) != 0;
}

/* Of each step: whether the rules leave out what it covers. */
static bool left_out[MOUNTS_MAX];

/* A rule for a directory holds for all that is below it, so one that may be written to leaves nothing out. */
static bool is_in_writable(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->mount_count; i++)
        if ((access_of(plan, &plan->mounts[i], true) & FS_WRITE) != 0 && is_below(path, plan->mounts[i].target) &&
            strcmp(path, plan->mounts[i].target) != 0)
            return true;
    return false;
}

/*
 * Behind a view, which covers all of it already: what the command could open, and what no rule opens anyway. The rules
 * then name what is beside it, and what comes to lie there later has none: /etc, where files are replaced while builds
 * run, is left alone as long as the command cannot read what is hidden in it.
 */
static void choose_left_out(const struct context *context, bool view)
{
    const struct plan *plan = context->plan;
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_step *step = &plan->mounts[i];
        /* An empty root has nothing of the host's but what is named, in which something may be hidden. */
        bool counts = step->kind == MOUNT_HIDE || plan->root != ROOT_EMPTY;
        left_out[i] = covers_host(plan, step) &&
                      (!view || (counts && context->covered[i].inode != 0 && !is_in_writable(plan, step->target)));
    }
}

static bool is_covered(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->mount_count; i++)
        if (left_out[i] && strcmp(plan->mounts[i].target, path) == 0)
            return true;
    return false;
}

/* Below it, and not the path itself. */
static bool holds_covered_below(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->mount_count; i++)
        if (left_out[i] && is_below(plan->mounts[i].target, path) && strcmp(plan->mounts[i].target, path) != 0)
            return true;
    return false;
}

static bool holds_covered(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->mount_count; i++)
        if (left_out[i] && is_below(plan->mounts[i].target, path))
            return true;
    return false;
}

/*
 * A rule is on the file, whatever it is called: in a chroot that can be seen in itself a directory below may be the
 * root directory, and one for it would be one for everything. So what leads to a covered path is known by its numbers
 * too.
 */
#define WAYS_MAX 4096

static struct way {
    dev_t device;
    ino_t inode;
} ways[WAYS_MAX];
static size_t way_count;

static bool is_way(const struct stat *status)
{
    for (size_t i = 0; i < way_count; i++)
        if (ways[i].inode == status->st_ino && ways[i].device == status->st_dev)
            return true;
    return false;
}

static int add_way(const struct stat *status, struct failure *failure)
{
    if (is_way(status))
        return 0;
    if (way_count == WAYS_MAX)
        return failed(failure, E2BIG, "more than %d files are hidden or lead there", WAYS_MAX);
    ways[way_count++] = (struct way){.device = status->st_dev, .inode = status->st_ino};
    return 0;
}

static int add_way_to(const char *path, struct failure *failure)
{
    struct stat status;
    return stat(path, &status) == 0 ? add_way(&status, failure) : 0;
}

static int find_ways(const struct context *context, bool view, struct failure *failure)
{
    const struct plan *plan = context->plan;
    way_count = 0;
    for (size_t i = 0; i < plan->mount_count; i++) {
        const char *target = plan->mounts[i].target;
        if (!left_out[i])
            continue;
        /* Behind a view the host's file is met by another name only: its own shows the cover. */
        const struct stat host = {.st_dev = context->covered[i].device, .st_ino = context->covered[i].inode};
        if (add_way_to("/", failure) != 0 || (view ? add_way(&host, failure) : add_way_to(target, failure)) != 0)
            return -1;
        for (const char *end = strchr(target + 1, '/'); end != NULL; end = strchr(end + 1, '/')) {
            char path[PATH_MAX];
            (void)snprintf(path, sizeof path, "%.*s", (int)(end - target), target);
            if (add_way_to(path, failure) != 0)
                return -1;
        }
    }
    return 0;
}

/*
 * What is to be hidden is left out: a directory that holds such a path is not named
 * itself, only what else is in it. What comes to lie there later cannot be read. Depth: no deeper than a path of the
 * plan, and nothing where one of these is met by another name.
 */
static int allow_but_covered(const struct plan *plan, int ruleset, uint64_t known, const char *path, uint64_t access,
                             struct failure *failure);

static int allow_beside_covered(const struct plan *plan, int ruleset, uint64_t known, const char *path, uint64_t access,
                                struct failure *failure)
{
    if (!holds_covered(plan, path)) {
        struct stat status;
        return stat(path, &status) == 0 && is_way(&status) ? 0 : allow(ruleset, known, path, access, failure);
    }
    DIR *list = opendir(path);
    if (list == NULL) /* neither can the command list it, and what it holds is not named */
        return errno == EACCES || errno == ENOENT || errno == ENOTDIR ? 0 : failed(failure, errno, "opendir %s", path);
    int result = 0;
    struct dirent *entry;
    while (result == 0 && (errno = 0, entry = readdir(list)) != NULL) {
        char below[PATH_MAX];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        struct stat status;
        if (fstatat(dirfd(list), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || S_ISLNK(status.st_mode))
            continue; /* gone; or a link, whose target has a rule of its own where it lies */
        int n = snprintf(below, sizeof below, "%s/%s", strcmp(path, "/") == 0 ? "" : path, entry->d_name);
        if (n < (int)sizeof below)
            result = allow_but_covered(plan, ruleset, known, below, access, failure);
    }
    if (result == 0 && errno != 0)
        result = failed(failure, errno, "readdir %s", path);
    (void)closedir(list);
    return result;
}

static int allow_but_covered(const struct plan *plan, int ruleset, uint64_t known, const char *path, uint64_t access,
                             struct failure *failure)
{
    return is_covered(plan, path) ? 0 : allow_beside_covered(plan, ruleset, known, path, access, failure);
}

/* One step's own rule. Behind a view its target shows what the step put there, also where that is a cover. */
static int allow_step(const struct plan *plan, const struct mount_step *step, bool view, int ruleset, uint64_t known,
                      uint64_t access, struct failure *failure)
{
    if ((access & FS_WRITE) != 0 || (view && !holds_covered_below(plan, step->target)))
        return allow(ruleset, known, place_of(step, view), access, failure);
    return view ? allow_beside_covered(plan, ruleset, known, step->target, access, failure)
                : allow_but_covered(plan, ruleset, known, step->target, access, failure);
}

/* What may be read wherever it lies. */
static int allow_host(const struct plan *plan, bool view, int ruleset, uint64_t known, struct failure *failure)
{
    uint64_t access = view && plan->root == ROOT_EMPTY ? FS_READ : FS_READ | FS_EXECUTE;
    if (view && !holds_covered(plan, "/"))
        return allow(ruleset, known, "/", access, failure);
    if (!view && plan->root == ROOT_EMPTY)
        return allow(ruleset, known, "/proc", FS_READ, failure);
    /* Names may be listed, or getting about in directories would end at the first that holds something hidden. */
    if (allow(ruleset, known, "/", FS_READ_DIR, failure) != 0)
        return -1;
    return allow_but_covered(plan, ruleset, known, "/", access, failure);
}

static int allow_all(const struct context *context, int ruleset, uint64_t known, struct failure *failure)
{
    const struct plan *plan = context->plan;
    bool view = has_view(context);
    bool own_dev = false;
    if (plan->job != JOB_NONE)
        return allow_places(context, ruleset, known & (FS_READ | FS_WRITE | FS_MAKE_CHAR | FS_MAKE_BLOCK), failure);
    choose_left_out(context, view);
    if (find_ways(context, view, failure) != 0 || allow_host(plan, view, ruleset, known, failure) != 0)
        return -1;
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_step *step = &plan->mounts[i];
        if (step->kind == MOUNT_DEV) {
            own_dev = true;
            if (allow(ruleset, known, "/dev/shm", FS_READ | FS_EXECUTE | FS_WRITE | (view ? FS_RESOLVE_UNIX : 0),
                      failure) != 0)
                return -1;
        }
        uint64_t access = access_of(plan, step, view);
        if (access != 0 && allow_step(plan, step, view, ruleset, known, access, failure) != 0)
            return -1;
    }
    return own_dev ? 0 : allow(ruleset, known, "/dev", FS_DEVICES, failure);
}

/*
 * ABI 1 answers EXDEV to every rename and link from one directory to another, which builds do all the time: a high
 * price for a second wall, and a fair one where it is the only one. ABI 1 and 2 do not know truncation: a file that may
 * not be written can still be emptied. So below ABI 3 the rules are kept as far as they go, and the row does not count.
 */
int landlock_fs_apply(struct context *context, struct failure *failure)
{
    bool only_wall = (context->plan->asked & BIT(FILESYSTEM)) != 0 && !is_applied(context, FILESYSTEM);
    int version = abi(only_wall ? 1 : 2, only_wall ? "Linux 5.13" : "Linux 5.19", failure);
    if (version == 0)
        return -1;
    uint64_t known = known_fs(version);
    struct ruleset_attributes attributes = {.fs = known};
    int ruleset CLEANUP_FD = create(&attributes, version, failure);
    if (ruleset < 0 || allow_all(context, ruleset, known, failure) != 0 || restrict_self(ruleset, failure) != 0)
        return -1;
    if (version >= 3)
        return 0;
    return unavailable(failure, 0, "kept but for truncation%s: needs Landlock ABI 3 (Linux 6.2), this kernel has %d",
                       version == 1 ? ", and nothing can be moved to another directory" : "", version);
}

int landlock_probe_name(char name[PROBE_NAME_SIZE], struct failure *failure)
{
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return failed(failure, errno, "getrandom");
    (void)snprintf(name, PROBE_NAME_SIZE, ".process-sandbox-%016llx", (unsigned long long)number);
    return 0;
}

/* Landlock joins the rules of all parents: below another writable directory the rule of this one says nothing. */
static int check_no_links(const char *path, struct failure *failure)
{
    char name[PROBE_NAME_SIZE];
    int directory CLEANUP_FD = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return failed(failure, errno, "open %s", path);
    if (landlock_probe_name(name, failure) != 0)
        return -1;
    if (symlinkat("nowhere", directory, name) == 0) {
        (void)unlinkat(directory, name, 0); /* at worst a link to nowhere stays */
        return failed(failure, 0, "symlink in %s: not refused", path);
    }
    return errno == EACCES ? 0 : failed(failure, errno, "symlink in %s", path);
}

/*
 * A directory of the host's that nobody but Landlock keeps from being written. Not what lies in the workspace: there
 * the workspace's own rule holds.
 */
static bool is_kept(const struct context *context, const struct mount_step *step)
{
    const struct plan *plan = context->plan;
    if (has_view(context) || (step->kind == MOUNT_HIDE && !covers_host(plan, step)) ||
        (access_of(plan, step, false) & FS_WRITE) != 0 || !is_directory(step->target) ||
        access(step->target, W_OK) != 0)
        return false;
    for (size_t i = 0; i < plan->mount_count; i++)
        if ((access_of(plan, &plan->mounts[i], false) & FS_WRITE) != 0 &&
            is_below(step->target, plan->mounts[i].target))
            return false;
    return true;
}

/*
 * Where /proc is read-only already: the mark of an overlay is a device that anybody may make where he may write, and no
 * rule allows to make devices (mknod(2), S_IFCHR with device number 0).
 */
static int check_device(const struct context *context, struct failure *failure)
{
    char name[PROBE_NAME_SIZE];
    if (landlock_probe_name(name, failure) != 0)
        return -1;
    for (size_t i = 0; i < context->plan->mount_count; i++) {
        const struct mount_step *step = &context->plan->mounts[i];
        int directory CLEANUP_FD = open(place_of(step, has_view(context)), O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0 || faccessat(directory, ".", W_OK, 0) != 0)
            continue;
        if (mknodat(directory, name, S_IFCHR | 0600, 0) == 0) {
            (void)unlinkat(directory, name, 0); /* at worst a device that nobody can open stays */
            return failed(failure, 0, "mknod in %s: not refused", step->target);
        }
        return errno == EACCES ? 0 : failed(failure, errno, "mknod in %s", step->target);
    }
    return failed(failure, EROFS, "open /proc/self/comm for writing");
}

/* Nothing but its directories can be opened, in the view as outside of one. */
static int check_job(struct failure *failure)
{
    int fd CLEANUP_FD = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        return failed(failure, 0, "open /: not denied");
    return errno == EACCES ? 0 : failed(failure, errno, "open /");
}

int landlock_fs_verify(struct context *context, struct failure *failure)
{
    if (context->plan->job != JOB_NONE)
        return check_job(failure);
    for (size_t i = 0; i < context->plan->mount_count; i++) {
        const struct mount_step *step = &context->plan->mounts[i];
        if ((step->control || is_kept(context, step)) &&
            check_no_links(place_of(step, has_view(context)), failure) != 0)
            return -1;
    }
    if (!has_view(context) && landlock_check_hidden(context->plan, failure) != 0)
        return -1;
    /* Our own name may always be written but for Landlock: nothing in /proc is on the list. */
    int fd CLEANUP_FD = open("/proc/self/comm", O_WRONLY | O_CLOEXEC);
    if (fd >= 0)
        return failed(failure, 0, "open /proc/self/comm for writing: not refused");
    if (errno == EROFS)
        return check_device(context, failure);
    return errno == EACCES ? 0 : failed(failure, errno, "open /proc/self/comm for writing");
}

/*
 * A layer that is not about files. FS_REFER is denied by every layer that does not handle it, whatever that is about:
 * without the rule nothing could be renamed or linked from one directory to another.
 */
static int restrict_other(const struct context *context, struct ruleset_attributes attributes, int version,
                          struct failure *failure)
{
    attributes.fs = FS_REFER;
    int ruleset CLEANUP_FD = create(&attributes, version, failure);
    if (ruleset < 0 || allow(ruleset, FS_REFER, "/", FS_REFER, failure) != 0 ||
        allow_places(context, ruleset, FS_REFER, failure) != 0)
        return -1;
    return restrict_self(ruleset, failure);
}

int landlock_net_apply(struct context *context, struct failure *failure)
{
    /* In the place of a network namespace nothing is to be reached at all, by UDP neither. */
    if ((context->plan->asked & BIT(NETWORK_NAMESPACE)) != 0 && refuse_internet_sockets() != 0)
        return failed(failure, errno, "seccomp: a filter for sockets");
    int version = abi(4, "Linux 6.7", failure);
    if (version == 0)
        return -1;
    return restrict_other(context, (struct ruleset_attributes){.net = known_net(version)}, version, failure);
}

/* Connecting sends nothing; the port is the one of `discard`. */
static int check_datagrams(struct failure *failure)
{
    struct sockaddr_in discard = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd CLEANUP_FD = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return failed(failure, errno, "datagram socket");
    if (connect(fd, (const struct sockaddr *)&discard, sizeof discard) == 0)
        return failed(failure, 0, "connect of a datagram socket to localhost: not refused");
    return errno == EACCES ? 0 : failed(failure, errno, "connect of a datagram socket to localhost");
}

int landlock_net_verify(struct context *context, struct failure *failure)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd CLEANUP_FD = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        bool refused = errno == EAFNOSUPPORT && (context->plan->asked & BIT(NETWORK_NAMESPACE)) != 0;
        return refused ? 0 : failed(failure, errno, "socket");
    }
    if (bind(fd, (const struct sockaddr *)&any, sizeof any) == 0)
        return failed(failure, 0, "bind to localhost: not refused");
    if (errno != EACCES)
        return failed(failure, errno, "bind to localhost");
    return abi(10, "", failure) == 0 ? 0 : check_datagrams(failure);
}

int landlock_scope_apply(struct context *context, struct failure *failure)
{
    int version = abi(6, "Linux 6.12", failure);
    if (version == 0)
        return -1;
    return restrict_other(context, (struct ruleset_attributes){.scoped = SCOPE_ALL}, version, failure);
}

int landlock_scope_verify(struct context *context, struct failure *failure)
{
    (void)context;
    /* init has our user id and is outside of the scope. */
    if (kill(getppid(), 0) == 0)
        return failed(failure, 0, "kill of a process outside: not refused");
    return errno == EPERM ? 0 : failed(failure, errno, "kill of a process outside");
}
