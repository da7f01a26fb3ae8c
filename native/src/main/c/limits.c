/*
 * The limits of each process: rlimits, processors; and the row of the control group. A hard limit that is already lower
 * stays: nobody gets more than the agent has (setrlimit(2)).
 */
#include "sequence.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>

static rlim_t lower(rlim_t a, rlim_t b)
{
    return a < b ? a : b; /* RLIM_INFINITY is the largest value */
}

/* The plan's number, or the launch's memory where RLIMIT_DATA stands in for the control group. */
static rlim_t limit_of(const struct context *context, enum primitive primitive)
{
    bool asked = (context->plan->limited & BIT(primitive)) != 0;
    return asked || primitive != RLIMIT_ROW_DATA ? context->plan->limits[primitive] : context->plan->memory;
}

static int lower_limit(struct context *context, enum primitive primitive, int resource, rlim_t wanted,
                       struct failure *failure)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return failed(failure, errno, "getrlimit");
    if (limit.rlim_max < wanted)
        note(context, primitive, "%llu, the limit that was there", (unsigned long long)limit.rlim_max);
    limit.rlim_max = lower(limit.rlim_max, wanted);
    limit.rlim_cur = lower(limit.rlim_cur, limit.rlim_max);
    if (setrlimit(resource, &limit) != 0)
        return failed(failure, errno, "setrlimit to %llu", (unsigned long long)limit.rlim_max);
    return 0;
}

static int check_limit(rlim_t wanted, int resource, struct failure *failure)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return failed(failure, errno, "getrlimit");
    if (limit.rlim_max > wanted || limit.rlim_cur > limit.rlim_max)
        return failed(failure, 0, "getrlimit: the limit is %llu", (unsigned long long)limit.rlim_max);
    return 0;
}

/* A row that is one limit and nothing else. */
#define PLAIN_LIMIT(name, row, resource)                                                                               \
    int rlimit_##name##_apply(struct context *context, struct failure *failure)                                        \
    {                                                                                                                  \
        return lower_limit(context, row, resource, limit_of(context, row), failure);                                   \
    }                                                                                                                  \
    int rlimit_##name##_verify(struct context *context, struct failure *failure)                                       \
    {                                                                                                                  \
        return check_limit(limit_of(context, row), resource, failure);                                                 \
    }

PLAIN_LIMIT(nofile, RLIMIT_ROW_NOFILE, RLIMIT_NOFILE)
PLAIN_LIMIT(as, RLIMIT_ROW_AS, RLIMIT_AS)
PLAIN_LIMIT(fsize, RLIMIT_ROW_FSIZE, RLIMIT_FSIZE)
PLAIN_LIMIT(core, RLIMIT_ROW_CORE, RLIMIT_CORE)
PLAIN_LIMIT(memlock, RLIMIT_ROW_MEMLOCK, RLIMIT_MEMLOCK)

/*
 * Both limits: the kernel grows a stack up to the soft limit, which is usually 8 MiB, so that a higher hard limit alone
 * gives a program nothing (setrlimit(2), RLIMIT_STACK).
 */
int rlimit_stack_apply(struct context *context, struct failure *failure)
{
    struct rlimit limit;
    if (lower_limit(context, RLIMIT_ROW_STACK, RLIMIT_STACK, limit_of(context, RLIMIT_ROW_STACK), failure) != 0)
        return -1;
    if (getrlimit(RLIMIT_STACK, &limit) != 0)
        return failed(failure, errno, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_STACK, &limit) != 0)
        return failed(failure, errno, "setrlimit to %llu", (unsigned long long)limit.rlim_cur);
    return 0;
}

int rlimit_stack_verify(struct context *context, struct failure *failure)
{
    struct rlimit limit;
    if (check_limit(limit_of(context, RLIMIT_ROW_STACK), RLIMIT_STACK, failure) != 0)
        return -1;
    if (getrlimit(RLIMIT_STACK, &limit) != 0)
        return failed(failure, errno, "getrlimit");
    if (limit.rlim_cur != limit.rlim_max)
        return failed(failure, 0, "getrlimit: the soft limit is %llu", (unsigned long long)limit.rlim_cur);
    return 0;
}

