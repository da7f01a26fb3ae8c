#include "cgroup.h"

#include "sequence.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>

#define PREFIX "sandbox-"
#define MOUNTINFO_MAX ((size_t)1 << 20)
#define QUOTA_PERIOD_US 100000
#define STALE_AFTER_S 120 /* no launch takes longer to move into its leaf; the kernel keeps one with somebody in it */
#define REMOVE_TRIES 20

static const char *const controllers[CONTROLLER_COUNT] = {
    [CONTROLLER_MEMORY] = "memory",
    [CONTROLLER_PIDS] = "pids",
    [CONTROLLER_CPU] = "cpu",
    [CONTROLLER_CPUACCT] = "cpuacct",
};

/* ---- where our control groups are ---- */

/* Whether name is one of the words of a comma-separated list that ends at `end`. */
static bool in_list(const char *list, const char *end, const char *name)
{
    size_t length = strlen(name);
    while (list < end) {
        const char *comma = memchr(list, ',', (size_t)(end - list));
        const char *stop = comma == NULL ? end : comma;
        if ((size_t)(stop - list) == length && memcmp(list, name, length) == 0)
            return true;
        list = stop + 1;
    }
    return false;
}

/* The path of this process in the controller's hierarchy, from `id:controllers:path` lines. */
static bool find_group(const char *groups, const char *controller, bool *unified, char *path, size_t size)
{
    bool found = false;
    for (const char *line = groups; *line != '\0';) {
        const char *end = strchrnul(line, '\n');
        const char *names = memchr(line, ':', (size_t)(end - line));
        const char *start = names == NULL ? NULL : memchr(names + 1, ':', (size_t)(end - names - 1));
        if (start != NULL) {
            bool second = start == names + 1; /* an empty list: version 2, which has what version 1 does not */
            bool ours = second ? !found : in_list(names + 1, start, controller);
            size_t length = (size_t)(end - start - 1);
            if (ours && length < size) {
                memcpy(path, start + 1, length);
                path[length] = '\0';
                *unified = second;
                found = true;
                if (!second)
                    return true;
            }
        }
        line = *end == '\0' ? end : end + 1;
    }
    return found;
}

/* One field of mountinfo, with its octal escapes undone. Returns what follows it, or NULL. */
static const char *take_field(const char *at, const char *end, char *field, size_t size)
{
    size_t used = 0;
    while (at < end && *at != ' ') {
        char c = *at++;
        if (c == '\\' && end - at >= 3) {
            c = (char)((at[0] - '0') * 64 + (at[1] - '0') * 8 + (at[2] - '0'));
            at += 3;
        }
        if (used + 1 >= size)
            return NULL;
        field[used++] = c;
    }
    field[used] = '\0';
    return at < end ? at + 1 : end;
}

/* Whether this mount is the controller's hierarchy; and its root and mount point (proc_pid_mountinfo(5)). */
static bool parse_mount(const char *line, const char *end, const char *controller, bool unified, char *root,
                        char *point, size_t size)
{
    const char *at = line;
    for (int i = 0; i < 3 && at != NULL; i++) {
        at = memchr(at, ' ', (size_t)(end - at));
        if (at != NULL)
            at++;
    }
    if (at == NULL || (at = take_field(at, end, root, size)) == NULL || (at = take_field(at, end, point, size)) == NULL)
        return false;
    const char *dash = memmem(at, (size_t)(end - at), " - ", 3);
    if (dash == NULL)
        return false;
    const char *type = dash + 3;
    if (unified)
        return (size_t)(end - type) > 8 && memcmp(type, "cgroup2 ", 8) == 0;
    if ((size_t)(end - type) <= 7 || memcmp(type, "cgroup ", 7) != 0)
        return false;
    const char *options = memchr(type + 7, ' ', (size_t)(end - type - 7));
    return options != NULL && in_list(options + 1, end, controller);
}

