/*
 * The control group of one launch: a leaf below a directory that was delegated to the caller's user. The command joins
 * it; init stays outside, since somebody has to be left to report when the kernel kills the group for its memory.
 */
#pragma once

#include "plan.h"

struct failure;

enum controller { CONTROLLER_MEMORY, CONTROLLER_PIDS, CONTROLLER_CPU, CONTROLLER_CPUACCT, CONTROLLER_COUNT };

#define CONTROLLER_BIT(controller) (1U << (controller))
#define CGROUP_NAME_SIZE 64
#define CGROUP_FDS_MAX (3 * CONTROLLER_COUNT)

/* One tree of control groups: version 2's only one, or one of version 1's (cgroups(7)). */
struct hierarchy {
    bool unified;         /* version 2 */
    unsigned controllers; /* that the leaf has: CONTROLLER_BITs */
    int parent;           /* directory that the leaf is in */
    int leaf;             /* the leaf's directory */
    int procs;            /* the leaf's cgroup.procs, opened for writing before any namespace was entered */
};

struct cgroup {
    char name[CGROUP_NAME_SIZE]; /* of the leaf, the same in each hierarchy */
    struct hierarchy hierarchies[CONTROLLER_COUNT];
    size_t count;
    unsigned held; /* controllers whose limit was set and read back */
};

/* What the kernel counted; -1 where there is nobody who counts. */
struct cgroup_counts {
    int64_t peak_bytes;
    int64_t user_us;
    int64_t system_us;
    int64_t oom_kills;
    int64_t refused_forks;
};

/*
 * Makes a leaf in each hierarchy that is needed for the plan's limits, and sets them. Whatever can be limited is, also
 * when another controller is missing. Without limits, a leaf is only made where it has something to count and nothing
 * has to be changed for it. 0, or -1 with the first failure.
 */
int cgroup_create(struct cgroup *cgroup, const struct plan *plan, struct failure *failure);

/*
 * Moves this process into its leaf of each hierarchy, which its descendants inherit. Returns a bit for each that it is
 * in; with a failure when one is missing, and then nothing counts as limited.
 */
unsigned cgroup_join(struct cgroup *cgroup, struct failure *failure);

/* Reads the limits back, by the process that has joined. 0 or -1; what does not hold is no longer held. */
int cgroup_check(struct cgroup *cgroup, const struct plan *plan, struct failure *failure);

/* joined: what cgroup_join() said; a leaf that nobody joined has counted nothing. */
void cgroup_count(const struct cgroup *cgroup, unsigned joined, struct cgroup_counts *counts);

/* KILL to everybody in the leaf at once, where the kernel can (version 2, Linux 5.14). */
void cgroup_kill(const struct cgroup *cgroup);

/* Takes the leaf away, once nobody is in it. */
void cgroup_remove(struct cgroup *cgroup);

/* The descriptors that the launcher's other processes need: their number. */
size_t cgroup_fds(const struct cgroup *cgroup, int fds[CGROUP_FDS_MAX]);
void cgroup_close(struct cgroup *cgroup);

/*
 * Pure, for the tests: where the controller's control group of this process is, from the text of /proc/self/cgroup and
 * /proc/self/mountinfo. The mount point's length goes to root, so that a search upwards knows where to stop. False when
 * it cannot be seen from here.
 */
bool cgroup_find(const char *controller, const char *groups, const char *mounts, bool *unified, char *path, size_t size,
                 size_t *root);
