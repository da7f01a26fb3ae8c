#include "sequence.h"

#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct primitive_row table[PRIMITIVE_COUNT] = {
    [SESSION] = {STAGE_SETUP, STAGE_COMMAND, 0, false, session_apply, session_verify},
    [CLOSE_FDS] = {STAGE_SETUP, STAGE_COMMAND, 0, false, close_fds_apply, close_fds_verify},
    [ENVIRONMENT] = {STAGE_SETUP, STAGE_COMMAND, 0, false, environment_apply, environment_verify},
    [CGROUP] = {STAGE_SETUP, STAGE_COMMAND, 0, false, cgroup_apply, cgroup_verify},
    [WORKSPACE_SIZE] = {STAGE_SETUP, STAGE_SETUP, 0, false, workspace_size_apply, workspace_size_verify},
    [USER_NAMESPACE] = {STAGE_SETUP, STAGE_SETUP, 0, false, user_namespace_apply, user_namespace_verify},
    [PID_NAMESPACE] = {STAGE_SETUP, STAGE_INIT, 0, true, pid_namespace_apply, pid_namespace_verify},
    [MOUNT_NAMESPACE] = {STAGE_SETUP, STAGE_SETUP, 0, true, mount_namespace_apply, mount_namespace_verify},
    [IPC_NAMESPACE] = {STAGE_SETUP, STAGE_SETUP, 0, true, ipc_namespace_apply, ipc_namespace_verify},
    [UTS_NAMESPACE] = {STAGE_SETUP, STAGE_SETUP, 0, true, uts_namespace_apply, uts_namespace_verify},
    [CGROUP_NAMESPACE] = {STAGE_SETUP, STAGE_SETUP, 0, true, cgroup_namespace_apply, cgroup_namespace_verify},
    [NETWORK_NAMESPACE] = {STAGE_SETUP, STAGE_SETUP, 0, true, network_namespace_apply, network_namespace_verify},
    [FILESYSTEM] = {STAGE_INIT, STAGE_INIT, BIT(MOUNT_NAMESPACE), true, filesystem_apply, filesystem_verify},
    [PROC] = {STAGE_INIT, STAGE_INIT, BIT(MOUNT_NAMESPACE) | BIT(PID_NAMESPACE), true, proc_apply, proc_verify},
    [RLIMIT_ROW_CPU] = {STAGE_COMMAND, STAGE_COMMAND, 0, false, rlimit_cpu_apply, rlimit_cpu_verify},
    [RLIMIT_ROW_NOFILE] = {STAGE_COMMAND, STAGE_COMMAND, 0, false, rlimit_nofile_apply, rlimit_nofile_verify},
    [RLIMIT_ROW_AS] = {STAGE_COMMAND, STAGE_COMMAND, 0, false, rlimit_as_apply, rlimit_as_verify},
    [RLIMIT_ROW_DATA] = {STAGE_COMMAND, STAGE_COMMAND, 0, false, rlimit_data_apply, rlimit_data_verify},
    [RLIMIT_ROW_NPROC] = {STAGE_COMMAND, STAGE_COMMAND, 0, false, rlimit_nproc_apply, rlimit_nproc_verify},
    [RLIMIT_ROW_FSIZE] = {STAGE_COMMAND, STAGE_COMMAND, 0, false, rlimit_fsize_apply, rlimit_fsize_verify},
    [RLIMIT_ROW_CORE] = {STAGE_COMMAND, STAGE_COMMAND, 0, false, rlimit_core_apply, rlimit_core_verify},
    [RLIMIT_ROW_STACK] = {STAGE_COMMAND, STAGE_COMMAND, 0, false, rlimit_stack_apply, rlimit_stack_verify},
    [RLIMIT_ROW_MEMLOCK] = {STAGE_COMMAND, STAGE_COMMAND, 0, false, rlimit_memlock_apply, rlimit_memlock_verify},
    [CPU_AFFINITY] = {STAGE_COMMAND, STAGE_COMMAND, 0, false, cpu_affinity_apply, cpu_affinity_verify},
    [NO_NEW_PRIVS] = {STAGE_COMMAND, STAGE_COMMAND, 0, false, no_new_privs_apply, no_new_privs_verify},
    [CAPABILITIES] = {STAGE_COMMAND, STAGE_COMMAND, 0, false, capabilities_apply, capabilities_verify},
    /* landlock_restrict_self(2) wants no_new_privs or CAP_SYS_ADMIN, and the row before has taken the latter */
    [LANDLOCK_FS] = {STAGE_COMMAND, STAGE_COMMAND, BIT(NO_NEW_PRIVS), false, landlock_fs_apply, landlock_fs_verify},
    [LANDLOCK_NET] = {STAGE_COMMAND, STAGE_COMMAND, BIT(NO_NEW_PRIVS), false, landlock_net_apply, landlock_net_verify},
    [LANDLOCK_SCOPE] = {STAGE_COMMAND, STAGE_COMMAND, BIT(NO_NEW_PRIVS), false, landlock_scope_apply,
                        landlock_scope_verify},
    /* so does seccomp(2) */
    [SECCOMP] = {STAGE_COMMAND, STAGE_COMMAND, BIT(NO_NEW_PRIVS), false, seccomp_apply, seccomp_verify},
};

