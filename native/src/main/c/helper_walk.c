/*
 * The walk: a stack of open directories, each listed once to see what it has, and again for what was seen. Nothing is
 * looked up from the top, so that a directory which is moved meanwhile leads nowhere else.
 */
#include "helper_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define OTHER_FDS (DIGEST_DEPTH + 32) /* that are open at the same time as the levels */

struct walk_level {
    struct listing listing;
    size_t path_length;
    unsigned looks;
    bool has_directories;
    bool has_names; /* that tools look for */
    bool has_aside; /* names of entries that were renamed in their places */
};

bool walk_make(struct walk *walk, struct helper *helper, struct store *store, struct record *record)
{
    struct rlimit limit;
    *walk = (struct walk){.helper = helper, .store = store, .record = record, .deepest = PATH_DEPTH};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < OTHER_FDS + PATH_DEPTH)
        walk->deepest = limit.rlim_cur > OTHER_FDS + 8 ? (size_t)limit.rlim_cur - OTHER_FDS : 8;
    walk->levels = calloc(walk->deepest, sizeof *walk->levels);
    return walk->levels != NULL;
}

void walk_free(struct walk *walk)
{
    free(walk->levels);
    walk->levels = NULL;
}

/* ---- what is found ---- */

static bool is_foreign(int parent, const char *name)
{
    struct stat status;
    return fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_uid != geteuid();
}

static void stays(struct walk *walk, const char *what, const char *name)
{
    if (errno == ENOENT) /* it is gone */
        return;
    problem(walk->helper, what, errno, name);
    walk->left++;
}

static const char *reason_name(enum reason reason)
{
    static const char *const names[] = {"new", "changed", "replaced", "too-deep", "unreadable"};
    return names[reason];
}

/* Into quarantine, if that can be done. */
static bool take_out(struct walk *walk, int parent, const char *name, enum kind kind, enum reason reason)
{
    struct helper *helper = walk->helper;
    size_t before = helper->path.length;
    if (set_aside(walk->store, parent, name, kind) != 0)
        return false;
    walk->moved++;
    if (walk->quarantined++ >= SHOWN_MAX)
        return true;
    output_word(&helper->output, "quarantined");
    output_word(&helper->output, kind_name(kind));
    output_word(&helper->output, reason_name(reason));
    output_word(&helper->output, path_push(&helper->path, name) ? helper->path.text : name);
    path_cut(&helper->path, before);
    return true;
}

static void quarantine(struct walk *walk, int parent, const char *name, enum kind kind, enum reason reason)
{
    /* git does not obey what belongs to somebody else (git-config(1), safe.directory), and no build can make that. */
    bool foreign = is_foreign(parent, name);
    if (take_out(walk, parent, name, kind, reason))
        return;
    if (foreign)
        problem(walk->helper, "belongs to another user and cannot be moved", errno, name);
    else
        stays(walk, "quarantine", name);
}

/* Identity and digest of an entry; fd lists it when it is a directory, and is -1 else. */
static enum digest_result examine(struct known *known, int parent, const char *name, int fd)
{
    if (fd < 0)
        return file_id_of(parent, name, &known->id) == 0 ? digest_file(parent, name, known->digest) : DIGEST_UNREADABLE;
    return file_id_of(fd, "", &known->id) == 0 ? digest_directory(known->kind, fd, known->digest) : DIGEST_UNREADABLE;
}

static void note_known(struct walk *walk, const struct known *known, enum digest_result result)
{
    struct helper *helper = walk->helper;
    if (result == DIGEST_DONE && record_add(walk->record, known))
        return;
    problem(helper,
            result == DIGEST_DONE         ? "not known: too many repositories, or its path is too long"
            : result == DIGEST_UNREADABLE ? "not known: cannot be read"
                                          : "not known: too large to be compared",
            0, NULL);
}

static enum reason judge(const struct known *was, const struct known *is, enum digest_result result)
{
    if (was == NULL)
        return REASON_NEW;
    if (was->kind != is->kind || !file_id_equals(&was->id, &is->id))
        return REASON_REPLACED;
    return result == DIGEST_UNREADABLE ? REASON_UNREADABLE : REASON_CHANGED;
}

