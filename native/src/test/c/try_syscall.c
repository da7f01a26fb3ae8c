/*
 * Loads a seccomp filter and shows what the kernel then makes of system calls:
 * the other half of the tests of the BPF assembler, whose first half is an
 * interpreter in Java.
 *
 *   try_syscall FILTER CALL...             makes each call, prints a line `CALL
 * ERRNO` for it (0: it succeeded) try_syscall FILTER -- COMMAND [ARG...] runs a
 * command under the filter
 *
 * FILTER  a file with an array of struct sock_filter, or `-` for none: the
 * control, which shows that it is the filter and not the kernel that a test has
 * seen. CALL    NUMBER[:ARGUMENT[,ARGUMENT...]], decimal or 0x...; arguments
 * left out are -1, which is a bad pointer, a bad descriptor and a bad set of
 * flags. `i386:NUMBER...` makes the call through the 32-bit gate of x86_64.
 *
 * Which calls are harmless is for the caller to know: without a filter, they
 * really happen.
 *
 * The calls are made in a child that does nothing else between loading the
 * filter and its end, because the filter may allow next to nothing, not even
 * writing or exiting. It leaves its results in shared memory and is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_INSTRUCTIONS 4096
#define MAX_CALLS 4096
#define NO_RESULT (-1)

struct call {
    int i386;
    long number;
    long args[6];
};

struct shared {
    /* Which step the child has reached; results up to here are valid. */
    volatile int done;
    volatile int load_errno;
    volatile int results[MAX_CALLS];
};

static struct call calls[MAX_CALLS];

static void die(const char *what, const char *object)
{
    fprintf(stderr, "try_syscall: %s %s: %s\n", what, object, strerror(errno));
    exit(2);
}

static long number_at(const char **text)
{
    char *end;

    errno = 0;
    /* Unsigned, so that all 64 bits can be written in hexadecimal. */
    unsigned long long value = strtoull(*text, &end, 0);
    if (end == *text || errno != 0) {
        errno = EINVAL;
        die("no number:", *text);
    }
    *text = end;
    return (long)value;
}

static void parse_call(const char *text, struct call *call)
{
    const char *at = text;

    if (strncmp(at, "i386:", 5) == 0) {
        call->i386 = 1;
        at += 5;
    }
    call->number = number_at(&at);
    for (int i = 0; i < 6; i++)
        call->args[i] = -1;
    for (int i = 0; i < 6 && *at == (i == 0 ? ':' : ','); i++) {
        at++;
        call->args[i] = number_at(&at);
    }
    if (*at != '\0') {
        errno = EINVAL;
        die("bad call:", text);
    }
}

static struct sock_fprog read_filter(const char *file)
{
    static struct sock_filter filter[MAX_INSTRUCTIONS + 1];
    struct sock_fprog program = {0, filter};

    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die("open", file);
    size_t size = 0;
    for (;;) {
        ssize_t count = read(fd, (char *)filter + size, sizeof filter - size);
        if (count < 0)
            die("read", file);
        if (count == 0)
            break;
        size += (size_t)count;
    }
    close(fd);
    if (size == 0 || size % sizeof filter[0] != 0 || size / sizeof filter[0] > MAX_INSTRUCTIONS) {
        errno = EINVAL;
        die("not a filter:", file);
    }
    program.len = (unsigned short)(size / sizeof filter[0]);
    return program;
}

static int load(struct sock_fprog *program)
{
    if (program->len == 0)
        return 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0)
        return errno;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, program) != 0)
        return errno;
    return 0;
}

static int result_of(const struct call *call)
{
    if (call->i386) {
#ifdef __x86_64__
        /* The gate takes eax, ebx, ecx, edx, esi and edi; with no 32-bit support in
         * the kernel it is SIGSEGV. */
        long result = call->number;
        __asm__ volatile("int $0x80"
                         : "+a"(result)
                         : "b"(call->args[0]), "c"(call->args[1]), "d"(call->args[2]), "S"(call->args[3]),
                           "D"(call->args[4])
                         : "memory", "r8", "r9", "r10", "r11");
        int result32 = (int)result;
        return result32 < 0 && result32 >= -4095 ? -result32 : 0;
#else
        return ENOSYS;
#endif
    }
    const long *a = call->args;
    errno = 0;
    return syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]) == -1 ? errno : 0;
}

static void run_child(struct sock_fprog *program, int count, struct shared *shared)
{
    shared->load_errno = load(program);
    for (int i = 0; i < count && shared->load_errno == 0; i++) {
        shared->results[i] = result_of(&calls[i]);
        shared->done = i + 1;
    }
    shared->done = count;
    /* Not even exit need be allowed. The parent sees `done` and kills us. */
    for (;;)
        ;
}

static void sleep_a_moment(void)
{
    const struct timespec pause = {0, 1000 * 1000};
    nanosleep(&pause, NULL);
}

int main(int argc, char **argv)
{
    struct sock_fprog program = {0, NULL};

    if (argc < 3) {
        fputs("usage: try_syscall FILTER|- CALL...\n"
              "       try_syscall FILTER|- -- COMMAND [ARG...]\n",
              stderr);
        return 2;
    }
    if (strcmp(argv[1], "-") != 0)
        program = read_filter(argv[1]);

    if (strcmp(argv[2], "--") == 0) {
        errno = EINVAL;
        if (argc < 4)
            die("no", "command");
        errno = load(&program);
        if (errno != 0)
            die("seccomp:", argv[1]);
        execvp(argv[3], argv + 3);
        die("exec", argv[3]);
    }

    int count = argc - 2;
    errno = E2BIG;
    if (count > MAX_CALLS)
        die("too many", "calls");
    for (int i = 0; i < count; i++)
        parse_call(argv[i + 2], &calls[i]);

    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        die("mmap", "results");
    for (int i = 0; i < count; i++)
        shared->results[i] = NO_RESULT;

    pid_t child = fork();
    if (child < 0)
        die("fork", "");
    if (child == 0)
        run_child(&program, count, shared);

    /* The child may also be dead already: of a signal, or because a call was
     * allowed that ends a process. */
    int status;
    pid_t ended = 0;
    while (shared->done < count && (ended = waitpid(child, &status, WNOHANG)) == 0)
        sleep_a_moment();
    if (ended == 0) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    errno = shared->load_errno;
    if (errno != 0)
        die("seccomp:", argv[1]);
    for (int i = 0; i < count; i++) {
        if (shared->results[i] == NO_RESULT && WIFSIGNALED(status))
            printf("%s signal-%d\n", argv[i + 2], WTERMSIG(status));
        else if (shared->results[i] == NO_RESULT)
            printf("%s ended\n", argv[i + 2]);
        else
            printf("%s %d\n", argv[i + 2], shared->results[i]);
    }
    return 0;
}
