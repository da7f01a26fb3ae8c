/* The report: what held, as text for whoever launched us. Format in docs/architecture.md; version first. */
#pragma once

#include "sequence.h"

#define REPORT_FIRST_LINE "process-sandbox-report 1\n"
#define REPORT_MAX 4096 /* one write(2); PIPE_BUF, so that it arrives whole */

/*
 * Composes the first part into buffer (REPORT_MAX bytes), without the closing ready/refused line, of which room is
 * left. Returns its length.
 */
size_t report_rows(char buffer[REPORT_MAX], const struct context *context, enum level level, long init_pid,
                   unsigned long long init_start);

/* "ready\n", or "refused REASON\n" when reason is not NULL. Appended to buffer at used; returns the new length. */
size_t report_close(char buffer[REPORT_MAX], size_t used, const char *reason);

/* Why this plan's minimum is not met; NULL when it is. The text lives in buffer. */
const char *shortfall(const struct context *context, enum level level, char *buffer, size_t size);

/* How the reason of a launch begins that is refused for its view, whatever the minimum is. */
#define BROKEN_VIEW "the view of the file system failed on a kernel that makes views: "

/* That reason, with the step, its path and its error. The text lives in buffer. */
const char *broken_view(const struct context *context, char *buffer, size_t size);
