#include "helper_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define RECORD_NAME "record"
#define NEW_NAME "record.new"
#define MAGIC "process-sandbox-record"
#define VERSION "1"

const char *kind_name(enum kind kind)
{
    static const char *const names[KIND_COUNT] = {"git-directory", "git-file", "bare", "hg", "bzr", "svn", "directory"};
    return names[kind];
}

int file_id_of(int fd, const char *name, struct file_id *id)
{
    struct statx status;
    union {
        struct file_handle handle;
        unsigned char room[sizeof(struct file_handle) + HANDLE_MAX];
    } of = {.handle = {.handle_bytes = HANDLE_MAX}};
    int mount;
    int empty = *name == '\0' ? AT_EMPTY_PATH : 0;
    memset(id, 0, sizeof *id);
    if (syscall(SYS_statx, fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | empty, STATX_INO | STATX_BTIME, &status) !=
        0) {
        struct stat old; /* before Linux 4.11, and under a filter that does not know statx(2) */
        if ((errno != ENOSYS && errno != EPERM) || fstatat(fd, name, &old, AT_SYMLINK_NOFOLLOW | empty) != 0)
            return -1;
        id->device = old.st_dev;
        id->inode = old.st_ino;
    } else {
        id->device = (uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor;
        id->inode = status.stx_ino;
        if ((status.stx_mask & STATX_BTIME) != 0) {
            id->birth_s = status.stx_btime.tv_sec;
            id->birth_ns = status.stx_btime.tv_nsec;
        }
    }
    /* Its generation number changes when the inode is used again. Not each file system has handles. */
    if (syscall(SYS_name_to_handle_at, fd, name, &of.handle, &mount, empty) == 0 &&
        of.handle.handle_bytes <= HANDLE_MAX) {
        id->handle_type = of.handle.handle_type;
        id->handle_size = of.handle.handle_bytes;
        memcpy(id->handle, of.room + sizeof(struct file_handle), of.handle.handle_bytes);
    }
    return 0;
}

bool file_id_equals(const struct file_id *a, const struct file_id *b)
{
    return a->device == b->device && a->inode == b->inode && a->birth_s == b->birth_s && a->birth_ns == b->birth_ns &&
           a->handle_type == b->handle_type && a->handle_size == b->handle_size &&
           memcmp(a->handle, b->handle, a->handle_size) == 0;
}

bool record_make(struct record *record)
{
    memset(record, 0, sizeof *record);
    record->known = calloc(KNOWN_MAX, sizeof *record->known);
    record->paths = malloc(RECORD_BYTES_MAX);
    if (record->known != NULL && record->paths != NULL)
        return true;
    record_free(record);
    return false;
}

void record_free(struct record *record)
{
    free(record->known);
    free(record->paths);
    memset(record, 0, sizeof *record);
}

bool record_add(struct record *record, const struct known *known)
{
    size_t size = strlen(known->path) + 1;
    if (record->count == KNOWN_MAX || size > KNOWN_PATH_MAX || size > RECORD_BYTES_MAX - record->paths_size)
        return false;
    char *path = record->paths + record->paths_size;
    memcpy(path, known->path, size);
    record->paths_size += size;
    record->known[record->count] = *known;
    record->known[record->count++].path = path;
    record->sorted = false;
    return true;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct known *)a)->path, ((const struct known *)b)->path);
}

const struct known *record_find(struct record *record, const char *path)
{
    const struct known wanted = {.path = path};
    if (!record->sorted)
        qsort(record->known, record->count, sizeof *record->known, by_path);
    record->sorted = true;
    return bsearch(&wanted, record->known, record->count, sizeof *record->known, by_path);
}

/* ---- the file ---- */

static void put_hex(struct output *output, const unsigned char *bytes, size_t size)
{
    char text[2 * HANDLE_MAX + 1];
    for (size_t i = 0; i < size; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    text[2 * size] = '\0';
    output_word(output, text);
}

void record_put(struct output *output, const struct known *known)
{
    char number[24];
    output_word(output, "entry");
    output_word(output, kind_name(known->kind));
    output_number(output, known->id.device);
    output_number(output, known->id.inode);
    (void)snprintf(number, sizeof number, "%lld", (long long)known->id.birth_s);
    output_word(output, number);
    output_number(output, known->id.birth_ns);
    (void)snprintf(number, sizeof number, "%d", known->id.handle_type);
    output_word(output, number);
    put_hex(output, known->id.handle, known->id.handle_size);
    put_hex(output, known->digest, sizeof known->digest);
    output_word(output, known->path);
}

/* The next word; NULL at the end. */
static const char *next_word(const char **text, const char *end)
{
    const char *word = *text;
    if (word >= end)
        return NULL;
    const char *stop = memchr(word, '\0', (size_t)(end - word));
    if (stop == NULL)
        return NULL;
    *text = stop + 1;
    return word;
}

/* Bytes as lower-case hexadecimal digits, at most max of them. */
static bool parse_hex(const char *text, unsigned char *bytes, size_t max, uint32_t *size)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = strlen(text);
    if (length % 2 != 0 || length / 2 > max)
        return false;
    for (size_t i = 0; i < length; i++) {
        const char *digit = strchr(digits, text[i]);
        if (digit == NULL)
            return false;
        unsigned value = (unsigned)(digit - digits);
        bytes[i / 2] = (unsigned char)(i % 2 == 0 ? value << 4 : (bytes[i / 2] | value));
    }
    *size = (uint32_t)(length / 2);
    return true;
}

