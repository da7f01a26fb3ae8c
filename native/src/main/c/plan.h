/*
 * The plan: what one launch asks of the launcher, parsed from the command line and from --args. Parsing reads hostile
 * input and touches nothing but the plan; opening the files it names is main's work.
 */
#pragma once

#include "helper.h"
#include "primitives.h"

#include <linux/filter.h>

#define PLAN_VERSION "1"
#define ARGS_MAX_BYTES ((size_t)1 << 20)
#define ARGS_MAX_WORDS 8192
#define MOUNTS_MAX 640 /* each holds a descriptor while the view is built, and 1024 is the usual limit */
#define VARIABLES_MAX 1024
#define GATE_TIMEOUT_DEFAULT 60
#define GRACE_DEFAULT 5
#define CPUS_MAX 1024 /* CPU_SETSIZE of the C library */

enum mount_kind { MOUNT_BIND, MOUNT_TMPFS, MOUNT_OVERLAY, MOUNT_DEV, MOUNT_HIDE, MOUNT_SYMLINK };

/* What the view starts from. */
enum root {
    ROOT_READ_ONLY, /* the host's tree, read-only and nosuid */
    ROOT_HOST,      /* the host's tree as it is */
    ROOT_EMPTY,     /* nothing: only what is mounted exists */
};

/* One mount of the view. Paths are absolute and canonical: no symbolic link, `.`, `..` or `//` in them. */
struct mount_step {
    enum mount_kind kind;
    bool read_only;     /* bind */
    bool noexec;        /* bind, tmpfs, overlay */
    bool or_read_only;  /* overlay: where the kernel makes none, the lower layer alone, read-only */
    bool durable;       /* overlay: what is written there is to survive a crash of the machine */
    bool control;       /* bind: holds what the agent reads afterwards, so Landlock allows plain files only in it */
    const char *source; /* bind; the text of a symbolic link */
    const char *target;
    const char *upper; /* overlay */
    const char *work;  /* overlay */
    uint64_t size;     /* tmpfs: bytes, 0 for the kernel's default */
};

enum run_mode { MODE_RUN, MODE_PROBE, MODE_RIGHTS, MODE_HELP, MODE_VERSION };

struct plan {
    enum run_mode mode;
    primitive_set asked;
    primitive_set required;
    enum level minimum;
    bool standard; /* the profile is `standard`, whose best level is BASELINE */
    enum root root;
    bool keep_background; /* init stays until the last process ends, not only
                             until the command does */
    uint64_t gate_timeout_s;
    uint64_t grace_s;
    uint64_t limits[PRIMITIVE_COUNT]; /* for the rlimit rows: seconds, bytes or a
                                         count */
    primitive_set limited;
    uint64_t memory;         /* of the launch as a whole: bytes, 0 for no limit */
    uint64_t pids;           /* processes and threads, 0 for no limit */
    uint64_t cpu_quota;      /* per cent of one processor, 0 for no limit */
    uint64_t cpu_time_s;     /* of all processes together, 0 for no limit */
    uint64_t wall_time_s;    /* from the command's start, 0 for no limit */
    const char *task_result; /* where a durable task's status is expected; NULL for none */
    const char *task_log;
    const char *block_file;  /* the launch ends when it is removed or written to; NULL for none */
    const char *workspace;   /* whose size is limited; NULL for none */
    uint64_t workspace_size; /* bytes */
    const char *cpus;        /* "0-3,8", checked; NULL for all */
    struct mount_step mounts[MOUNTS_MAX];
    size_t mount_count;
    const char *variables[VARIABLES_MAX]; /* names: to be dropped, or the only ones to be kept */
    size_t variable_count;
    bool keep_variables;
    const char *rights; /* MODE_RIGHTS: the directory to restore the rights of */
    const char *profile;
    const char *args_file;
    const char *report_file;
    const char *gate_file;
    const char *filter_file;
    enum job job; /* of the helper, in place of a command */
    const char *job_directory;
    const char *job_store; /* NULL: there is none */
    const char *job_records;
    char **command; /* NULL-terminated; NULL when there is none */
};

/* Why parsing stopped; printable. */
struct problem {
    char text[512];
};

/* The values that hold before any option is read. */
void plan_init(struct plan *plan);

/*
 * Takes over the options in words (without the program's name). --args is only noted in args_file. words must outlive
 * the plan. False with a problem that names the word.
 */
bool plan_parse(struct plan *plan, char **words, size_t count, bool from_file, struct problem *problem);

/*
 * Splits the content of an --args file (size bytes, followed by a NUL of the caller's) into words, in place. Checks
 * magic, version and the closing word, so that a cut file is no plan. Returns the number of option words and where
 * they start, or false with a problem.
 */
bool plan_split(char *content, size_t size, char **words, size_t max, size_t *count, struct problem *problem);

/* Whether a processor is in a list as --cpus takes it; in none when list is not one. */
bool cpu_is_listed(const char *list, unsigned cpu);

/* What only shows when all options are known. */
bool plan_check(const struct plan *plan, struct problem *problem);
