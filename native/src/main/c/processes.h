/* The processes of the sandbox as /proc shows them: for launches without a pid namespace, and for their CPU time. */
#pragma once

#include "util.h"

#include <sys/types.h>

struct process {
    pid_t pid;
    pid_t parent;
    bool ours; /* a descendant of the calling process */
    uint64_t threads;
    uint64_t cpu_ticks; /* its own CPU time and that of the children it waited for */
};

/*
 * All processes that can be seen, those that descend from the caller marked. Orphans are the caller's children when it
 * is their subreaper or pid 1. NULL when /proc cannot be read; to be freed otherwise.
 */
struct process *list_processes(size_t *count);

/* Marks as ours a process and its descendants, and nobody else. */
void mark_family(struct process *list, size_t count, pid_t root);