static int PRINTF_LIKE(4, 0)
    give_up(struct failure *failure, enum status status, int error, const char *format, va_list args)
{
    char text[8192];                                  /* a path or two */
    (void)vsnprintf(text, sizeof text, format, args); /* a cut detail is still a detail */
    failure->status = status;
    failure->error = error;
    printable_copy(failure->detail, sizeof failure->detail, text);
    return -1;
}

int failed(struct failure *failure, int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int result = give_up(failure, FAILED, error, format, args);
    va_end(args);
    return result;
}

int unavailable(struct failure *failure, int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int result = give_up(failure, UNAVAILABLE, error, format, args);
    va_end(args);
    return result;
}

void note(struct context *context, enum primitive primitive, const char *format, ...)
{
    struct outcome *outcome = &context->shared->outcomes[primitive];
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printable_copy(outcome->detail, sizeof outcome->detail, text);
}

bool is_applied(const struct context *context, enum primitive primitive)
{
    return context->shared->outcomes[primitive].status == APPLIED;
}

bool is_wanted(const struct context *context, enum primitive primitive)
{
    primitive_set asked = context->plan->asked;
    if (primitive == LANDLOCK_NET && (asked & BIT(NETWORK_NAMESPACE)) != 0 && !is_applied(context, NETWORK_NAMESPACE))
        return true;
    if (primitive == RLIMIT_ROW_DATA && context->plan->memory != 0 &&
        (context->cgroup.held & CONTROLLER_BIT(CONTROLLER_MEMORY)) == 0)
        return true;
    return (asked & BIT(primitive)) != 0;
}

/* A row whose prerequisite is not there is never attempted: no pivot_root in the host's mount namespace. */
static int check_needs(const struct context *context, const struct primitive_row *row, struct failure *failure)
{
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++)
        if ((row->needs & BIT(i)) != 0 && !is_applied(context, (enum primitive)i))
            return unavailable(failure, 0, "needs %s", primitive_name((enum primitive)i));
    if (row->needs_admin && !has_capability(CAP_SYS_ADMIN))
        return unavailable(failure, 0, "needs %s", primitive_name(USER_NAMESPACE));
    return 0;
}

void sequence_run(struct context *context, enum stage stage)
{
    struct shared *shared = context->shared;
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++) {
        const struct primitive_row *row = &table[i];
        struct outcome *outcome = &shared->outcomes[i];
        struct failure failure = {.status = FAILED};
        int result = 0;
        if (!is_wanted(context, (enum primitive)i))
            continue;
        if (row->applied_in == stage) {
            result = check_needs(context, row, &failure);
            if (result == 0)
                result = row->apply(context, &failure);
            if (result == 0)
                shared->pending |= BIT(i);
        }
        /* Read back here, or where a later stage can see it. Until then others may build on it (`applied`); what
           stays pending because a process ended before its read-back is failed by sequence_finish(). */
        if (result == 0 && row->verified_in == stage && (shared->pending & BIT(i)) != 0) {
            result = row->verify(context, &failure);
            shared->pending &= ~BIT(i);
        }
        if (result != 0) {
            outcome->status = failure.status;
            outcome->error = failure.error;
            memcpy(outcome->detail, failure.detail, sizeof outcome->detail);
        } else if (row->applied_in == stage) {
            outcome->status = APPLIED;
        }
    }
}

void sequence_finish(struct context *context)
{
    struct shared *shared = context->shared;
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++) {
        struct outcome *outcome = &shared->outcomes[i];
        if ((context->plan->asked & BIT(i)) == 0 || (outcome->status != SKIPPED && (shared->pending & BIT(i)) == 0))
            continue;
        outcome->status = FAILED;
        outcome->error = 0;
        (void)snprintf(outcome->detail, sizeof outcome->detail, "the launcher ended before this was read back");
    }
}
