/* no_new_privs, capabilities, seccomp: what the command may ask of the kernel. */
#include "sequence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1UL << 2)
#endif

#define LAST_CAPABILITY_POSSIBLE 63
#define SECUREBITS_ALL                                                                                                 \
    (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |                   \
     SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* The five sets in two words each, as capget(2) of version 3 gives three of them. */
struct capability_sets {
    struct __user_cap_data_struct word[2];
};

static int get_sets(struct capability_sets *sets)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    return (int)syscall(SYS_capget, &header, sets->word);
}

static int set_sets(const struct capability_sets *sets)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    return (int)syscall(SYS_capset, &header, sets->word);
}

bool has_capability(int capability)
{
    struct capability_sets sets;
    return get_sets(&sets) == 0 && (sets.word[capability / 32].effective & (1U << (capability % 32))) != 0;
}

int no_new_privs_apply(struct context *context, struct failure *failure)
{
    (void)context;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return failed(failure, errno, "prctl PR_SET_NO_NEW_PRIVS");
    return 0;
}

int no_new_privs_verify(struct context *context, struct failure *failure)
{
    (void)context;
    int value = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    if (value != 1)
        return failed(failure, value < 0 ? errno : 0, "prctl PR_GET_NO_NEW_PRIVS: %d", value);
    return 0;
}

static int clear_sets(struct failure *failure)
{
    struct capability_sets none = {0};
    return set_sets(&none) == 0 ? 0 : failed(failure, errno, "capset");
}

/*
 * The bounding set and the securebits are there to limit what an execve(2) may add. Changing them takes CAP_SETPCAP,
 * which nobody has who is in no user namespace of his own; but under no_new_privs an execve(2) adds nothing, not even
 * for user id 0 ("Transformation of capabilities during execve()", capabilities(7); PR_SET_NO_NEW_PRIVS(2const)).
 */
static bool needs_bounding(void)
{
    return has_capability(CAP_SETPCAP) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}

/*
 * Where the kernel does not know the call (before Linux 4.3; gVisor), the ambient set is empty because there is none,
 * or because the kernel takes out of it what leaves the permitted set (capabilities(7)). A line in status tells.
 */
static bool is_ambient_empty(void)
{
    static const char name[] = "\nCapAmb:\t";
    char text[8192];
    if (read_file_at(AT_FDCWD, "/proc/self/status", text, sizeof text) < 0)
        return false;
    const char *line = strstr(text, name);
    return line == NULL || strtoull(line + sizeof name - 1, NULL, 16) == 0;
}

int capabilities_apply(struct context *context, struct failure *failure)
{
    /* Ambient first, securebits and bounding set while CAP_SETPCAP is still there, the rest at last. */
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
        return failed(failure, errno, "prctl PR_CAP_AMBIENT_CLEAR_ALL");
    context->bounding_kept = !needs_bounding();
    if (context->bounding_kept)
        return clear_sets(failure);
    /* One of the two ways in which an execve(2) by user id 0 gets nothing back. gVisor has the other one alone. */
    int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
    if (bits < 0 ? errno != EINVAL : prctl(PR_SET_SECUREBITS, (unsigned long)bits | SECUREBITS_ALL, 0, 0, 0) != 0)
        return failed(failure, errno, "prctl PR_SET_SECUREBITS");
    for (int capability = 0; capability <= LAST_CAPABILITY_POSSIBLE; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
            continue;
        int error = errno;
        if (error == EINVAL) /* past the last one that this kernel knows */
            break;
        if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 0)
            return failed(failure, error, "prctl PR_CAPBSET_DROP %d", capability);
    }
    return clear_sets(failure);
}

