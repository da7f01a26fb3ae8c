#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

void close_fd(int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        (void)close(*fd); /* nothing of ours depends on what close(2) says: no file
                             is written through here */
        errno = saved;
        *fd = -1;
    }
}

int write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

ssize_t read_file_at(int dir, const char *path, char *buffer, size_t size)
{
    int fd CLEANUP_FD = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -1;
    size_t used = 0;
    for (;;) {
        if (used == size) {
            errno = EFBIG;
            return -1;
        }
        ssize_t n = read(fd, buffer + used, size - used);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (n == 0)
            break;
        used += (size_t)n;
    }
    if (used == size) {
        errno = EFBIG;
        return -1;
    }
    buffer[used] = '\0';
    return (ssize_t)used;
}

int write_file(const char *path, const char *text)
{
    int fd CLEANUP_FD = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -1;
    size_t size = strlen(text);
    ssize_t n;
    do
        n = write(fd, text, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -1;
    if ((size_t)n != size) {
        errno = EIO;
        return -1;
    }
    return 0;
}

bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
    if (*text == '\0')
        return false;
    uint64_t sum = 0;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    if (sum > max)
        return false;
    *value = sum;
    return true;
}

int64_t now_ms(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        return 0; /* cannot fail for this clock; a time-out that never fires is the
                     worst of it */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The length of the UTF-8 character at text, or 0 when there is none (truncated, overlong, surrogate, too large). */
static size_t utf8_length(const unsigned char *text)
{
    unsigned char c = text[0];
    size_t length = c < 0x80                 ? 1
                    : c >= 0xC2 && c <= 0xDF ? 2
                    : c >= 0xE0 && c <= 0xEF ? 3
                    : c >= 0xF0 && c <= 0xF4 ? 4
                                             : 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    if ((c == 0xE0 && text[1] < 0xA0) || (c == 0xED && text[1] > 0x9F) || (c == 0xF0 && text[1] < 0x90) ||
        (c == 0xF4 && text[1] > 0x8F))
        return 0;
    return length;
}

void printable_copy(char *out, size_t size, const char *text)
{
    const unsigned char *in = (const unsigned char *)text;
    size_t used = 0;
    while (*in != '\0') {
        size_t length = utf8_length(in);
        bool plain = length > 1 ? !(in[0] == 0xC2 && in[1] < 0xA0) : length == 1 && *in >= 0x20 && *in != 0x7F;
        size_t room = plain ? length : 1;
        if (used + room >= size)
            break;
        if (plain)
            memcpy(out + used, in, length);
        else
            out[used] = '?';
        used += room;
        in += length > 0 ? length : 1;
    }
    out[used] = '\0';
}
