/* Row `filesystem`, read back: every line of mountinfo, and every path that is not to be written or not to be seen. */
#include "mounting.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

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

/* What was met of a plan: a thousand mounts of the host times hundreds of the plan are compared. */
struct steps {
    size_t length[MOUNTS_MAX]; /* of the target */
    bool seen[MOUNTS_MAX];
};

/* Of a /dev of our own only terminals and shared memory are written to; devices are, through a read-only mount. */
static bool may_be_writable(const struct mount_step *step, const char *path)
{
    const char *rest = path + strlen(step->target);
    if (step->kind == MOUNT_DEV)
        return strcmp(rest, "/pts") == 0 || strcmp(rest, "/shm") == 0;
    return !step->read_only && step->kind != MOUNT_HIDE;
}

/*
 * The step that a mount at path belongs to: the one with the longest target around it, of equal ones the last. NULL for
 * the root.
 */
static const struct mount_step *step_of(const struct plan *plan, const struct steps *steps, const char *path)
{
    const struct mount_step *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < plan->mount_count; i++)
        if (is_below(path, plan->mounts[i].target) && steps->length[i] >= longest) {
            found = &plan->mounts[i];
            longest = steps->length[i];
        }
    return found;
}

/* Devices come from a /dev of our own; where the plan has none, from the host's tree. */
static bool may_have_devices(const struct plan *plan, const struct steps *steps, const char *path)
{
    const struct mount_step *step = step_of(plan, steps, path);
    if (step != NULL)
        return step->kind == MOUNT_DEV && strcmp(path + strlen(step->target), "/shm") != 0;
    for (size_t i = 0; i < plan->mount_count; i++)
        if (plan->mounts[i].kind == MOUNT_DEV)
            return plan->root == ROOT_HOST;
    return plan->root != ROOT_EMPTY;
}

/* One line of mountinfo against the plan; notes which steps were met. */
static int check_mount(const struct plan *plan, const char *path, const char *options, struct steps *steps,
                       struct failure *failure)
{
    size_t length = strlen(path);
    bool writable_here = plan->root == ROOT_HOST;
    bool named = plan->root != ROOT_EMPTY || strcmp(path, "/") == 0 || is_below(path, "/proc");
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_step *step = &plan->mounts[i];
        size_t end = steps->length[i];
        if (end > length || (path[end] != '/' && path[end] != '\0') || memcmp(path, step->target, end) != 0)
            continue;
        named = true;
        if (may_be_writable(step, path))
            writable_here = true;
        if (end == length)
            steps->seen[i] = true;
    }
    if (!named)
        return failed(failure, 0, "mountinfo: %s was not asked for", path);
    if (!has_option(options, "ro") && !writable_here)
        return failed(failure, 0, "mountinfo: %s is writable", path);
    if (!has_option(options, "nosuid") && plan->root != ROOT_HOST)
        return failed(failure, 0, "mountinfo: %s is not nosuid", path);
    if (!has_option(options, "nodev") && !may_have_devices(plan, steps, path))
        return failed(failure, 0, "mountinfo: %s is not nodev", path);
    return 0;
}

/* Another mount lies on the root of this one: nothing of it can be reached, nor brought back without a capability. */
/* other lies on the root of line's mount, or on a directory of the way to it. */
static bool covers(const struct mount_line *other, const struct mount_line *line)
{
    if (other->id == line->id)
        return false;
    if (strcmp(other->path, line->path) == 0)
        return other->parent == line->id;
    return other->parent == line->parent && is_below(line->path, other->path);
}

/* No path leads there, nor to whatever is mounted on it: it may be as it likes. */
static bool is_covered(const struct mount_line *lines, size_t count, const struct mount_line *line)
{
    const struct mount_line *below = NULL;
    for (size_t steps = 0; line != NULL && steps < count; steps++) {
        const struct mount_line *parent = NULL;
        for (size_t i = 0; i < count; i++) {
            if (&lines[i] != below && covers(&lines[i], line))
                return true;
            if (lines[i].id == line->parent && lines[i].id != line->id)
                parent = &lines[i];
        }
        below = line;
        line = parent;
    }
    return false;
}

/* A hidden path that does not exist has no cover, nor has one where nothing of the host is seen. */
static bool is_absent(const struct context *context, size_t i)
{
    const struct mount_step *step = &context->plan->mounts[i];
    if (step->kind != MOUNT_HIDE)
        return false;
    int fd CLEANUP_FD = walk_from_root(step->target);
    return (fd < 0 && cannot_exist(context, i, errno)) || context->left_out[i] || is_in_upper_layer(context, i);
}

static int check_lines(const struct context *context, const struct mount_line *lines, size_t count,
                       struct failure *failure)
{
    const struct plan *plan = context->plan;
    struct steps steps = {.seen = {false}};
    for (size_t i = 0; i < plan->mount_count; i++)
        steps.length[i] = strlen(plan->mounts[i].target);
    /* What covers a mount is checked itself: so it is only asked about one that is not right. */
    for (size_t i = 0; i < count; i++)
        if (check_mount(plan, lines[i].path, lines[i].options, &steps, failure) != 0 &&
            !is_covered(lines, count, &lines[i]))
            return -1;
    for (size_t i = 0; i < plan->mount_count; i++)
        if (!steps.seen[i] && plan->mounts[i].kind != MOUNT_SYMLINK && !is_absent(context, i))
            return failed(failure, 0, "mountinfo: %s is not mounted", plan->mounts[i].target);
    return 0;
}

