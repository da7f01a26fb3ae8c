/*
 * What one system call costs, in nanoseconds: the median over batches, one line `NAME NANOSECONDS` each. Run once plain
 * and once behind each profile, in turn, the difference is what the sandbox adds.
 * With --filter behind a filter that allows everything: what any filter costs.
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 101
#define CALLS 2000

static int zero;

static void do_getppid(void)
{
    (void)syscall(SYS_getppid);
}

static void do_read(void)
{
    char byte;
    if (read(zero, &byte, 1) != 1)
        abort();
}

static void do_stat(void)
{
    struct stat status;
    if (stat("bench-file", &status) != 0)
        abort();
}

static void do_openat(void)
{
    int fd = openat(AT_FDCWD, "bench-file", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || close(fd) != 0)
        abort();
}

static void do_ioctl(void)
{
    struct termios settings;
    if (ioctl(zero, TCGETS, &settings) == 0)
        abort(); /* ENOTTY: the filter looks at the request, the driver at nothing */
}

static void do_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || close(fd) != 0)
        abort();
}

static const struct {
    const char *name;
    void (*call)(void);
} calls[] = {
    {"getppid", do_getppid},       {"read", do_read},   {"stat", do_stat},
    {"openat + close", do_openat}, {"ioctl", do_ioctl}, {"socket + close", do_socket},
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double now_ns(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
        abort();
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void allow_everything(void)
{
    struct sock_filter program[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog filter = {.len = 1, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter) != 0)
        abort();
}

int main(int argc, char **argv)
{
    double ns[BATCHES];
    if (argc > 1 && strcmp(argv[1], "--filter") == 0)
        allow_everything();
    zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    if (zero < 0)
        abort();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        for (int batch = -5; batch < BATCHES; batch++) {
            double start = now_ns();
            for (int n = 0; n < CALLS; n++)
                calls[i].call();
            if (batch >= 0)
                ns[batch] = (now_ns() - start) / CALLS;
        }
        qsort(ns, BATCHES, sizeof *ns, by_size);
        printf("%s\t%.1f\n", calls[i].name, ns[BATCHES / 2]);
    }
    return 0;
}
