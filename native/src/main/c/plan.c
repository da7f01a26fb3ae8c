#include "plan.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MEMORY_MAX ((uint64_t)1 << 50)
#define PIDS_MAX ((uint64_t)1 << 22) /* PID_MAX_LIMIT of the kernel */
#define QUOTA_MAX 102400
#define SECONDS_MAX ((uint64_t)366 * 24 * 3600)

static bool PRINTF_LIKE(2, 3) wrong(struct problem *problem, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args); /* a cut message is still a message */
    va_end(args);
    printable_copy(problem->text, sizeof problem->text, text);
    return false;
}

void plan_init(struct plan *plan)
{
    memset(plan, 0, sizeof *plan);
    plan->root = ROOT_READ_ONLY;
    plan->keep_background = true;
    plan->gate_timeout_s = GATE_TIMEOUT_DEFAULT;
    plan->grace_s = GRACE_DEFAULT;
}

static bool path_ok(const char *path)
{
    size_t length = strlen(path);
    if (path[0] != '/' || length >= PATH_MAX)
        return false;
    if (length == 1)
        return true;
    const char *at = path;
    while (*at == '/') {
        const char *component = ++at;
        while (*at != '\0' && *at != '/')
            at++;
        size_t size = (size_t)(at - component);
        if (size == 0 || size > NAME_MAX || (size == 1 && component[0] == '.') ||
            (size == 2 && component[0] == '.' && component[1] == '.'))
            return false;
    }
    return true;
}

static bool take_path(const char *option, const char *word, const char **path, struct problem *problem)
{
    if (!path_ok(word))
        return wrong(problem, "%s: not an absolute, canonical path: %s", option, word);
    *path = word;
    return true;
}

static bool take_file(const char *option, const char *word, const char **file, struct problem *problem)
{
    if (*file != NULL)
        return wrong(problem, "%s given twice", option);
    return take_path(option, word, file, problem);
}

static bool take_number(const char *option, const char *word, uint64_t max, uint64_t *value, struct problem *problem)
{
    if (!parse_number(word, max, value))
        return wrong(problem, "%s: not a whole number from 0 to %llu: %s", option, (unsigned long long)max, word);
    return true;
}

static bool take_primitive(const char *option, const char *word, primitive_set *set, struct problem *problem)
{
    enum primitive primitive;
    if (!primitive_parse(word, &primitive))
        return wrong(problem, "%s: no such primitive: %s", option, word);
    *set |= BIT(primitive);
    return true;
}

static bool take_rlimit(struct plan *plan, const char *word, struct problem *problem)
{
    char name[32];
    const char *equals = strchr(word, '=');
    if (equals == NULL || (size_t)(equals - word) > sizeof name - sizeof "rlimit_")
        return wrong(problem, "--rlimit: expected NAME=NUMBER: %s", word);
    (void)snprintf(name, sizeof name, "rlimit_%.*s", (int)(equals - word), word);
    enum primitive primitive;
    if (!primitive_parse(name, &primitive))
        return wrong(problem, "--rlimit: no such limit: %s", word);
    if ((plan->limited & BIT(primitive)) != 0)
        return wrong(problem, "--rlimit: given twice: %s", word);
    /* INT64_MAX: above it a limit would read as RLIM_INFINITY or worse */
    if (!take_number("--rlimit", equals + 1, INT64_MAX, &plan->limits[primitive], problem))
        return false;
    plan->limited |= BIT(primitive);
    return true;
}

/* A limit of the launch as a whole: from 1, since 0 says that there is none. */
static bool take_limit(const char *option, const char *word, uint64_t max, uint64_t *value, struct problem *problem)
{
    if (!parse_number(word, max, value) || *value == 0) {
        *value = 0;
        return wrong(problem, "%s: not a whole number from 1 to %llu: %s", option, (unsigned long long)max, word);
    }
    return true;
}

/* Takes the next range of a list. Returns what follows it, or NULL when there is none. */
static const char *take_range(const char *at, unsigned *first, unsigned *last)
{
    unsigned *const ends[] = {first, last};
    for (size_t i = 0; i < NELEM(ends); i++) {
        unsigned value = 0;
        size_t digits = strspn(at, "0123456789");
        if (digits == 0 || digits > 4)
            return NULL;
        for (; digits > 0; digits--)
            value = value * 10 + (unsigned)(*at++ - '0');
        *ends[i] = value;
        if (i == 0 && *at != '-') {
            *last = value;
            break;
        }
        at += i == 0;
    }
    if (*first > *last || *last >= CPUS_MAX || (*at != ',' && *at != '\0') || (*at == ',' && at[1] == '\0'))
        return NULL;
    return *at == ',' ? at + 1 : at;
}