int capabilities_verify(struct context *context, struct failure *failure)
{
    struct capability_sets sets;
    if (get_sets(&sets) != 0)
        return failed(failure, errno, "capget");
    for (size_t i = 0; i < NELEM(sets.word); i++)
        if ((sets.word[i].effective | sets.word[i].permitted | sets.word[i].inheritable) != 0)
            return failed(failure, 0, "capget: capabilities left");
    for (int capability = 0; capability <= LAST_CAPABILITY_POSSIBLE; capability++) {
        int bounding = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (bounding < 0 && capability == 0)
            return failed(failure, errno, "prctl PR_CAPBSET_READ");
        if (bounding < 0)
            break;
        if (bounding != 0 && !context->bounding_kept)
            return failed(failure, 0, "prctl PR_CAPBSET_READ: %d left in the bounding set", capability);
        int ambient = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0);
        if (ambient != 0 && !(ambient < 0 && errno == EINVAL && is_ambient_empty()))
            return failed(failure, 0, "prctl PR_CAP_AMBIENT_IS_SET: %d left in the ambient set", capability);
    }
    if (context->bounding_kept)
        return no_new_privs_verify(context, failure);
    int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
    if (bits < 0 ? errno != EINVAL : (bits & SECUREBITS_ALL) != SECUREBITS_ALL)
        return failed(failure, bits < 0 ? errno : 0, "prctl PR_GET_SECUREBITS: %#x", (unsigned)bits);
    return 0;
}

/* The least useful of the capabilities in a set, or 0 for an empty one. */
static uint64_t least_useful(uint64_t set)
{
    static const int preferred[] = {CAP_BLOCK_SUSPEND, CAP_WAKE_ALARM, CAP_LEASE, CAP_AUDIT_WRITE,
                                    CAP_NET_BIND_SERVICE};
    for (size_t i = 0; i < NELEM(preferred); i++)
        if ((set & (UINT64_C(1) << preferred[i])) != 0)
            return UINT64_C(1) << preferred[i];
    return set & -set;
}

int shield_init(void)
{
    /*
     * The command runs under init's user id. ptrace(2), process_vm_writev(2) and /proc/1/{mem,fd} are refused to it
     * as long as init's permitted set is no subset of its own, empty one ("Ptrace access mode checking", ptrace(2)).
     * So init keeps one capability that means nothing outside the initial user namespace and little in it, not even
     * effective; another one where that is not to be had (root in a container). The agent, owner of the user
     * namespace, still reads and signals init.
     */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    struct capability_sets sets;
    if (get_sets(&sets) != 0)
        return -1;
    uint64_t keep = least_useful((uint64_t)sets.word[1].permitted << 32 | sets.word[0].permitted);
    memset(&sets, 0, sizeof sets);
    sets.word[0].permitted = (uint32_t)keep;
    sets.word[1].permitted = (uint32_t)(keep >> 32);
    return set_sets(&sets);
}

int seccomp_apply(struct context *context, struct failure *failure)
{
    if (context->filter == NULL)
        return unavailable(failure, 0, "no filter for this architecture");
    struct sock_fprog program = {.len = context->filter_length, .filter = context->filter};
    /* SPEC_ALLOW: without it older kernels switch speculation off for the whole build (prctl(2),
       PR_SET_SPECULATION_CTRL), which costs up to half of the speed and protects nobody here. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0)
        return 0;
    if (errno == EINVAL && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
        return 0; /* before Linux 4.17 */
    if (errno == ENOSYS)
        return unavailable(failure, errno, "seccomp: not in this kernel");
    return failed(failure, errno, "seccomp: a filter of %u instructions", (unsigned)context->filter_length);
}

int refuse_internet_sockets(void)
{
    /* Only this system's own calls: the plan's filter refuses those of other architectures (x32, 32 bit). */
    static struct sock_filter program[] = {
        {.code = BPF_LD | BPF_W | BPF_ABS, .k = offsetof(struct seccomp_data, nr)},
        {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 3, .k = SYS_socket},
        {.code = BPF_LD | BPF_W | BPF_ABS, .k = offsetof(struct seccomp_data, args) /* low half: little endian */},
        {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 2, .jf = 0, .k = AF_INET},
        {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 1, .jf = 0, .k = AF_INET6},
        {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW},
        {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ERRNO | EAFNOSUPPORT},
    };
    struct sock_fprog filter = {.len = NELEM(program), .filter = program};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

int seccomp_verify(struct context *context, struct failure *failure)
{
    (void)context;
    int mode = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
    if (mode == SECCOMP_MODE_FILTER)
        return 0;
    return failed(failure, mode < 0 ? errno : 0, "prctl PR_GET_SECCOMP: %d", mode);
}
