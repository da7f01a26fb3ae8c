/*
 * Uses more than it may, in one way by its first argument: what the tests of limits run inside. Each says REACHED
 * before it starts, and what it was refused, if it ever hears of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static void say(const char *text)
{
    (void)write(STDOUT_FILENO, text, strlen(text));
}

static int refused(const char *what)
{
    char line[128];
    (void)snprintf(line, sizeof line, "REFUSED %s: %s\n", what, strerror(errno));
    say(line);
    return 3;
}

static void spin_for(double seconds)
{
    struct timespec now;
    do
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    while (seconds < 0 || (double)now.tv_sec + (double)now.tv_nsec / 1e9 < seconds);
}

static int use_malloc(size_t mebibytes)
{
    for (size_t i = 0; i < mebibytes; i++) {
        char *part = malloc(MIB);
        if (part == NULL)
            return refused("malloc");
        memset(part, 1, MIB);
    }
    return 0;
}

static int use_mmap(size_t mebibytes)
{
    char *part = mmap(NULL, mebibytes * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (part == MAP_FAILED)
        return refused("mmap");
    memset(part, 1, mebibytes * MIB);
    return 0;
}

/* Many, each of which uses little: what a limit of each process does not see. */
static int use_by_many(size_t mebibytes)
{
    for (size_t i = 0; i < mebibytes / 10; i++) {
        pid_t pid = fork();
        if (pid < 0)
            return refused("fork");
        if (pid == 0) {
            (void)use_malloc(10);
            (void)pause();
        }
    }
    while (wait(NULL) > 0)
        ;
    return 0;
}

static int write_file(const char *path, size_t mebibytes)
{
    static char part[MIB];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        return refused("open");
    for (size_t i = 0; i < mebibytes; i++)
        if (write(fd, part, sizeof part) < 0)
            return refused("write");
    return 0;
}

static int open_files(size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (open("/dev/null", O_RDONLY) < 0) {
            (void)printf("OPEN %zu\n", i);
            (void)fflush(stdout);
            return refused("open");
        }
    return 0;
}

/* Never gives up: every process starts others as long as it lives. */
static int bomb(void)
{
    for (;;)
        if (fork() < 0 && usleep(10000) != 0)
            return 1;
}

static int spin_children(size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fork() == 0)
            spin_for(-1);
    while (wait(NULL) > 0)
        ;
    return 0;
}

static int __attribute__((noinline)) use_stack(size_t mebibytes)
{
    volatile char part[MIB / 4];
    part[0] = (char)mebibytes;
    return mebibytes == 0 ? part[0] : use_stack(mebibytes - 1) + part[0];
}

/* Clock and children: a process of `seconds` CPU time, half of them in a child. */
static int use_cpu(double seconds)
{
    pid_t child = fork();
    if (child == 0) {
        spin_for(seconds / 2);
        _exit(0);
    }
    spin_for(seconds / 2);
    return waitpid(child, NULL, 0) == child ? 0 : 1;
}

static void nothing(int number)
{
    (void)number;
}

/* Hears SIGXCPU and SIGXFSZ, and goes on all the same. */
static int spin_deaf(void)
{
    (void)signal(SIGXCPU, nothing);
    say("DEAF\n");
    spin_for(-1);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    size_t number = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    say("REACHED\n");
    int status = strcmp(what, "malloc") == 0         ? use_malloc(number)
                 : strcmp(what, "mmap") == 0         ? use_mmap(number)
                 : strcmp(what, "many") == 0         ? use_by_many(number)
                 : strcmp(what, "write") == 0        ? write_file(argv[3], number)
                 : strcmp(what, "files") == 0        ? open_files(number)
                 : strcmp(what, "bomb") == 0         ? bomb()
                 : strcmp(what, "spin") == 0         ? spin_children(number)
                 : strcmp(what, "spin-deaf") == 0    ? spin_deaf()
                 : strcmp(what, "stack") == 0        ? use_stack(4 * number) < 0
                 : strcmp(what, "cpu") == 0          ? use_cpu((double)number)
                 : strcmp(what, "sleep") == 0        ? (int)sleep((unsigned)number)
                 : strcmp(what, "ignore-child") == 0 ? (signal(SIGCHLD, SIG_IGN), use_cpu((double)number))
                                                     : 2;
    if (status == 0)
        say("DONE\n");
    return status;
}