/* An entry that tools outside obey. */
static void handle(struct walk *walk, int parent, const char *name, enum kind kind)
{
    struct path *path = &walk->helper->path;
    size_t before = path->length;
    struct known known;
    int fd CLEANUP_FD = -1;
    bool directory = type_of(parent, name) == DT_DIR;
    memset(&known, 0, sizeof known);
    known.kind = kind == KIND_GIT_DIRECTORY && !directory ? KIND_GIT_FILE : kind;
    if (!path_push(path, name)) { /* deeper than the walk goes */
        quarantine(walk, parent, name, known.kind, REASON_TOO_DEEP);
        return;
    }
    known.path = path->text;
    const struct known *was = walk->purpose == PURPOSE_JUDGE ? record_find(walk->record, path->text) : NULL;
    enum digest_result result = DIGEST_UNREADABLE;
    if (walk->purpose == PURPOSE_FIND || was != NULL) {
        if (directory)
            fd = open_directory(parent, name, CROSS_MOUNTS);
        if (!directory || fd >= 0)
            result = examine(&known, parent, name, fd);
    }
    if (walk->purpose == PURPOSE_FIND) {
        note_known(walk, &known, result);
        path_cut(path, before);
        return;
    }
    path_cut(path, before);
    if (was != NULL && was->kind == known.kind && result == DIGEST_DONE && file_id_equals(&was->id, &known.id) &&
        memcmp(was->digest, known.digest, sizeof known.digest) == 0)
        return;
    close_fd(&fd);
    quarantine(walk, parent, name, known.kind, judge(was, &known, result));
}

/* ---- a directory ---- */

static void survey(struct walk *walk, struct walk_level *level)
{
    const char *name;
    unsigned char type;
    char original[NAME_MAX + 1];
    int found;
    level->looks = 0;
    level->has_directories = level->has_names = level->has_aside = false;
    while ((found = listing_next(&level->listing, &name, &type)) > 0) {
        if (type == DT_UNKNOWN)
            type = type_of(level->listing.fd, name);
        level->looks |= looks_of(name, type);
        if (kind_of_name(name) != KIND_COUNT)
            level->has_names = true;
        else if (type == DT_DIR)
            level->has_directories = true;
        if (aside_original(original, name))
            level->has_aside = true;
    }
    if (found < 0)
        stays(walk, "list", NULL);
    walk->renamed += level->has_aside;
}

/* Again as long as something was taken out: a listing may skip names while others go. */
static void handle_names(struct walk *walk, struct walk_level *level)
{
    uint64_t moved;
    do {
        const char *name;
        unsigned char type;
        moved = walk->moved;
        if (listing_begin(&level->listing, level->listing.fd) != 0) {
            stays(walk, "list", NULL);
            return;
        }
        while (listing_next(&level->listing, &name, &type) > 0) {
            enum kind kind = kind_of_name(name);
            if (kind != KIND_COUNT)
                handle(walk, level->listing.fd, name, kind);
        }
        if (walk->moved > moved) /* what was renamed in its place is looked into like anything else */
            level->has_directories = true;
    } while (walk->moved > moved);
}

static void put_names_back(struct walk *walk, struct walk_level *level)
{
    const char *name;
    unsigned char type;
    char original[NAME_MAX + 1];
    if (listing_begin(&level->listing, level->listing.fd) != 0)
        return;
    while (listing_next(&level->listing, &name, &type) > 0)
        if (aside_original(original, name) && put_back(level->listing.fd, name) == 0)
            walk->moved++;
}

/* The workspace itself cannot be moved: what makes it a repository goes. */
static void handle_bare_top(struct walk *walk, struct walk_level *top)
{
    uint64_t moved;
    do {
        const char *name;
        unsigned char type;
        moved = walk->moved;
        if (listing_begin(&top->listing, top->listing.fd) != 0) {
            stays(walk, "list", NULL);
            return;
        }
        while (listing_next(&top->listing, &name, &type) > 0) {
            if (type == DT_UNKNOWN)
                type = type_of(top->listing.fd, name);
            if ((looks_of(name, type) & (LOOKS_HEAD | LOOKS_COMMONDIR)) != 0)
                quarantine(walk, top->listing.fd, name, KIND_BARE, REASON_NEW);
        }
    } while (walk->moved > moved);
}

/*
 * What is to be done in a directory that was just opened, before those in it. False when it is to be left again: it is
 * an entry itself, or nothing is in it.
 */
static bool arrive(struct walk *walk)
{
    struct walk_level *level = &walk->levels[walk->depth];
    survey(walk, level);
    if (walk->purpose == PURPOSE_PUT_BACK) {
        if (level->has_aside)
            put_names_back(walk, level);
    } else {
        if (looks_bare(level->looks) && walk->depth > 0)
            return false;
        if (looks_bare(level->looks) && walk->purpose == PURPOSE_JUDGE)
            handle_bare_top(walk, level);
        if (level->has_names)
            handle_names(walk, level);
    }
    if (!level->has_directories && (walk->purpose != PURPOSE_PUT_BACK || !level->has_names))
        return false;
    if (listing_begin(&level->listing, level->listing.fd) == 0)
        return true;
    stays(walk, "list", NULL);
    return false;
}