bool cgroup_find(const char *controller, const char *groups, const char *mounts, bool *unified, char *path, size_t size,
                 size_t *root_length)
{
    char group[PATH_MAX], root[PATH_MAX], point[PATH_MAX];
    if (!find_group(groups, controller, unified, group, sizeof group))
        return false;
    for (const char *line = mounts; *line != '\0';) {
        const char *end = strchrnul(line, '\n');
        if (parse_mount(line, end, controller, *unified, root, point, sizeof root)) {
            size_t skip = strcmp(root, "/") == 0 ? 0 : strlen(root);
            /* "/.." when the group is not below what is mounted, or not below this cgroup namespace's root */
            if (strncmp(group, root, skip) == 0 && (group[skip] == '/' || group[skip] == '\0') &&
                strncmp(group + skip, "/..", 3) != 0 && strncmp(root, "/..", 3) != 0) {
                const char *below = strcmp(group + skip, "/") == 0 ? "" : group + skip;
                int n = snprintf(path, size, "%s%s", point, below);
                *root_length = strlen(point);
                return n > 0 && (size_t)n < size;
            }
        }
        line = *end == '\0' ? end : end + 1;
    }
    return false;
}

/* Where nearly every machine has it. Else the whole mount table is read, and an agent's may have a thousand lines. */
static bool find_at_usual_place(const char *controller, const char *groups, bool *unified, char *path, size_t size,
                                size_t *root_length)
{
    char group[PATH_MAX], point[64];
    struct statfs status;
    if (!find_group(groups, controller, unified, group, sizeof group) || strncmp(group, "/..", 3) == 0)
        return false;
    (void)snprintf(point, sizeof point, "/sys/fs/cgroup%s%s", *unified ? "" : "/", *unified ? "" : controller);
    if (statfs(point, &status) != 0 || status.f_type != (*unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
        return false;
    *root_length = strlen(point);
    int n = snprintf(path, size, "%s%s", point, strcmp(group, "/") == 0 ? "" : group);
    return n > 0 && (size_t)n < size && access(path, F_OK) == 0; /* not where only a part of the tree is mounted */
}

/* ---- files of a control group ---- */

static int write_at(int dir, const char *name, const char *text)
{
    int fd CLEANUP_FD = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    ssize_t n;
    do
        n = write(fd, text, strlen(text));
    while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : 0;
}

static int write_number(int dir, const char *name, uint64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return write_at(dir, name, text);
}

/* A file that holds one number; -1 when it does not. */
static int64_t read_number(int dir, const char *name)
{
    char text[64];
    uint64_t value;
    ssize_t n = read_file_at(dir, name, text, sizeof text);
    if (n <= 0)
        return -1;
    text[strcspn(text, "\n")] = '\0';
    return parse_number(text, INT64_MAX, &value) ? (int64_t)value : -1;
}

/* The number behind a key in a file of `key number` lines; -1 when it is not there. */
static int64_t read_key(int dir, const char *name, const char *key)
{
    char text[4096];
    size_t length = strlen(key);
    if (read_file_at(dir, name, text, sizeof text) <= 0)
        return -1;
    for (char *line = text; *line != '\0';) {
        char *end = strchrnul(line, '\n');
        uint64_t value;
        char *next = *end == '\0' ? end : end + 1;
        *end = '\0';
        if (strncmp(line, key, length) == 0 && line[length] == ' ' &&
            parse_number(line + length + 1, INT64_MAX, &value))
            return (int64_t)value;
        line = next;
    }
    return -1;
}

/* The controllers named in a file of words, CONTROLLER_BITs. */
static unsigned read_controllers(int dir, const char *name)
{
    char text[1024];
    unsigned set = 0;
    if (read_file_at(dir, name, text, sizeof text) <= 0)
        return 0;
    for (char *save = NULL, *word = strtok_r(text, " \n", &save); word != NULL; word = strtok_r(NULL, " \n", &save))
        for (unsigned i = 0; i < CONTROLLER_COUNT; i++)
            if (strcmp(word, controllers[i]) == 0)
                set |= CONTROLLER_BIT(i);
    return set;
}

/* ---- making the leaf ---- */

static unsigned wanted_controllers(const struct plan *plan)
{
    return (plan->memory != 0 ? CONTROLLER_BIT(CONTROLLER_MEMORY) : 0) |
           (plan->pids != 0 ? CONTROLLER_BIT(CONTROLLER_PIDS) : 0) |
           (plan->cpu_quota != 0 ? CONTROLLER_BIT(CONTROLLER_CPU) : 0);
}

static int64_t boot_seconds(void)
{
    struct timespec t;
    return clock_gettime(CLOCK_BOOTTIME, &t) == 0 ? (int64_t)t.tv_sec : 0;
}

/* What launches left behind whose init was killed. The kernel keeps a group with somebody in it: EBUSY. */
static void remove_stale(int parent)
{
    int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (list == NULL) {
        close_fd(&fd);
        return;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        long long made;
        if (sscanf(entry->d_name, PREFIX "%lld-", &made) == 1 && made + STALE_AFTER_S < boot_seconds())
            (void)unlinkat(parent, entry->d_name, AT_REMOVEDIR);
    }
    (void)closedir(list);
}

static int make_leaf(struct cgroup *cgroup, struct hierarchy *hierarchy)
{
    remove_stale(hierarchy->parent);
    if (mkdirat(hierarchy->parent, cgroup->name, 0755) != 0)
        return -1;
    hierarchy->leaf = openat(hierarchy->parent, cgroup->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    /* Now: by then this process has its rights, and sees the group from where the move is allowed (cgroups(7)). */
    if (hierarchy->leaf >= 0)
        hierarchy->procs = openat(hierarchy->leaf, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (hierarchy->procs >= 0)
        return 0;
    int error = errno;
    (void)unlinkat(hierarchy->parent, cgroup->name, AT_REMOVEDIR);
    close_fd(&hierarchy->leaf);
    errno = error;
    return -1;
}

/*
 * Our own group is ours to divide, as far as the file's rights go. Those of its owner: root's init has no capability
 * left that would let it remove the leaf from a directory that nobody may write to, as the topmost one is.
 */
static bool is_own(const char *path)
{
    struct stat status;
    return access(path, W_OK | X_OK) == 0 && stat(path, &status) == 0 && (status.st_mode & S_IWUSR) != 0;
}

/* Root may write everywhere, so its rights say nothing: the service manager marks what it has given away. */
static bool is_delegated(const char *path)
{
    char mark[8];
    if (geteuid() != 0)
        return access(path, W_OK | X_OK) == 0;
    return getxattr(path, "user.delegate", mark, sizeof mark) == 1 ||
           getxattr(path, "trusted.delegate", mark, sizeof mark) == 1;
}

/* The root has no type; threads in other kinds may not be moved by process (cgroups, "Threads"). */
static bool is_domain(int dir, bool *root)
{
    char type[32];
    ssize_t n = read_file_at(dir, "cgroup.type", type, sizeof type);
    *root = n < 0 && errno == ENOENT;
    return *root || (n > 0 && strcmp(type, "domain\n") == 0);
}

static bool has_processes(int dir)
{
    char byte;
    int fd CLEANUP_FD = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    return fd < 0 || read(fd, &byte, 1) != 0;
}

/*
 * A directory of version 2 that may have the leaf: it has the controllers for its children, or gives them to them. Not
 * one with processes in it: the kernel refuses some controllers (EBUSY), and others would make the group a threaded
 * one.
 */
static bool may_be_parent(int dir, const char *path, unsigned wanted, bool change, struct failure *failure)
{
    bool root;
    if (!is_domain(dir, &root)) {
        (void)unavailable(failure, 0, "%s is a threaded control group", path);
        return false;
    }
    unsigned missing = wanted & ~read_controllers(dir, "cgroup.controllers");
    for (unsigned i = 0; i < CONTROLLER_COUNT; i++)
        if ((missing & CONTROLLER_BIT(i)) != 0) {
            (void)unavailable(failure, 0, "controller %s is not delegated to %s", controllers[i], path);
            return false;
        }
    unsigned have = read_controllers(dir, "cgroup.subtree_control");
    if ((wanted & ~have) == 0)
        return have != 0;
    if (!change)
        return false;
    if (!root && has_processes(dir)) {
        (void)unavailable(failure, EBUSY, "%s has processes of its own: it cannot be divided", path);
        return false;
    }
    for (unsigned i = 0; i < CONTROLLER_COUNT; i++)
        if ((wanted & ~have & CONTROLLER_BIT(i)) != 0) {
            char word[32];
            (void)snprintf(word, sizeof word, "+%s", controllers[i]);
            if (write_at(dir, "cgroup.subtree_control", word) != 0) {
                (void)unavailable(failure, errno, "%s for the children of %s", word, path);
                return false;
            }
        }
    return true;
}

/* From our own group upwards, within what was delegated to us. */
static int open_parent(const char *own, size_t root_length, bool unified, unsigned wanted, struct failure *failure)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", own);
    for (bool first = true;; first = false) {
        int dir = -1;
        if (first ? is_own(path) : is_delegated(path)) /* those above it only when they were given to us */
            dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir >= 0 && (!unified || may_be_parent(dir, path, wanted, wanted != 0, failure))) {
            failure->detail[0] = '\0'; /* of those below, which did not do */
            return dir;
        }
        close_fd(&dir);
        char *slash = strrchr(path, '/');
        if (slash == NULL || (size_t)(slash - path) < root_length)
            return -1;
        *slash = '\0';
    }
}

static struct hierarchy *add(struct cgroup *cgroup, bool unified, int parent)
{
    struct stat status, other;
    if (fstat(parent, &status) != 0)
        return NULL;
    for (size_t i = 0; i < cgroup->count; i++)
        if (fstat(cgroup->hierarchies[i].parent, &other) == 0 && other.st_dev == status.st_dev &&
            other.st_ino == status.st_ino)
            return &cgroup->hierarchies[i]; /* cpu and cpuacct are often one */
    struct hierarchy *hierarchy = &cgroup->hierarchies[cgroup->count];
    *hierarchy = (struct hierarchy){.unified = unified, .parent = parent, .leaf = -1, .procs = -1};
    if (make_leaf(cgroup, hierarchy) != 0)
        return NULL;
    cgroup->count++;
    return hierarchy;
}

static char *read_long(const char *path)
{
    char *text = malloc(MOUNTINFO_MAX);
    if (text != NULL && read_file_at(AT_FDCWD, path, text, MOUNTINFO_MAX) < 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* *mounts: what was read of it so far, or NULL. */
static bool find(const char *controller, const char *groups, char **mounts, bool *unified, char *path, size_t size,
                 size_t *root_length)
{
    if (find_at_usual_place(controller, groups, unified, path, size, root_length))
        return true;
    if (*mounts == NULL)
        *mounts = read_long("/proc/self/mountinfo");
    return *mounts != NULL && cgroup_find(controller, groups, *mounts, unified, path, size, root_length);
}

static void create_for(struct cgroup *cgroup, enum controller controller, unsigned wanted, const char *groups,
                       char **mounts, struct failure *failure)
{
    char path[PATH_MAX];
    size_t root_length = 0;
    bool unified = false;
    bool limited = (wanted & CONTROLLER_BIT(controller)) != 0;
    struct failure ignored;
    struct failure *mine = limited && failure->detail[0] == '\0' ? failure : &ignored;
    if (!find(controllers[controller], groups, mounts, &unified, path, sizeof path, &root_length)) {
        (void)unavailable(mine, 0, "no control group file system with %s can be seen", controllers[controller]);
        return;
    }
    for (size_t i = 0; unified && i < cgroup->count; i++)
        if (cgroup->hierarchies[i].unified)
            return; /* version 2 has one leaf for all of its controllers */
    /* Without a limit, only what counts something; version 2 counts it all in one leaf. */
    if (!limited && controller != CONTROLLER_MEMORY && (unified || controller != CONTROLLER_CPUACCT))
        return;
    ignored.detail[0] = '\0';
    int parent = open_parent(path, root_length, unified, unified ? wanted : 0, mine);
    if (parent < 0 && unified && limited && wanted != CONTROLLER_BIT(controller)) /* not all of them: this one then */
        parent = open_parent(path, root_length, unified, CONTROLLER_BIT(controller), &ignored);
    if (parent < 0) {
        if (mine->detail[0] == '\0')
            (void)unavailable(mine, 0, "no control group with %s is delegated to this user at %s",
                              controllers[controller], path);
        return;
    }
    struct hierarchy *hierarchy = add(cgroup, unified, parent);
    if (hierarchy == NULL)
        (void)failed(mine, errno, "mkdir %s in %s", cgroup->name, path);
    if (hierarchy == NULL || hierarchy->parent != parent)
        close_fd(&parent);
    if (hierarchy != NULL)
        hierarchy->controllers |= unified ? read_controllers(hierarchy->leaf, "cgroup.controllers") |
                                                CONTROLLER_BIT(CONTROLLER_CPUACCT) /* cpu.stat is always there */
                                          : CONTROLLER_BIT(controller);
}

static const struct hierarchy *with(const struct cgroup *cgroup, enum controller controller)
{
    for (size_t i = 0; i < cgroup->count; i++)
        if ((cgroup->hierarchies[i].controllers & CONTROLLER_BIT(controller)) != 0)
            return &cgroup->hierarchies[i];
    return NULL;
}

/* ---- limits ---- */

static int set_memory(const struct hierarchy *hierarchy, uint64_t bytes, struct failure *failure)
{
    const char *name = hierarchy->unified ? "memory.max" : "memory.limit_in_bytes";
    /* Swap would only be memory of another kind; ENOENT: the kernel does not count it. */
    const char *swap = hierarchy->unified ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
    if (write_number(hierarchy->leaf, name, bytes) != 0)
        return failed(failure, errno, "write %s", name);
    if (write_number(hierarchy->leaf, swap, hierarchy->unified ? 0 : bytes) != 0 && errno != ENOENT &&
        errno != EOPNOTSUPP)
        return failed(failure, errno, "write %s", swap);
    /* All or nothing: half a build is no use to anybody. ENOENT: before Linux 4.19. */
    if (hierarchy->unified && write_at(hierarchy->leaf, "memory.oom.group", "1") != 0 && errno != ENOENT)
        return failed(failure, errno, "write memory.oom.group");
    return 0;
}

static int set_quota(const struct hierarchy *hierarchy, uint64_t percent, struct failure *failure)
{
    uint64_t quota = percent * (QUOTA_PERIOD_US / 100);
    char text[64];
    if (hierarchy->unified) {
        (void)snprintf(text, sizeof text, "%llu %d", (unsigned long long)quota, QUOTA_PERIOD_US);
        return write_at(hierarchy->leaf, "cpu.max", text) == 0 ? 0 : failed(failure, errno, "write cpu.max");
    }
    if (write_number(hierarchy->leaf, "cpu.cfs_period_us", QUOTA_PERIOD_US) != 0)
        return failed(failure, errno, "write cpu.cfs_period_us");
    return write_number(hierarchy->leaf, "cpu.cfs_quota_us", quota) == 0
               ? 0
               : failed(failure, errno, "write cpu.cfs_quota_us");
}

static int check_at_most(int leaf, const char *name, uint64_t limit, struct failure *failure)
{
    int64_t value = read_number(leaf, name);
    if (value < 0 || (uint64_t)value > limit)
        return failed(failure, 0, "%s: not %llu", name, (unsigned long long)limit);
    return 0;
}

static int set_limit(const struct hierarchy *hierarchy, enum controller controller, const struct plan *plan,
                     struct failure *failure)
{
    switch (controller) {
    case CONTROLLER_MEMORY:
        return set_memory(hierarchy, plan->memory, failure);
    case CONTROLLER_PIDS:
        return write_number(hierarchy->leaf, "pids.max", plan->pids) == 0 ? 0
                                                                          : failed(failure, errno, "write pids.max");
    case CONTROLLER_CPU:
        return set_quota(hierarchy, plan->cpu_quota, failure);
    case CONTROLLER_CPUACCT:
    case CONTROLLER_COUNT:
        break;
    }
    return 0;
}

static int check_limit(const struct hierarchy *hierarchy, enum controller controller, const struct plan *plan,
                       struct failure *failure)
{
    uint64_t quota = plan->cpu_quota * (QUOTA_PERIOD_US / 100);
    char text[64], want[64];
    switch (controller) {
    case CONTROLLER_MEMORY:
        return check_at_most(hierarchy->leaf, hierarchy->unified ? "memory.max" : "memory.limit_in_bytes", plan->memory,
                             failure);
    case CONTROLLER_PIDS:
        return check_at_most(hierarchy->leaf, "pids.max", plan->pids, failure);
    case CONTROLLER_CPU:
        if (!hierarchy->unified)
            return check_at_most(hierarchy->leaf, "cpu.cfs_quota_us", quota, failure);
        (void)snprintf(want, sizeof want, "%llu %d\n", (unsigned long long)quota, QUOTA_PERIOD_US);
        if (read_file_at(hierarchy->leaf, "cpu.max", text, sizeof text) < 0 || strcmp(text, want) != 0)
            return failed(failure, 0, "cpu.max: not %llu %d", (unsigned long long)quota, QUOTA_PERIOD_US);
        return 0;
    case CONTROLLER_CPUACCT:
    case CONTROLLER_COUNT:
        break;
    }
    return 0;
}

/* A failure names one controller; whoever reads it wants to know which of the limits are set all the same. */
static void name_held(const struct cgroup *cgroup, struct failure *failure)
{
    const char *separator = "; set all the same: ";
    size_t used = strlen(failure->detail);
    for (unsigned i = 0; used > 0 && i < CONTROLLER_COUNT; i++)
        if ((cgroup->held & CONTROLLER_BIT(i)) != 0) {
            int n = snprintf(failure->detail + used, sizeof failure->detail - used, "%s%s", separator, controllers[i]);
            if (n < 0 || (size_t)n >= sizeof failure->detail - used)
                return;
            used += (size_t)n;
            separator = ", ";
        }
}

int cgroup_create(struct cgroup *cgroup, const struct plan *plan, struct failure *failure)
{
    unsigned wanted = wanted_controllers(plan);
    char *groups = read_long("/proc/self/cgroup");
    char *mounts = NULL;
    (void)snprintf(cgroup->name, sizeof cgroup->name, PREFIX "%lld-%d", (long long)boot_seconds(), (int)getpid());
    failure->detail[0] = '\0';
    if (groups == NULL)
        (void)unavailable(failure, errno, "read /proc/self/cgroup");
    else
        for (unsigned i = 0; i < CONTROLLER_COUNT; i++)
            create_for(cgroup, (enum controller)i, wanted, groups, &mounts, failure);
    free(groups);
    free(mounts);
    for (unsigned i = 0; i < CONTROLLER_COUNT; i++) {
        struct failure mine = {.status = FAILED};
        const struct hierarchy *hierarchy = with(cgroup, (enum controller)i);
        if ((wanted & CONTROLLER_BIT(i)) == 0 || hierarchy == NULL)
            continue;
        if (set_limit(hierarchy, (enum controller)i, plan, &mine) == 0)
            cgroup->held |= CONTROLLER_BIT(i);
        else if (failure->detail[0] == '\0')
            *failure = mine;
    }
    name_held(cgroup, failure);
    return cgroup->held == wanted ? 0 : -1;
}

unsigned cgroup_join(struct cgroup *cgroup, struct failure *failure)
{
    unsigned joined = 0;
    for (size_t i = 0; i < cgroup->count; i++)
        if (write_all(cgroup->hierarchies[i].procs, "0", 1) == 0)
            joined |= 1U << i;
        else
            (void)failed(failure, errno, "write cgroup.procs of %s", cgroup->name);
    if (failure->detail[0] != '\0')
        cgroup->held = 0;
    return joined;
}

/* cgroup.procs as this process's pid namespace sees it: we are the only one in there yet. */
static bool is_in(const struct hierarchy *hierarchy)
{
    return read_number(hierarchy->leaf, "cgroup.procs") == (int64_t)getpid();
}

int cgroup_check(struct cgroup *cgroup, const struct plan *plan, struct failure *failure)
{
    int result = 0;
    for (unsigned i = 0; i < CONTROLLER_COUNT; i++) {
        const struct hierarchy *hierarchy = with(cgroup, (enum controller)i);
        if ((cgroup->held & CONTROLLER_BIT(i)) == 0)
            continue;
        int good = hierarchy != NULL && is_in(hierarchy)
                       ? check_limit(hierarchy, (enum controller)i, plan, failure)
                       : failed(failure, 0, "cgroup.procs of %s: the command is not in it", cgroup->name);
        if (good != 0) {
            cgroup->held &= ~CONTROLLER_BIT(i);
            result = -1;
        }
    }
    return result;
}

/* ---- the end ---- */

/* Version 1 counts the whole exactly, and its two parts by what ticks have sampled: so they are shares of the whole. */
static void count_cpuacct(int leaf, struct cgroup_counts *counts)
{
    int64_t total = read_number(leaf, "cpuacct.usage");
    int64_t user = read_number(leaf, "cpuacct.usage_user");
    int64_t system = read_number(leaf, "cpuacct.usage_sys");
    if (total < 0)
        return;
    bool split = user >= 0 && system >= 0 && user + system > 0;
    counts->user_us = (int64_t)((double)total / 1000 * (split ? (double)user / (double)(user + system) : 1));
    counts->system_us = total / 1000 - counts->user_us;
}

static const struct hierarchy *joined_with(const struct cgroup *cgroup, unsigned joined, enum controller controller)
{
    const struct hierarchy *found = with(cgroup, controller);
    return found != NULL && (joined & 1U << (found - cgroup->hierarchies)) != 0 ? found : NULL;
}

void cgroup_count(const struct cgroup *cgroup, unsigned joined, struct cgroup_counts *counts)
{
    const struct hierarchy *memory = joined_with(cgroup, joined, CONTROLLER_MEMORY);
    const struct hierarchy *pids = joined_with(cgroup, joined, CONTROLLER_PIDS);
    const struct hierarchy *cpu = joined_with(cgroup, joined, CONTROLLER_CPUACCT);
    *counts = (struct cgroup_counts){-1, -1, -1, -1, -1};
    if (memory != NULL) {
        counts->peak_bytes = read_number(memory->leaf, memory->unified ? "memory.peak" : "memory.max_usage_in_bytes");
        counts->oom_kills =
            read_key(memory->leaf, memory->unified ? "memory.events" : "memory.oom_control", "oom_kill");
    }
    if (pids != NULL)
        counts->refused_forks = read_key(pids->leaf, "pids.events", "max");
    if (cpu != NULL && cpu->unified) {
        counts->user_us = read_key(cpu->leaf, "cpu.stat", "user_usec");
        counts->system_us = read_key(cpu->leaf, "cpu.stat", "system_usec");
    } else if (cpu != NULL) {
        count_cpuacct(cpu->leaf, counts);
    }
}

void cgroup_kill(const struct cgroup *cgroup)
{
    for (size_t i = 0; i < cgroup->count; i++)
        if (cgroup->hierarchies[i].unified)
            (void)write_at(cgroup->hierarchies[i].leaf, "cgroup.kill", "1"); /* ENOENT: kill(2) does it */
}

void cgroup_remove(struct cgroup *cgroup)
{
    for (size_t i = 0; i < cgroup->count; i++)
        /* Who was just reaped may not have left it yet. */
        for (int tries = 0; tries < REMOVE_TRIES; tries++) {
            const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
            if (unlinkat(cgroup->hierarchies[i].parent, cgroup->name, AT_REMOVEDIR) == 0 || errno != EBUSY)
                break;
            (void)nanosleep(&pause, NULL);
        }
    cgroup_close(cgroup);
}

size_t cgroup_fds(const struct cgroup *cgroup, int fds[CGROUP_FDS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < cgroup->count; i++) {
        fds[count++] = cgroup->hierarchies[i].parent;
        fds[count++] = cgroup->hierarchies[i].leaf;
        fds[count++] = cgroup->hierarchies[i].procs;
    }
    return count;
}

void cgroup_close(struct cgroup *cgroup)
{
    for (size_t i = 0; i < cgroup->count; i++) {
        close_fd(&cgroup->hierarchies[i].parent);
        close_fd(&cgroup->hierarchies[i].leaf);
        close_fd(&cgroup->hierarchies[i].procs);
    }
    cgroup->count = 0;
}
