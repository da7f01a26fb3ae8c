/*
 * The helper: what the launcher does instead of execve(2) when the plan names a job. It works on trees that builds have
 * made, and treats every name, type, mode and content in them as hostile:
 *
 *   - it never leaves the descriptors that it was given, and follows no link;
 *   - it opens directories and regular files only;
 *   - it uses the same memory for any tree;
 *   - it does not stop at an error: it reports the problem and goes on with the rest.
 *
 * Its output goes to stdout: words, each followed by NUL (helper_output.c has the grammar).
 */
#pragma once

#include "util.h"

#include <limits.h>
#include <sys/types.h>

enum job {
    JOB_NONE,
    JOB_REMOVE, /* removes everything in a directory */
    JOB_BEGIN,  /* records the repositories of a workspace, then puts quarantined ones back */
    JOB_CHECK,  /* quarantines what the record does not know; the record stays */
    JOB_ADOPT,  /* as JOB_BEGIN, for a block that is open: replaces its record */
    JOB_END,    /* as JOB_CHECK; then removes the record */
};

bool job_parse(const char *name, enum job *job);

/* O_PATH descriptors of directories, or -1. */
struct places {
    int directory; /* to be emptied; or the workspace */
    int store;     /* where quarantined entries go; -1: nowhere, they are renamed in place */
    int records;   /* where the record is kept; no build can write there */
};

/* Does the job, and writes its result to the descriptor. 0 when it is complete, else 1. */
int helper_run(enum job job, const struct places *places, int out);
