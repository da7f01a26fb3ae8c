/* The command line: reads the plan, opens what it names, and hands over to front. */
#include "helper_files.h"
#include "launch.h"
#include "mounting.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "help.h"

#ifndef LAUNCHER_VERSION
#define LAUNCHER_VERSION "development"
#endif

/* Says why nothing will run: in the report when the plan names one, else on stderr. Returns the exit status. */
static int refuse_plan(const struct plan *plan, const char *text)
{
    if (plan->report_file != NULL) {
        int report CLEANUP_FD = open(plan->report_file, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        char buffer[REPORT_MAX] = REPORT_FIRST_LINE;
        size_t used = report_close(buffer, strlen(buffer), text);
        if (report >= 0 && write_all(report, buffer, used) == 0)
            return EXIT_REFUSED;
    }
    (void)dprintf(STDERR_FILENO, "sandbox-launcher: %s\n", text);
    return EXIT_REFUSED;
}

static int refuse_errno(const struct plan *plan, const char *what, const char *object)
{
    char text[512];
    int error = errno;
    (void)snprintf(text, sizeof text, "%s %s: %s", what, object, strerror(error));
    return refuse_plan(plan, text);
}

/* Descriptors 0 to 2 must exist, or the files opened below would become the command's stdio. */
static int ensure_stdio(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd < 0)
            return -1;
        if (fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) != 0)
            return -1;
    } while (fd <= STDERR_FILENO);
    return fd;
}

static bool read_args(struct plan *plan, struct problem *problem)
{
    char *content = malloc(ARGS_MAX_BYTES + 1);
    char **words = calloc(ARGS_MAX_WORDS, sizeof *words);
    size_t count;
    if (content == NULL || words == NULL) {
        (void)snprintf(problem->text, sizeof problem->text, "out of memory");
        free(content);
        free(words);
        return false;
    }
    ssize_t size = read_file_at(AT_FDCWD, plan->args_file, content, ARGS_MAX_BYTES + 1);
    if (size < 0) {
        int error = errno;
        char path[300];
        printable_copy(path, sizeof path, plan->args_file);
        (void)snprintf(problem->text, sizeof problem->text, "--args %s: %s", path,
                       error == EFBIG ? "more than 1 MiB" : strerror(error));
    } else if (plan_split(content, (size_t)size, words, ARGS_MAX_WORDS, &count, problem) &&
               plan_parse(plan, words, count, true, problem)) {
        return true; /* the plan points into content and words until we end */
    }
    free(content);
    free(words);
    return false;
}

/* 0, or -1 with errno; EINVAL when it is no filter by its size. */
static int read_filter(struct context *context)
{
    size_t capacity = BPF_MAXINSNS * sizeof *context->filter + 1;
    context->filter = malloc(capacity);
    if (context->filter == NULL)
        return -1;
    ssize_t size = read_file_at(AT_FDCWD, context->plan->filter_file, (char *)context->filter, capacity);
    if (size < 0)
        return -1;
    if (size == 0 || (size_t)size % sizeof *context->filter != 0) {
        errno = EINVAL;
        return -1;
    }
    context->filter_length = (unsigned short)((size_t)size / sizeof *context->filter);
    return 0;
}

/* For --probe: all that needs no directory and no filter of the caller's, with the least of parameters and limits that
   limit nothing. What a launch does with its directories only a plan can try. */
static void plan_probe(struct plan *plan)
{
    const enum primitive rows[] = {SESSION,         CLOSE_FDS,      ENVIRONMENT,   USER_NAMESPACE,   PID_NAMESPACE,
                                   MOUNT_NAMESPACE, IPC_NAMESPACE,  UTS_NAMESPACE, CGROUP_NAMESPACE, NETWORK_NAMESPACE,
                                   FILESYSTEM,      PROC,           NO_NEW_PRIVS,  CAPABILITIES,     LANDLOCK_FS,
                                   LANDLOCK_NET,    LANDLOCK_SCOPE, SECCOMP};
    const enum primitive limits[] = {RLIMIT_ROW_CPU,   RLIMIT_ROW_NOFILE, RLIMIT_ROW_AS,    RLIMIT_ROW_DATA,
                                     RLIMIT_ROW_FSIZE, RLIMIT_ROW_CORE,   RLIMIT_ROW_STACK, RLIMIT_ROW_MEMLOCK};
    plan->asked = 0;
    for (size_t i = 0; i < NELEM(rows); i++)
        plan->asked |= BIT(rows[i]);
    plan->limited = 0;
    for (size_t i = 0; i < NELEM(limits); i++) {
        plan->limits[limits[i]] = INT64_MAX;
        plan->limited |= BIT(limits[i]);
    }
    plan->asked |= plan->limited;
    plan->required = 0;
    plan->minimum = LEVEL_NONE;
    plan->mounts[0] = (struct mount_step){.kind = MOUNT_DEV, .target = "/dev"};
    plan->mounts[1] = (struct mount_step){.kind = MOUNT_TMPFS, .target = "/tmp"};
    plan->mount_count = 2;
}

static struct sock_filter probe_filter[] = {{.code = BPF_RET | BPF_K, .k = 0x7fff0000U /* SECCOMP_RET_ALLOW */}};

