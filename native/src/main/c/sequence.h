/*
 * The sequence: one ordered table of primitives, each with `apply` and `verify`. A primitive counts as applied only
 * when its read-back from the kernel agrees. Three of our processes walk the same table, each doing the rows of its
 * stage; they share the outcomes, and never run at the same time.
 */
#pragma once

#include "cgroup.h"
#include "plan.h"

#include <stdatomic.h>
#include <sys/types.h>

/* Which process does a row. Verification may belong to a later stage than application. */
enum stage {
    STAGE_SETUP,   /* the process that unshares; outside of the new pid namespace, gone before the command runs */
    STAGE_INIT,    /* pid 1 of the new pid namespace; builds the view, stays, reaps */
    STAGE_COMMAND, /* becomes the command */
};

#define MAX_OWN_FDS (9 + CGROUP_FDS_MAX)

/* Why a primitive did not come about. */
struct failure {
    enum status status; /* FAILED or UNAVAILABLE */
    int error;
    char detail[DETAIL_SIZE];
};

/* Mapped MAP_SHARED before the first fork; it is not mapped in the command, which starts with execve(2). */
struct shared {
    struct outcome outcomes[PRIMITIVE_COUNT];
    primitive_set pending;   /* applied, to be verified by a later stage */
    struct failure trial;    /* of a process that tried something out before we do it */
    pid_t init_pid;          /* of an init that was born into its namespaces, as the outside knows it */
    _Atomic bool broken;     /* the kernel makes views and this one failed: nothing may run, whatever the minimum is */
    _Atomic unsigned joined; /* which hierarchies' leaves the command is in, a bit for each */
    _Atomic bool reported;   /* the first part of the report was written */
    _Atomic bool started;    /* the command was let go: its exit status is the launcher's */
    _Atomic bool ended;      /* the command ended, with this status of wait(2) */
    _Atomic int status;
    _Atomic bool finished;   /* nobody is left, and init is about to end too */
    _Atomic int exec_error;  /* errno of the execve(2) that failed, else 0 */
    _Atomic int exec_status; /* 126 or 127 then */
};

/* A directory, whatever it is called. inode 0 for none. */
struct identity {
    dev_t device;
    ino_t inode;
};

struct context {
    const struct plan *plan;
    struct shared *shared;
    uid_t uid; /* the caller's, effective */
    gid_t gid;
    int own_fds[MAX_OWN_FDS]; /* what close_fds leaves open, ascending from 3 */
    size_t own_fd_count;
    char namespaces[PRIMITIVE_COUNT][64]; /* "pid:[4026531836]": where we came from */
    struct sock_filter *filter;           /* the seccomp program; NULL when the plan has none */
    unsigned short filter_length;
    struct places places; /* of the plan's job */
    char cwd[4096];
    long keyring_left; /* the session keyring that the launch came with; -1: there are none, or they are out of reach */
    bool groups_left;  /* the supplementary groups, where we had the capability to */
    bool oom_raised;   /* oom_score_adj, of everybody inside */
    struct cgroup cgroup;
    struct failure cgroup_failure; /* why a limit of the plan is not set there */
    bool bounding_kept; /* no capability to reduce the bounding set with, and no_new_privs that makes it moot */
    int born_in;        /* CLONE_NEW...: the namespaces that this process was cloned into, and need not enter */
    int proc_self;      /* /proc/self of the host, for reading the view back before it has a /proc of its own; or -1 */
    /* Of each mount step: what shows there in the place of an overlay that the kernel did not make. */
    struct identity instead[MOUNTS_MAX];
    /* Of each step that hides: the directory or file of the host's that it is about, where the command could open it.
     */
    struct identity covered[MOUNTS_MAX];
    /* Of each step that hides: nothing had to be mounted, since an overlay does not show the file any more. */
    bool left_out[MOUNTS_MAX];
};

/* Both record and return -1, for `return failed(...)`. The text names the operation and its object. */
int failed(struct failure *failure, int error, const char *format, ...) PRINTF_LIKE(3, 4);
int unavailable(struct failure *failure, int error, const char *format, ...) PRINTF_LIKE(3, 4);

/* Something worth knowing about a row that is applied all the same. */
void note(struct context *context, enum primitive primitive, const char *format, ...) PRINTF_LIKE(3, 4);

struct primitive_row {
    enum stage applied_in;
    enum stage verified_in;
    primitive_set needs; /* must be applied before this is attempted */
    bool needs_admin;    /* CAP_SYS_ADMIN over the current user namespace */
    int (*apply)(struct context *context, struct failure *failure);
    int (*verify)(struct context *context, struct failure *failure);
};

/* Does this stage's rows in order and records their outcomes. */
void sequence_run(struct context *context, enum stage stage);

/* After the last stage: what nobody came to read back is not applied. */
void sequence_finish(struct context *context);

bool is_applied(const struct context *context, enum primitive primitive);

/*
 * Whether this row is to be done: because the plan asks for it, or in the place of one that it asks for and that did
 * not come about. landlock_net stands in for network_namespace, never beside it: it would take loopback away as well.
 * rlimit_data stands in for the cgroup's limit on memory, never beside it: it counts what is only reserved.
 */
bool is_wanted(const struct context *context, enum primitive primitive);

/* session.c */
/*
 * Supplementary groups open what an agent with privileges is a member for (a socket of group docker), also in a user
 * namespace that does not map them. Only who has CAP_SETGID can leave them, and not in a user namespace of ours: an
 * ordinary user keeps his own. Part of row session, and done before there are namespaces.
 */