static int check_mountinfo(const struct context *context, char *text, struct failure *failure)
{
    size_t capacity = 0, count = 0;
    for (const char *at = text; *at != '\0'; at++)
        capacity += *at == '\n';
    struct mount_line *lines = calloc(capacity + 1, sizeof *lines);
    if (lines == NULL)
        return failed(failure, errno, "calloc");
    while (count < capacity && next_mount(&text, &lines[count]))
        count++;
    int result = 0;
    if (count == 0 || count < capacity)
        result = failed(failure, 0, "mountinfo: a line that cannot be read");
    else
        result = check_lines(context, lines, count, failure);
    free(lines);
    return result;
}

/* Asked of the path itself: a mount may be listed and lie under another one. */
static int check_flags(const char *path, unsigned long flags, struct failure *failure)
{
    int fd CLEANUP_FD = walk_from_root(path);
    if (fd < 0)
        return failed(failure, errno, "open %s", path);
    struct statvfs status;
    if (fstatvfs(fd, &status) != 0)
        return failed(failure, errno, "statvfs %s", path);
    if ((flags & ~status.f_flag & ST_RDONLY) != 0)
        return failed(failure, 0, "statvfs: %s is writable", path);
    if ((flags & ~status.f_flag & ST_NOEXEC) != 0)
        return failed(failure, 0, "statvfs: %s is not noexec", path);
    if ((flags & ~status.f_flag & ST_NODEV) != 0)
        return failed(failure, 0, "statvfs: %s is not nodev", path);
    return 0;
}

/* There is nothing to be read at a hidden path. */
static int check_hidden(const char *path, struct failure *failure)
{
    struct stat status;
    int fd CLEANUP_FD = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) /* EACCES is what the command gets */
        return errno == EACCES ? 0 : failed(failure, errno, "open %s", path);
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

static int check_link(const struct mount_step *step, struct failure *failure)
{
    char text[PATH_MAX];
    ssize_t n = readlink(step->target, text, sizeof text - 1);
    if (n < 0)
        return failed(failure, errno, "readlink %s", step->target);
    text[n] = '\0';
    return strcmp(text, step->source) == 0 ? 0 : failed(failure, 0, "readlink: %s is %s", step->target, text);
}

/* What is written there must not reach the host's: an overlay, or else its upper layer, or read-only. */
static int check_overlay(const struct context *context, size_t i, struct failure *failure)
{
    const struct mount_step *step = &context->plan->mounts[i];
    const struct identity *upper = &context->instead[i];
    struct stat shown;
    struct statfs status;
    int fd CLEANUP_FD = walk_from_root(step->target);
    if (fd < 0)
        return failed(failure, errno, "open %s", step->target);
    if (fstatfs(fd, &status) != 0)
        return failed(failure, errno, "statfs %s", step->target);
    if (status.f_type == OVERLAY_MAGIC)
        return 0;
    if (step->or_read_only)
        return check_flags(step->target, ST_RDONLY, failure);
    if (fstat(fd, &shown) != 0)
        return failed(failure, errno, "stat %s", step->target);
    if (upper->inode == 0 || shown.st_dev != upper->device || shown.st_ino != upper->inode)
        return failed(failure, 0, "stat: %s is neither an overlay nor its upper layer", step->target);
    return 0;
}

static int check_step(const struct context *context, size_t i, struct failure *failure)
{
    const struct mount_step *step = &context->plan->mounts[i];
    if (step->kind == MOUNT_SYMLINK)
        return check_link(step, failure);
    if (step->kind == MOUNT_OVERLAY && check_overlay(context, i, failure) != 0)
        return -1;
    if (is_absent(context, i))
        return 0;
    unsigned long flags = (step->read_only || step->kind == MOUNT_HIDE ? ST_RDONLY : 0) |
                          (step->noexec ? ST_NOEXEC : 0) | (step->kind == MOUNT_DEV ? 0 : ST_NODEV);
    if (flags != 0 && check_flags(step->target, flags, failure) != 0)
        return -1;
    return step->kind == MOUNT_HIDE ? check_hidden(step->target, failure) : 0;
}

static int verify_view(struct context *context, struct failure *failure)
{
    const struct plan *plan = context->plan;
    size_t capacity = (size_t)1 << 22; /* thousands of mounts of long names */
    char *text = malloc(capacity);
    if (text == NULL)
        return failed(failure, errno, "malloc");
    int result = 0;
    if (read_file_at(context->proc_self, "mountinfo", text, capacity) < 0)
        result = failed(failure, errno, "read /proc/self/mountinfo");
    else
        result = check_mountinfo(context, text, failure);
    free(text);
    close_fd(&context->proc_self);
    if (result == 0 && plan->root != ROOT_HOST)
        result = check_flags("/", ST_RDONLY, failure);
    for (size_t i = 0; result == 0 && i < plan->mount_count; i++)
        result = check_step(context, i, failure);
    return result;
}

/* The launch is in the view by now: one that is not as it was planned runs nothing. */
int filesystem_verify(struct context *context, struct failure *failure)
{
    if (verify_view(context, failure) == 0)
        return 0;
    atomic_store(&context->shared->broken, true);
    return -1;
}