static int open_for_probe(struct launch *launch)
{
    launch->probe = true;
    launch->context.filter = probe_filter;
    launch->context.filter_length = NELEM(probe_filter);
    launch->context.cwd[0] = '/'; /* the caller's directory may be private to it, or in /tmp */
    launch->context.cwd[1] = '\0';
    launch->report = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return launch->report < 0 ? refuse_errno(launch->context.plan, "dup", "stdout") : 0;
}

/* The job's directories, before there is a view. No build can change what their paths mean. */
static int open_places(struct launch *launch)
{
    const struct plan *plan = launch->context.plan;
    struct places *places = &launch->context.places;
    const char *const paths[] = {plan->job_directory, plan->job_store, plan->job_records};
    int *const fds[] = {&places->directory, &places->store, &places->records};
    for (size_t i = 0; i < NELEM(fds); i++) {
        struct stat status;
        if (paths[i] == NULL)
            continue;
        *fds[i] = walk_from_root(paths[i]);
        if (*fds[i] < 0 || fstat(*fds[i], &status) != 0)
            return refuse_errno(plan, "open", paths[i]);
        if (S_ISDIR(status.st_mode))
            continue;
        errno = ENOTDIR;
        return refuse_errno(plan, "open", paths[i]);
    }
    return 0;
}

static int open_for_run(struct launch *launch)
{
    const struct plan *plan = launch->context.plan;
    if (plan->report_file != NULL) {
        /* Never waits for a reader of a pipe; a report that nobody takes is an error like any other. */
        launch->report = open(plan->report_file, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (launch->report < 0) {
            int error = errno;
            (void)dprintf(STDERR_FILENO, "sandbox-launcher: --report %s: %s\n", plan->report_file, strerror(error));
            return EXIT_REFUSED;
        }
    } else {
        launch->complaints = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        if (launch->complaints < 0)
            return refuse_errno(plan, "dup", "stderr");
    }
    if (plan->gate_file != NULL) {
        launch->gate = open(plan->gate_file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (launch->gate < 0)
            return refuse_errno(plan, "--gate", plan->gate_file);
    }
    if (plan->block_file != NULL) {
        launch->block = open(plan->block_file, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (launch->block < 0)
            return refuse_errno(plan, "--block", plan->block_file);
    }
    if (plan->filter_file != NULL && read_filter(&launch->context) != 0)
        return errno == EINVAL ? refuse_plan(plan, "--seccomp: not 1 to 4096 filter instructions")
                               : refuse_errno(plan, "--seccomp", plan->filter_file);
    int status = open_places(launch);
    if (status != 0)
        return status;
    if (getcwd(launch->context.cwd, sizeof launch->context.cwd) == NULL)
        launch->context.cwd[0] = '\0'; /* only the view needs it, and says so */
    return 0;
}

/*
 * A build may have taken its own rights to its workspace away, which must not keep later launches from starting. By
 * descriptor: the walk follows no link, and what it found stays the same directory whatever becomes of its name.
 */
static int restore_rights(const struct plan *plan)
{
    struct stat status;
    int fd CLEANUP_FD = walk_from_root(plan->rights);
    if (fd < 0 || fstat(fd, &status) != 0)
        return refuse_errno(plan, "open", plan->rights);
    if ((status.st_mode & S_IRWXU) == S_IRWXU)
        return 0;
    return grant_fd(fd, (status.st_mode & 07777) | S_IRWXU) == 0 ? 0 : refuse_errno(plan, "chmod", plan->rights);
}

int main(int argc, char **argv)
{
    static struct plan plan;
    static struct launch launch = {.report = -1,
                                   .gate = -1,
                                   .complaints = -1,
                                   .block = -1,
                                   .null = -1,
                                   .socket = -1,
                                   .context.proc_self = -1,
                                   .context.places = {-1, -1, -1}};
    struct problem problem;

    launch.null = ensure_stdio();
    if (launch.null < 0)
        return EXIT_REFUSED;
    plan_init(&plan);
    if (!plan_parse(&plan, argv + (argc > 0), (size_t)(argc > 0 ? argc - 1 : 0), false, &problem))
        return refuse_plan(&plan, problem.text);
    if (plan.mode == MODE_HELP)
        return write_all(STDOUT_FILENO, help_text, sizeof help_text - 1) == 0 ? 0 : 1;
    if (plan.mode == MODE_VERSION)
        return dprintf(STDOUT_FILENO, "sandbox-launcher %s\n", LAUNCHER_VERSION) > 0 ? 0 : 1;
    if (plan.args_file != NULL && !read_args(&plan, &problem))
        return refuse_plan(&plan, problem.text);
    if (plan.mode == MODE_RIGHTS)
        return restore_rights(&plan);
    if (plan.mode == MODE_PROBE)
        plan_probe(&plan);
    if (!plan_check(&plan, &problem))
        return refuse_plan(&plan, problem.text);

    launch.context.plan = &plan;
    launch.context.uid = geteuid();
    launch.context.gid = getegid();
    int status = plan.mode == MODE_PROBE ? open_for_probe(&launch) : open_for_run(&launch);
    if (status != 0)
        return status;
    launch.context.shared =
        mmap(NULL, sizeof *launch.context.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (launch.context.shared == MAP_FAILED)
        return refuse_errno(&plan, "mmap", "shared memory");
    if (namespaces_remember(&launch.context) != 0)
        return refuse_errno(&plan, "read", "/proc/self/ns");
    return front_run(&launch);
}
