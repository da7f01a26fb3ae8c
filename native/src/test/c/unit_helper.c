/* Tests of the helper: its parsers, and its jobs on small trees. Built with sanitizers; works in a directory of its
 * own. */
#include "helper_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: %s: failed: %s\n", __FILE__, __LINE__, __func__, #condition);                \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* ---- SHA-256 ---- */

static void check_digest(const char *text, size_t size, size_t repeat, size_t step, const char *expected)
{
    struct sha256 hash;
    unsigned char digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    sha256_begin(&hash);
    for (size_t i = 0; i < repeat; i++)
        for (size_t at = 0; at < size; at += step)
            sha256_add(&hash, text + at, size - at < step ? size - at : step);
    sha256_end(&hash, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    CHECK(strcmp(hex, expected) == 0);
}

/* The examples of FIPS 180-2, appendix B, and the empty message; each fed in pieces of several sizes. */
static void digests_are_those_of_the_standard(void)
{
    static char many_a[1000];
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    memset(many_a, 'a', sizeof many_a);
    check_digest("", 0, 1, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t step = 1; step <= 64; step++) {
        check_digest("abc", 3, 1, step, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        check_digest(two_blocks, 56, 1, step, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
    check_digest(many_a, 1000, 1000, 999, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    check_digest(many_a, 1000, 1000, 64, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* ---- names ---- */

static void names_of_tools_are_known_in_any_case(void)
{
    CHECK(kind_of_name(".git") == KIND_GIT_DIRECTORY && kind_of_name(".GiT") == KIND_GIT_DIRECTORY);
    CHECK(kind_of_name(".g\xe2\x80\x8cit") == KIND_GIT_DIRECTORY && kind_of_name("\xff.git") == KIND_GIT_DIRECTORY);
    CHECK(kind_of_name(".hg") == KIND_HG && kind_of_name(".BZR") == KIND_BZR &&
          kind_of_name(".\xc5\xbfvn") == KIND_SVN);
    CHECK(kind_of_name(".gi") == KIND_COUNT && kind_of_name(".gitt") == KIND_COUNT &&
          kind_of_name("git") == KIND_COUNT);
    CHECK(kind_of_name("") == KIND_COUNT && kind_of_name(".git\xc5\xbf") == KIND_COUNT);
    CHECK(kind_of_name(".gitignore") == KIND_COUNT && kind_of_name("\xe2\x84") == KIND_COUNT);
}

static void bare_repositories_are_known_by_what_git_asks_for(void)
{
    unsigned head = looks_of("HEAD", DT_REG);
    CHECK(head == LOOKS_HEAD && looks_of("head", DT_LNK) == LOOKS_HEAD && looks_of("HEAD", DT_DIR) == 0);
    CHECK(looks_bare(head | looks_of("objects", DT_LNK) | looks_of("refs", DT_REG)));
    CHECK(looks_bare(head | looks_of("commondir", DT_REG)) && looks_of("commondir", DT_DIR) == 0);
    CHECK(!looks_bare(head | LOOKS_OBJECTS) && !looks_bare(head | LOOKS_REFS) &&
          !looks_bare(LOOKS_OBJECTS | LOOKS_REFS));
    CHECK(!looks_bare(LOOKS_COMMONDIR));
}

static void names_come_back(void)
{
    char aside[NAME_MAX + 1], original[NAME_MAX + 1], longest[NAME_MAX + 1];
    CHECK(aside_name(aside, ".git", 0xABCDU) && strcmp(aside, ".git.process-sandbox-0000abcd") == 0);
    CHECK(aside_original(original, aside) && strcmp(original, ".git") == 0);
    CHECK(aside_name(aside, "commondir", ~0U) && aside_original(original, aside) && strcmp(original, "commondir") == 0);
    CHECK(!aside_original(original, "source.process-sandbox-0000abcd")); /* nothing of ours */
    CHECK(!aside_original(original, ".process-sandbox-0000abcd") && !aside_original(original, ".git"));
    CHECK(!aside_original(original, ".git.process-sandbox-0000ABCD"));
    memset(longest, 0xff, NAME_MAX);
    longest[NAME_MAX] = '\0';
    CHECK(!aside_name(aside, longest, 0));
}

/* ---- the record ---- */

static struct output output = {.fd = -1};

static size_t sample(char *text, size_t entries)
{
    size_t size = sizeof "process-sandbox-record" + 2;
    memcpy(text, "process-sandbox-record\0001", size);
    for (size_t i = 0; i < entries; i++) {
        char path[32];
        struct known known = {.path = path, .kind = (enum kind)(i % KIND_COUNT)};
        (void)snprintf(path, sizeof path, "\xff\n %zu", entries - i);
        known.id = (struct file_id){.device = UINT64_MAX, .inode = i, .birth_s = -1, .birth_ns = 999999999};
        known.id.handle_size = (uint32_t)(i % (HANDLE_MAX + 1));
        known.id.handle_type = -7;
        memset(known.id.handle, 0xa5, known.id.handle_size);
        memset(known.digest, (int)i, sizeof known.digest);
        output.used = 0;
        record_put(&output, &known);
        memcpy(text + size, output.buffer, output.used);
        size += output.used;
    }
    memcpy(text + size, "end", 4);
    return size + 4;
}

static void records_come_back_as_they_were(void)
{
    static char text[65536];
    struct record record;
    size_t size = sample(text, 140);
    CHECK(record_make(&record) && record_parse(&record, text, size) && record.count == 140);
    const struct known *known = record_find(&record, "\xff\n 140");
    CHECK(known != NULL && known->kind == KIND_GIT_DIRECTORY && known->id.inode == 0 && known->id.handle_size == 0);
    known = record_find(&record, "\xff\n 11");
    CHECK(known != NULL && known->id.inode == 129 && known->id.handle_size == 0 && known->digest[31] == 129);
    known = record_find(&record, "\xff\n 12");
    CHECK(known != NULL && known->id.handle_size == HANDLE_MAX && known->id.handle[HANDLE_MAX - 1] == 0xa5);
    CHECK(known->id.birth_s == -1 && known->id.handle_type == -7 && known->id.device == UINT64_MAX);
    CHECK(record_find(&record, "") == NULL && record_find(&record, "\xff\n 141") == NULL);
    record_free(&record);
}

static bool parses(const char *text, size_t size)
{
    struct record record;
    char *exact = malloc(size + 1); /* of this very size, so that a read past its end is seen */
    CHECK(exact != NULL && record_make(&record));
    memcpy(exact, text, size);
    exact[size] = '\0';
    bool good = record_parse(&record, exact, size);
    record_free(&record);
    free(exact);
    return good;
}

static void records_are_whole_or_refused(void)
{
    static char text[8192], longer[8192];
    size_t size = sample(text, 2);
    CHECK(parses(text, size));
    for (size_t cut = 0; cut < size; cut++)
        CHECK(!parses(text, cut));
    memcpy(longer, text, size);
    memcpy(longer + size, "end", 4);
    CHECK(!parses(longer, size + 4));
    static const char *const bad[][9] = {
        {"cvs", "1", "1", "1", "1", "1", "", "", "p"},         {"hg", "-1", "1", "1", "1", "1", "", "", "p"},
        {"hg", "1", "x", "1", "1", "1", "", "", "p"},          {"hg", "1", "1", "--1", "1", "1", "", "", "p"},
        {"hg", "1", "1", "1", "1000000000", "1", "", "", "p"}, {"hg", "1", "1", "1", "1", "4294967296", "", "", "p"},
        {"hg", "1", "1", "1", "1", "1", "A0", "", "p"},        {"hg", "1", "1", "1", "1", "1", "0", "", "p"},
        {"hg", "1", "1", "1", "1", "1", "", "00", "p"},        {"hg", "1", "1", "1", "1", "1", "", "", "p"},
    };
    for (size_t i = 0; i < NELEM(bad); i++) {
        size_t at = sizeof "process-sandbox-record" + 2;
        memcpy(longer, "process-sandbox-record\0001\0entry", at + 6);
        at += 6;
        for (size_t word = 0; word < 9; word++) {
            memcpy(longer + at, bad[i][word], strlen(bad[i][word]) + 1);
            at += strlen(bad[i][word]) + 1;
        }
        memcpy(longer + at, "end", 4);
        CHECK(!parses(longer, at + 4));
    }
}

static void records_are_bounded(void)
{
    struct record record;
    static char path[KNOWN_PATH_MAX + 1];
    struct known known = {.path = path};
    CHECK(record_make(&record));
    memset(path, 'x', KNOWN_PATH_MAX);
    CHECK(!record_add(&record, &known));
    path[KNOWN_PATH_MAX - 1] = '\0';
    size_t count = 0;
    while (record_add(&record, &known))
        count++;
    CHECK(count == RECORD_BYTES_MAX / KNOWN_PATH_MAX);
    record.count = record.paths_size = 0;
    path[0] = '\0';
    for (count = 0; record_add(&record, &known);)
        count++;
    CHECK(count == KNOWN_MAX);
    record_free(&record);
}

/* ---- jobs ---- */

static char directory[] = "/tmp/unit_helper.XXXXXX";

static void sh(const char *script)
{
    char command[1024];
    (void)snprintf(command, sizeof command, "cd %s/w && { %s; }", directory, script);
    if (system(command) != 0) {
        (void)fprintf(stderr, "failed: %s\n", command);
        exit(1);
    }
}

static int open_place(const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

/* Whether the job was complete; its output is left in the file `out`. */
static bool job(enum job which, bool with_store)
{
    char path[64];
    struct places places = {open_place("w"), with_store ? open_place("s") : -1, open_place("r")};
    (void)snprintf(path, sizeof path, "%s/out", directory);
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(out >= 0);
    int status = helper_run(which, &places, out);
    close_fd(&places.directory);
    close_fd(&places.store);
    close_fd(&places.records);
    close_fd(&out);
    return status == 0;
}

/* As when a link takes the place of a directory after the listing told its type. */
static void no_link_is_followed(void)
{
    struct stat status;
    int top = open_place("w");
    sh("mkdir d; touch f; chmod 0 d; ln -s ../s l; ln -s f lf; ln -s d ld; mkfifo p");
    CHECK(open_directory(top, "l", CROSS_MOUNTS) < 0 && (errno == ELOOP || errno == ENOTDIR));
    CHECK(open_directory(top, "ld", STAY_ON_MOUNT) < 0 && grant(top, "ld") != 0 && grant(top, "l") != 0);
    CHECK(fstatat(top, "d", &status, 0) == 0 && (status.st_mode & 0777) == 0);
    CHECK(open_file(top, "lf", &status) < 0 && open_file(top, "p", &status) < 0 && errno == EINVAL);
    CHECK(open_directory(top, "../s", CROSS_MOUNTS) < 0 && errno == EXDEV);
    sh("chmod 700 d; ln l d/l");
    CHECK(move_entry(top, "l", top, "lf") != 0 && errno == EEXIST);
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(open_directory(root, "proc", STAY_ON_MOUNT) < 0 && errno == EXDEV);
    int fd = open_directory(root, "proc", CROSS_MOUNTS);
    CHECK(fd >= 0);
    close_fd(&fd);
    close_fd(&root);
    close_fd(&top);
    CHECK(job(JOB_REMOVE, false));
}

static void removal_empties_anything(void)
{
    sh("mkdir -p a/b/c; touch a/b/f; mkfifo p a/p; ln -s / a/l; ln -s ../../s a/b/l; for i in $(seq 1000); do mkdir "
       "d$i; done");
    sh("(for i in $(seq 200); do mkdir d; cd -P d; done); chmod 0 a/b a; chmod 0500 .");
    CHECK(job(JOB_REMOVE, false));
    sh("test -z \"$(ls -A)\" && test -d ../s");
}

static void unknown_repositories_go_and_come_back(void)
{
    for (int with_store = 0; with_store < 2; with_store++) {
        sh("mkdir -p known/.git/objects known/.git/refs; echo x > known/.git/config; touch known/.git/HEAD");
        CHECK(job(JOB_BEGIN, with_store == 1));
        sh("tr '\\0' ' ' < ../out | grep -q 'known git-directory known/.git complete end'");
        sh("mkdir -p new/.git/objects new/.git/refs bare/objects bare/refs; touch new/.git/HEAD bare/HEAD; ln -s / "
           ".GIT");
        CHECK(job(JOB_CHECK, with_store == 1));
        sh("test -e known/.git -a ! -e new/.git -a ! -e bare/HEAD -a ! -L .GIT -a -e ../r/record");
        sh("mkdir new/.git; echo y > known/.git/config");
        CHECK(job(JOB_END, with_store == 1));
        sh("test ! -e known/.git -a ! -e new/.git -a ! -e ../r/record");
        CHECK(job(JOB_BEGIN, with_store == 1));
        sh("test -e known/.git/config -a -e new/.git -a -e bare/HEAD -a -L .GIT");
        CHECK(job(JOB_END, with_store == 1));
        CHECK(job(JOB_REMOVE, false));
    }
}

static void the_workspace_itself_is_no_repository(void)
{
    sh("mkdir objects refs; echo ref: refs/heads/x > HEAD; echo . > commondir");
    CHECK(job(JOB_END, true));
    sh("test ! -e HEAD -a ! -e commondir -a -d objects");
    CHECK(job(JOB_BEGIN, true));
    sh("test -e HEAD -a -e commondir && tr '\\0' ' ' < ../out | grep -q 'restored 2 complete end' && ! grep -q known "
       "../out");
    CHECK(job(JOB_END, true));
    CHECK(job(JOB_REMOVE, false));
}

static void nothing_known_without_a_record(void)
{
    sh("mkdir .git; echo nonsense > ../r/record");
    CHECK(job(JOB_BEGIN, true)); /* ends a block first, of which nothing is known */
    sh("tr '\\0' ' ' < ../out | grep -q 'quarantined git-directory new .git problem the record'");
    sh("test -d .git; rm ../r/record");
    CHECK(job(JOB_END, true));
    sh("test ! -e .git");
    CHECK(job(JOB_REMOVE, false));
}

static void a_record_that_cannot_be_written_is_no_beginning(void)
{
    sh("mkdir ../r/record.new && touch ../r/record.new/x");
    CHECK(!job(JOB_BEGIN, true));
    sh("tr '\\0' ' ' < ../out | grep -q 'problem write the record .* incomplete end'");
    sh("rm -r ../r/record.new");
}

int main(void)
{
    void (*const tests[])(void) = {
        digests_are_those_of_the_standard,
        names_of_tools_are_known_in_any_case,
        bare_repositories_are_known_by_what_git_asks_for,
        names_come_back,
        records_come_back_as_they_were,
        records_are_whole_or_refused,
        records_are_bounded,
        no_link_is_followed,
        removal_empties_anything,
        unknown_repositories_go_and_come_back,
        the_workspace_itself_is_no_repository,
        nothing_known_without_a_record,
        a_record_that_cannot_be_written_is_no_beginning,
    };
    char command[128];
    CHECK(mkdtemp(directory) != NULL);
    (void)snprintf(command, sizeof command, "cd %s && mkdir w s r", directory);
    CHECK(system(command) == 0);
    for (size_t i = 0; i < NELEM(tests); i++) {
        tests[i]();
        sh("rm -rf ../s/* ../r/*");
    }
    (void)snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", directory, directory);
    CHECK(system(command) == 0);
    return printf("%zu passed, 0 failed\n", NELEM(tests)) < 0;
}
