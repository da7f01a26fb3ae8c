/*
 * Hidden files where Landlock alone keeps them, read back: a sample of what is there; names may be listed. The other
 * names that a file has by other mounts are in the plan. In a chroot the plan cannot know all of them, but Landlock
 * looks at everything above a file up to the root of its mount, past the chroot: a rule for a directory that shows the
 * chroot once more opens the file by its own name too.
 */
#include "landlock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Rules hold for directories as a whole, so a few files of each will do. */
#define DEPTH_MAX 4
#define FILES_MAX 256
#define ENTRIES_MAX 4096

struct search {
    const struct plan *plan;
    struct failure *failure;
    dev_t device; /* no further: what is mounted in there may be slow, or start something */
    unsigned files;
    unsigned entries;
};

static int try_file(struct search *search, const char *path)
{
    int fd CLEANUP_FD = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        return failed(search->failure, 0, "open %s: not refused, and it is to be hidden", path);
    /* Gone, or something else by now, is as good: it was not read. */
    return errno == EACCES || errno == ENOENT || errno == ELOOP ? 0 : failed(search->failure, errno, "open %s", path);
}

/* A step of its own decides there. */
static bool is_named(const struct search *search, const char *path)
{
    for (size_t i = 0; i < search->plan->mount_count; i++) {
        const struct mount_step *step = &search->plan->mounts[i];
        const char *place = step->control ? step->source : step->target;
        if (strcmp(place, path) == 0 && landlock_names(search->plan, step))
            return true;
    }
    return false;
}

static int try_directory(struct search *search, const char *path, unsigned depth)
{
    DIR *list = opendir(path);
    if (list == NULL)
        return errno == EACCES || errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : failed(search->failure, errno, "opendir %s", path);
    int result = 0;
    struct dirent *entry;
    while (result == 0 && search->entries < ENTRIES_MAX && search->files < FILES_MAX &&
           (entry = readdir(list)) != NULL) {
        char below[PATH_MAX];
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        search->entries++;
        int n = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        if (n >= (int)sizeof below || is_named(search, below) ||
            fstatat(dirfd(list), entry->d_name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0 ||
            status.st_dev != search->device)
            continue;
        if (S_ISDIR(status.st_mode) && depth < DEPTH_MAX)
            result = try_directory(search, below, depth + 1);
        if (S_ISREG(status.st_mode)) {
            search->files++;
            result = try_file(search, below);
        }
    }
    (void)closedir(list);
    return result;
}

static int try_path(const struct plan *plan, const char *path, const struct stat *status, struct failure *failure)
{
    struct search search = {.plan = plan, .failure = failure, .device = status->st_dev};
    if (S_ISREG(status->st_mode))
        return try_file(&search, path);
    return S_ISDIR(status->st_mode) ? try_directory(&search, path, 0) : 0;
}

int landlock_check_hidden(const struct plan *plan, struct failure *failure)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < plan->mount_count; i++) {
        const struct mount_step *step = &plan->mounts[i];
        struct stat status;
        if (landlock_hides(plan, step) && lstat(step->target, &status) == 0)
            result = try_path(plan, step->target, &status, failure);
    }
    return result;
}
