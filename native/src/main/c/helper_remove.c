/*
 * Removal in constant memory: a stack of open directories of bounded depth. A directory that lies deeper is renamed
 * into the top one, which is listed again until nothing changes any more.
 */
#include "helper_job.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define REMOVE_DEPTH 48

struct level {
    struct listing listing;
    bool changed; /* since its listing began */
    size_t path_length;
    char name[NAME_MAX + 1];
};

struct removal {
    struct helper *helper;
    size_t depth;  /* of the innermost level */
    bool changed;  /* since the top's listing began */
    bool report;   /* what stays is a problem */
    uint64_t next; /* names what is renamed into the top */
    struct level levels[REMOVE_DEPTH];
};

/* Nothing that a build made needs that name; where one has it, the next number is tried. */
static int hoist(struct removal *removal, int from, const char *name)
{
    for (int tries = 0; tries < 100; tries++) {
        char new_name[48];
        (void)snprintf(new_name, sizeof new_name, ".removed-%016llx", (unsigned long long)removal->next++);
        if (move_entry(from, name, removal->levels[0].listing.fd, new_name) == 0)
            return 0;
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

/* unlinkat(2), with the rights of the directory restored where they are missing. */
static int unlink_entry(int directory, const char *name, int flags)
{
    if (unlinkat(directory, name, flags) == 0)
        return 0;
    return errno == EACCES && grant_fd(directory, 0700) == 0 ? unlinkat(directory, name, flags) : -1;
}

static void done(struct removal *removal)
{
    removal->levels[removal->depth].changed = true;
    removal->changed = true;
}

static void stays(struct removal *removal, const char *what, const char *name)
{
    if (errno != ENOENT && removal->report) /* ENOENT: somebody was faster */
        problem(removal->helper, what, errno, name);
}

/* Enters a directory, or brings it up where this is deep enough. */
static void descend(struct removal *removal, const char *name)
{
    struct level *level = &removal->levels[removal->depth];
    if (removal->depth + 1 == REMOVE_DEPTH) {
        if (hoist(removal, level->listing.fd, name) == 0)
            done(removal);
        else
            stays(removal, "rename", name);
        return;
    }
    int fd = open_directory(level->listing.fd, name, STAY_ON_MOUNT);
    if (fd < 0) {
        stays(removal, "open", name);
        return;
    }
    struct level *below = level + 1;
    struct path *path = &removal->helper->path;
    if (listing_begin(&below->listing, fd) != 0 || !path_push(path, name)) {
        stays(removal, "list", name);
        close_fd(&fd);
        return;
    }
    below->changed = false;
    below->path_length = path->length;
    (void)snprintf(below->name, sizeof below->name, "%s", name);
    removal->depth++;
}

static void remove_entry(struct removal *removal, const char *name, unsigned char type)
{
    int directory = removal->levels[removal->depth].listing.fd;
    if (type == DT_UNKNOWN)
        type = type_of(directory, name);
    if (unlink_entry(directory, name, type == DT_DIR ? AT_REMOVEDIR : 0) == 0)
        done(removal);
    else if (type == DT_DIR && (errno == ENOTEMPTY || errno == EEXIST || errno == EACCES))
        descend(removal, name);
    else
        stays(removal, "remove", name);
}

/* Leaves the innermost directory, whose names have all been seen. False at the top. */
static bool ascend(struct removal *removal)
{
    struct level *level = &removal->levels[removal->depth];
    if (removal->depth == 0)
        return false;
    struct level *above = level - 1;
    path_cut(&removal->helper->path, above->path_length);
    if (unlink_entry(above->listing.fd, level->name, AT_REMOVEDIR) == 0) {
        close_fd(&level->listing.fd);
        removal->depth--;
        done(removal);
        return true;
    }
    /* A file system may skip names while others are removed: once more, as long as that helps. */
    if (level->changed && (errno == ENOTEMPTY || errno == EEXIST) &&
        listing_begin(&level->listing, level->listing.fd) == 0) {
        level->changed = false;
        (void)path_push(&removal->helper->path, level->name);
        return true;
    }
    int error = errno;
    close_fd(&level->listing.fd);
    removal->depth--;
    errno = error;
    stays(removal, "remove", level->name);
    return true;
}

/* Everything below the top once. */
static void remove_all(struct removal *removal)
{
    removal->changed = false;
    removal->depth = 0;
    if (listing_begin(&removal->levels[0].listing, removal->levels[0].listing.fd) != 0) {
        stays(removal, "list", NULL);
        return;
    }
    do {
        const char *name;
        unsigned char type;
        int found;
        while ((found = listing_next(&removal->levels[removal->depth].listing, &name, &type)) > 0)
            remove_entry(removal, name, type);
        if (found < 0)
            stays(removal, "list", NULL);
    } while (ascend(removal));
}

static bool is_empty(struct removal *removal)
{
    const char *name;
    unsigned char type;
    struct listing *listing = &removal->levels[0].listing;
    return listing_begin(listing, listing->fd) == 0 && listing_next(listing, &name, &type) == 0;
}

bool remove_content(struct helper *helper, int fd)
{
    struct removal *removal = calloc(1, sizeof *removal);
    if (removal == NULL) {
        problem(helper, "allocate", errno, NULL);
        return false;
    }
    removal->helper = helper;
    removal->levels[0].listing.fd = fd;
    removal->levels[0].path_length = helper->path.length;
    if (getrandom(&removal->next, sizeof removal->next, GRND_NONBLOCK) < 0)
        removal->next = 0; /* would do as well */
    do
        remove_all(removal);
    while (removal->changed);
    bool empty = is_empty(removal);
    if (!empty) {
        removal->report = true;
        remove_all(removal);
        empty = is_empty(removal);
    }
    free(removal);
    return empty;
}