bool cpu_is_listed(const char *list, unsigned cpu)
{
    unsigned first, last;
    while (list != NULL && *list != '\0') {
        list = take_range(list, &first, &last);
        if (list != NULL && cpu >= first && cpu <= last)
            return true;
    }
    return false;
}

static bool take_cpus(struct plan *plan, const char *word, struct problem *problem)
{
    unsigned first, last;
    const char *at = word;
    while (at != NULL && (*at != '\0' || at == word))
        at = take_range(at, &first, &last);
    if (at == NULL)
        return wrong(problem, "--cpus: not a list of processors from 0 to %d, as 0-3,8: %s", CPUS_MAX - 1, word);
    plan->cpus = word;
    return true;
}

static bool take_profile(struct plan *plan, const char *word, struct problem *problem)
{
    if (plan->profile != NULL)
        return wrong(problem, "--profile given twice");
    size_t length = strlen(word);
    if (length < 1 || length > 32 || strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
        return wrong(problem,
                     "--profile: a name of 1 to 32 characters of a-z, 0-9 and - is "
                     "needed: %s",
                     word);
    plan->profile = word;
    plan->standard = strcmp(word, "standard") == 0;
    return true;
}

static bool take_link(const char *option, const char *word, const char **text, struct problem *problem)
{
    if (word[0] == '\0' || strlen(word) >= PATH_MAX)
        return wrong(problem, "%s: not the text of a symbolic link: %s", option, word);
    *text = word;
    return true;
}

/* The words of one mount option. `like` has what the option's name says; the paths follow. */
static bool take_mount(struct plan *plan, const struct mount_step *like, const char *option, char **words,
                       struct problem *problem)
{
    if (plan->mount_count == MOUNTS_MAX)
        return wrong(problem, "%s: more than %d mounts", option, MOUNTS_MAX);
    struct mount_step *step = &plan->mounts[plan->mount_count];
    *step = *like;
    bool good = false;
    switch (step->kind) {
    case MOUNT_BIND:
        good =
            take_path(option, words[0], &step->source, problem) && take_path(option, words[1], &step->target, problem);
        break;
    case MOUNT_TMPFS:
        good = take_path(option, words[0], &step->target, problem) &&
               take_number(option, words[1], INT64_MAX, &step->size, problem);
        break;
    case MOUNT_OVERLAY:
        good = take_path(option, words[0], &step->target, problem) &&
               take_path(option, words[1], &step->upper, problem) && take_path(option, words[2], &step->work, problem);
        break;
    case MOUNT_DEV:
    case MOUNT_HIDE:
        good = take_path(option, words[0], &step->target, problem);
        break;
    case MOUNT_SYMLINK:
        good =
            take_link(option, words[0], &step->source, problem) && take_path(option, words[1], &step->target, problem);
        break;
    }
    if (!good)
        return false;
    if (strcmp(step->target, "/") == 0)
        return wrong(problem, "%s: / itself is not a target; see --root", option);
    plan->mount_count++;
    return true;
}

static bool take_variable(struct plan *plan, bool keep, const char *word, struct problem *problem)
{
    if (word[0] == '\0' || strchr(word, '=') != NULL)
        return wrong(problem, "not the name of an environment variable: %s", word);
    if (plan->variable_count > 0 && plan->keep_variables != keep)
        return wrong(problem, "--keep-env and --unset-env exclude each other");
    if (plan->variable_count == VARIABLES_MAX)
        return wrong(problem, "more than %d environment variables", VARIABLES_MAX);
    plan->keep_variables = keep;
    plan->variables[plan->variable_count++] = word;
    return true;
}

static bool take_choice(const char *option, const char *word, const char *yes, const char *no, bool *value,
                        struct problem *problem)
{
    if (strcmp(word, yes) != 0 && strcmp(word, no) != 0)
        return wrong(problem, "%s: %s or %s is needed: %s", option, yes, no, word);
    *value = strcmp(word, yes) == 0;
    return true;
}

static bool take_root(struct plan *plan, const char *word, struct problem *problem)
{
    static const char *const names[] = {[ROOT_READ_ONLY] = "ro", [ROOT_HOST] = "host", [ROOT_EMPTY] = "empty"};
    for (size_t i = 0; i < NELEM(names); i++)
        if (strcmp(word, names[i]) == 0) {
            plan->root = (enum root)i;
            return true;
        }
    return wrong(problem, "--root: ro, host or empty is needed: %s", word);
}

enum option {
    OPTION_ARGS,
    OPTION_REPORT,
    OPTION_GATE,
    OPTION_GATE_TIMEOUT,
    OPTION_PROFILE,
    OPTION_PRIMITIVE,
    OPTION_REQUIRE,
    OPTION_MIN_LEVEL,
    OPTION_ROOT,
    OPTION_BIND,
    OPTION_BIND_NOEXEC,
    OPTION_BIND_CONTROL,
    OPTION_RO_BIND,
    OPTION_RO_BIND_NOEXEC,
    OPTION_TMPFS,
    OPTION_TMPFS_NOEXEC,
    OPTION_OVERLAY,
    OPTION_OVERLAY_DURABLE,
    OPTION_OVERLAY_OR_RO,
    OPTION_OVERLAY_OR_RO_NOEXEC,
    OPTION_DEV,
    OPTION_HIDE,
    OPTION_SYMLINK,
    OPTION_UNSET_ENV,
    OPTION_KEEP_ENV,
    OPTION_RLIMIT,
    OPTION_MEMORY,
    OPTION_PIDS,
    OPTION_CPU_QUOTA,
    OPTION_CPU_TIME,
    OPTION_WALL_TIME,
    OPTION_CPUS,
    OPTION_WORKSPACE_SIZE,
    OPTION_TASK,
    OPTION_BLOCK,
    OPTION_SECCOMP,
    OPTION_BACKGROUND,
    OPTION_GRACE,
    OPTION_JOB,
    OPTION_JOB_DIRECTORY,
    OPTION_JOB_STORE,
    OPTION_JOB_RECORDS,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_PROBE,
    OPTION_RIGHTS,
    OPTION_COUNT
};

static const struct {
    const char *name;
    size_t values;
    bool repeatable;
} options[OPTION_COUNT] = {
    /* clang-format off: a line for each */
    [OPTION_ARGS] = {"--args", 1, false},
    [OPTION_REPORT] = {"--report", 1, false},
    [OPTION_GATE] = {"--gate", 1, false},
    [OPTION_GATE_TIMEOUT] = {"--gate-timeout", 1, false},
    [OPTION_PROFILE] = {"--profile", 1, false},
    [OPTION_PRIMITIVE] = {"--primitive", 1, true},
    [OPTION_REQUIRE] = {"--require", 1, true},
    [OPTION_MIN_LEVEL] = {"--min-level", 1, false},
    [OPTION_ROOT] = {"--root", 1, false},
    [OPTION_BIND] = {"--bind", 2, true},
    [OPTION_BIND_NOEXEC] = {"--bind-noexec", 2, true},
    [OPTION_BIND_CONTROL] = {"--bind-control", 2, true},
    [OPTION_RO_BIND] = {"--ro-bind", 2, true},
    [OPTION_RO_BIND_NOEXEC] = {"--ro-bind-noexec", 2, true},
    [OPTION_TMPFS] = {"--tmpfs", 2, true},
    [OPTION_TMPFS_NOEXEC] = {"--tmpfs-noexec", 2, true},
    [OPTION_OVERLAY] = {"--overlay", 3, true},
    [OPTION_OVERLAY_DURABLE] = {"--overlay-durable", 3, true},
    [OPTION_OVERLAY_OR_RO] = {"--overlay-or-ro", 3, true},
    [OPTION_OVERLAY_OR_RO_NOEXEC] = {"--overlay-or-ro-noexec", 3, true},
    [OPTION_DEV] = {"--dev", 1, true},
    [OPTION_HIDE] = {"--hide", 1, true},
    [OPTION_SYMLINK] = {"--symlink", 2, true},
    [OPTION_UNSET_ENV] = {"--unset-env", 1, true},
    [OPTION_KEEP_ENV] = {"--keep-env", 1, true},
    [OPTION_RLIMIT] = {"--rlimit", 1, true},
    [OPTION_MEMORY] = {"--memory", 1, false},
    [OPTION_PIDS] = {"--pids", 1, false},
    [OPTION_CPU_QUOTA] = {"--cpu-quota", 1, false},
    [OPTION_CPU_TIME] = {"--cpu-time", 1, false},
    [OPTION_WALL_TIME] = {"--wall-time", 1, false},
    [OPTION_CPUS] = {"--cpus", 1, false},
    [OPTION_WORKSPACE_SIZE] = {"--workspace-size", 2, false},
    [OPTION_TASK] = {"--task", 2, false},
    [OPTION_BLOCK] = {"--block", 1, false},
    [OPTION_SECCOMP] = {"--seccomp", 1, false},
    [OPTION_BACKGROUND] = {"--background", 1, false},
    [OPTION_GRACE] = {"--grace", 1, false},
    [OPTION_JOB] = {"--job", 1, false},
    [OPTION_JOB_DIRECTORY] = {"--job-directory", 1, false},
    [OPTION_JOB_STORE] = {"--job-store", 1, false},
    [OPTION_JOB_RECORDS] = {"--job-records", 1, false},
    [OPTION_HELP] = {"--help", 0, true},
    [OPTION_VERSION] = {"--version", 0, true},
    [OPTION_PROBE] = {"--probe", 0, true},
    [OPTION_RIGHTS] = {"--restore-rights", 1, false},
    /* clang-format on */
};

static bool take(struct plan *plan, enum option option, char **values, bool from_file, struct problem *problem)
{
    const char *name = options[option].name;
    switch (option) {
    case OPTION_ARGS:
        if (from_file)
            return wrong(problem, "--args inside an --args file");
        return take_file(name, values[0], &plan->args_file, problem);
    case OPTION_REPORT:
        return take_file(name, values[0], &plan->report_file, problem);
    case OPTION_GATE:
        return take_file(name, values[0], &plan->gate_file, problem);
    case OPTION_GATE_TIMEOUT:
        if (!take_number(name, values[0], 3600, &plan->gate_timeout_s, problem))
            return false;
        return plan->gate_timeout_s > 0 || wrong(problem, "--gate-timeout: 1 to 3600 seconds");
    case OPTION_PROFILE:
        return take_profile(plan, values[0], problem);
    case OPTION_PRIMITIVE:
        return take_primitive(name, values[0], &plan->asked, problem);
    case OPTION_REQUIRE:
        return take_primitive(name, values[0], &plan->required, problem);
    case OPTION_MIN_LEVEL:
        return level_parse(values[0], &plan->minimum) ||
               wrong(problem, "--min-level: NONE, BASELINE, PARTIAL or FULL is needed: %s", values[0]);
    case OPTION_ROOT:
        return take_root(plan, values[0], problem);
    case OPTION_BIND:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_BIND}, name, values, problem);
    case OPTION_BIND_NOEXEC:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_BIND, .noexec = true}, name, values, problem);
    case OPTION_BIND_CONTROL:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_BIND, .control = true}, name, values, problem);
    case OPTION_RO_BIND:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_BIND, .read_only = true}, name, values, problem);
    case OPTION_RO_BIND_NOEXEC:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_BIND, .read_only = true, .noexec = true}, name,
                          values, problem);
    case OPTION_TMPFS:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_TMPFS}, name, values, problem);
    case OPTION_TMPFS_NOEXEC:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_TMPFS, .noexec = true}, name, values, problem);
    case OPTION_OVERLAY:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_OVERLAY}, name, values, problem);
    case OPTION_OVERLAY_DURABLE:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_OVERLAY, .durable = true}, name, values, problem);
    case OPTION_OVERLAY_OR_RO:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_OVERLAY, .or_read_only = true}, name, values,
                          problem);
    case OPTION_OVERLAY_OR_RO_NOEXEC:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_OVERLAY, .or_read_only = true, .noexec = true}, name,
                          values, problem);
    case OPTION_DEV:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_DEV}, name, values, problem);
    case OPTION_HIDE:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_HIDE}, name, values, problem);
    case OPTION_SYMLINK:
        return take_mount(plan, &(struct mount_step){.kind = MOUNT_SYMLINK}, name, values, problem);
    case OPTION_UNSET_ENV:
    case OPTION_KEEP_ENV:
        return take_variable(plan, option == OPTION_KEEP_ENV, values[0], problem);
    case OPTION_RLIMIT:
        return take_rlimit(plan, values[0], problem);
    case OPTION_MEMORY:
        return take_limit(name, values[0], MEMORY_MAX, &plan->memory, problem);
    case OPTION_PIDS:
        return take_limit(name, values[0], PIDS_MAX, &plan->pids, problem);
    case OPTION_CPU_QUOTA:
        return take_limit(name, values[0], QUOTA_MAX, &plan->cpu_quota, problem);
    case OPTION_CPU_TIME:
        return take_limit(name, values[0], SECONDS_MAX, &plan->cpu_time_s, problem);
    case OPTION_WALL_TIME:
        return take_limit(name, values[0], SECONDS_MAX, &plan->wall_time_s, problem);
    case OPTION_CPUS:
        return take_cpus(plan, values[0], problem);
    case OPTION_WORKSPACE_SIZE:
        return take_path(name, values[0], &plan->workspace, problem) &&
               take_limit(name, values[1], MEMORY_MAX, &plan->workspace_size, problem);
    case OPTION_BLOCK:
        return take_path(name, values[0], &plan->block_file, problem);
    case OPTION_TASK:
        return take_path(name, values[0], &plan->task_result, problem) &&
               take_path(name, values[1], &plan->task_log, problem);
    case OPTION_SECCOMP:
        return take_file(name, values[0], &plan->filter_file, problem);
    case OPTION_BACKGROUND:
        return take_choice(name, values[0], "keep", "kill", &plan->keep_background, problem);
    case OPTION_GRACE:
        return take_number(name, values[0], 600, &plan->grace_s, problem);
    case OPTION_JOB:
        return job_parse(values[0], &plan->job) ||
               wrong(problem, "--job: remove, begin, check, adopt or end is needed: %s", values[0]);
    case OPTION_JOB_DIRECTORY:
        return take_path(name, values[0], &plan->job_directory, problem);
    case OPTION_JOB_STORE:
        return take_path(name, values[0], &plan->job_store, problem);
    case OPTION_JOB_RECORDS:
        return take_path(name, values[0], &plan->job_records, problem);
    case OPTION_HELP:
        plan->mode = MODE_HELP;
        return true;
    case OPTION_VERSION:
        plan->mode = MODE_VERSION;
        return true;
    case OPTION_RIGHTS:
        plan->mode = MODE_RIGHTS;
        return take_path(name, values[0], &plan->rights, problem);
    case OPTION_PROBE:
        if (plan->mode == MODE_RUN)
            plan->mode = MODE_PROBE;
        return true;
    case OPTION_COUNT:
        break;
    }
    return wrong(problem, "unknown option: %s", name);
}

