/* Small helpers that every file of the launcher uses. No I/O beyond file descriptors, no allocation. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NELEM(array) (sizeof(array) / sizeof((array)[0]))

/* Closes a descriptor and forgets it; errno survives, so that it can stand between a failure and its report. */
void close_fd(int *fd);

/* int fd CLEANUP_FD = ...; is closed at the end of its scope. */
#define CLEANUP_FD __attribute__((cleanup(close_fd)))

/* write(2) until all is written. 0, or -1 with errno. */
int write_all(int fd, const void *data, size_t size);

/*
 * Reads a whole small file into buffer, at most size - 1 bytes, and ends it with NUL. Returns the length, or -1 with
 * errno (EFBIG when it does not fit).
 */
ssize_t read_file_at(int dir, const char *path, char *buffer, size_t size);

/* Writes text to an existing file in one write(2), as the kernel's own files want it. 0, or -1 with errno. */
int write_file(const char *path, const char *text);

/* A whole decimal number in [0, max] and nothing else. */
bool parse_number(const char *text, uint64_t max, uint64_t *value);

/* CLOCK_MONOTONIC in milliseconds. */
int64_t now_ms(void);

/*
 * Copies text into out so that it is one printable line of UTF-8: control characters and bytes that are not UTF-8
 * become '?'. Cut at a character boundary; always ends with NUL. size >= 1.
 */
void printable_copy(char *out, size_t size, const char *text);
