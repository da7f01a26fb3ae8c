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
        bool noted = outcome->status == APPLIED && outcome->detail[0] != '\0';
        if (noted || outcome->status == FAILED || outcome->status == UNAVAILABLE) {
            char detail[DETAIL_SIZE];
            printable_copy(detail, detail_max, outcome->detail);
            used = append(buffer, size, used, " %d %s", noted ? 0 : outcome->error, detail);
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
    if (used >= size) /* many long paths: every row with 80 bytes of detail fits
                         by construction */
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

/* "filesystem failed (bind /x: Permission denied)" */
static void describe(char *text, size_t size, const char *name, const struct outcome *outcome)
{
    int n = snprintf(text, size, "%s %s", name, status_name(outcome->status));
    if (outcome->detail[0] != '\0' && n > 0 && (size_t)n < size)
        (void)snprintf(text + n, size - (size_t)n, " (%s%s%s)", outcome->detail, outcome->error != 0 ? ": " : "",
                       outcome->error != 0 ? strerror(outcome->error) : "");
}

const char *broken_view(const struct context *context, char *buffer, size_t size)
{
    const struct outcome *outcome = &context->shared->outcomes[FILESYSTEM];
    (void)snprintf(buffer, size, BROKEN_VIEW "%s%s%s", outcome->detail, outcome->error != 0 ? ": " : "",
                   outcome->error != 0 ? strerror(outcome->error) : "");
    return buffer;
}

const char *shortfall(const struct context *context, enum level level, char *buffer, size_t size)
{
    const struct plan *plan = context->plan;
    const struct outcome *first = NULL;
    const char *name = "";
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++) {
        const struct outcome *outcome = &context->shared->outcomes[i];
        if ((plan->required & BIT(i)) != 0 && outcome->status != APPLIED) {
            int n = snprintf(buffer, size, "required primitive ");
            describe(buffer + n, size - (size_t)n, primitive_name((enum primitive)i), outcome);
            return buffer;
        }
        if (first == NULL && (plan->asked & BIT(i)) != 0 && outcome->status != APPLIED) {
            first = outcome;
            name = primitive_name((enum primitive)i);
        }
    }
    if (level >= plan->minimum)
        return NULL;
    int n = snprintf(buffer, size, "level %s is below the minimum %s: ", level_name(level), level_name(plan->minimum));
    if (first != NULL)
        describe(buffer + n, size - (size_t)n, name, first);
    else
        (void)snprintf(buffer + n, size - (size_t)n, "the profile asks for no more");
    return buffer;
}
