/*
 * The store: repositories/NUMBER/{path,data}. The number grows, so that the lowest is the oldest. `path` is where
 * `data` was, relative to the workspace; it is written first, and an entry without it stays until it is the oldest.
 */
#include "helper_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define REPOSITORIES "repositories"
#define DATA "data"
#define PATH "path"
#define NUMBER_SIZE 17 /* 16 hexadecimal digits */
#define NUMBERS_MAX 262144
#define TRIES 16

void store_init(struct store *store, struct helper *helper)
{
    *store = (struct store){.helper = helper, .repositories = -1};
}

void store_close(struct store *store)
{
    close_fd(&store->repositories);
}

static bool parse_entry_name(const char *name, uint64_t *number)
{
    if (strlen(name) != NUMBER_SIZE - 1 || strspn(name, "0123456789abcdef") != NUMBER_SIZE - 1)
        return false;
    *number = strtoull(name, NULL, 16);
    return *number < UINT64_MAX; /* one more exists */
}

static void entry_name(char name[NUMBER_SIZE], uint64_t number)
{
    (void)snprintf(name, NUMBER_SIZE, "%016llx", (unsigned long long)number);
}

/* False where there is no store. */
static bool store_open(struct store *store, bool make)
{
    struct listing listing;
    const char *name;
    unsigned char type;
    uint64_t number;
    int top = store->helper->places.store;
    if (store->repositories >= 0 || top < 0 || (store->tried && make))
        return store->repositories >= 0;
    store->tried = make;
    if (make && mkdirat(top, REPOSITORIES, 0700) != 0 && errno != EEXIST)
        return false;
    store->repositories = open_directory(top, REPOSITORIES, STAY_ON_MOUNT);
    if (store->repositories < 0 || listing_begin(&listing, store->repositories) != 0)
        return false;
    while (listing_next(&listing, &name, &type) > 0)
        if (parse_entry_name(name, &number) && number >= store->next)
            store->next = number + 1;
    return true;
}

/* ---- out of the workspace ---- */

/* Without it the entry is safe as well, and does not come back. */
static void write_path(int entry, const struct path *path)
{
    int fd CLEANUP_FD = openat(entry, PATH, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && write_all(fd, path->text, path->length) != 0)
        (void)unlinkat(entry, PATH, 0);
}

static int move_to_store(struct store *store, int parent, const char *name)
{
    struct path *path = &store->helper->path;
    char number[NUMBER_SIZE];
    if (!store_open(store, true)) {
        errno = ENOENT;
        return -1;
    }
    entry_name(number, store->next);
    if (mkdirat(store->repositories, number, 0700) != 0)
        return -1;
    store->next++;
    int entry CLEANUP_FD = open_directory(store->repositories, number, STAY_ON_MOUNT);
    size_t before = path->length;
    int error = errno;
    if (entry >= 0) {
        if (path_push(path, name))
            write_path(entry, path);
        path_cut(path, before);
        if (move_entry(parent, name, entry, DATA) == 0)
            return 0;
        error = errno;
        (void)unlinkat(entry, PATH, 0);
    }
    (void)unlinkat(store->repositories, number, AT_REMOVEDIR); /* at worst an empty entry stays */
    errno = error;
    return -1;
}

static uint32_t random_number(void)
{
    static uint32_t count;
    uint32_t number;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != (ssize_t)sizeof number)
        number = count++; /* what has that name already is not replaced */
    return number;
}

