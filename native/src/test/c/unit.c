/* Tests of the launcher's pure parts: words, plan, level, report. Built with sanitizers; hardly a system call of
 * interest. */
#include "landlock.h"
#include "launch.h"
#include "plan.h"
#include "report.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static int passed;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: %s: failed: %s\n", __FILE__, __LINE__, __func__, #condition);                \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#define CHECK_TEXT(actual, expected)                                                                                   \
    do {                                                                                                               \
        const char *text = (actual);                                                                                   \
        if (strcmp(text, (expected)) != 0) {                                                                           \
            (void)fprintf(stderr, "%s:%d: %s: \"%s\" is not \"%s\"\n", __FILE__, __LINE__, __func__, text,             \
                          (expected));                                                                                 \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static struct plan plan;
static struct problem problem;

static bool parse(char **given)
{
    static char *words[64]; /* the plan points into it after we return */
    size_t count = 0;
    for (; given[count] != NULL; count++)
        words[count] = given[count];
    words[count] = NULL;
    plan_init(&plan);
    return plan_parse(&plan, words, count, false, &problem) && plan_check(&plan, &problem);
}

#define PARSE(...) parse((char *[]){__VA_ARGS__, NULL})
#define REFUSE(why, ...)                                                                                               \
    do {                                                                                                               \
        CHECK(!PARSE(__VA_ARGS__));                                                                                    \
        CHECK_TEXT(problem.text, why);                                                                                 \
    } while (0)

static void options_are_taken(void)
{
    CHECK(PARSE("--profile", "strict", "--primitive", "filesystem", "--require", "filesystem", "--min-level", "FULL",
                "--bind", "/a", "/b c", "--tmpfs", "/tmp", "65536", "--overlay", "/h", "/u", "/w", "--dev", "/dev",
                "--grace", "0", "--", "true", "--help"));
    CHECK(plan.asked == BIT(FILESYSTEM) && plan.required == BIT(FILESYSTEM) && plan.minimum == LEVEL_FULL);
    CHECK(plan.mount_count == 4 && plan.mounts[0].kind == MOUNT_BIND && plan.mounts[1].size == 65536);
    CHECK_TEXT(plan.mounts[0].source, "/a");
    CHECK_TEXT(plan.mounts[0].target, "/b c");
    CHECK_TEXT(plan.mounts[2].work, "/w");
    CHECK_TEXT(plan.command[1], "--help");
    CHECK(plan.mode == MODE_RUN && plan.grace_s == 0 && !plan.standard && plan.keep_background &&
          plan.root == ROOT_READ_ONLY);
    CHECK(PARSE("--profile", "standard", "--background", "kill", "--", "true") && plan.standard &&
          !plan.keep_background);
    CHECK(PARSE("--primitive", "rlimit_as", "--rlimit", "as=4294967296", "--", "true"));
    CHECK(plan.limits[RLIMIT_ROW_AS] == 4294967296U);
}

static void bad_options_are_named(void)
{
    REFUSE("unknown option: --nope", "--nope", "--", "true");
    REFUSE("-- is needed before the command: true", "true");
    REFUSE("no command after --", "--");
    REFUSE("no command: sandbox-launcher [OPTIONS] -- COMMAND [ARG...]", "--grace", "1");
    REFUSE("--bind needs 2 values", "--bind", "/a");
    REFUSE("--bind: not an absolute, canonical path: a", "--bind", "a", "/b", "--", "true");
    REFUSE("--bind: not an absolute, canonical path: /a/../b", "--bind", "/a/../b", "/b", "--", "true");
    REFUSE("--dev: not an absolute, canonical path: /a//b", "--dev", "/a//b", "--", "true");
    REFUSE("--dev: not an absolute, canonical path: /dev/", "--dev", "/dev/", "--", "true");
    REFUSE("--dev: not an absolute, canonical path: /./dev", "--dev", "/./dev", "--", "true");
    REFUSE("--bind: / itself is not a target; see --root", "--bind", "/a", "/", "--", "true");
    REFUSE("--primitive: no such primitive: magic", "--primitive", "magic", "--", "true");
    REFUSE("--min-level: NONE, BASELINE, PARTIAL or FULL is needed: full", "--min-level", "full", "--", "true");
    REFUSE("--grace: not a whole number from 0 to 600: 601", "--grace", "601", "--", "true");
    REFUSE("--grace: not a whole number from 0 to 600: -1", "--grace", "-1", "--", "true");
    REFUSE("--grace: not a whole number from 0 to 600: ", "--grace", "", "--", "true");
    REFUSE("--grace: not a whole number from 0 to 600: 99999999999999999999999", "--grace", "99999999999999999999999",
           "--", "t");
    REFUSE("--grace given twice", "--grace", "1", "--grace", "1", "--", "true");
    REFUSE("--gate-timeout: 1 to 3600 seconds", "--gate-timeout", "0", "--", "true");
    REFUSE("--rlimit: no such limit: speed=1", "--rlimit", "speed=1", "--", "true");
    REFUSE("--rlimit: expected NAME=NUMBER: cpu", "--rlimit", "cpu", "--", "true");
    REFUSE("--rlimit: given twice: cpu=2", "--rlimit", "cpu=1", "--rlimit", "cpu=2", "--", "true");
    REFUSE("--primitive rlimit_cpu and its --rlimit go together", "--rlimit", "cpu=1", "--", "true");
    REFUSE("--primitive rlimit_cpu and its --rlimit go together", "--primitive", "rlimit_cpu", "--", "true");
    REFUSE("mounts without --primitive filesystem", "--dev", "/dev", "--", "true");
    REFUSE("--seccomp without --primitive seccomp", "--seccomp", "/f", "--", "true");
    REFUSE("--require proc without --primitive proc", "--require", "proc", "--", "true");
    REFUSE("--profile: a name of 1 to 32 characters of a-z, 0-9 and - is needed: "
           "Strict?",
           "--profile", "Strict\n", "--", "true");
    REFUSE("--root: ro, host or empty is needed: rw", "--root", "rw", "--", "true");
    REFUSE("--probe takes no command", "--probe", "--", "true");
}

static void a_job_stands_in_place_of_a_command(void)
{
    CHECK(PARSE("--job", "remove", "--job-directory", "/a") && plan.job == JOB_REMOVE && plan.command == NULL);
    CHECK_TEXT(plan.job_directory, "/a");
    CHECK(PARSE("--job", "begin", "--job-directory", "/a", "--job-store", "/s", "--job-records", "/r"));
    CHECK(plan.job == JOB_BEGIN);
    CHECK(PARSE("--job", "end", "--job-directory", "/a", "--job-records", "/r") && plan.job_store == NULL);
    CHECK_TEXT(plan.job_records, "/r");
    REFUSE("--job: remove, begin, check, adopt or end is needed: x", "--job", "x");
    REFUSE("--job and a command exclude each other", "--job", "remove", "--job-directory", "/a", "--", "true");
    REFUSE("--job without --job-directory", "--job", "remove");
    REFUSE("--job without --job-records", "--job", "end", "--job-directory", "/a");
    REFUSE("--job remove takes no --job-records", "--job", "remove", "--job-directory", "/a", "--job-records", "/r");
    REFUSE("--job remove takes no --job-store", "--job", "remove", "--job-directory", "/a", "--job-store", "/s");
    REFUSE("--job-directory, --job-store or --job-records without --job", "--job-store", "/s", "--", "true");
    REFUSE("--probe takes no job", "--probe", "--job", "remove", "--job-directory", "/a");
    CHECK(!PARSE("--job", "remove", "--job-directory", "/a/../b"));
}

static void limits_of_the_launch(void)
{
    CHECK(PARSE("--primitive", "cgroup", "--memory", "1048576", "--pids", "5", "--cpu-quota", "150", "--cpu-time", "7",
                "--wall-time", "8", "--primitive", "cpu_affinity", "--cpus", "0-3,8", "--", "true"));
    CHECK(plan.memory == 1048576 && plan.pids == 5 && plan.cpu_quota == 150 && plan.cpu_time_s == 7 &&
          plan.wall_time_s == 8);
    CHECK(cpu_is_listed(plan.cpus, 0) && cpu_is_listed(plan.cpus, 3) && cpu_is_listed(plan.cpus, 8));
    CHECK(!cpu_is_listed(plan.cpus, 4) && !cpu_is_listed(plan.cpus, 9) && !cpu_is_listed(NULL, 0));
    REFUSE("--memory: not a whole number from 1 to 1125899906842624: 0", "--memory", "0", "--", "true");
    REFUSE("--pids: not a whole number from 1 to 4194304: 4194305", "--pids", "4194305", "--", "true");
    REFUSE("--wall-time: not a whole number from 1 to 31622400: 1.5", "--wall-time", "1.5", "--", "true");
    REFUSE("--memory or --cpu-quota without --primitive cgroup", "--memory", "1", "--", "true");
    REFUSE("--primitive cgroup without --memory, --pids or --cpu-quota", "--primitive", "cgroup", "--", "true");
    REFUSE("--pids without --primitive cgroup or rlimit_nproc", "--pids", "1", "--", "true");
    REFUSE("--primitive cpu_affinity and --cpus go together", "--cpus", "1", "--", "true");
    REFUSE("--primitive cpu_affinity and --cpus go together", "--primitive", "cpu_affinity", "--", "true");
    CHECK(PARSE("--primitive", "workspace_size", "--workspace-size", "/ws", "4096", "--", "true"));
    CHECK(strcmp(plan.workspace, "/ws") == 0 && plan.workspace_size == 4096);
    REFUSE("--primitive workspace_size and --workspace-size go together", "--workspace-size", "/ws", "1", "--", "true");
    REFUSE("--primitive workspace_size and --workspace-size go together", "--primitive", "workspace_size", "--",
           "true");
    static char *const wrong[] = {"", ",", "1,", ",1", "3-1", "1-", "-1", "1024", "0-1024", "a", "1 ", "1--2", "00001"};
    for (size_t i = 0; i < NELEM(wrong); i++)
        CHECK(!PARSE("--primitive", "cpu_affinity", "--cpus", wrong[i], "--", "true") &&
              strncmp(problem.text, "--cpus: not a list of processors from 0 to 1023", 47) == 0);
}

#define MOUNT "26 25 0:23 / "
static const char second[] = "0::/system.slice/agent.service/agent\n";
static const char hybrid[] = "4:cpu,cpuacct:/a b\n3:memory:/x/agent\n0::/\n";

static bool found(const char *controller, const char *groups, const char *mounts, const char *where, size_t root)
{
    char path[4096];
    bool unified;
    size_t length = 0;
    return cgroup_find(controller, groups, mounts, &unified, path, sizeof path, &length) && strcmp(path, where) == 0 &&
           length == root;
}

static void control_groups_are_found(void)
{
    const char unified[] = MOUNT "/proc rw - proc proc rw\n" MOUNT "/sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n";
    CHECK(found("memory", second, unified, "/sys/fs/cgroup/system.slice/agent.service/agent", 14));
    CHECK(found("memory", "0::/\n", unified, "/sys/fs/cgroup", 14));
    const char first[] =
        MOUNT "/cg/mem rw - cgroup cgroup rw,memory\n" MOUNT "/cg/my\\040cpu rw - cgroup cgroup rw,cpu,cpuacct\n" MOUNT
              "/cg/u rw - cgroup2 cgroup2 rw\n";
    CHECK(found("memory", hybrid, first, "/cg/mem/x/agent", 7));
    CHECK(found("cpu", hybrid, first, "/cg/my cpu/a b", 10) && found("cpuacct", hybrid, first, "/cg/my cpu/a b", 10));
    CHECK(found("pids", hybrid, first, "/cg/u", 5)); /* not in version 1, so it is version 2's */
    /* only a part of the tree is mounted: a container's */
    CHECK(found("memory", "0::/docker/1/agent\n", "26 25 0:23 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n",
                "/sys/fs/cgroup/agent", 14));
    CHECK(!found("memory", "0::/docker/2\n", "26 25 0:23 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n", "", 0));
    CHECK(!found("memory", "0::/docker/12\n", "26 25 0:23 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n", "", 0));
    /* we are outside of our cgroup namespace's root, or the mount is */
    CHECK(!found("memory", "0::/../other\n", unified, "", 0));
    CHECK(!found("memory", "0::/\n", "26 25 0:23 /../.. /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n", "", 0));
    CHECK(!found("memory", "", unified, "", 0) && !found("memory", second, "", "", 0));
    CHECK(!found("memory", second, "26 25\n - cgroup2\nx y z w v - cgroup2\n", "", 0));
    CHECK(!found("memory", "3:mem:/x\n4:memoryx:/y\n", first, "", 0));
}

static bool split(const char *text, size_t size, size_t *count)
{
    static char content[1024];
    static char *words[16];
    memcpy(content, text, size);
    content[size] = '\0';
    return plan_split(content, size, words, NELEM(words), count, &problem);
}

static void args_files_are_whole_or_refused(void)
{
    size_t count;
    const char whole[] = "process-sandbox-plan\0001\0--grace\0002\0end"; /* the literal's own NUL
                                                                            ends the last word */
    CHECK(split(whole, sizeof whole, &count) && count == 2);
    for (size_t size = 0; size < sizeof whole; size++)
        CHECK(!split(whole, size, &count));
    const char other[] = "process-sandbox-plan\0002\0end";
    CHECK(!split(other, sizeof other, &count));
    CHECK_TEXT(problem.text, "--args: a plan of version 2; this launcher reads version 1");
    const char stranger[] = "#!/bin/sh\0001\0end";
    CHECK(!split(stranger, sizeof stranger, &count));
    CHECK_TEXT(problem.text, "--args: not a process-sandbox-plan");
    const char many[] = "process-sandbox-"
                        "plan\0001\0a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0m\0n\0o\0end";
    CHECK(!split(many, sizeof many, &count));
    CHECK_TEXT(problem.text, "--args: more than 16 words");
    plan_init(&plan);
    char *nested[] = {"--args", "/x"};
    CHECK(!plan_parse(&plan, nested, 2, true, &problem));
    CHECK_TEXT(problem.text, "--args inside an --args file");
}

static void levels_follow_the_rules(void)
{
    struct outcome outcomes[PRIMITIVE_COUNT] = {0};
    primitive_set two = BIT(SECCOMP) | BIT(NO_NEW_PRIVS);
    CHECK(level_of(false, 0, outcomes) == LEVEL_NONE); /* nothing asked, nothing failed: not FULL */
    CHECK(level_of(true, 0, outcomes) == LEVEL_NONE);
    CHECK(level_of(false, two, outcomes) == LEVEL_NONE); /* all skipped is not FULL */
    outcomes[SECCOMP].status = APPLIED;
    CHECK(level_of(false, two, outcomes) == LEVEL_PARTIAL);
    CHECK(level_of(true, two, outcomes) == LEVEL_NONE); /* standard with a row missing is not BASELINE */
    outcomes[NO_NEW_PRIVS].status = UNAVAILABLE;
    CHECK(level_of(false, two, outcomes) == LEVEL_PARTIAL);
    outcomes[NO_NEW_PRIVS].status = APPLIED;
    CHECK(level_of(false, two, outcomes) == LEVEL_FULL);
    CHECK(level_of(true, two, outcomes) == LEVEL_BASELINE);
    outcomes[SECCOMP].status = FAILED;
    outcomes[NO_NEW_PRIVS].status = FAILED;
    CHECK(level_of(false, two, outcomes) == LEVEL_NONE);
    outcomes[PROC].status = APPLIED; /* not asked for: counts for nothing */
    CHECK(level_of(false, two, outcomes) == LEVEL_NONE);
}

static void names_go_both_ways(void)
{
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++) {
        enum primitive primitive;
        CHECK(primitive_parse(primitive_name((enum primitive)i), &primitive) && primitive == (enum primitive)i);
    }
    enum level level;
    CHECK(level_parse("BASELINE", &level) && level == LEVEL_BASELINE && !level_parse("", &level));
}

static void texts_become_one_printable_line(void)
{
    char out[16];
    printable_copy(out, sizeof out, "a\nb\x7f\x1b[0m");
    CHECK_TEXT(out, "a?b??[0m");
    printable_copy(out, sizeof out, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!");
    CHECK_TEXT(out, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!");
    printable_copy(out, sizeof out, "\xff\xc0\x80\xed\xa0\x80\xe2\x82");
    CHECK_TEXT(out, "????????");
    printable_copy(out, sizeof out, "\xc2\x85"); /* a control character of two bytes */
    CHECK_TEXT(out, "?");
    printable_copy(out, 4, "ab\xe2\x82\xac"); /* does not fit: cut before the character */
    CHECK_TEXT(out, "ab");
}

static struct shared shared;

static void reports_fit_one_write(void)
{
    struct context context = {.plan = &plan, .shared = &shared};
    char buffer[REPORT_MAX];
    char reason[512];
    plan_init(&plan);
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++) {
        plan.asked |= BIT(i);
        shared.outcomes[i] = (struct outcome){.status = UNAVAILABLE, .error = 4095};
        memset(shared.outcomes[i].detail, 'x', DETAIL_SIZE - 1);
    }
    plan.minimum = LEVEL_FULL;
    size_t used = report_rows(buffer, &context, LEVEL_NONE, 4194304, ~0ULL);
    CHECK(shortfall(&context, LEVEL_NONE, reason, sizeof reason) != NULL);
    used = report_close(buffer, used, reason);
    CHECK(used < sizeof buffer && strlen(buffer) == used);
    CHECK(strncmp(buffer, "process-sandbox-report 1\nsession unavailable 4095 xxx", 50) == 0);
    CHECK(strstr(buffer, "\nseccomp unavailable 4095 x") != NULL &&
          strstr(buffer, "\nlevel NONE\ninit 4194304 ") != NULL);
    CHECK(strstr(buffer, "\nrefused level NONE is below the minimum FULL: "
                         "session unavailable (xxx") != NULL);
    CHECK(buffer[used - 1] == '\n');
}

static void unfinished_rows_are_failures(void)
{
    struct context context = {.plan = &plan, .shared = &shared};
    memset(&shared, 0, sizeof shared);
    plan_init(&plan);
    plan.asked = BIT(SESSION) | BIT(CLOSE_FDS) | BIT(SECCOMP);
    shared.outcomes[SESSION].status = APPLIED;
    shared.outcomes[CLOSE_FDS].status = APPLIED;
    shared.pending = BIT(CLOSE_FDS);
    sequence_finish(&context);
    CHECK(shared.outcomes[SESSION].status == APPLIED);
    CHECK(shared.outcomes[CLOSE_FDS].status == FAILED); /* applied, never read back */
    CHECK(shared.outcomes[SECCOMP].status == FAILED);   /* asked, never reached */
    CHECK(shared.outcomes[PROC].status == SKIPPED);
}

/* sigqueue(3) with a pid of the sender's choice: the kernel lets it say any code but its own (rt_sigqueueinfo(2)). */
static void send_from(pid_t pid, int code)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGTERM;
    info.si_code = code;
    info.si_pid = pid;
    CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), SIGTERM, &info) == 0);
}

