/* What tools outside of the sandbox could obey: kinds, identities, digests, and the record of what a block found. */
#pragma once

#include "helper_job.h"
#include "sha256.h"

enum kind {
    KIND_GIT_DIRECTORY, /* `.git`, a directory */
    KIND_GIT_FILE,      /* `.git`, anything else */
    KIND_BARE,          /* a directory that git takes for a repository */
    KIND_HG,
    KIND_BZR,
    KIND_SVN,
    KIND_DIRECTORY, /* one that cannot be looked into */
    KIND_COUNT
};

const char *kind_name(enum kind kind);

#define HANDLE_MAX 128 /* MAX_HANDLE_SZ of name_to_handle_at(2) */

/* Tells a file from another one that takes its place, also when the kernel gives the new one the old inode number. */
struct file_id {
    uint64_t device;
    uint64_t inode;
    int64_t birth_s; /* 0 and 0 where the file system keeps no time of birth */
    uint32_t birth_ns;
    int32_t handle_type;
    uint32_t handle_size; /* 0 where the file system has no handles */
    unsigned char handle[HANDLE_MAX];
};

/* Of a name in a directory, or of fd itself when name is "". 0 or -1. */
int file_id_of(int fd, const char *name, struct file_id *id);
bool file_id_equals(const struct file_id *a, const struct file_id *b);

enum digest_result { DIGEST_DONE, DIGEST_UNREADABLE, DIGEST_TOO_LARGE };

#define LEAVES_MAX 262144
#define DIGEST_BYTES_MAX ((uint64_t)512 << 20)
#define DIGEST_DEPTH 64

/* helper_digest.c: over what the tool obeys in the directory that fd lists, or in the file of that name. */
enum digest_result digest_directory(enum kind kind, int fd, unsigned char digest[SHA256_SIZE]);
enum digest_result digest_file(int parent, const char *name, unsigned char digest[SHA256_SIZE]);

struct known {
    const char *path;
    enum kind kind;
    struct file_id id;
    unsigned char digest[SHA256_SIZE];
};

#define KNOWN_MAX 10000
#define KNOWN_PATH_MAX 4096 /* no tool reaches a longer path by its name */
#define RECORD_BYTES_MAX ((size_t)16 << 20)

struct record {
    struct known *known; /* KNOWN_MAX of them */
    size_t count;
    char *paths; /* RECORD_BYTES_MAX */
    size_t paths_size;
    bool sorted;
};

bool record_make(struct record *record);
void record_free(struct record *record);
/* False when there is no room. */
bool record_add(struct record *record, const struct known *known);
const struct known *record_find(struct record *record, const char *path);

/* Writes it down for good in place of the one before. 0 or -1. */
int record_write(const struct record *record, int directory);
/* Reads it as hostile. 1, 0 when there is none, or -1 with errno; EBADMSG for one that makes no sense. */
int record_read(struct record *record, int directory);
int record_remove(int directory);

/* Pure, for the tests: takes over what a record file says. text ends with NUL at text[size]. */
bool record_parse(struct record *record, const char *text, size_t size);
/* Pure: the words of one entry, as record_parse() reads them. */
void record_put(struct output *output, const struct known *known);
