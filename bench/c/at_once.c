/*
 * at_once COUNT ROUNDS COMMAND [ARG...]: starts COUNT of the command at the same time and waits for all, ROUNDS times.
 * Prints the milliseconds of each round, one line each. A command that fails ends it with status 1.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now_ms(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
        abort();
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: at_once COUNT ROUNDS COMMAND [ARG...]\n");
        return 2;
    }
    int count = atoi(argv[1]), rounds = atoi(argv[2]);
    for (int round = 0; round < rounds; round++) {
        double start = now_ms();
        for (int i = 0; i < count; i++) {
            pid_t pid;
            int error = posix_spawnp(&pid, argv[3], NULL, NULL, argv + 3, environ);
            if (error != 0) {
                fprintf(stderr, "at_once: %s: %s\n", argv[3], strerror(error));
                return 1;
            }
        }
        for (int i = 0; i < count; i++) {
            int status;
            while (wait(&status) < 0)
                if (errno != EINTR)
                    abort();
            if (status != 0) {
                fprintf(stderr, "at_once: %s: wait status %#x\n", argv[3], (unsigned)status);
                return 1;
            }
        }
        printf("%.4f\n", now_ms() - start);
    }
    return 0;
}