/* A directory of the last level that the walk reaches. */
static void handle_deep(struct walk *walk, int parent, const char *name)
{
    if (walk->purpose != PURPOSE_JUDGE)
        return;
    if (take_out(walk, parent, name, KIND_DIRECTORY, REASON_TOO_DEEP))
        return;
    int error = errno;
    /* Without a store: nearer to the top, where the next pass looks into it. */
    for (size_t i = 0; i < walk->depth / 2; i++)
        if (hoist(parent, name, walk->levels[i].listing.fd) == 0) {
            walk->moved++;
            return;
        }
    errno = error;
    stays(walk, "too deep", name);
}

/* A directory that cannot be opened. */
static void handle_closed(struct walk *walk, int parent, const char *name)
{
    int error = errno;
    if (error == ENOENT || error == ENOTDIR || error == ELOOP) /* it is gone, or another type: the next pass sees it */
        return;
    if (error == EACCES && is_foreign(parent, name)) {
        /* Nobody of this user gets into it, so no build has put anything there, and no tool of his finds it. */
        if (faccessat(parent, name, X_OK, 0) != 0)
            return;
        errno = error;
        stays(walk, "open", name);
        return;
    }
    if (walk->purpose == PURPOSE_JUDGE && error != EMFILE && error != ENFILE && error != ENOMEM) {
        quarantine(walk, parent, name, KIND_DIRECTORY, REASON_UNREADABLE);
        return;
    }
    errno = error;
    stays(walk, "open", name);
}

/* True when it was entered. */
static bool descend(struct walk *walk, const char *name)
{
    struct walk_level *level = &walk->levels[walk->depth];
    int parent = level->listing.fd;
    struct path *path = &walk->helper->path;
    if (walk->depth + 1 == walk->deepest || !path_push(path, name)) {
        handle_deep(walk, parent, name);
        return false;
    }
    int fd = open_directory(parent, name, CROSS_MOUNTS);
    if (fd < 0 || listing_begin(&level[1].listing, fd) != 0) {
        path_cut(path, level->path_length);
        handle_closed(walk, parent, name);
        close_fd(&fd);
        return false;
    }
    level[1].path_length = path->length;
    walk->depth++;
    if (arrive(walk))
        return true;
    close_fd(&fd);
    walk->depth--;
    path_cut(path, level->path_length);
    return false;
}

static void visit(struct walk *walk, const char *name)
{
    struct walk_level *level = &walk->levels[walk->depth];
    struct walk_level *below = level + 1;
    uint64_t moved = walk->moved;
    if (walk->depth + 1 < walk->deepest)
        below->looks = 0;
    if (descend(walk, name) || walk->purpose == PURPOSE_PUT_BACK || walk->depth + 1 == walk->deepest ||
        !looks_bare(below->looks))
        return;
    handle(walk, level->listing.fd, name, KIND_BARE);
    /* Where it is still in its place, it is an ordinary directory now. Another repository there is the next pass'. */
    if (walk->moved > moved)
        (void)descend(walk, name);
}

void walk_once(struct walk *walk, enum purpose purpose)
{
    struct walk_level *top = &walk->levels[0];
    walk->purpose = purpose;
    walk->moved = walk->left = walk->renamed = 0;
    walk->depth = 0;
    path_cut(&walk->helper->path, 0);
    int fd CLEANUP_FD = reopen_directory(walk->helper->places.directory);
    if (fd < 0 || listing_begin(&top->listing, fd) != 0) {
        stays(walk, "open", NULL);
        return;
    }
    top->path_length = 0;
    bool more = arrive(walk);
    while (more) {
        struct walk_level *level = &walk->levels[walk->depth];
        const char *name;
        unsigned char type;
        int found = listing_next(&level->listing, &name, &type);
        if (found > 0) {
            if (type == DT_UNKNOWN)
                type = type_of(level->listing.fd, name);
            /* What a tool calls its own is looked into only where something in it has another name now. */
            if (type == DT_DIR && (kind_of_name(name) == KIND_COUNT || walk->purpose == PURPOSE_PUT_BACK))
                visit(walk, name);
            continue;
        }
        if (found < 0)
            stays(walk, "list", NULL);
        if (walk->depth == 0)
            break;
        close_fd(&level->listing.fd);
        walk->depth--;
        path_cut(&walk->helper->path, level[-1].path_length);
    }
}