/* Pid 0 is that of a sender outside of the pid namespace; a command inside can write it into a signal of its own. */
static void only_the_kernel_says_who_is_outside(void)
{
    CHECK(block_signals() == 0);
    int signals = open_signals();
    CHECK(signals >= 0);
    send_from(0, SI_QUEUE);
    CHECK(next_signal(signals, true) == 0);
    CHECK(kill(getpid(), SIGTERM) == 0);
    CHECK(next_signal(signals, true) == 0);
    send_from(0, SI_QUEUE);
    CHECK(next_signal(signals, false) == SIGTERM);
    send_from(0, SI_USER); /* to itself a process may say this too */
    CHECK(next_signal(signals, true) == SIGTERM);
    close_fd(&signals);
}

static void probe_names_cannot_be_known(void)
{
    char one[PROBE_NAME_SIZE], other[PROBE_NAME_SIZE];
    struct failure failure;
    CHECK(landlock_probe_name(one, &failure) == 0 && landlock_probe_name(other, &failure) == 0);
    CHECK(strcmp(one, other) != 0);
    CHECK(strncmp(one, ".process-sandbox-", 17) == 0 && strlen(one) == 33 && strchr(one, '/') == NULL);
}

int main(void)
{
    void (*const tests[])(void) = {
        options_are_taken,
        bad_options_are_named,
        args_files_are_whole_or_refused,
        a_job_stands_in_place_of_a_command,
        limits_of_the_launch,
        control_groups_are_found,
        levels_follow_the_rules,
        names_go_both_ways,
        texts_become_one_printable_line,
        reports_fit_one_write,
        unfinished_rows_are_failures,
        only_the_kernel_says_who_is_outside,
        probe_names_cannot_be_known,
    };
    for (size_t i = 0; i < NELEM(tests); i++, passed++)
        tests[i]();
    return printf("%d passed, 0 failed\n", passed) < 0;
}
