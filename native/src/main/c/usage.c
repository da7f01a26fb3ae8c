#include "usage.h"

#include "mounting.h"
#include "processes.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#define LOOK_AT_LEAST_EVERY_MS 60000
#define LOOK_AT_MOST_EVERY_MS 50
#define LOOK_AT_ALL_EVERY_MS 1000
#define FEW_PIDS 65536 /* where the kernel starts anew so often that it has to be watched */
#define FEW_PIDS_LOOK_MS 2000
#define FIRST_PID_AGAIN 300 /* RESERVED_PIDS of the kernel */

static const char *const names[LIMIT_COUNT] = {
    [LIMIT_MEMORY] = "memory",       [LIMIT_PIDS] = "pids",           [LIMIT_CPU_TIME] = "cpu_time",
    [LIMIT_WALL_TIME] = "wall_time", [LIMIT_FILE_SIZE] = "file_size", [LIMIT_SCRATCH] = "scratch",
};

const char *limit_name(enum limit limit)
{
    return names[limit];
}

/* A number in a file of /proc, the last word of its first line; 0 when it cannot be read. */
static uint64_t last_number(const char *path)
{
    char text[256];
    uint64_t value;
    if (read_file_at(AT_FDCWD, path, text, sizeof text) <= 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    const char *space = strrchr(text, ' ');
    return parse_number(space == NULL ? text : space + 1, INT64_MAX, &value) ? value : 0;
}

/*
 * Pids are given out in turn, so the last one says how many there were; from the largest one on they begin anew. The
 * last field of loadavg is the last pid of the reader's own namespace (proc_loadavg(5)).
 */
static void count_pids(struct usage *usage)
{
    if (!usage->has_pid_namespace || !is_applied(usage->context, PROC))
        return;
    uint64_t last = last_number("/proc/loadavg");
    if (last < usage->last_pid && usage->pid_max > FIRST_PID_AGAIN)
        usage->pids_before += usage->pid_max - FIRST_PID_AGAIN;
    if (last != 0)
        usage->last_pid = last;
}

void usage_begin(struct usage *usage, const struct context *context, bool has_pid_namespace)
{
    cpu_set_t processors;
    *usage = (struct usage){.context = context, .has_pid_namespace = has_pid_namespace, .processors = 1};
    usage->started_ms = now_ms();
    usage->look_at_ms = usage->started_ms;
    usage->pid_max = last_number("/proc/sys/kernel/pid_max");
    if (sched_getaffinity(0, sizeof processors, &processors) == 0)
        usage->processors = (uint64_t)CPU_COUNT(&processors);
    count_pids(usage);
}

static int64_t milliseconds(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000 + time->tv_usec / 1000;
}

static int64_t cpu_ms(const struct rusage *rusage)
{
    return milliseconds(&rusage->ru_utime) + milliseconds(&rusage->ru_stime);
}

static void count_in_cgroup(const struct usage *usage, struct cgroup_counts *counts)
{
    cgroup_count(&usage->context->cgroup, atomic_load(&usage->context->shared->joined), counts);
}

/* CPU time of everybody who is there, and of everybody who was waited for. */
static int64_t tree_cpu_ms(const struct usage *usage)
{
    struct cgroup_counts counts;
    struct rusage waited_for;
    count_in_cgroup(usage, &counts);
    if (counts.user_us >= 0 && counts.system_us >= 0)
        return (counts.user_us + counts.system_us) / 1000;
    int64_t sum = getrusage(RUSAGE_CHILDREN, &waited_for) == 0 ? cpu_ms(&waited_for) : 0;
    size_t count = 0;
    uint64_t ticks = 0;
    struct process *list = list_processes(&count);
    for (size_t i = 0; i < count; i++)
        if (list[i].ours)
            ticks += list[i].cpu_ticks;
    free(list);
    return sum + (int64_t)(ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

static bool out_of_cpu_time(struct usage *usage, int64_t now)
{
    int64_t limit = (int64_t)usage->context->plan->cpu_time_s * 1000;
    int64_t used = tree_cpu_ms(usage);
    /* Once more: a process that was waited for in between was counted twice, once in its parent. */
    if (used >= limit && tree_cpu_ms(usage) >= limit)
        return true;
    int64_t left = used >= limit ? 0 : (limit - used) / (int64_t)usage->processors;
    usage->look_at_ms = now + (left < LOOK_AT_MOST_EVERY_MS    ? LOOK_AT_MOST_EVERY_MS
                               : left > LOOK_AT_LEAST_EVERY_MS ? LOOK_AT_LEAST_EVERY_MS
                                                               : left);
    return false;
}

bool usage_out_of_memory(const struct usage *usage)
{
    struct cgroup_counts counts;
    count_in_cgroup(usage, &counts);
    return usage->context->plan->memory != 0 && counts.oom_kills > 0;
}

/* Processes and threads that are there now. */
static uint64_t count_tasks(void)
{
    size_t count = 0;
    uint64_t tasks = 0;
    struct process *list = list_processes(&count);
    for (size_t i = 0; i < count; i++)
        if (list[i].ours)
            tasks += list[i].threads;
    free(list);
    return tasks;
}

/* RLIMIT_NPROC refuses in silence: then all that can be seen is that as many are there as may be. */
static bool counts_refused_forks(const struct usage *usage)
{
    struct cgroup_counts counts;
    count_in_cgroup(usage, &counts);
    return counts.refused_forks >= 0;
}

/* Limits that nobody tells us of when they are reached. */
static bool is_reached_in_silence(const struct usage *usage)
{
    return usage->context->plan->memory != 0 || usage->context->plan->pids != 0;
}

static void look_within(int64_t left, int *wait_ms)
{
    if (left < *wait_ms)
        *wait_ms = left < 0 ? 0 : (int)left;
}

static enum limit reach(struct usage *usage, enum limit limit)
{
    usage->reached |= 1U << limit;
    return limit;
}

enum limit usage_look(struct usage *usage, int *wait_ms)
{
    const struct plan *plan = usage->context->plan;
    int64_t now = now_ms();
    if (plan->wall_time_s != 0) {
        int64_t left = usage->started_ms + (int64_t)plan->wall_time_s * 1000 - now;
        if (left <= 0)
            return reach(usage, LIMIT_WALL_TIME);
        look_within(left, wait_ms);
    }
    if (plan->cpu_time_s != 0) {
        if (now >= usage->look_at_ms && out_of_cpu_time(usage, now))
            return reach(usage, LIMIT_CPU_TIME);
        look_within(usage->look_at_ms - now, wait_ms);
    }
    if (is_reached_in_silence(usage) && now >= usage->look_at_all_ms) {
        if (usage_out_of_memory(usage))
            return reach(usage, LIMIT_MEMORY); /* version 1 and old kernels kill one process only */
        if (plan->pids != 0 && !counts_refused_forks(usage) && count_tasks() >= plan->pids)
            (void)reach(usage, LIMIT_PIDS);
        usage->look_at_all_ms = now + LOOK_AT_ALL_EVERY_MS;
    }
    if (is_reached_in_silence(usage))
        look_within(usage->look_at_all_ms - now, wait_ms);
    if (usage->has_pid_namespace && usage->pid_max <= FEW_PIDS) {
        count_pids(usage);
        look_within(FEW_PIDS_LOOK_MS, wait_ms);
    }
    return LIMIT_COUNT;
}

/*
 * Not by the signal alone, which anybody may send. The kernel enforces the limit by its own count, and rusage scales
 * what ticks have sampled: under load the two are some tenths apart.
 */
static bool out_of_own_cpu_time(const struct usage *usage, int number, const struct rusage *rusage)
{
    return (number == SIGXCPU || number == SIGKILL) && is_applied(usage->context, RLIMIT_ROW_CPU) &&
           cpu_ms(rusage) >= (int64_t)rlimit_cpu_soft(usage->context->plan->limits[RLIMIT_ROW_CPU]) * 700;
}

enum limit usage_ended(struct usage *usage, int status, const struct rusage *rusage)
{
    if (!WIFSIGNALED(status))
        return LIMIT_COUNT;
    int number = WTERMSIG(status);
    if (out_of_own_cpu_time(usage, number, rusage))
        return reach(usage, LIMIT_CPU_TIME);
    if (number == SIGXFSZ && is_applied(usage->context, RLIMIT_ROW_FSIZE))
        return reach(usage, LIMIT_FILE_SIZE);
    return LIMIT_COUNT;
}

/* The smallest of the launch's own memory file systems that is full; 0 when none is. */
static uint64_t full_scratch(const struct plan *plan)
{
    uint64_t smallest = 0;
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_step *step = &plan->mounts[i];
        struct statvfs room;
        if (step->kind != MOUNT_TMPFS || step->size == 0 || statvfs(step->target, &room) != 0)
            continue;
        bool full = room.f_blocks > 0 && (room.f_bfree == 0 || room.f_ffree == 0);
        if (full && (smallest == 0 || step->size < smallest))
            smallest = step->size;
    }
    return smallest;
}

static uint64_t value_of(const struct usage *usage, enum limit limit, uint64_t scratch)
{
    const struct plan *plan = usage->context->plan;
    switch (limit) {
    case LIMIT_MEMORY:
        return plan->memory;
    case LIMIT_PIDS:
        return plan->pids;
    case LIMIT_CPU_TIME:
        return plan->cpu_time_s != 0 ? plan->cpu_time_s : rlimit_cpu_soft(plan->limits[RLIMIT_ROW_CPU]);
    case LIMIT_WALL_TIME:
        return plan->wall_time_s;
    case LIMIT_FILE_SIZE:
        return plan->limits[RLIMIT_ROW_FSIZE];
    case LIMIT_SCRATCH:
        return scratch;
    case LIMIT_COUNT:
        break;
    }
    return 0;
}

size_t usage_report(struct usage *usage, char *text, size_t size)
{
    const struct plan *plan = usage->context->plan;
    struct cgroup_counts counts;
    struct rusage rusage;
    size_t used = 0;
    uint64_t scratch = full_scratch(plan);
    count_pids(usage);
    count_in_cgroup(usage, &counts);
    if (getrusage(RUSAGE_CHILDREN, &rusage) != 0)
        memset(&rusage, 0, sizeof rusage);
    if (plan->memory != 0 && counts.oom_kills > 0)
        (void)reach(usage, LIMIT_MEMORY);
    if (plan->pids != 0 && counts.refused_forks > 0)
        (void)reach(usage, LIMIT_PIDS);
    if (scratch != 0)
        (void)reach(usage, LIMIT_SCRATCH);
    for (unsigned i = 0; i < LIMIT_COUNT && used < size; i++)
        if ((usage->reached & 1U << i) != 0)
            used += (size_t)snprintf(text + used, size - used, "limit %s %llu\n", names[i],
                                     (unsigned long long)value_of(usage, (enum limit)i, scratch));
    bool counted = counts.user_us >= 0 && counts.system_us >= 0;
    bool peak = counts.peak_bytes >= 0;
    uint64_t pids = usage->pids_before + usage->last_pid;
    if (used < size)
        used += (size_t)snprintf(
            text + used, size - used,
            "usage wall_ms=%lld user_ms=%lld system_ms=%lld max_rss_kib=%ld peak_kib=%lld peak_source=%s tasks=%llu\n",
            (long long)((usage->ended_ms != 0 ? usage->ended_ms : now_ms()) - usage->started_ms),
            (long long)(counted ? counts.user_us / 1000 : milliseconds(&rusage.ru_utime)),
            (long long)(counted ? counts.system_us / 1000 : milliseconds(&rusage.ru_stime)), rusage.ru_maxrss,
            (long long)(peak ? counts.peak_bytes / 1024 : rusage.ru_maxrss), peak ? "cgroup" : "process",
            pids == 0 ? 0ULL : (unsigned long long)(pids - 1)); /* init itself is none of the command's */
    return used < size ? used : size - 1;
}

/* What a limit was, for a log that people read. */
static size_t describe(const struct usage *usage, enum limit limit, char *text, size_t size)
{
    unsigned long long value = (unsigned long long)value_of(usage, limit, 0);
    int n = limit == LIMIT_MEMORY     ? snprintf(text, size, "the limit on memory, %llu MiB, ", value >> 20)
            : limit == LIMIT_CPU_TIME ? snprintf(text, size, "the limit on CPU time, %llu s, ", value)
            : limit == LIMIT_FILE_SIZE
                ? snprintf(text, size, "the limit on the size of a file, %llu KiB, ", value >> 10)
                : snprintf(text, size, "the limit on wall time, %llu s, ", value);
    return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}

/* In the directory of a file, without following any link: nobody can move it under us, since nobody is left. */
static int open_beside(const char *path, int flags)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    (void)snprintf(directory, sizeof directory, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int parent CLEANUP_FD = walk_from_root(directory);
    return parent < 0 ? -1 : openat(parent, slash + 1, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0644);
}

/* Why everybody was ended; 0 when nobody was. */
static size_t describe_end(const struct usage *usage, enum request request, char *text, size_t size)
{
    const unsigned by_the_kernel = 1U << LIMIT_MEMORY | 1U << LIMIT_CPU_TIME;
    size_t used = 0;
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        if (((usage->ended_all | (usage->reached & by_the_kernel)) & (1U << i)) != 0)
            used += describe(usage, (enum limit)i, text + used, size - used);
    const char *rest = used > 0                    ? "was reached: all processes were killed\n"
                       : request == REQUEST_FORCED ? "aborted: all processes were killed\n"
                       : request == REQUEST_MET    ? "aborted: all processes were ended\n"
                                                   : "";
    int n = snprintf(text + used, size - used, "%s", rest);
    return n < 0 || (size_t)n >= size - used ? 0 : used + (size_t)n;
}

/* As a shell says it: 128 and the number of the signal. */
static const char *status_at_end(const struct usage *usage, enum request request)
{
    if (usage->ended_all == 1U << LIMIT_FILE_SIZE)
        return "153\n"; /* SIGXFSZ */
    return usage->ended_all == 0 && usage->reached == 0 && request == REQUEST_MET ? "143\n" : "137\n";
}

void usage_tell(const struct usage *usage, enum request request)
{
    const struct plan *plan = usage->context->plan;
    char text[512] = "[sandbox] ";
    const size_t start = strlen(text);
    struct stat kind;
    if (plan->task_result == NULL || describe_end(usage, request, text + start, sizeof text - start) == 0)
        return;
    const char *status = status_at_end(usage, request);
    int file CLEANUP_FD = open_beside(plan->task_result, O_WRONLY | O_CREAT | O_EXCL);
    if (file < 0)
        return; /* it is there: somebody was left to write it */
    int log CLEANUP_FD = open_beside(plan->task_log, O_WRONLY | O_APPEND);
    /* The log first: who waits for the status reads it then. Nobody is left to be told that either failed. */
    if (log >= 0 && fstat(log, &kind) == 0 && S_ISREG(kind.st_mode))
        (void)write_all(log, text, strlen(text));
    (void)write_all(file, status, strlen(status));
}