void leave_groups(struct context *context);
int session_apply(struct context *context, struct failure *failure);
int session_verify(struct context *context, struct failure *failure);
int close_fds_apply(struct context *context, struct failure *failure);
int close_fds_verify(struct context *context, struct failure *failure);
/* Closes all but 0 to 2 and own_fds, by a process that may not open anything any more. 0 or -1. */
int close_others(const struct context *context);
/* A session of the command's own, apart from init's: `kill 0` inside must not reach init. 0 or -1. */
int session_lead(void);
/* The view's /dev/null in the place of the host's, on 0, 1 and 2: root could change the mode of the latter. 0 or -1. */
int session_own_null(void);
/* Back to what a program expects at its start: nothing blocked. For the command's process, last thing. */
int unblock_signals(void);

/* environment.c */
int environment_apply(struct context *context, struct failure *failure);
int environment_verify(struct context *context, struct failure *failure);

/* namespaces.c */
int namespaces_remember(struct context *context);

/*
 * The flags for clone(2) by which init is born into all namespaces that the plan asks for; 0 when each must be entered
 * by itself: without a user namespace, whose owner may make the others.
 */
int namespaces_at_once(const struct context *context);

int user_namespace_apply(struct context *context, struct failure *failure);
int user_namespace_verify(struct context *context, struct failure *failure);
int pid_namespace_apply(struct context *context, struct failure *failure);
int pid_namespace_verify(struct context *context, struct failure *failure);
int mount_namespace_apply(struct context *context, struct failure *failure);
int mount_namespace_verify(struct context *context, struct failure *failure);
int ipc_namespace_apply(struct context *context, struct failure *failure);
int ipc_namespace_verify(struct context *context, struct failure *failure);
int uts_namespace_apply(struct context *context, struct failure *failure);
int uts_namespace_verify(struct context *context, struct failure *failure);
int cgroup_namespace_apply(struct context *context, struct failure *failure);
int cgroup_namespace_verify(struct context *context, struct failure *failure);
int network_namespace_apply(struct context *context, struct failure *failure);
int network_namespace_verify(struct context *context, struct failure *failure);

/* filesystem.c */
int filesystem_apply(struct context *context, struct failure *failure);
int filesystem_verify(struct context *context, struct failure *failure);
int proc_apply(struct context *context, struct failure *failure);
int proc_verify(struct context *context, struct failure *failure);

/* limits.c */
/* The soft limit for a hard one: a second less, so that the process hears SIGXCPU before it is killed. */
uint64_t rlimit_cpu_soft(uint64_t hard);
int rlimit_cpu_apply(struct context *context, struct failure *failure);
int rlimit_cpu_verify(struct context *context, struct failure *failure);
int rlimit_nofile_apply(struct context *context, struct failure *failure);
int rlimit_nofile_verify(struct context *context, struct failure *failure);
int rlimit_as_apply(struct context *context, struct failure *failure);
int rlimit_as_verify(struct context *context, struct failure *failure);
int rlimit_data_apply(struct context *context, struct failure *failure);
int rlimit_data_verify(struct context *context, struct failure *failure);
int rlimit_nproc_apply(struct context *context, struct failure *failure);
int rlimit_nproc_verify(struct context *context, struct failure *failure);
int rlimit_fsize_apply(struct context *context, struct failure *failure);
int rlimit_fsize_verify(struct context *context, struct failure *failure);
int rlimit_core_apply(struct context *context, struct failure *failure);
int rlimit_core_verify(struct context *context, struct failure *failure);
int rlimit_stack_apply(struct context *context, struct failure *failure);
int rlimit_stack_verify(struct context *context, struct failure *failure);
int rlimit_memlock_apply(struct context *context, struct failure *failure);
int rlimit_memlock_verify(struct context *context, struct failure *failure);
int cpu_affinity_apply(struct context *context, struct failure *failure);
int cpu_affinity_verify(struct context *context, struct failure *failure);
int cgroup_apply(struct context *context, struct failure *failure);
int cgroup_verify(struct context *context, struct failure *failure);
/*
 * The launch's group, made before any namespace is entered: from inside, the way to it cannot be seen. Also when the
 * row is not asked for: then only to count in, where there is one to be had.
 */
void cgroup_prepare(struct context *context);
/* Moves the process that becomes the command into it. */
void cgroup_enter(struct context *context);

/* workspace.c */
int workspace_size_apply(struct context *context, struct failure *failure);
int workspace_size_verify(struct context *context, struct failure *failure);

/* landlock.c */
int landlock_fs_apply(struct context *context, struct failure *failure);
int landlock_fs_verify(struct context *context, struct failure *failure);
int landlock_net_apply(struct context *context, struct failure *failure);
int landlock_net_verify(struct context *context, struct failure *failure);
int landlock_scope_apply(struct context *context, struct failure *failure);
int landlock_scope_verify(struct context *context, struct failure *failure);

/* privileges.c */
int no_new_privs_apply(struct context *context, struct failure *failure);
int no_new_privs_verify(struct context *context, struct failure *failure);
int capabilities_apply(struct context *context, struct failure *failure);
int capabilities_verify(struct context *context, struct failure *failure);
int seccomp_apply(struct context *context, struct failure *failure);
int seccomp_verify(struct context *context, struct failure *failure);
/* Refuses sockets of the internet families, by a filter of its own: Landlock knows TCP only. 0 or -1. */
int refuse_internet_sockets(void);
bool has_capability(int capability);
/* Takes init's privileges away but for one that is of no use and keeps the command from tracing it. 0 or -1. */
int shield_init(void);