bool plan_parse(struct plan *plan, char **words, size_t count, bool from_file, struct problem *problem)
{
    bool seen[OPTION_COUNT] = {false};
    size_t i = 0;
    while (i < count) {
        const char *word = words[i++];
        if (strcmp(word, "--") == 0) {
            if (i == count)
                return wrong(problem, "no command after --");
            if (plan->command != NULL)
                return wrong(problem, "a command both in --args and on the command line");
            plan->command = words + i;
            return true;
        }
        size_t option = 0;
        while (option < OPTION_COUNT && strcmp(word, options[option].name) != 0)
            option++;
        if (option == OPTION_COUNT)
            return wrong(problem, "%s: %s", word[0] == '-' ? "unknown option" : "-- is needed before the command",
                         word);
        if (seen[option] && !options[option].repeatable)
            return wrong(problem, "%s given twice", word);
        seen[option] = true;
        if (count - i < options[option].values)
            return wrong(problem, "%s needs %zu value%s", word, options[option].values,
                         options[option].values == 1 ? "" : "s");
        if (!take(plan, (enum option)option, words + i, from_file, problem))
            return false;
        i += options[option].values;
    }
    return true;
}

bool plan_split(char *content, size_t size, char **words, size_t max, size_t *count, struct problem *problem)
{
    size_t n = 0;
    for (size_t start = 0; start < size;) {
        char *end = memchr(content + start, '\0', size - start);
        if (end == NULL)
            return wrong(problem, "--args: cut off in the middle of a word");
        if (n == max)
            return wrong(problem, "--args: more than %zu words", max);
        words[n++] = content + start;
        start = (size_t)(end - content) + 1;
    }
    if (n < 3 || strcmp(words[0], "process-sandbox-plan") != 0)
        return wrong(problem, "--args: not a process-sandbox-plan");
    if (strcmp(words[1], PLAN_VERSION) != 0)
        return wrong(problem,
                     "--args: a plan of version %s; this launcher reads "
                     "version " PLAN_VERSION,
                     words[1]);
    if (strcmp(words[n - 1], "end") != 0)
        return wrong(problem, "--args: cut off: the closing word is missing");
    memmove(words, words + 2, (n - 3) * sizeof *words);
    *count = n - 3;
    words[*count] = NULL; /* n - 3 < max: a command in the file ends as execve(2) wants it */
    return true;
}

