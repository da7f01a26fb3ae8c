/*
 * A digest over what a tool obeys in its directory: names, types, contents, and whether a file can be executed. The
 * rest (objects, references, the index) is content that a build may change; of that only links and nested repositories
 * count, which lead a tool elsewhere.
 *
 * Each obeyed file yields a hash, a leaf; the digest is the hash over the sorted leaves. So the order of a listing does
 * not matter, and memory is bounded by LEAVES_MAX.
 */
#include "helper_names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* What a directory is to its tool, from which follows what is obeyed in it. */
enum role {
    ROLE_GIT,
    ROLE_GIT_INFO,
    ROLE_MODULES,      /* of submodules: directories of git's, at any depth */
    ROLE_WORKTREES,    /* directories of git's, one level down */
    ROLE_OBJECTS,      /* links only, except `info` */
    ROLE_OBJECTS_INFO, /* leads to other object stores */
    ROLE_HG,
    ROLE_BZR,
    ROLE_SVN,
    ROLE_OBEYED,  /* everything */
    ROLE_CONTENT, /* links and nested repositories only */
};

struct leaf {
    unsigned char bytes[SHA256_SIZE];
};

struct digest_level {
    struct listing listing;
    enum role role;
    unsigned looks; /* LOOKS_... */
    size_t path_length;
};

struct digester {
    struct leaf *leaves;
    size_t count;
    uint64_t bytes; /* read so far */
    enum digest_result result;
    size_t depth;
    struct path path;
    struct digest_level levels[DIGEST_DEPTH];
};

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
    size_t length = strlen(text);
    size_t end = strlen(with);
    return length >= end && strcmp(text + length - end, with) == 0;
}

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

/* Files that a tool writes in everyday work (gitrepository-layout(5)); their content orders nothing. */
static bool is_content_file(enum role role, const char *name)
{
    static const char *const git[] = {"HEAD",   "index",      "packed-refs", "shallow",     "COMMIT_EDITMSG", "gc.log",
                                      "gc.pid", "AUTO_MERGE", "SQUASH_MSG",  "TAG_EDITMSG", "description",    NULL};
    static const char *const hg[] = {"branch", "bookmarks", "bookmarks.current", "last-message.txt", NULL};
    switch (role) {
    case ROLE_GIT:
        return is_one_of(name, git) || ends(name, "_HEAD") || ends(name, ".lock") || starts(name, "MERGE_") ||
               starts(name, "sharedindex.");
    case ROLE_GIT_INFO:
        return strcmp(name, "refs") == 0;
    case ROLE_OBJECTS_INFO:
        return strcmp(name, "alternates") != 0 && strcmp(name, "http-alternates") != 0;
    case ROLE_HG:
        return is_one_of(name, hg) || starts(name, "dirstate") || starts(name, "undo.");
    case ROLE_SVN:
        return starts(name, "wc.db");
    case ROLE_OBJECTS:
    case ROLE_CONTENT:
        return true;
    case ROLE_MODULES:
    case ROLE_WORKTREES:
    case ROLE_BZR:
    case ROLE_OBEYED:
        break;
    }
    return false;
}

static bool is_content(enum role role)
{
    return role == ROLE_CONTENT || role == ROLE_OBJECTS || role == ROLE_OBJECTS_INFO;
}

static enum role git_role(const char *name)
{
    static const char *const content[] = {"refs", "logs", "lfs", "annex", NULL};
    if (is_one_of(name, content))
        return ROLE_CONTENT;
    return strcmp(name, "objects") == 0     ? ROLE_OBJECTS
           : strcmp(name, "info") == 0      ? ROLE_GIT_INFO
           : strcmp(name, "modules") == 0   ? ROLE_MODULES
           : strcmp(name, "worktrees") == 0 ? ROLE_WORKTREES
                                            : ROLE_OBEYED;
}

static bool has_head(int directory)
{
    struct stat status;
    return fstatat(directory, "HEAD", &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The role of a directory in one of that role; fd lists it. */
static enum role role_of(enum role parent, const char *name, int fd)
{
    static const char *const hg[] = {"store", "cache", "wcache", "strip-backup", "largefiles", NULL};
    static const char *const bzr[] = {"repository", "checkout", NULL};
    static const char *const svn[] = {"pristine", "tmp", NULL};
    switch (parent) {
    case ROLE_GIT:
        return git_role(name);
    case ROLE_MODULES:
        return has_head(fd) ? ROLE_GIT : ROLE_MODULES;
    case ROLE_WORKTREES:
        return ROLE_GIT;
    case ROLE_OBJECTS:
        return strcmp(name, "info") == 0 ? ROLE_OBJECTS_INFO : ROLE_CONTENT;
    case ROLE_HG:
        return is_one_of(name, hg) ? ROLE_CONTENT : ROLE_OBEYED;
    case ROLE_BZR:
        return is_one_of(name, bzr) ? ROLE_CONTENT : ROLE_OBEYED;
    case ROLE_SVN:
        return is_one_of(name, svn) ? ROLE_CONTENT : ROLE_OBEYED;
    case ROLE_OBJECTS_INFO:
    case ROLE_CONTENT:
        return ROLE_CONTENT;
    case ROLE_GIT_INFO:
    case ROLE_OBEYED:
        break;
    }
    return ROLE_OBEYED;
}

static enum role role_of_kind(enum kind kind)
{
    return kind == KIND_HG ? ROLE_HG : kind == KIND_BZR ? ROLE_BZR : kind == KIND_SVN ? ROLE_SVN : ROLE_GIT;
}

/* type: f, x (executable), l, r (a nested repository) or o (anything else). text: what belongs to it. */
static void add_leaf(struct digester *digester, char type, const void *text, size_t size)
{
    struct sha256 hash;
    if (digester->count == LEAVES_MAX) {
        digester->result = DIGEST_TOO_LARGE;
        return;
    }
    sha256_begin(&hash);
    sha256_add(&hash, &type, 1);
    sha256_add(&hash, digester->path.text, digester->path.length + 1);
    sha256_add(&hash, text, size);
    sha256_end(&hash, digester->leaves[digester->count++].bytes);
}

static void unreadable(struct digester *digester)
{
    if (digester->result == DIGEST_DONE)
        digester->result = DIGEST_UNREADABLE;
}

static void add_file(struct digester *digester, int parent, const char *name)
{
    static unsigned char buffer[65536];
    unsigned char digest[SHA256_SIZE];
    struct stat status;
    struct sha256 hash;
    int fd CLEANUP_FD = open_file(parent, name, &status);
    if (fd < 0) {
        unreadable(digester);
        return;
    }
    sha256_begin(&hash);
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0) {
            unreadable(digester);
            return;
        }
        if (n == 0)
            break;
        digester->bytes += (uint64_t)n;
        if (digester->bytes > DIGEST_BYTES_MAX) {
            digester->result = DIGEST_TOO_LARGE;
            return;
        }
        sha256_add(&hash, buffer, (size_t)n);
    }
    sha256_end(&hash, digest);
    add_leaf(digester, (status.st_mode & 0111) != 0 ? 'x' : 'f', digest, sizeof digest);
}