static int rename_in_place(int parent, const char *name)
{
    char new_name[NAME_MAX + 1];
    for (int tries = 0; tries < TRIES; tries++) {
        if (!aside_name(new_name, name, random_number()) && !aside_name(new_name, "", random_number()))
            return -1;
        if (move_entry(parent, name, parent, new_name) == 0)
            return 0;
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

/*
 * Renames what makes a directory a repository of git's: every HEAD and commondir. Removes it where it cannot be
 * renamed, on a full disk for one. 0 when nothing of it is left.
 */
static int spoil(int parent, const char *name)
{
    int fd CLEANUP_FD = open_directory(parent, name, CROSS_MOUNTS);
    bool again = true;
    struct listing listing;
    if (fd < 0)
        return -1;
    while (again) {
        const char *entry;
        unsigned char type;
        again = false;
        if (listing_begin(&listing, fd) != 0)
            return -1;
        while (listing_next(&listing, &entry, &type) > 0) {
            if (type == DT_UNKNOWN)
                type = type_of(fd, entry);
            if ((looks_of(entry, type) & (LOOKS_HEAD | LOOKS_COMMONDIR)) == 0)
                continue;
            if (rename_in_place(fd, entry) != 0 && unlinkat(fd, entry, 0) != 0)
                return -1;
            again = true;
        }
    }
    return 0;
}

int hoist(int parent, const char *name, int to)
{
    char new_name[NAME_MAX + 1];
    for (int tries = 0; tries < TRIES; tries++) {
        (void)snprintf(new_name, sizeof new_name, "too-deep.process-sandbox-%08x", (unsigned)random_number());
        if (move_entry(parent, name, to, new_name) == 0)
            return 0;
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

int set_aside(struct store *store, int parent, const char *name, enum kind kind)
{
    bool directory = type_of(parent, name) == DT_DIR;
    if (move_to_store(store, parent, name) == 0)
        return 0;
    int error = errno;
    bool spoilt = directory && (kind == KIND_BARE || kind == KIND_GIT_DIRECTORY) && spoil(parent, name) == 0;
    if (kind == KIND_BARE && directory && spoilt) /* its name does not matter */
        return 0;
    if (kind != KIND_DIRECTORY && (kind != KIND_BARE || !directory) && rename_in_place(parent, name) == 0)
        return 0;
    if (!directory && unlinkat(parent, name, 0) == 0)
        return 0;
    errno = error;
    return -1;
}

/* ---- back into it ---- */

/* The path of an entry, cut into its parent (in place) and its name. NULL when there is none that can be used. */
static char *read_path(int entry, char text[PATH_SIZE])
{
    struct stat status;
    int fd CLEANUP_FD = open_file(entry, PATH, &status);
    size_t used = 0;
    ssize_t n = 1;
    if (fd < 0)
        return NULL;
    while (used < PATH_SIZE && (n = read(fd, text + used, PATH_SIZE - used)) > 0)
        used += (size_t)n;
    if (n < 0 || used == 0 || used == PATH_SIZE || memchr(text, '\0', used) != NULL)
        return NULL;
    text[used] = '\0';
    char *slash = strrchr(text, '/');
    char *name = slash == NULL ? text : slash + 1;
    return *name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) > NAME_MAX ? NULL : name;
}

/* Opens the directory of a path, one component after the other. name: behind its end. */
static int open_parent(int top, char *text, const char *name)
{
    int fd = reopen_directory(top);
    for (char *at = text; fd >= 0 && at != name;) {
        char *slash = strchr(at, '/');
        if (slash == NULL) /* never: name is behind one */
            break;
        *slash = '\0';
        int next = -1;
        if (*at == '\0' || strcmp(at, ".") == 0 || strcmp(at, "..") == 0 || strlen(at) > NAME_MAX)
            errno = EINVAL;
        else
            next = open_directory(fd, at, CROSS_MOUNTS);
        close_fd(&fd);
        fd = next;
        at = slash + 1;
    }
    return fd;
}

static bool restore_entry(struct store *store, const char *number)
{
    static char text[PATH_SIZE];
    int entry CLEANUP_FD = open_directory(store->repositories, number, STAY_ON_MOUNT);
    char *name = entry < 0 ? NULL : read_path(entry, text);
    if (name == NULL)
        return false;
    int parent CLEANUP_FD = open_parent(store->helper->places.directory, text, name);
    if (parent < 0 || move_entry(entry, DATA, parent, name) != 0)
        return false;
    (void)unlinkat(entry, PATH, 0);
    (void)unlinkat(store->repositories, number, AT_REMOVEDIR); /* or it is the oldest one day */
    return true;
}

uint64_t store_restore(struct store *store)
{
    uint64_t count = 0;
    bool again = store_open(store, false);
    /* A repository can lie in another one that comes back later. */
    while (again) {
        struct listing listing;
        const char *name;
        unsigned char type;
        uint64_t number;
        again = false;
        if (listing_begin(&listing, store->repositories) != 0)
            break;
        while (listing_next(&listing, &name, &type) > 0)
            if (parse_entry_name(name, &number) && restore_entry(store, name)) {
                count++;
                again = true;
            }
    }
    return count;
}

static int by_number(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;
    return first < second ? -1 : first > second;
}

static bool purge_entry(struct store *store, uint64_t number)
{
    char name[NUMBER_SIZE];
    entry_name(name, number);
    int entry CLEANUP_FD = open_directory(store->repositories, name, STAY_ON_MOUNT);
    if (entry >= 0 && remove_content(store->helper, entry) && unlinkat(store->repositories, name, AT_REMOVEDIR) == 0)
        return true;
    problem(store->helper, "remove from quarantine", errno, NULL);
    return false;
}

uint64_t store_purge(struct store *store)
{
    uint64_t removed = 0;
    uint64_t *numbers = store_open(store, false) ? malloc(NUMBERS_MAX * sizeof *numbers) : NULL;
    bool again = numbers != NULL;
    while (again) { /* more than once where there are more entries than numbers are kept */
        struct listing listing;
        const char *name;
        unsigned char type;
        size_t count = 0;
        again = false;
        if (listing_begin(&listing, store->repositories) != 0)
            break;
        while (count < NUMBERS_MAX && listing_next(&listing, &name, &type) > 0)
            if (parse_entry_name(name, &numbers[count]))
                count++;
        qsort(numbers, count, sizeof *numbers, by_number);
        for (size_t i = 0; i + STORE_MAX < count; i++)
            if (purge_entry(store, numbers[i])) {
                removed++;
                again = count == NUMBERS_MAX;
            }
    }
    free(numbers);
    return removed;
}

int put_back(int parent, const char *name)
{
    char original[NAME_MAX + 1];
    if (!aside_original(original, name)) {
        errno = EINVAL;
        return -1;
    }
    return move_entry(parent, name, parent, original);
}