/* A job has its directories and nothing else does; it stands in place of a command. */
static bool check_job(const struct plan *plan, struct problem *problem)
{
    bool removal = plan->job == JOB_REMOVE;
    if (plan->job == JOB_NONE)
        return (plan->job_directory == NULL && plan->job_store == NULL && plan->job_records == NULL) ||
               wrong(problem, "--job-directory, --job-store or --job-records without --job");
    if (plan->command != NULL)
        return wrong(problem, "--job and a command exclude each other");
    if (plan->mode == MODE_PROBE)
        return wrong(problem, "--probe takes no job");
    if (plan->job_directory == NULL)
        return wrong(problem, "--job without --job-directory");
    if (removal != (plan->job_records == NULL))
        return wrong(problem, removal ? "--job remove takes no --job-records" : "--job without --job-records");
    return !removal || plan->job_store == NULL || wrong(problem, "--job remove takes no --job-store");
}

bool plan_check(const struct plan *plan, struct problem *problem)
{
    if (!check_job(plan, problem))
        return false;
    if (plan->mode == MODE_RUN && plan->command == NULL && plan->job == JOB_NONE)
        return wrong(problem, "no command: sandbox-launcher [OPTIONS] -- COMMAND [ARG...]");
    if (plan->mode == MODE_PROBE && plan->command != NULL)
        return wrong(problem, "--probe takes no command");
    const enum primitive rlimits[] = {RLIMIT_ROW_CPU,  RLIMIT_ROW_NOFILE, RLIMIT_ROW_AS,
                                      RLIMIT_ROW_DATA, RLIMIT_ROW_NPROC,  RLIMIT_ROW_FSIZE,
                                      RLIMIT_ROW_CORE, RLIMIT_ROW_STACK,  RLIMIT_ROW_MEMLOCK};
    for (size_t i = 0; i < NELEM(rlimits); i++)
        if ((plan->asked & BIT(rlimits[i])) != (plan->limited & BIT(rlimits[i])))
            return wrong(problem, "--primitive %s and its --rlimit go together", primitive_name(rlimits[i]));
    bool for_cgroup = plan->memory != 0 || plan->cpu_quota != 0;
    if (for_cgroup && (plan->asked & BIT(CGROUP)) == 0)
        return wrong(problem, "--memory or --cpu-quota without --primitive cgroup");
    if ((plan->asked & BIT(CGROUP)) != 0 && !for_cgroup && plan->pids == 0)
        return wrong(problem, "--primitive cgroup without --memory, --pids or --cpu-quota");
    if (plan->pids != 0 && (plan->asked & (BIT(CGROUP) | BIT(RLIMIT_ROW_NPROC))) == 0)
        return wrong(problem, "--pids without --primitive cgroup or rlimit_nproc");
    if ((plan->cpus != NULL) != ((plan->asked & BIT(CPU_AFFINITY)) != 0))
        return wrong(problem, "--primitive cpu_affinity and --cpus go together");
    if ((plan->workspace != NULL) != ((plan->asked & BIT(WORKSPACE_SIZE)) != 0))
        return wrong(problem, "--primitive workspace_size and --workspace-size go together");
    if (plan->mount_count > 0 && (plan->asked & BIT(FILESYSTEM)) == 0)
        return wrong(problem, "mounts without --primitive filesystem");
    for (size_t i = 0; i < plan->mount_count; i++)
        if (plan->mounts[i].kind == MOUNT_SYMLINK && plan->root != ROOT_EMPTY)
            return wrong(problem, "--symlink without --root empty");
    if (plan->variable_count > 0 && (plan->asked & BIT(ENVIRONMENT)) == 0)
        return wrong(problem, "--keep-env or --unset-env without --primitive environment");
    if (plan->filter_file != NULL && (plan->asked & BIT(SECCOMP)) == 0)
        return wrong(problem, "--seccomp without --primitive seccomp");
    if ((plan->required & ~plan->asked) != 0)
        for (size_t i = 0; i < PRIMITIVE_COUNT; i++)
            if ((plan->required & ~plan->asked & BIT(i)) != 0)
                return wrong(problem, "--require %s without --primitive %s", primitive_name((enum primitive)i),
                             primitive_name((enum primitive)i));
    return true;
}