uint64_t rlimit_cpu_soft(uint64_t hard)
{
    return hard > 1 ? hard - 1 : hard;
}

int rlimit_cpu_apply(struct context *context, struct failure *failure)
{
    if (lower_limit(context, RLIMIT_ROW_CPU, RLIMIT_CPU, limit_of(context, RLIMIT_ROW_CPU), failure) != 0)
        return -1;
    struct rlimit limit;
    if (getrlimit(RLIMIT_CPU, &limit) != 0)
        return failed(failure, errno, "getrlimit");
    limit.rlim_cur = lower(limit.rlim_cur, (rlim_t)rlimit_cpu_soft(limit.rlim_max));
    if (setrlimit(RLIMIT_CPU, &limit) != 0)
        return failed(failure, errno, "setrlimit to %llu", (unsigned long long)limit.rlim_cur);
    return 0;
}

int rlimit_cpu_verify(struct context *context, struct failure *failure)
{
    return check_limit(limit_of(context, RLIMIT_ROW_CPU), RLIMIT_CPU, failure);
}

int rlimit_data_apply(struct context *context, struct failure *failure)
{
    if ((context->plan->limited & BIT(RLIMIT_ROW_DATA)) == 0)
        note(context, RLIMIT_ROW_DATA, "in the place of the cgroup: each process by itself");
    return lower_limit(context, RLIMIT_ROW_DATA, RLIMIT_DATA, limit_of(context, RLIMIT_ROW_DATA), failure);
}

/*
 * Before Linux 4.7, and in gVisor, only what brk(2) gives is counted, and programs get their memory from mmap(2). Tried
 * with a limit that any mapping exceeds; 0 is none for the kernel (may_expand_vm() in mm/mmap.c).
 */
static int try_data_limit(struct failure *failure)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_DATA, &limit) != 0)
        return failed(failure, errno, "getrlimit");
    const struct rlimit least = {.rlim_cur = 1, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_DATA, &least) != 0)
        return failed(failure, errno, "setrlimit");
    void *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (setrlimit(RLIMIT_DATA, &limit) != 0)
        return failed(failure, errno, "setrlimit");
    if (page == MAP_FAILED)
        return 0;
    (void)munmap(page, 1);
    return failed(failure, 0, "mmap: this kernel does not count mappings (Linux 4.7)");
}

int rlimit_data_verify(struct context *context, struct failure *failure)
{
    if (check_limit(limit_of(context, RLIMIT_ROW_DATA), RLIMIT_DATA, failure) != 0)
        return -1;
    return try_data_limit(failure);
}

/* ---- processes ---- */

/* Since Linux 5.14 the kernel counts the processes of a user in each user namespace anew; before, all that it has on
   the machine, the agent's own threads among them. */
static bool counts_by_namespace(void)
{
    struct utsname name;
    int major = 0, minor = 0;
    return uname(&name) == 0 && sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
           (major > 5 || (major == 5 && minor >= 14));
}

/* The kernel lets some have as many as they like, user id 0 of the machine for one: tried, not guessed. */
static int try_process_limit(struct failure *failure)
{
    struct rlimit limit, none;
    if (getrlimit(RLIMIT_NPROC, &limit) != 0)
        return failed(failure, errno, "getrlimit");
    none = limit;
    none.rlim_cur = 1; /* init and this process are two already */
    if (setrlimit(RLIMIT_NPROC, &none) != 0)
        return failed(failure, errno, "setrlimit to 1");
    pid_t child = fork();
    int error = errno;
    if (child == 0)
        _exit(0);
    if (setrlimit(RLIMIT_NPROC, &limit) != 0)
        return failed(failure, errno, "setrlimit to %llu", (unsigned long long)limit.rlim_cur);
    if (child > 0) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
        return unavailable(failure, 0, "the kernel does not limit the processes of this user");
    }
    return error == EAGAIN ? 0 : failed(failure, error, "fork");
}

static bool cgroup_holds_pids(const struct context *context)
{
    return (context->cgroup.held & CONTROLLER_BIT(CONTROLLER_PIDS)) != 0;
}

/* init is one more in there, and not the command's. One more again, so that the cgroup refuses first, which it counts.
 */
