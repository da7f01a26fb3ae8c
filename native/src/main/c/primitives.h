/*
 * The vocabulary of the launcher: primitives, how each ended, levels. Pure: no system call in here. The order of the
 * primitives is the order of the sequence and of the report.
 */
#pragma once

#include "util.h"

enum primitive {
    SESSION,
    CLOSE_FDS,
    ENVIRONMENT,
    CGROUP,
    WORKSPACE_SIZE,
    USER_NAMESPACE,
    PID_NAMESPACE,
    MOUNT_NAMESPACE,
    IPC_NAMESPACE,
    UTS_NAMESPACE,
    CGROUP_NAMESPACE,
    NETWORK_NAMESPACE,
    FILESYSTEM,
    PROC,
    RLIMIT_ROW_CPU,
    RLIMIT_ROW_NOFILE,
    RLIMIT_ROW_AS,
    RLIMIT_ROW_DATA,
    RLIMIT_ROW_NPROC,
    RLIMIT_ROW_FSIZE,
    RLIMIT_ROW_CORE,
    RLIMIT_ROW_STACK,
    RLIMIT_ROW_MEMLOCK,
    CPU_AFFINITY,
    NO_NEW_PRIVS,
    CAPABILITIES,
    LANDLOCK_FS,
    LANDLOCK_NET,
    LANDLOCK_SCOPE,
    SECCOMP,
    PRIMITIVE_COUNT
};

typedef uint32_t primitive_set;
_Static_assert(PRIMITIVE_COUNT <= 32, "primitive_set has 32 bits");
#define BIT(primitive) ((primitive_set)1 << (primitive))

enum status {
    SKIPPED, /* the plan did not ask for it */
    APPLIED, /* done, and read back from the kernel */
    FAILED,
    UNAVAILABLE, /* the kernel lacks it, or a primitive that it needs is not there
                  */
};

enum level { LEVEL_NONE, LEVEL_BASELINE, LEVEL_PARTIAL, LEVEL_FULL };

#define DETAIL_SIZE 256

struct outcome {
    enum status status;
    int error;                /* errno, or 0 when no system call failed */
    char detail[DETAIL_SIZE]; /* what was tried on what; printable, no newline */
};

const char *primitive_name(enum primitive primitive);
bool primitive_parse(const char *name, enum primitive *primitive);
const char *status_name(enum status status);
const char *level_name(enum level level);
bool level_parse(const char *name, enum level *level);

/*
 * The level over the primitives that were asked for: all applied FULL, none NONE, else PARTIAL. The profile
 * `standard` asks for so little that it is BASELINE at best, and NONE as soon as one of its rows is missing: PARTIAL
 * would rank above BASELINE. Asking for nothing is NONE.
 */
enum level level_of(bool standard, primitive_set asked, const struct outcome outcomes[PRIMITIVE_COUNT]);
