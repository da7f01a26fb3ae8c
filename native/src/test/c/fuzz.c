/*
 * Feeds the plan parser with mutated plans, under the sanitizers. A plain loop with a fixed seed, so that it runs
 * with any compiler; with -DLIBFUZZER it is a libFuzzer target instead:
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -DLIBFUZZER -D_GNU_SOURCE
 * -Isrc/main/c src/test/c/fuzz.c \
 *         $(ls src/main/c/?*.c | grep -v main.c)
 */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 64

static void parse(const unsigned char *data, size_t size)
{
    static struct plan plan;
    char *words[WORDS];
    size_t count;
    struct problem problem = {""};
    char *content = malloc(size + 1); /* of this very size, so that a read past its end is seen */
    if (content == NULL)
        abort();
    if (size > 0)
        memcpy(content, data, size);
    content[size] = '\0';
    plan_init(&plan);
    if (plan_split(content, size, words, WORDS, &count, &problem) && plan_parse(&plan, words, count, true, &problem) &&
        plan_check(&plan, &problem)) {
        /* whatever passed keeps what the rest of the launcher relies on */
        if (plan.mount_count > MOUNTS_MAX ||
            (plan.mode == MODE_RUN && plan.job == JOB_NONE && (plan.command == NULL || plan.command[0] == NULL)))
            abort();
        for (size_t i = 0; i < plan.mount_count; i++)
            if (plan.mounts[i].target[0] != '/' || strstr(plan.mounts[i].target, "/../") != NULL)
                abort();
    } else if (problem.text[0] == '\0') {
        abort(); /* no refusal without a reason */
    }
    free(content);
}

#ifdef LIBFUZZER
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    parse(data, size);
    return 0;
}
#else

static uint64_t state = 0x9E3779B97F4A7C15U;

static size_t below(size_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % bound);
}

static const char *const vocabulary[] = {
    "process-sandbox-plan",
    "1",
    "2",
    "end",
    "--",
    "true",
    "--args",
    "--report",
    "/r",
    "--gate",
    "--gate-timeout",
    "60",
    "--profile",
    "strict",
    "standard",
    "--primitive",
    "filesystem",
    "seccomp",
    "proc",
    "rlimit_cpu",
    "--require",
    "--min-level",
    "FULL",
    "--root",
    "ro",
    "--bind",
    "/a",
    "/b/../c",
    "--ro-bind",
    "--tmpfs",
    "/tmp",
    "18446744073709551615",
    "--overlay",
    "--overlay-durable",
    "--overlay-or-ro",
    "--overlay-or-ro-noexec",
    "--dev",
    "/dev",
    "--rlimit",
    "cpu=9",
    "as=",
    "cgroup",
    "--memory",
    "--pids",
    "--cpu-quota",
    "--wall-time",
    "cpu_affinity",
    "--cpus",
    "workspace_size",
    "--workspace-size",
    "--task",
    "0-3,8",
    "3-",
    "0-1024",
    "=",
    "--seccomp",
    "--background",
    "keep",
    "--grace",
    "5",
    "--job",
    "remove",
    "end",
    "--job-directory",
    "--job-store",
    "--job-records",
    "--help",
    "--probe",
    "",
    "\xff\n\x1b",
    "/",
    "//",
    "/.",
    "rlimit_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=1",
};

int main(int argc, char **argv)
{
    uint64_t rounds = 100000;
    if (argc > 1 && !parse_number(argv[1], UINT64_MAX, &rounds))
        return 2;
    for (uint64_t round = 0; round < rounds; round++) {
        unsigned char data[4096];
        size_t size = 0;
        size_t words = below(20);
        for (size_t i = 0; i < words; i++) {
            const char *word = i == 0 && below(8) > 0   ? "process-sandbox-plan"
                               : i == 1 && below(8) > 0 ? "1"
                               : i == words - 1 && below(4) > 0
                                   ? "end"
                                   : vocabulary[below(sizeof vocabulary / sizeof vocabulary[0])];
            size_t length = strlen(word) + 1;
            memcpy(data + size, word, length);
            size += length;
        }
        for (size_t flips = below(4); flips > 0 && size > 0 && below(2) == 0; flips--)
            data[below(size)] = (unsigned char)below(256);
        if (size > 0 && below(4) == 0)
            size = below(size);
        parse(data, size);
    }
    return printf("%llu plans parsed\n", (unsigned long long)rounds) < 0;
}
#endif
