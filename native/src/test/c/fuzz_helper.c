/*
 * The helper on generated trees: random names, modes, types and depth, changed between its jobs. Under the sanitizers,
 * with a fixed seed, as a user without privileges. After each end, an independent look through the tree must find
 * nothing that tools outside would obey; nothing outside of the tree may have changed; and the removal must leave
 * nothing.
 *
 *   fuzz_helper [ROUNDS [SEED]]
 */
#include "helper_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#define DIRECTORIES_MAX 48

static uint64_t state;
static uint64_t round_number;

static size_t below(size_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % bound);
}

static _Noreturn void fail(const char *what, const char *object)
{
    (void)fprintf(stderr, "round %llu: %s: %s (%s)\n", (unsigned long long)round_number, what, object, strerror(errno));
    exit(1);
}

static const char *const vocabulary[] = {
    ".git",
    ".git",
    ".GIT",
    ".g\xe2\x80\x8cit",
    ".hg",
    ".svn",
    ".bzr",
    "HEAD",
    "HEAD",
    "head",
    "objects",
    "objects",
    "refs",
    "refs",
    "commondir",
    "config",
    "config.worktree",
    "hooks",
    "info",
    "modules",
    "worktrees",
    "alternates",
    "store",
    "logs",
    ".git.process-sandbox-00000000",
    "HEAD.process-sandbox-ffffffff",
    "x.process-sandbox-00000000",
    "too-deep.process-sandbox-00000000",
    ".removed-0000000000000000",
    "a",
    "b",
    "c",
    "d",
    "\xff\n",
    "-rf",
    " ",
    "...",
    "path",
    "data",
    "record",
    "\x1b[31m",
};

static void random_name(char name[NAME_MAX + 1])
{
    if (below(12) == 0) {
        size_t length = 1 + below(NAME_MAX);
        for (size_t i = 0; i < length; i++) {
            char c = (char)(1 + below(255));
            name[i] = c == '/' ? '_' : c;
        }
        name[length] = '\0';
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            return;
    }
    (void)snprintf(name, NAME_MAX + 1, "%s", vocabulary[below(NELEM(vocabulary))]);
}

static void make_socket(int parent, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%.60s", parent, name);
    int fd CLEANUP_FD = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        (void)bind(fd, (struct sockaddr *)&address, sizeof address);
}

static void make_file(int parent, const char *name)
{
    static const char *const contents[] = {"", "[core]\n", "ref: refs/heads/x\n", "gitdir: ../.git\n", "\xff\n"};
    int fd CLEANUP_FD =
        openat(parent, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, below(512));
    const char *content = contents[below(NELEM(contents))];
    if (fd >= 0)
        (void)write_all(fd, content, strlen(content));
}

/* What builds do to a tree, errors included. directories: open ones of the tree, the first is its top. */
static void change(int *directories, size_t *count)
{
    static const char *const targets[] = {"/",    ".",         "..",     "../outside", "../../outside/file",
                                          "HEAD", "/dev/zero", "nowhere"};
    char name[NAME_MAX + 1], other[NAME_MAX + 1];
    int parent = directories[below(*count)];
    random_name(name);
    random_name(other);
    switch (below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4: {
        (void)mkdirat(parent, name, 0700);
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && *count < DIRECTORIES_MAX)
            directories[(*count)++] = fd;
        else
            close_fd(&fd);
        break;
    }
    case 5:
    case 6:
    case 7:
        make_file(parent, name);
        break;
    case 8:
        if (symlinkat(targets[below(NELEM(targets))], parent, name) != 0)
            break;
        break;
    case 9:
        if (mkfifoat(parent, name, 0600) != 0)
            break;
        break;
    case 10:
        make_socket(parent, name);
        break;
    case 11:
        (void)renameat(parent, name, directories[below(*count)], other);
        break;
    case 12:
        (void)linkat(parent, name, directories[below(*count)], other, 0);
        break;
    case 13:
        (void)fchmod(parent, (mode_t)below(512));
        break;
    case 14:
        if (unlinkat(parent, name, 0) != 0)
            (void)unlinkat(parent, name, AT_REMOVEDIR);
        break;
    default: { /* deep */
        size_t depth = below(3) == 0 ? 300 : below(20);
        int at = fcntl(parent, F_DUPFD_CLOEXEC, 3);
        for (size_t i = 0; i < depth && at >= 0; i++) {
            (void)mkdirat(at, name, 0700);
            int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            close_fd(&at);
            at = next;
        }
        if (at >= 0)
            (void)mkdirat(at, ".git", 0700);
        close_fd(&at);
    }
    }
}

