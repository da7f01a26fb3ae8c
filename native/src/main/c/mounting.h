/*
 * What building the view needs of the kernel: paths that follow no symbolic link, and mount attributes. No path is ever
 * resolved through a link: what is in a workspace is not ours, and may change under us.
 */
#pragma once

#include "sequence.h"

#define ATTRIBUTE_RDONLY 1u
#define ATTRIBUTE_NOSUID 2u
#define ATTRIBUTE_NODEV 4u
#define ATTRIBUTE_NOEXEC 8u

#define FD_PATH_SIZE 40
#define OVERLAY_MAGIC 0x794c7630 /* OVERLAYFS_SUPER_MAGIC of <linux/magic.h> */

/* What to make of a missing component of a path. */
enum create { CREATE_NOTHING, CREATE_DIRECTORY, CREATE_FILE };

/* The name by which mount(2) takes a descriptor. */
const char *fd_path(char text[FD_PATH_SIZE], int fd);

/*
 * Walks an absolute, canonical path below root without following any symbolic link, the last component included.
 * Missing components are made when asked for: directories on the way, `create` at the end. An O_PATH descriptor, or -1.
 */
int walk(int root, const char *path, enum create create);

/* The same from the process's root, for what exists. */
int walk_from_root(const char *path);

/*
 * Sets attributes of the mount that fd lies on, and of those below it when recursive; never clears any. By
 * mount_setattr(2) (Linux 5.12), before that by remounting one mount after the other. 0, or -1 with errno.
 */
int set_attributes(int fd, bool recursive, unsigned attributes);

/* One line of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
struct mount_line {
    uint64_t id;
    uint64_t parent;
    const char *path;
    const char *options; /* of the mount: ro, nosuid, ... */
};

/* Cuts the next line off *text, in place. False at the end, and at a line that cannot be read, which then stays. */
bool next_mount(char **text, struct mount_line *line);

bool is_below(const char *path, const char *directory);

/* The step that this step's target lies in. NULL when it lies in the root. */
const struct mount_step *step_around(const struct context *context, size_t step);

/* Nothing of the host is seen around this step's target: there was to be an overlay, and there is its upper layer. */
bool is_in_upper_layer(const struct context *context, size_t step);

/*
 * Whether a walk to a hidden path that ended with this error shows that the path does not exist, so that it needs no
 * cover: nothing is there (a plan may be made for a container's image), or a build made something else of what leads
 * there in the upper layer of an overlay, which then covers what the host has.
 */
bool cannot_exist(const struct context *context, size_t step, int error);