static rlim_t processes_of(const struct context *context)
{
    return limit_of(context, RLIMIT_ROW_NPROC) + 1 + cgroup_holds_pids(context);
}

static int limit_processes(struct context *context, struct failure *failure)
{
    if (!is_applied(context, USER_NAMESPACE))
        return unavailable(failure, 0, "needs %s", primitive_name(USER_NAMESPACE));
    if (!counts_by_namespace())
        return unavailable(failure, 0, "needs Linux 5.14: before, all processes of this user count");
    if (lower_limit(context, RLIMIT_ROW_NPROC, RLIMIT_NPROC, processes_of(context), failure) != 0)
        return -1;
    return try_process_limit(failure);
}

int rlimit_nproc_apply(struct context *context, struct failure *failure)
{
    if (limit_processes(context, failure) == 0)
        return 0;
    if (!cgroup_holds_pids(context))
        return -1;
    note(context, RLIMIT_ROW_NPROC, "by the cgroup's pids.max: %s", failure->detail);
    return 0;
}

int rlimit_nproc_verify(struct context *context, struct failure *failure)
{
    if (check_limit(processes_of(context), RLIMIT_NPROC, failure) == 0)
        return 0;
    return cgroup_holds_pids(context) ? 0 : -1; /* which read it back itself */
}

/* ---- processors ---- */

/* Of those that the agent may use; CPU_SETSIZE is more than plan_check() lets through. */
static int wanted_processors(const struct context *context, const cpu_set_t *may, cpu_set_t *wanted, bool *all)
{
    CPU_ZERO(wanted);
    *all = true;
    for (size_t cpu = 0; cpu < CPUS_MAX; cpu++)
        if (cpu_is_listed(context->plan->cpus, (unsigned)cpu)) {
            if (CPU_ISSET(cpu, may))
                CPU_SET(cpu, wanted);
            else
                *all = false;
        }
    return CPU_COUNT(wanted);
}

int cpu_affinity_apply(struct context *context, struct failure *failure)
{
    cpu_set_t may, wanted;
    bool all;
    if (sched_getaffinity(0, sizeof may, &may) != 0)
        return failed(failure, errno, "sched_getaffinity");
    if (wanted_processors(context, &may, &wanted, &all) == 0)
        return failed(failure, 0, "none of the processors %s may be used here", context->plan->cpus);
    if (!all)
        note(context, CPU_AFFINITY, "only %d of the processors %s may be used here", CPU_COUNT(&wanted),
             context->plan->cpus);
    return sched_setaffinity(0, sizeof wanted, &wanted) == 0 ? 0 : failed(failure, errno, "sched_setaffinity");
}

int cpu_affinity_verify(struct context *context, struct failure *failure)
{
    cpu_set_t now;
    if (sched_getaffinity(0, sizeof now, &now) != 0)
        return failed(failure, errno, "sched_getaffinity");
    for (size_t cpu = 0; cpu < CPUS_MAX; cpu++)
        if (CPU_ISSET(cpu, &now) && !cpu_is_listed(context->plan->cpus, (unsigned)cpu))
            return failed(failure, 0, "sched_getaffinity: processor %zu", cpu);
    return 0;
}

/* ---- the launch as a whole ---- */

void cgroup_prepare(struct context *context)
{
    context->cgroup_failure = (struct failure){.status = UNAVAILABLE};
    (void)cgroup_create(&context->cgroup, context->plan, &context->cgroup_failure);
}

void cgroup_enter(struct context *context)
{
    struct failure *failure = &context->cgroup_failure;
    struct failure mine = {.status = UNAVAILABLE};
    atomic_store(&context->shared->joined, cgroup_join(&context->cgroup, &mine));
    if (mine.detail[0] == '\0')
        (void)cgroup_check(&context->cgroup, context->plan, &mine);
    if (failure->detail[0] == '\0')
        *failure = mine;
}

/* Of cgroup_prepare() in the first stage, of cgroup_enter() too in the last. */
int cgroup_apply(struct context *context, struct failure *failure)
{
    if (context->cgroup_failure.detail[0] == '\0')
        return 0;
    *failure = context->cgroup_failure;
    return -1;
}

int cgroup_verify(struct context *context, struct failure *failure)
{
    return cgroup_apply(context, failure);
}
