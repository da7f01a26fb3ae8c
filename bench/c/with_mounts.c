/*
 * with_mounts COUNT DIRECTORY COMMAND [ARG...]: runs the command in a mount namespace that has COUNT more mounts, below
 * DIRECTORY. In a user namespace of the caller's own id, so that it needs no privilege.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "with_mounts: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) != 0)
        fail(path);
}

int main(int argc, char **argv)
{
    char text[4096];
    unsigned uid = geteuid(), gid = getegid();
    if (argc < 4) {
        fprintf(stderr, "usage: with_mounts COUNT DIRECTORY COMMAND [ARG...]\n");
        return 2;
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        fail("unshare");
    put("/proc/self/setgroups", "deny");
    snprintf(text, sizeof text, "%u %u 1", uid, uid);
    put("/proc/self/uid_map", text);
    snprintf(text, sizeof text, "%u %u 1", gid, gid);
    put("/proc/self/gid_map", text);
    for (int i = 0; i < atoi(argv[1]); i++) {
        snprintf(text, sizeof text, "%s/%d", argv[2], i);
        if (mkdir(text, 0755) != 0 && errno != EEXIST)
            fail(text);
        if (mount(text, text, NULL, MS_BIND, NULL) != 0)
            fail(text);
    }
    execvp(argv[3], argv + 3);
    fail(argv[3]);
}
