/*
 * The processes of one launch:
 *
 *   front    what the caller started. Waits, forwards signals, ends as the command ends. Holds no stdio.
 *   setup    enters the namespaces one by one, forks init into them, ends; where init cannot be born into all of them.
 *   init     pid 1 in there. Builds the view, reports, waits at the gate, reaps until nobody is left.
 *   command  limits, privileges, filter; then execve(2).
 *
 * front and init hold the two ends of a socket. Signal numbers go one way; the other way its end alone says that there
 * is a status in the shared page. If front is killed, init sees the end of it and ends everything.
 */
#pragma once

#include "sequence.h"

#define EXIT_REFUSED 125 /* refused, or the launcher could not set up */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

struct launch {
    struct context context;
    int report;     /* -1: there is none */
    int gate;       /* -1: there is none */
    int complaints; /* where a refusal goes when there is no report: a copy of
                       stderr, or -1 */
    int block;      /* whose end the launch ends with, see --block; -1: there is none */
    int null;       /* /dev/null, to let go of stdio */
    int socket;     /* this process's end */
    bool probe;     /* report and end; there is no command */
};

/* Runs the launch to its end in the calling process, which becomes front. Returns the exit status. */
int front_run(struct launch *launch);

/* Never returns. init_pid and init_start as the caller's pid namespace sees them. */
_Noreturn void init_run(struct launch *launch, pid_t init_pid);

/*
 * Says that nothing ran: the closing line behind the used bytes of buffer (REPORT_MAX), which may be 0, goes to the
 * report in one write, or the reason to the complaints when there is no report.
 */
void say_refused(const struct launch *launch, char *buffer, size_t used, const char *reason);

/* In milliseconds. What ends before needs its pages again, and giving them back takes a tenth of a short launch. */
#define RELEASE_AFTER_MS 200

/*
 * Gives back what is resident of our own text and constants, in a wait that lasts as long as the command does. What is
 * needed again comes back from the page cache.
 */
void release_text(void);

/* Points 0, 1 and 2 at /dev/null. 0 or -1. */
int release_stdio(const struct launch *launch);

/*
 * Blocks every signal, since all our processes take theirs from a signalfd, and lets children be waited for. 0 or -1.
 */
int block_signals(void);

/* A signalfd(2) for what ends us and for our children's ends, or -1. */
int open_signals(void);

/*
 * The number of the next signal, 0 when there is none. With outside_only, signals that a process of our own pid
 * namespace sent do not count (SIGCHLD aside): the command must not be able to pass for somebody who ends the launch.
 */
int next_signal(int signals, bool outside_only);
