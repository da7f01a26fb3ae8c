/* What a launch uses and which of its limits it reaches: kept by init, looked at in its loop. */
#pragma once

#include "launch.h"

#include <sys/resource.h>

enum limit {
    LIMIT_MEMORY,
    LIMIT_PIDS,
    LIMIT_CPU_TIME,
    LIMIT_WALL_TIME,
    LIMIT_FILE_SIZE,
    LIMIT_SCRATCH,
    LIMIT_COUNT,
};

struct usage {
    const struct context *context;
    bool has_pid_namespace;
    int64_t started_ms;
    int64_t ended_ms;       /* of the durable task; 0: the end of everybody counts */
    int64_t look_at_all_ms; /* at what is there, next */
    int64_t look_at_ms;     /* at the CPU time, next */
    unsigned reached;       /* limits, a bit for each */
    unsigned ended_all;     /* those for which init ended everybody */
    uint64_t processors;    /* that can use up CPU time at once */
    uint64_t last_pid;      /* of the pid namespace, when last looked at */
    uint64_t pids_before;   /* those of its earlier rounds */
    uint64_t pid_max;
};

const char *limit_name(enum limit limit);

/* From now on the command runs. */
void usage_begin(struct usage *usage, const struct context *context, bool has_pid_namespace);

/*
 * The limit of time that has run out, LIMIT_COUNT when none has; then wait_ms is lowered to the time until the next
 * look. Whoever calls this ends everybody for it.
 */
enum limit usage_look(struct usage *usage, int *wait_ms);

/* Takes note of a process that has ended, if a limit was why. Returns that limit or LIMIT_COUNT. */
enum limit usage_ended(struct usage *usage, int status, const struct rusage *rusage);

/* Whether the kernel has killed in the launch's control group for want of memory. */
bool usage_out_of_memory(const struct usage *usage);

/* Who ended a launch that did not end by itself, apart from its limits. */
enum request {
    REQUEST_NONE,
    REQUEST_MET,    /* all ended when they were asked to */
    REQUEST_FORCED, /* some had to be killed */
};

/*
 * Writes the plan's --task files if a limit or a request has ended everybody: the wrapper that would have written down
 * the command's status was ended too. To be called when nobody is left, after usage_report().
 */
void usage_tell(const struct usage *usage, enum request request);

/* The lines of the report: `limit NAME VALUE`, each at most once, and `usage ...`. Returns their length. */
size_t usage_report(struct usage *usage, char *text, size_t size);