static void add_link(struct digester *digester, int parent, const char *name)
{
    char text[PATH_MAX];
    ssize_t size = readlinkat(parent, name, text, sizeof text);
    if (size < 0)
        unreadable(digester);
    else
        add_leaf(digester, 'l', text, (size_t)size);
}

static void add_entry(struct digester *digester, int parent, const char *name, unsigned char type, bool content)
{
    if (type == DT_LNK)
        add_link(digester, parent, name);
    else if (type != DT_REG)
        add_leaf(digester, 'o', &type, sizeof type);
    else if (!content)
        add_file(digester, parent, name);
}

static void enter(struct digester *digester, const char *name)
{
    struct digest_level *level = &digester->levels[digester->depth];
    if (digester->depth + 1 == DIGEST_DEPTH) {
        digester->result = DIGEST_TOO_LARGE;
        return;
    }
    int fd = open_directory(level->listing.fd, name, CROSS_MOUNTS);
    if (fd < 0 || listing_begin(&level[1].listing, fd) != 0) {
        close_fd(&fd);
        unreadable(digester);
        return;
    }
    level[1].role = role_of(level->role, name, fd);
    level[1].looks = 0;
    level[1].path_length = digester->path.length;
    digester->depth++;
}

static void look_at(struct digester *digester, const char *name, unsigned char type)
{
    struct digest_level *level = &digester->levels[digester->depth];
    int parent = level->listing.fd;
    size_t before = level->path_length;
    if (type == DT_UNKNOWN)
        type = type_of(parent, name);
    if (!path_push(&digester->path, name)) {
        digester->result = DIGEST_TOO_LARGE;
        return;
    }
    level->looks |= looks_of(name, type);
    if (is_content(level->role) && kind_of_name(name) != KIND_COUNT)
        add_leaf(digester, 'r', "", 0);
    if (type == DT_DIR) {
        enter(digester, name); /* which keeps the longer path when it is entered */
        if (&digester->levels[digester->depth] != level)
            return;
    } else {
        add_entry(digester, parent, name, type, is_content_file(level->role, name));
    }
    path_cut(&digester->path, before);
}

/* False at the top. */
static bool leave(struct digester *digester)
{
    struct digest_level *level = &digester->levels[digester->depth];
    if (is_content(level->role) && looks_bare(level->looks))
        add_leaf(digester, 'r', "", 0);
    if (digester->depth == 0)
        return false;
    close_fd(&level->listing.fd);
    digester->depth--;
    path_cut(&digester->path, level[-1].path_length);
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_SIZE);
}

static void walk_all(struct digester *digester)
{
    do {
        const char *name;
        unsigned char type;
        int found = 0;
        while (digester->result == DIGEST_DONE &&
               (found = listing_next(&digester->levels[digester->depth].listing, &name, &type)) > 0)
            look_at(digester, name, type);
        if (found < 0)
            unreadable(digester);
    } while (leave(digester));
}

enum digest_result digest_directory(enum kind kind, int fd, unsigned char digest[SHA256_SIZE])
{
    struct digester *digester = calloc(1, sizeof *digester);
    struct leaf *leaves = malloc(LEAVES_MAX * sizeof *leaves);
    enum digest_result result = DIGEST_UNREADABLE;
    if (digester != NULL && leaves != NULL && listing_begin(&digester->levels[0].listing, fd) == 0) {
        struct sha256 hash;
        digester->leaves = leaves;
        digester->levels[0].role = role_of_kind(kind);
        walk_all(digester);
        qsort(leaves, digester->count, sizeof *leaves, by_bytes);
        sha256_begin(&hash);
        sha256_add(&hash, leaves, digester->count * sizeof *leaves);
        sha256_end(&hash, digest);
        result = digester->result;
    }
    free(leaves);
    free(digester);
    return result;
}

enum digest_result digest_file(int parent, const char *name, unsigned char digest[SHA256_SIZE])
{
    struct leaf leaf = {{0}};
    struct digester *digester = calloc(1, sizeof *digester);
    enum digest_result result = DIGEST_UNREADABLE;
    if (digester != NULL) {
        digester->leaves = &leaf;
        add_entry(digester, parent, name, type_of(parent, name), false);
        memcpy(digest, leaf.bytes, SHA256_SIZE);
        result = digester->result;
    }
    free(digester);
    return result;
}
