/* Row environment: what the command is told. The agent's JVM hands its own environment to every process it starts. */
#include "sequence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static bool is_listed(const struct plan *plan, const char *entry)
{
    size_t length = strcspn(entry, "=");
    for (size_t i = 0; i < plan->variable_count; i++)
        if (strncmp(entry, plan->variables[i], length) == 0 && plan->variables[i][length] == '\0')
            return true;
    return false;
}

/* An entry that is not NAME=VALUE has no name to keep it by. */
static bool may_stay(const struct plan *plan, const char *entry)
{
    return entry[0] != '=' && strchr(entry, '=') != NULL && is_listed(plan, entry) == plan->keep_variables;
}

int environment_apply(struct context *context, struct failure *failure)
{
    (void)failure;
    /* In place, and not by unsetenv(3), which leaves all but the first of two entries of one name to chance. */
    char **out = environ;
    for (char **in = environ; *in != NULL; in++)
        if (may_stay(context->plan, *in))
            *out++ = *in;
    *out = NULL;
    return 0;
}

int environment_verify(struct context *context, struct failure *failure)
{
    for (char **entry = environ; *entry != NULL; entry++)
        if (!may_stay(context->plan, *entry))
            return failed(failure, 0, "environ: %.*s is still there", (int)strcspn(*entry, "="), *entry);
    return 0;
}
