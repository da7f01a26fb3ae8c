#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CLOSING_ROOM 400 /* kept for the last line */

static size_t PRINTF_LIKE(4, 5) append(char *buffer, size_t size, size_t used, const char *format, ...)
{
    if (used >= size)
        return used;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(buffer + used, size - used, format, args);
    va_end(args);
    return n < 0 ? used : used + (size_t)n;
}

/* One attempt with details cut at detail_max bytes; a result of size or more means that it did not fit. */
static size_t compose(char *buffer, size_t size, const struct context *context, enum level level, long init_pid,
                      unsigned long long init_start, size_t detail_max)
{
    size_t used = append(buffer, size, 0, "%s", REPORT_FIRST_LINE);
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++) {
        const struct outcome *outcome = &context->shared->outcomes[i];
        used = append(buffer, size, used, "%s %s", primitive_name((enum primitive)i), status_name(outcome->status));
        if (outcome->status == FAILED || outcome->status == UNAVAILABLE) {
            char detail[DETAIL_SIZE];
            printable_copy(detail, detail_max, outcome->detail);
            used = append(buffer, size, used, " %d %s", outcome->error, detail);
        }
        used = append(buffer, size, used, "\n");
    }
    used = append(buffer, size, used, "level %s\n", level_name(level));
    if (init_pid > 0)
        used = append(buffer, size, used, "init %ld %llu\n", init_pid, init_start);
    return used;
}

size_t report_rows(char buffer[REPORT_MAX], const struct context *context, enum level level, long init_pid,
                   unsigned long long init_start)
{
    size_t size = REPORT_MAX - CLOSING_ROOM;
    size_t used = compose(buffer, size, context, level, init_pid, init_start, DETAIL_SIZE);
    if (used >= size) /* many long paths: every row with 80 bytes of detail fits by construction */
        used = compose(buffer, size, context, level, init_pid, init_start, 80);
    return used < size ? used : size - 1;
}

size_t report_close(char buffer[REPORT_MAX], size_t used, const char *reason)
{
    if (reason == NULL)
        return append(buffer, REPORT_MAX, used, "ready\n");
    char text[CLOSING_ROOM - sizeof "refused \n"];
    printable_copy(text, sizeof text, reason);
    return append(buffer, REPORT_MAX, used, "refused %s\n", text);
}

const char *shortfall(const struct context *context, enum level level, char *buffer, size_t size)
{
    const struct plan *plan = context->plan;
    const char *first = NULL;
    const char *how = "";
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++) {
        const struct outcome *outcome = &context->shared->outcomes[i];
        if ((plan->required & BIT(i)) != 0 && outcome->status != APPLIED) {
            (void)snprintf(buffer, size, "required primitive %s is %s", primitive_name((enum primitive)i),
                           status_name(outcome->status));
            return buffer;
        }
        if (first == NULL && (plan->asked & BIT(i)) != 0 && outcome->status != APPLIED) {
            first = primitive_name((enum primitive)i);
            how = status_name(outcome->status);
        }
    }
    if (level >= plan->minimum)
        return NULL;
    if (first != NULL)
        (void)snprintf(buffer, size, "level %s is below the minimum %s: %s %s", level_name(level),
                       level_name(plan->minimum), first, how);
    else
        (void)snprintf(buffer, size, "level %s is below the minimum %s: the profile asks for no more", level_name(level),
                       level_name(plan->minimum));
    return buffer;
}
