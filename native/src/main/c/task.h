/*
 * A durable task of Jenkins: the command ends at once, and what it leaves behind does the work. That writes its status
 * into a control directory, which the agent reads and then removes. A loop beside it waits for the status; where the
 * directory is a mount, it never sees the removal (rmdir(2) of a mounted directory leaves it in place, with a link
 * count of 0).
 */
#pragma once

#include "plan.h"

#define TASK_LOOK_MS 1000 /* for a removal, which nothing tells of, and where there is no inotify(7) */

struct task {
    const char *result; /* the name of the status file in its directory; NULL: there is no task, or it is not watched */
    int directory;
    int events; /* -1: inotify(7) is not to be had */
    bool over;
    int status; /* -1: not known */
};

/* To be called before the command starts. Where the directory cannot be reached, nothing is watched. */
void task_watch(struct task *task, const struct plan *plan);

/* Looks at the directory. True once: when the status is there, or the directory is gone. */
bool task_ends(struct task *task);
