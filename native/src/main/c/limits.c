/* The rlimit rows. A hard limit that is already lower stays: nobody gets more than the agent has (setrlimit(2)). */
#include "sequence.h"

#include <errno.h>
#include <sys/resource.h>

static rlim_t lower(rlim_t a, rlim_t b)
{
    return a < b ? a : b; /* RLIM_INFINITY is the largest value */
}

static int lower_limit(struct context *context, enum primitive primitive, int resource, struct failure *failure)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return failed(failure, errno, "getrlimit");
    limit.rlim_max = lower(limit.rlim_max, (rlim_t)context->plan->limits[primitive]);
    limit.rlim_cur = lower(limit.rlim_cur, limit.rlim_max);
    if (setrlimit(resource, &limit) != 0)
        return failed(failure, errno, "setrlimit to %llu", (unsigned long long)limit.rlim_max);
    return 0;
}

static int check_limit(struct context *context, enum primitive primitive, int resource, struct failure *failure)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return failed(failure, errno, "getrlimit");
    if (limit.rlim_max > (rlim_t)context->plan->limits[primitive] || limit.rlim_cur > limit.rlim_max)
        return failed(failure, 0, "getrlimit: the limit is %llu", (unsigned long long)limit.rlim_max);
    return 0;
}

uint64_t rlimit_cpu_soft(uint64_t hard)
{
    return hard > 1 ? hard - 1 : hard;
}

int rlimit_cpu_apply(struct context *context, struct failure *failure)
{
    if (lower_limit(context, RLIMIT_ROW_CPU, RLIMIT_CPU, failure) != 0)
        return -1;
    struct rlimit limit;
    if (getrlimit(RLIMIT_CPU, &limit) != 0)
        return failed(failure, errno, "getrlimit");
    limit.rlim_cur = lower(limit.rlim_cur, (rlim_t)rlimit_cpu_soft(limit.rlim_max));
    if (setrlimit(RLIMIT_CPU, &limit) != 0)
        return failed(failure, errno, "setrlimit to %llu", (unsigned long long)limit.rlim_cur);
    return 0;
}

int rlimit_cpu_verify(struct context *context, struct failure *failure)
{
    return check_limit(context, RLIMIT_ROW_CPU, RLIMIT_CPU, failure);
}

int rlimit_nofile_apply(struct context *context, struct failure *failure)
{
    return lower_limit(context, RLIMIT_ROW_NOFILE, RLIMIT_NOFILE, failure);
}

int rlimit_nofile_verify(struct context *context, struct failure *failure)
{
    return check_limit(context, RLIMIT_ROW_NOFILE, RLIMIT_NOFILE, failure);
}

int rlimit_as_apply(struct context *context, struct failure *failure)
{
    return lower_limit(context, RLIMIT_ROW_AS, RLIMIT_AS, failure);
}

int rlimit_as_verify(struct context *context, struct failure *failure)
{
    return check_limit(context, RLIMIT_ROW_AS, RLIMIT_AS, failure);
}
