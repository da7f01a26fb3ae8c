/* Files by descriptor: what every part of the helper does with a tree. No function follows a link. */
#pragma once

#include "helper.h"

#include <sys/stat.h>

#define LISTING_SIZE 8192 /* of getdents64(2); a name takes 280 bytes at most */

/* A directory that is being listed. */
struct listing {
    int fd;
    size_t at;
    size_t filled;
    _Alignas(8) char buffer[LISTING_SIZE];
};

/* Starts at the first name again. */
int listing_begin(struct listing *listing, int fd);

/* The next name, `.` and `..` left out. 1, 0 at the end, or -1. type is DT_UNKNOWN where the file system does not tell.
 */
int listing_next(struct listing *listing, const char **name, unsigned char *type);

/* d_type of a name; DT_UNKNOWN when it cannot be told. */
unsigned char type_of(int parent, const char *name);

enum crossing { STAY_ON_MOUNT, CROSS_MOUNTS };

/*
 * Opens a directory for reading; name is one component. When its owner is this user and has no right to list it, the
 * mode becomes 0700. -1 with errno.
 */
int open_directory(int parent, const char *name, enum crossing crossing);

/* The directory that an O_PATH descriptor is for. */
int reopen_directory(int fd);

/* Opens a regular file for reading. EINVAL for anything else. */
int open_file(int parent, const char *name, struct stat *status);

/* Gives the owner of a directory all rights, where this user is the owner. 0 or -1. */
int grant(int parent, const char *name);
int grant_fd(int fd, mode_t mode);

/*
 * rename(2) of one component to another place, never over something. Restores rights where they are missing. EEXIST
 * when there is something.
 */
int move_entry(int from, const char *name, int to, const char *new_name);

/* Cannot be left again once it is in. A path below the workspace, in bytes. */
#define PATH_DEPTH 256
#define PATH_SIZE (PATH_DEPTH * (NAME_MAX + 1) + 1)

struct path {
    char text[PATH_SIZE];
    size_t length;
};

/* False when there is no room. */
bool path_push(struct path *path, const char *name);
void path_cut(struct path *path, size_t length);
