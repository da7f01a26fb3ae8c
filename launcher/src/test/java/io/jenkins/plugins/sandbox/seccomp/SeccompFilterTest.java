package io.jenkins.plugins.sandbox.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole policies, compiled and interpreted. */
class SeccompFilterTest {
    private static final int ALLOW = BpfInterpreter.ALLOW;
    private static final int EPERM = BpfInterpreter.errno(1);
    private static final int ENOSYS = BpfInterpreter.errno(38);
    private static final int EAFNOSUPPORT = BpfInterpreter.errno(97);
    private static final int EPROTONOSUPPORT = BpfInterpreter.errno(93);
    /** AUDIT_ARCH_I386. */
    private static final int I386 = 0x40000003;

    private static final SeccompPolicy STANDARD = SeccompPolicy.builder().build();

    static Stream<Arguments> policies() {
        return Stream.of(Architecture.values())
                .flatMap(architecture -> Stream.of(
                        Arguments.of(architecture, "default", STANDARD),
                        Arguments.of(
                                architecture,
                                "debug and nested",
                                SeccompPolicy.builder()
                                        .add("debug")
                                        .add("nested-sandbox")
                                        .build()),
                        Arguments.of(architecture, "launcher only", SeccompPolicy.of(List.of())),
                        Arguments.of(
                                architecture,
                                "with single names",
                                SeccompPolicy.builder()
                                        .allow("bpf")
                                        .deny("mkdirat", 13)
                                        .deny("clone", 22)
                                        .build())));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("policies")
    void everyNumberGetsTheVerdictOfItsName(Architecture architecture, String name, SeccompPolicy policy) {
        BpfInterpreter filter = interpreter(policy, architecture);
        Random random = new Random(1);
        for (int number = 0; number < 1024; number++) {
            Optional<String> syscall = SyscallTable.of(architecture).name(number);
            Verdict verdict = syscall.map(policy::verdict).orElse(new Verdict.Deny(38));
            for (int round = 0; round < 20; round++) {
                long[] arguments = random.longs(6).toArray();
                Verdict expected = verdict instanceof Verdict.Conditional
                        ? Reference.evaluate(
                                ArgumentChecks.of(syscall.orElseThrow()).orElseThrow(), arguments)
                        : verdict;
                assertThat(filter.run(architecture.auditArch(), number, arguments))
                        .as("%d (%s)", number, syscall.orElse("unknown"))
                        .isEqualTo(Reference.filterValue(expected));
                // Else the kernel could not answer from its bitmap (Linux 5.11) and would run the filter each time.
                assertThat(filter.loadedArgument())
                        .as("%d (%s) looks at arguments", number, syscall.orElse("unknown"))
                        .isEqualTo(verdict instanceof Verdict.Conditional);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void numbersThatNobodyHasYetAreAnsweredWithEnosys(Architecture architecture) {
        BpfInterpreter filter = interpreter(STANDARD, architecture);
        for (int number : new int[] {470, 471, 600, 1023, 1024, 65536, 0x3FFFFFFF, 0x40000000, -1, Integer.MIN_VALUE}) {
            assertThat(filter.run(architecture.auditArch(), number))
                    .as("%d", number)
                    .isEqualTo(ENOSYS);
        }
    }

    @Test
    void x32CallsAreRefusedWhateverTheirNumber() {
        BpfInterpreter filter = interpreter(STANDARD, Architecture.X86_64);
        for (int number = 0; number < 1024; number++) {
            assertThat(filter.run(Architecture.X86_64.auditArch(), number | 0x40000000))
                    .isEqualTo(ENOSYS);
            assertThat(filter.run(Architecture.X86_64.auditArch(), number | 0xC0000000))
                    .isEqualTo(ENOSYS);
        }
    }

    /** i386 write is 4, which on x86_64 is stat: read under the wrong table it would be allowed. */
    @ParameterizedTest
    @EnumSource(Architecture.class)
    void callsOfAnotherArchitectureAreRefusedWhateverTheirNumber(Architecture architecture) {
        BpfInterpreter filter = interpreter(STANDARD, architecture);
        int other = architecture == Architecture.X86_64
                ? Architecture.AARCH64.auditArch()
                : Architecture.X86_64.auditArch();
        for (int number = 0; number < 1024; number++) {
            for (int foreign : new int[] {I386, other, 0, -1, architecture.auditArch() & 0x7FFFFFFF}) {
                assertThat(filter.run(foreign, number)).isEqualTo(ENOSYS);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void cloneRefusesEachNamespaceFlagAndNoOther(Architecture architecture) {
        // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET of linux/sched.h.
        List<Integer> namespaces = List.of(17, 25, 26, 27, 28, 29, 30);
        Call clone = new Call(STANDARD, architecture, "clone");
        for (int bit = 0; bit < 64; bit++) {
            int expected = namespaces.contains(bit) ? EPERM : ALLOW;
            assertThat(clone.with(1L << bit)).as("bit %d", bit).isEqualTo(expected);
            assertThat(clone.with(1L << bit | 0xFFFF_FFFF_0000_0011L))
                    .as("bit %d", bit)
                    .isEqualTo(expected);
        }
        // What fork, vfork and pthread_create of glibc pass.
        assertThat(clone.with(0x01200011)).isEqualTo(ALLOW);
        assertThat(clone.with(0x4111)).isEqualTo(ALLOW);
        assertThat(clone.with(0x003D0F00)).isEqualTo(ALLOW);
        assertThat(new Call(STANDARD, architecture, "clone3").with(-1)).isEqualTo(ENOSYS);
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void nestedSandboxAllowsCloneWithAnyFlagAndClone3(Architecture architecture) {
        SeccompPolicy nested = SeccompPolicy.builder().add("nested-sandbox").build();
        assertThat(new Call(nested, architecture, "clone").with(0x7E020000)).isEqualTo(ALLOW);
        assertThat(new Call(nested, architecture, "clone3").with(0)).isEqualTo(ALLOW);
        assertThat(new Call(nested, architecture, "ioctl").with(0, 0x5412)).isEqualTo(EPERM);
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void socketFamilies(Architecture architecture) {
        for (String name : List.of("socket", "socketpair")) {
            Call socket = new Call(STANDARD, architecture, name);
            for (int family = 0; family < 64; family++) {
                // AF_UNIX, AF_INET, AF_INET6; netlink is below.
                int expected = List.of(1, 2, 10, 16).contains(family) ? ALLOW : EAFNOSUPPORT;
                int type = family == 16 ? 3 : 1;
                assertThat(socket.with(family, type, 0)).as("family %d", family).isEqualTo(expected);
                assertThat(socket.with(family | 1L << 32, type, 0))
                        .as("family %d", family)
                        .isEqualTo(expected);
            }
            assertThat(socket.with(-1, 1, 0)).isEqualTo(EAFNOSUPPORT);
            assertThat(socket.with(0x10001, 1, 0)).isEqualTo(EAFNOSUPPORT);
        }
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void socketTypesWithAndWithoutTheirFlagBits(Architecture architecture) {
        Call socket = new Call(STANDARD, architecture, "socket");
        int nonblock = 0x800;
        int cloexec = 0x80000;
        for (int family : new int[] {1, 2, 10}) {
            for (long flags : new long[] {0, nonblock, cloexec, nonblock | cloexec, 1L << 32, 0xFFFF_FFFF_FFFF_FFF0L}) {
                for (int type = 0; type < 16; type++) {
                    // SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET; not SOCK_RAW (3), SOCK_RDM, SOCK_DCCP, SOCK_PACKET (10).
                    int expected = List.of(1, 2, 5).contains(type) ? ALLOW : EPERM;
                    assertThat(socket.with(family, type | flags, 0))
                            .as("family %d type %d flags %x", family, type, flags)
                            .isEqualTo(expected);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void netlinkOnlyToRouting(Architecture architecture) {
        Call socket = new Call(STANDARD, architecture, "socket");
        assertThat(socket.with(16, 3 | 0x80000, 0)).isEqualTo(ALLOW);
        assertThat(socket.with(16, 2, 0)).isEqualTo(ALLOW);
        assertThat(socket.with(16, 3, 1L << 32)).isEqualTo(ALLOW);
        assertThat(socket.with(16, 1, 0)).isEqualTo(EPERM);
        assertThat(socket.with(16, 10, 0)).isEqualTo(EPERM);
        for (int protocol = 1; protocol < 32; protocol++) {
            assertThat(socket.with(16, 3, protocol)).as("protocol %d", protocol).isEqualTo(EAFNOSUPPORT);
        }
        assertThat(socket.with(16, 3, -1)).isEqualTo(EAFNOSUPPORT);
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void requestsToTerminalsAndForSnapshotsAreRefusedWithUpperBitsSetToo(Architecture architecture) {
        Call ioctl = new Call(STANDARD, architecture, "ioctl");
        for (long request : new long[] {0x5412, 0x541C, 0x5423, 0x50009401, 0x50009417}) {
            assertThat(ioctl.with(0, request)).isEqualTo(EPERM);
            assertThat(ioctl.with(0, request | 1L << 32)).isEqualTo(EPERM);
            assertThat(ioctl.with(0, request | 0xFFFF_FFFF_0000_0000L)).isEqualTo(EPERM);
            assertThat(ioctl.with(request, 0)).isEqualTo(ALLOW);
        }
        // TCGETS, TIOCGWINSZ, FIONREAD, TIOCSCTTY, FICLONE.
        for (long request : new long[] {0x5401, 0x5413, 0x541B, 0x540E, 0x40049409, 0}) {
            assertThat(ioctl.with(0, request)).isEqualTo(ALLOW);
        }
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void leasesAreRefused(Architecture architecture) {
        Call fcntl = new Call(STANDARD, architecture, "fcntl");
        assertThat(fcntl.with(0, 1024)).isEqualTo(EPERM);
        assertThat(fcntl.with(0, 1024 | 1L << 32)).isEqualTo(EPERM);
        // F_DUPFD to F_OFD_SETLKW, F_GETLEASE, F_DUPFD_CLOEXEC, F_GET_SEALS.
        for (int command : new int[] {0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1025, 1030, 1034}) {
            assertThat(fcntl.with(1024, command)).as("command %d", command).isEqualTo(ALLOW);
        }
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void protocolsOfTheInternet(Architecture architecture) {
        Call socket = new Call(STANDARD, architecture, "socket");
        for (int family : new int[] {1, 2, 10}) {
            for (int protocol = 0; protocol < 300; protocol++) {
                int expected = List.of(0, 1, 6, 17, 58, 262).contains(protocol) ? ALLOW : EPROTONOSUPPORT;
                assertThat(socket.with(family, 1 | 0x80000, protocol))
                        .as("family %d protocol %d", family, protocol)
                        .isEqualTo(expected);
            }
            assertThat(socket.with(family, 2, 132 | 1L << 32)).isEqualTo(EPROTONOSUPPORT);
            assertThat(socket.with(family, 3, 132)).isEqualTo(EPERM);
        }
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void nobodyElsesLimitsAreSet(Architecture architecture) {
        Call prlimit = new Call(STANDARD, architecture, "prlimit64");
        long limits = 0x7FFD_0000_1000L;
        long above = 1L << 32;
        assertThat(prlimit.with(0, 1, limits, 0)).isEqualTo(ALLOW);
        assertThat(prlimit.with(above, 1, limits, 0)).isEqualTo(ALLOW); // pid_t has 32 bits: the caller
        assertThat(prlimit.with(1, 1, 0, limits)).isEqualTo(ALLOW);
        for (long process : new long[] {1, 2, 4711, 1 | above}) {
            assertThat(prlimit.with(process, 1, limits, 0)).isEqualTo(EPERM);
            assertThat(prlimit.with(process, 1, above, 0)).isEqualTo(EPERM); // a pointer has 64
        }
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void personalities(Architecture architecture) {
        Call personality = new Call(STANDARD, architecture, "personality");
        for (long allowed : new long[] {0, 0x8, 0x20000, 0x20008, 0x40000, 0x40008, 0x60008, 0xFFFFFFFFL, -1}) {
            assertThat(personality.with(allowed)).as("%x", allowed).isEqualTo(ALLOW);
        }
        // Each other bit by itself: READ_IMPLIES_EXEC is 0x400000, MMAP_PAGE_ZERO 0x100000, PER_SVR4 1 and so on.
        for (int bit = 0; bit < 32; bit++) {
            int expected = List.of(3, 17, 18).contains(bit) ? ALLOW : EPERM;
            assertThat(personality.with(1L << bit)).as("bit %d", bit).isEqualTo(expected);
            assertThat(personality.with(1L << bit | 0x40000 | 1L << 32))
                    .as("bit %d", bit)
                    .isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void prctlOptions(Architecture architecture) {
        Call prctl = new Call(STANDARD, architecture, "prctl");
        for (long refused : new long[] {35, 62, 35 | 1L << 32}) {
            assertThat(prctl.with(refused)).isEqualTo(EPERM);
        }
        // PDEATHSIG, DUMPABLE, NAME, GET and SET_SECCOMP, NO_NEW_PRIVS, THP, SET_VMA, SET_PTRACER.
        for (long allowed : new long[] {1, 4, 15, 21, 22, 38, 41, 0x53564D41, 0x59616D61}) {
            assertThat(prctl.with(allowed)).as("%d", allowed).isEqualTo(ALLOW);
        }
    }

    /** Half of the 4096 instructions that the kernel takes would be a sign that something is not merged. */
    @ParameterizedTest
    @EnumSource(Architecture.class)
    void theDefaultFilterIsShort(Architecture architecture) {
        BpfProgram program = STANDARD.compile(architecture);
        assertThat(program.architecture()).isEqualTo(architecture);
        assertThat(program.size()).isBetween(100, 400);
        assertThat(program.bytes()).hasSize(program.size() * 8);
        assertThat(program.disassemble().lines()).hasSize(program.size());
    }

    private static BpfInterpreter interpreter(SeccompPolicy policy, Architecture architecture) {
        return new BpfInterpreter(policy.compile(architecture).bytes());
    }

    /** One call by name. */
    private record Call(BpfInterpreter filter, Architecture architecture, int number) {
        Call(SeccompPolicy policy, Architecture architecture, String name) {
            this(
                    interpreter(policy, architecture),
                    architecture,
                    SyscallTable.of(architecture).number(name).orElseThrow());
        }

        int with(long... arguments) {
            return filter.run(architecture.auditArch(), number, arguments);
        }
    }
}