static bool parse_signed(const char *text, uint64_t max, int64_t *value)
{
    uint64_t number;
    bool negative = *text == '-';
    if (!parse_number(text + negative, max, &number))
        return false;
    *value = negative ? -(int64_t)number : (int64_t)number;
    return true;
}

static bool parse_kind(const char *text, enum kind *kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(text, kind_name((enum kind)i)) == 0) {
            *kind = (enum kind)i;
            return true;
        }
    return false;
}

enum field { KIND, DEVICE, INODE, BIRTH_S, BIRTH_NS, HANDLE_TYPE, HANDLE, DIGEST, PATH, FIELDS };

static bool parse_entry(struct record *record, const char *const field[FIELDS])
{
    struct known known = {.path = field[PATH]};
    uint64_t nanoseconds;
    int64_t type;
    uint32_t size;
    if (!parse_kind(field[KIND], &known.kind) || !parse_number(field[DEVICE], UINT64_MAX, &known.id.device) ||
        !parse_number(field[INODE], UINT64_MAX, &known.id.inode) ||
        !parse_signed(field[BIRTH_S], INT64_MAX, &known.id.birth_s) ||
        !parse_number(field[BIRTH_NS], 999999999, &nanoseconds) ||
        !parse_signed(field[HANDLE_TYPE], INT32_MAX, &type) ||
        !parse_hex(field[HANDLE], known.id.handle, HANDLE_MAX, &known.id.handle_size) ||
        !parse_hex(field[DIGEST], known.digest, sizeof known.digest, &size) || size != sizeof known.digest)
        return false;
    known.id.birth_ns = (uint32_t)nanoseconds;
    known.id.handle_type = (int32_t)type;
    return record_add(record, &known);
}

bool record_parse(struct record *record, const char *text, size_t size)
{
    const char *end = text + size;
    const char *magic = next_word(&text, end);
    const char *version = next_word(&text, end);
    if (magic == NULL || version == NULL || strcmp(magic, MAGIC) != 0 || strcmp(version, VERSION) != 0)
        return false;
    for (;;) {
        const char *word = next_word(&text, end);
        if (word == NULL)
            return false;
        if (strcmp(word, "end") == 0)
            return text == end;
        const char *field[FIELDS] = {NULL};
        if (strcmp(word, "entry") != 0)
            return false;
        for (size_t i = 0; i < FIELDS; i++)
            if ((field[i] = next_word(&text, end)) == NULL)
                return false;
        if (!parse_entry(record, field))
            return false;
    }
}

int record_write(const struct record *record, int directory)
{
    int fd CLEANUP_FD = -1;
    if (unlinkat(directory, NEW_NAME, 0) != 0 && errno != ENOENT)
        return -1;
    fd = openat(directory, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct output *output = fd < 0 ? NULL : malloc(sizeof *output);
    if (output == NULL)
        return -1;
    output->fd = fd;
    output->used = 0;
    output_word(output, MAGIC);
    output_word(output, VERSION);
    for (size_t i = 0; i < record->count; i++)
        record_put(output, &record->known[i]);
    output_word(output, "end");
    errno = 0;
    output_flush(output);
    bool written = output->fd >= 0;
    free(output);
    if (!written || fsync(fd) != 0) {
        int error = errno != 0 ? errno : EIO;
        (void)unlinkat(directory, NEW_NAME, 0); /* the next one removes it */
        errno = error;
        return -1;
    }
    if (renameat(directory, NEW_NAME, directory, RECORD_NAME) != 0)
        return -1;
    /* A crash of the machine must not bring the record back that was before, or none: the name is on the disk too. */
    int listed CLEANUP_FD = reopen_directory(directory);
    return listed >= 0 && (fsync(listed) == 0 || errno == EINVAL) ? 0 : -1;
}

int record_read(struct record *record, int directory)
{
    struct stat status;
    int fd CLEANUP_FD = open_file(directory, RECORD_NAME, &status);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    if (status.st_size < 0 || (uint64_t)status.st_size > RECORD_BYTES_MAX) {
        errno = EFBIG;
        return -1;
    }
    size_t size = (size_t)status.st_size;
    char *text = malloc(size + 1);
    if (text == NULL)
        return -1;
    size_t used = 0;
    ssize_t n = 1;
    while (used < size && (n = read(fd, text + used, size - used)) > 0)
        used += (size_t)n;
    text[used] = '\0';
    bool good = n >= 0 && record_parse(record, text, used);
    free(text);
    if (good)
        return 1;
    record->count = 0; /* half a record knows nothing */
    record->paths_size = 0;
    errno = EBADMSG;
    return -1;
}

int record_remove(int directory)
{
    return unlinkat(directory, RECORD_NAME, 0) == 0 || errno == ENOENT ? 0 : -1;
}
