package io.jenkins.plugins.sandbox.seccomp;

import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Rule;
import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Test.Full64Equals;
import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Test.Low32AnyBit;
import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Test.Low32In;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The calls whose arguments are looked at, and for what. Wherever one of them is allowed, the check goes with it; only a
 * group that says {@code unchecked:} lifts it. {@code memfd_create} alone is checked on request.
 *
 * <p>All the arguments below are {@code int} or cut to 32 bits in the kernel, hence only the lower half is compared.
 * The numbers are the same on both architectures (constants from {@code linux/*.h} and {@code asm-generic/*.h}).
 */
final class ArgumentChecks {
    private static final Verdict EPERM = new Verdict.Deny(Errno.EPERM);
    private static final int ALL_BITS = 0xFFFFFFFF;

    /** Checked only where a policy asks for it ({@link SeccompPolicy.Builder#sealMemoryFiles}). */
    static final String MEMFD_CREATE = "memfd_create";

    /** In the order in which the filter asks: the most frequent first. */
    private static final Map<String, ArgumentCheck> CHECKS;

    static {
        Map<String, ArgumentCheck> checks = new LinkedHashMap<>();
        checks.put("ioctl", ioctl());
        checks.put("fcntl", fcntl());
        checks.put("socket", socket());
        checks.put("clone", cloneFlags());
        checks.put("prctl", prctl());
        checks.put("socketpair", socket());
        checks.put("prlimit64", prlimit());
        checks.put("personality", personality());
        checks.put("renameat2", renameat2());
        checks.put("mknod", mknod(1));
        checks.put("mknodat", mknod(2));
        checks.put(MEMFD_CREATE, memfdCreate());
        CHECKS = Collections.unmodifiableMap(checks);
    }

    private ArgumentChecks() {}

    static Map<String, ArgumentCheck> all() {
        return CHECKS;
    }

    static Optional<ArgumentCheck> of(String syscall) {
        return Optional.ofNullable(CHECKS.get(syscall));
    }

    /**
     * Namespaces are what the launcher makes before it loads the filter; a build that makes its own gets a user namespace
     * with all capabilities in it, and with that the kernel code which is open to root only.
     */
    private static ArgumentCheck cloneFlags() {
        // NEWNS 0x00020000, NEWCGROUP 0x02000000, NEWUTS 0x04000000, NEWIPC 0x08000000, NEWUSER 0x10000000,
        // NEWPID 0x20000000, NEWNET 0x40000000. NEWTIME is 0x80, which clone takes as part of the exit signal.
        int newNamespaces = 0x7E020000;
        return new ArgumentCheck(
                "refused with EPERM when it asks for a namespace (a CLONE_NEW* flag)",
                List.of(new Rule(EPERM, new Low32AnyBit(0, newNamespaces))),
                Verdict.ALLOW);
    }

    /**
     * Families that builds use, and no others: many families are modules which the first socket loads, and have been a
     * steady source of kernel bugs (AF_ALG, AF_VSOCK, AF_TIPC, AF_CAN, AF_PACKET, AF_KEY and so on).
     *
     * <p>Netlink only to the routing subsystem, without which getifaddrs(3), the JVM and Go cannot list interfaces. What
     * is left out answers EAFNOSUPPORT, as a kernel without that part: libaudit and the like take that for an answer.
     *
     * <p>Of the types, raw sockets and the ancient SOCK_PACKET are refused. The kernel wants CAP_NET_RAW for the former,
     * but a namespace's owner has it. The type carries SOCK_CLOEXEC and SOCK_NONBLOCK in its upper bits, so only the
     * kernel's SOCK_TYPE_MASK is compared.
     *
     * <p>The protocol, since those of the internet families are modules as well (SCTP, DCCP, L2TP, SMC, UDP-Lite):
     * EPROTONOSUPPORT is what a kernel without them says.
     */
    private static ArgumentCheck socket() {
        Integer[] ordinaryFamilies = {
            /* AF_UNIX */
            1, /* AF_INET */ 2, /* AF_INET6 */ 10
        };
        int netlink = 16;
        int typeMask = 0xF;
        Integer[] ordinaryTypes = {
            /* SOCK_STREAM */
            1, /* SOCK_DGRAM */ 2, /* SOCK_SEQPACKET */ 5
        };
        // 0 is the family's usual one. MPTCP is what Go's servers ask for first.
        Integer[] ordinaryProtocols = {0, /* ICMP */ 1, /* TCP */ 6, /* UDP */ 17, /* ICMPv6 */ 58, /* MPTCP */ 262};
        Integer[] netlinkTypes = {
            /* SOCK_DGRAM */
            2, /* SOCK_RAW */ 3
        };
        int netlinkRoute = 0;
        return new ArgumentCheck(
                "refused with EAFNOSUPPORT unless AF_UNIX, AF_INET, AF_INET6 or AF_NETLINK to NETLINK_ROUTE;"
                        + " with EPERM unless a stream, datagram or seqpacket socket (netlink: also raw);"
                        + " with EPROTONOSUPPORT unless TCP, UDP, ICMP or MPTCP",
                List.of(
                        new Rule(
                                Verdict.ALLOW,
                                new Low32In(0, ALL_BITS, ordinaryFamilies),
                                new Low32In(1, typeMask, ordinaryTypes),
                                new Low32In(2, ALL_BITS, ordinaryProtocols)),
                        new Rule(
                                new Verdict.Deny(Errno.EPROTONOSUPPORT),
                                new Low32In(0, ALL_BITS, ordinaryFamilies),
                                new Low32In(1, typeMask, ordinaryTypes)),
                        new Rule(EPERM, new Low32In(0, ALL_BITS, ordinaryFamilies)),
                        new Rule(
                                Verdict.ALLOW,
                                new Low32In(0, ALL_BITS, netlink),
                                new Low32In(2, ALL_BITS, netlinkRoute),
                                new Low32In(1, typeMask, netlinkTypes)),
                        new Rule(EPERM, new Low32In(0, ALL_BITS, netlink), new Low32In(2, ALL_BITS, netlinkRoute))),
                new Verdict.Deny(Errno.EAFNOSUPPORT));
    }

    /**
     * F_SETLEASE (1024): the owner of a file that may only be read here could make everybody outside who opens it wait, for
     * the 45 s of lease-break-time, again and again. File servers use it, builds do not.
     */
    private static ArgumentCheck fcntl() {
        return new ArgumentCheck(
                "refused with EPERM for F_SETLEASE",
                List.of(new Rule(EPERM, new Low32In(1, ALL_BITS, 1024))),
                Verdict.ALLOW);
    }

    /**
     * Three requests that let a build type into, or change, a terminal that it shares with somebody: TIOCSTI puts
     * characters into its input, TIOCLINUX pastes on a console, TIOCSETD loads line disciplines (a module each, and
     * CVE-2017-2636 and others). The session of its own that the launcher makes is the first wall, this the second.
     *
     * <p>And BTRFS_IOC_SNAP_CREATE with its second version: the owner of a subvolume that may only be read could have a
     * writable copy of it in the workspace, and in the copy nothing is covered by a mount.
     */
    private static ArgumentCheck ioctl() {
        return new ArgumentCheck(
                "refused with EPERM for TIOCSTI, TIOCLINUX, TIOCSETD and the two BTRFS_IOC_SNAP_CREATE",
                List.of(new Rule(EPERM, new Low32In(1, ALL_BITS, 0x5412, 0x541C, 0x5423, 0x50009401, 0x50009417))),
                Verdict.ALLOW);
    }

    /**
     * A list of what is refused rather than of what is allowed: libc, sanitizers and runtimes use ever more options on
     * themselves, and those that could reach further ask for a capability that is gone. PR_SET_SECCOMP only tightens,
     * PR_SET_PTRACER means nothing without ptrace, dumpable and no_new_privs concern the caller alone.
     *
     * <ul>
     *   <li>PR_SET_MM (35) rewrites where the kernel looks for a process' command line, environment and executable.
     *       Jenkins finds what it has to kill by that environment; only checkpoint/restore needs the option.
     *   <li>PR_SCHED_CORE (62) keeps the other hyper-thread of a core idle for everybody else on the machine.
     * </ul>
     */
    private static ArgumentCheck prctl() {
        return new ArgumentCheck(
                "refused with EPERM for PR_SET_MM and PR_SCHED_CORE",
                List.of(new Rule(EPERM, new Low32In(0, ALL_BITS, 35, 62))),
                Verdict.ALLOW);
    }

    /**
     * Whoever has the user id of another process may lower its limits: those of init, which with a file size of 0 could not say
     * any more how the launch ended, and where there is no pid namespace, those of the agent. No capability and no
     * security module stands in between (prlimit(2)). C libraries, shells and JVMs name the caller as 0; another process'
     * limits can be read.
     */
    private static ArgumentCheck prlimit() {
        return new ArgumentCheck(
                "refused with EPERM for setting limits of another process than the caller",
                List.of(
                        new Rule(Verdict.ALLOW, new Low32In(0, ALL_BITS, 0)),
                        new Rule(Verdict.ALLOW, new Full64Equals(2, -1L, 0))),
                EPERM);
    }

    /**
     * Other personalities switch on rarely used kernel code, and READ_IMPLIES_EXEC or MMAP_PAGE_ZERO undo protections.
     *
     * <p>Allowed, in any combination: PER_LINUX (0), PER_LINUX32 (8, what {@code setarch i686} uses), UNAME26 (0x20000),
     * ADDR_NO_RANDOMIZE (0x40000) and the question what is set (0xffffffff). ADDR_NO_RANDOMIZE goes further than Docker:
     * ThreadSanitizer starts itself again with it and gives up when it cannot, gdb and some Lisp builds use it, and it
     * makes nobody but the caller easier to attack.
     */
    private static ArgumentCheck personality() {
        return new ArgumentCheck(
                "refused with EPERM unless PER_LINUX or PER_LINUX32, with or without UNAME26 and ADDR_NO_RANDOMIZE",
                List.of(
                        new Rule(Verdict.ALLOW, new Low32In(0, ALL_BITS, 0xFFFFFFFF)),
                        new Rule(Verdict.ALLOW, new Low32In(0, ~(0x8 | 0x20000 | 0x40000), 0))),
                EPERM);
    }

    /**
     * RENAME_WHITEOUT (4) leaves a character device where the file was, which Landlock does not see as one that is made: the
     * agent would find it in the step's control directory. Overlays use it from inside the kernel; the kernel itself answers
     * EINVAL for a file system that does not know the flag, so programs have another way.
     */
    private static ArgumentCheck renameat2() {
        return new ArgumentCheck(
                "refused with EINVAL for RENAME_WHITEOUT",
                List.of(new Rule(new Verdict.Deny(Errno.EINVAL), new Low32AnyBit(4, 4))),
                Verdict.ALLOW);
    }

    /**
     * S_IFCHR and S_IFBLK: the kernel refuses devices to those without CAP_MKNOD, except the mark of an overlay, character
     * device 0:0 (Linux 5.8). Landlock refuses that one too, where there is Landlock.
     *
     * @param mode the position of the argument
     */
    private static ArgumentCheck mknod(int mode) {
        return new ArgumentCheck(
                "refused with EPERM for a device (S_IFCHR, S_IFBLK)",
                List.of(new Rule(EPERM, new Low32In(mode, 0xF000, 0x2000, 0x6000))),
                Verdict.ALLOW);
    }

    /** MFD_NOEXEC_SEAL (8, Linux 6.3): EACCES is what the kernel answers under {@code vm.memfd_noexec = 2}. */
    private static ArgumentCheck memfdCreate() {
        return new ArgumentCheck(
                "refused with EACCES without MFD_NOEXEC_SEAL",
                List.of(new Rule(Verdict.ALLOW, new Low32AnyBit(1, 8))),
                new Verdict.Deny(Errno.EACCES));
    }
}