static void change_much(int top, size_t changes)
{
    int directories[DIRECTORIES_MAX];
    size_t count = 1;
    if (chmod("tree", 0700) != 0) /* what was closed by its mode stays so, except the top: we want to get in */
        fail("chmod", "the tree");
    directories[0] = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directories[0] < 0)
        fail("open", "the tree");
    for (size_t i = 0; i < changes; i++)
        change(directories, &count);
    for (size_t i = 0; i < count; i++)
        close_fd(&directories[i]);
}

/* Recursive, unlike the helper's. There was no record, so that nothing may be there. */
static void look(int fd)
{
    DIR *list = fdopendir(fd);
    unsigned looks = 0;
    struct dirent *entry;
    if (list == NULL)
        fail("list", "a directory");
    while ((entry = readdir(list)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (strcasecmp(entry->d_name, ".git") == 0 || strcasecmp(entry->d_name, ".hg") == 0 ||
            strcasecmp(entry->d_name, ".svn") == 0 || strcasecmp(entry->d_name, ".bzr") == 0)
            fail("left behind", entry->d_name);
        looks |= looks_of(entry->d_name, entry->d_type);
        if (entry->d_type != DT_DIR)
            continue;
        int below_fd = openat(dirfd(list), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below_fd < 0)
            fail("open", entry->d_name);
        look(below_fd);
    }
    if (looks_bare(looks))
        fail("left behind", "a bare repository");
    (void)closedir(list);
}

static int place(const char *name)
{
    int fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        fail("open", name);
    return fd;
}

static void check_output(int out)
{
    static char text[1 << 20];
    ssize_t size = pread(out, text, sizeof text, 0);
    if (size < 40 || memcmp(text, "process-sandbox-helper\0001", 25) != 0 || memcmp(text + size - 5, "\0end", 5) != 0)
        fail("output", "not whole");
}

static int run(enum job job, int tree, int store, int records)
{
    struct places places = {tree, store, records};
    int out CLEANUP_FD = open("out", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0)
        fail("open", "out");
    int status = helper_run(job, &places, out);
    check_output(out);
    return status;
}

static void expect(int status, const char *what)
{
    if (status == 0)
        return;
    static char text[4096];
    int out CLEANUP_FD = open("out", O_RDONLY | O_CLOEXEC);
    ssize_t size = out < 0 ? 0 : read(out, text, sizeof text);
    for (ssize_t i = 0; i < size; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    (void)fprintf(stderr, "%.*s\n", (int)size, text);
    fail("not complete", what);
}

/* The directory beside the tree, to which links of the tree lead. */
static void check_outside(int outside)
{
    struct stat status;
    char content[8] = "";
    int fd CLEANUP_FD = openat(outside, "file", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, content, sizeof content) != 4 || memcmp(content, "kept", 4) != 0 ||
        fstat(fd, &status) != 0 || (status.st_mode & 07777) != 0600 || fstatat(outside, ".git/HEAD", &status, 0) != 0 ||
        fstat(outside, &status) != 0 || (status.st_mode & 07777) != 0700)
        fail("changed", "outside");
}

static void fuzz_tree(void)
{
    int tree CLEANUP_FD = place("tree");
    int outside CLEANUP_FD = place("outside");
    int store CLEANUP_FD = below(2) == 0 ? place("store") : -1;
    int records CLEANUP_FD = place("records");
    if (below(2) == 0) { /* a known workspace; what is known may change or stay */
        change_much(tree, below(80));
        expect(run(JOB_BEGIN, tree, store, records), "begin");
        if (run(JOB_CHECK, tree, store, records) != 0)
            fail("not complete", "check of what has not changed");
        change_much(tree, below(80));
        if (below(2) == 0)
            expect(run(JOB_CHECK, tree, store, records), "check");
        change_much(tree, below(20));
        if (below(2) == 0)
            expect(run(JOB_END, tree, store, records), "end");
    }
    change_much(tree, below(120));
    if (unlinkat(records, "record", 0) != 0 && errno != ENOENT)
        fail("unlink", "record");
    expect(run(JOB_END, tree, store, records), "end without a record");
    int top = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        fail("open", "the tree");
    look(top);
    check_outside(outside);
    expect(run(JOB_BEGIN, tree, store, records), "begin again");
    expect(run(JOB_REMOVE, tree, -1, -1), "remove");
    expect(run(JOB_REMOVE, records, -1, -1), "remove the records");
    if (store >= 0)
        expect(run(JOB_REMOVE, store, -1, -1), "remove the store");
    check_outside(outside);
}

/* Records with changed bytes: refused or taken over, and never more than they may be. */
static void fuzz_record(void)
{
    static struct output output = {.fd = -1};
    static unsigned char handle[HANDLE_MAX];
    struct record record;
    size_t size = sizeof "process-sandbox-record" + 2;
    char text[8192] = "process-sandbox-record\0001";
    for (size_t entries = below(4); entries > 0; entries--) {
        struct known known = {.path = vocabulary[below(NELEM(vocabulary))], .kind = (enum kind)below(KIND_COUNT)};
        known.id.handle_size = (uint32_t)below(HANDLE_MAX + 1);
        memcpy(known.id.handle, handle, known.id.handle_size);
        output.used = 0;
        record_put(&output, &known);
        memcpy(text + size, output.buffer, output.used);
        size += output.used;
    }
    memcpy(text + size, "end", 4);
    size += 4;
    for (size_t flips = below(6); flips > 0; flips--)
        text[below(size)] = (char)below(256);
    if (below(4) == 0)
        size = below(size);
    char *exact = malloc(size + 1);
    if (exact == NULL || !record_make(&record))
        abort();
    memcpy(exact, text, size);
    exact[size] = '\0';
    if (record_parse(&record, exact, size))
        for (size_t i = 0; i < record.count; i++)
            if (record.known[i].id.handle_size > HANDLE_MAX || strlen(record.known[i].path) >= KNOWN_PATH_MAX)
                abort();
    record_free(&record);
    free(exact);
}

static void drop_privileges(const char *directory)
{
    if (geteuid() != 0)
        return;
    if (chown(directory, 65534, 65534) != 0 || setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
        fail("drop privileges", directory);
}

int main(int argc, char **argv)
{
    uint64_t rounds = 100, seed = 1;
    char directory[] = "/tmp/fuzz_helper.XXXXXX";
    static const char *const names[] = {"tree", "outside", "store", "records", "outside/.git"};
    if ((argc > 1 && !parse_number(argv[1], UINT64_MAX, &rounds)) ||
        (argc > 2 && !parse_number(argv[2], UINT64_MAX, &seed)))
        return 2;
    if (mkdtemp(directory) == NULL)
        fail("mkdtemp", directory);
    drop_privileges(directory);
    if (chdir(directory) != 0)
        fail("chdir", directory);
    for (size_t i = 0; i < NELEM(names); i++)
        if (mkdir(names[i], 0700) != 0)
            fail("mkdir", names[i]);
    umask(0);
    int file = open("outside/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int head = open("outside/.git/HEAD", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || head < 0 || write_all(file, "kept", 4) != 0)
        fail("create", "outside");
    close_fd(&file);
    close_fd(&head);
    for (round_number = 0; round_number < rounds; round_number++) {
        state = (seed + round_number) * 0x9E3779B97F4A7C15U + 1;
        fuzz_tree();
        for (size_t i = 0; i < 4; i++)
            fuzz_record();
    }
    int outside = place("outside"), here = place(".");
    expect(run(JOB_REMOVE, outside, -1, -1), "remove outside");
    expect(run(JOB_REMOVE, here, -1, -1), "remove everything");
    if (rmdir(directory) != 0 && rmdir("/nowhere") != 0 && geteuid() != 65534) /* its parent may be another user's */
        fail("rmdir", directory);
    return printf("%llu trees\n", (unsigned long long)rounds) < 0;
}
