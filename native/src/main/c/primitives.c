#include "primitives.h"

#include <string.h>

static const char *const names[PRIMITIVE_COUNT] = {
    [SESSION] = "session",
    [CLOSE_FDS] = "close_fds",
    [ENVIRONMENT] = "environment",
    [CGROUP] = "cgroup",
    [WORKSPACE_SIZE] = "workspace_size",
    [USER_NAMESPACE] = "user_namespace",
    [PID_NAMESPACE] = "pid_namespace",
    [MOUNT_NAMESPACE] = "mount_namespace",
    [IPC_NAMESPACE] = "ipc_namespace",
    [UTS_NAMESPACE] = "uts_namespace",
    [CGROUP_NAMESPACE] = "cgroup_namespace",
    [NETWORK_NAMESPACE] = "network_namespace",
    [FILESYSTEM] = "filesystem",
    [PROC] = "proc",
    [RLIMIT_ROW_CPU] = "rlimit_cpu",
    [RLIMIT_ROW_NOFILE] = "rlimit_nofile",
    [RLIMIT_ROW_AS] = "rlimit_as",
    [RLIMIT_ROW_DATA] = "rlimit_data",
    [RLIMIT_ROW_NPROC] = "rlimit_nproc",
    [RLIMIT_ROW_FSIZE] = "rlimit_fsize",
    [RLIMIT_ROW_CORE] = "rlimit_core",
    [RLIMIT_ROW_STACK] = "rlimit_stack",
    [RLIMIT_ROW_MEMLOCK] = "rlimit_memlock",
    [CPU_AFFINITY] = "cpu_affinity",
    [NO_NEW_PRIVS] = "no_new_privs",
    [CAPABILITIES] = "capabilities",
    [LANDLOCK_FS] = "landlock_fs",
    [LANDLOCK_NET] = "landlock_net",
    [LANDLOCK_SCOPE] = "landlock_scope",
    [SECCOMP] = "seccomp",
};

static const char *const levels[] = {
    [LEVEL_NONE] = "NONE",
    [LEVEL_BASELINE] = "BASELINE",
    [LEVEL_PARTIAL] = "PARTIAL",
    [LEVEL_FULL] = "FULL",
};

const char *primitive_name(enum primitive primitive)
{
    return names[primitive];
}

bool primitive_parse(const char *name, enum primitive *primitive)
{
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++)
        if (strcmp(name, names[i]) == 0) {
            *primitive = (enum primitive)i;
            return true;
        }
    return false;
}

const char *status_name(enum status status)
{
    switch (status) {
    case SKIPPED:
        return "skipped";
    case APPLIED:
        return "applied";
    case FAILED:
        return "failed";
    case UNAVAILABLE:
        break;
    }
    return "unavailable";
}

const char *level_name(enum level level)
{
    return levels[level];
}

bool level_parse(const char *name, enum level *level)
{
    for (size_t i = 0; i < NELEM(levels); i++)
        if (strcmp(name, levels[i]) == 0) {
            *level = (enum level)i;
            return true;
        }
    return false;
}

enum level level_of(bool standard, primitive_set asked, const struct outcome outcomes[PRIMITIVE_COUNT])
{
    primitive_set applied = 0;
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++)
        if (outcomes[i].status == APPLIED)
            applied |= BIT(i);
    applied &= asked;
    bool all = asked != 0 && applied == asked;
    if (standard)
        return all ? LEVEL_BASELINE : LEVEL_NONE;
    if (all)
        return LEVEL_FULL;
    return applied == 0 ? LEVEL_NONE : LEVEL_PARTIAL;
}
