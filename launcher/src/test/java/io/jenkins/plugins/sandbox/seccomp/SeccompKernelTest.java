package io.jenkins.plugins.sandbox.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Rule;
import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Test.Full64Equals;
import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Test.Low32In;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the running kernel makes of the filters.
 *
 * <p>Each attempt is made twice, with the filter and without: only a call that the kernel answers otherwise when it is not
 * filtered has shown that it was the filter. The calls have bad arguments and could do no harm if they were let through.
 */
@Tag("kernel")
class SeccompKernelTest {
    private static final String EPERM = "1";
    private static final String ENOSYS = "38";
    private static final String EXDEV = Integer.toString(SyntheticLists.EXDEV);

    private static Architecture architecture;
    private static SyscallTable table;
    private static Path trySyscall;

    @TempDir
    Path directory;

    @BeforeAll
    static void needs() {
        architecture = Architecture.current().orElseThrow(() -> new AssertionError("no filter for this machine"));
        table = SyscallTable.of(architecture);
        String property = System.getProperty("sandbox.try_syscall");
        assertThat(property).as("system property sandbox.try_syscall").isNotBlank();
        trySyscall = Path.of(property);
        assertThat(trySyscall).isExecutable();
    }

    static Stream<Arguments> lists() {
        return SyntheticLists.all().entrySet().stream().map(list -> Arguments.of(list.getKey(), list.getValue()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("lists")
    void listsOfEveryLengthAllowTheirNumbersAndNoOthers(String name, List<Integer> numbers) throws Exception {
        List<String> calls = IntStream.rangeClosed(SyntheticLists.FIRST, SyntheticLists.LAST)
                .mapToObj(Integer::toString)
                .toList();
        Map<String, String> results =
                run(FilterAssembler.allowList(architecture, numbers, SyntheticLists.EXDEV), calls);
        Set<String> listed = new HashSet<>();
        numbers.forEach(number -> listed.add(number.toString()));
        assertThat(calls).containsAll(listed);
        assertThat(results).hasSize(calls.size()).allSatisfy((call, errno) -> assertThat(errno)
                .as("%s of %s", call, name)
                .isEqualTo(listed.contains(call) ? ENOSYS : EXDEV));
    }

    @Test
    void withoutAFilterNoneOfTheseNumbersGetsTheErrorOfOurs() throws Exception {
        List<String> calls = IntStream.rangeClosed(SyntheticLists.FIRST, SyntheticLists.LAST)
                .mapToObj(Integer::toString)
                .toList();
        assertThat(run(null, calls).values()).hasSize(calls.size()).containsOnly(ENOSYS);
    }

    /**
     * Even on a kernel without x32 support, since the filter is asked before the kernel looks for the call. The list names
     * the x32 number, so that it is the check in front that refuses it and not the tree.
     */
    @Test
    void x32CallsAreRefused() throws Exception {
        onlyOn(Architecture.X86_64, "x32 calls");
        int getpid = table.number("getpid").orElseThrow();
        String x32 = Integer.toString(getpid | 0x40000000);
        BpfProgram filter =
                FilterAssembler.allowList(architecture, List.of(getpid, getpid | 0x40000000), SyntheticLists.EXDEV);
        assertThat(run(filter, List.of(x32, Integer.toString(getpid))))
                .containsEntry(x32, EXDEV)
                .containsEntry(Integer.toString(getpid), "0");
        assertThat(run(null, List.of(x32)).get(x32)).isIn("0", ENOSYS);
    }

    /** The 32-bit gate: there 20 is getpid, which under the numbers of x86_64 is writev and would be let through. */
    @Test
    void callsThroughThe32BitGateAreRefused() throws Exception {
        onlyOn(Architecture.X86_64, "a 32-bit gate");
        String getpid = "i386:20";
        BpfProgram filter = FilterAssembler.allowList(architecture, List.of(20), SyntheticLists.EXDEV);
        String unfiltered = run(null, List.of(getpid)).get(getpid);
        String filtered = run(filter, List.of(getpid)).get(getpid);
        if (unfiltered.startsWith("signal-")) {
            // A kernel without IA32 emulation has no gate to guard.
            assertThat(filtered).isEqualTo(unfiltered);
        } else {
            assertKernelAnswers(getpid, "0");
            assertThat(filtered).isEqualTo(EXDEV);
        }
    }

    @Test
    void argumentTestsSeeTheRightHalvesOfTheRegisters() throws Exception {
        Map<Integer, ArgumentCheck> checks = new LinkedHashMap<>();
        Verdict.Deny deny = new Verdict.Deny(SyntheticLists.EXDEV);
        checks.put(700, new ArgumentCheck("", List.of(new Rule(deny, new Low32In(1, -1, 0x5412))), Verdict.ALLOW));
        checks.put(
                701,
                new ArgumentCheck("", List.of(new Rule(deny, new Full64Equals(5, -1, 0x1_0000_0002L))), Verdict.ALLOW));
        BpfProgram filter = FilterAssembler.assemble(architecture, new TreeMap<>(), checks, deny);
        Map<String, String> expected = new LinkedHashMap<>();
        expected.put("700:0,0x5412", EXDEV);
        expected.put("700:0,0x100005412", EXDEV);
        expected.put("700:0x5412,0", ENOSYS);
        expected.put("700:0,0x541200000000", ENOSYS);
        expected.put("701:0,0,0,0,0,0x100000002", EXDEV);
        expected.put("701:0,0,0,0,0,2", ENOSYS);
        expected.put("701:0,0,0,0,0,0x100000000", ENOSYS);
        expected.put("701:0,0,0,0,0,0x200000001", ENOSYS);
        assertThat(run(filter, List.copyOf(expected.keySet()))).isEqualTo(expected);
    }

    /**
     * name, arguments, errno with the filter, errno or errnos without. 22 EINVAL, 14 EFAULT, 9 EBADF, 3 ESRCH.
     *
     * <p>CLONE_THREAD (0x10000) without CLONE_SIGHAND is EINVAL before anything is made. SOCK_RAW on AF_UNIX succeeds for
     * everybody. 15 is NETLINK_KOBJECT_UEVENT. PR_SET_MM with a fifth argument is EINVAL before privileges are looked at.
     */
    @ParameterizedTest(name = "{0}:{1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "clone         | 0x00030000                | 1  | 22",
                "clone         | 0x02010000                | 1  | 22",
                "clone         | 0x04010000                | 1  | 22",
                "clone         | 0x08010000                | 1  | 22",
                "clone         | 0x10010000                | 1  | 22",
                "clone         | 0x20010000                | 1  | 22",
                "clone         | 0x40010000                | 1  | 22",
                "clone         | 0xffffffff10010000        | 1  | 22",
                "clone3        | 0,0                       | 38 | 22",
                "unshare       | 0x1                       | 1  | 22",
                "setns         | -1,0                      | 1  | 9",
                "chroot        | -1                        | 1  | 14",
                "socket        | 1,3,0                     | 1  | 0",
                "socket        | 1,0x80003,0               | 1  | 0",
                "socket        | 1,0x80803,0               | 1  | 0",
                "socket        | 0x100000001,0x100000003,0 | 1  | 0",
                "socket        | 1,10,0                    | 1  | 94",
                "socket        | 16,3,15                   | 97 | 0",
                "socketpair    | 1,0x80003,0,-1            | 1  | 14",
                "ioctl         | -1,0x5412,-1              | 1  | 9",
                "ioctl         | -1,0x100005412,-1         | 1  | 9",
                "ioctl         | -1,0x8000000000005412,-1  | 1  | 9",
                "ioctl         | -1,0x541c,-1              | 1  | 9",
                "ioctl         | -1,0x5423,-1              | 1  | 9",
                "ioctl         | -1,0x50009401,-1          | 1  | 9",
                "ioctl         | -1,0x50009417,-1          | 1  | 9",
                "fcntl         | -1,1024,0                 | 1  | 9",
                "socket        | 2,2,136                   | 93 | 0",
                "personality   | 0x400000                  | 1  | 0",
                "prctl         | 35,1,0,0,1                | 1  | 22",
                "ptrace        | 0x4200,-1,0,0             | 1  | 3",
                "kcmp          | -1,-1,-1                  | 1  | 3",
                "renameat2     | -1,-1,-1,-1,4             | 22 | 14",
                "renameat2     | -1,-1,-1,-1,0x100000004   | 22 | 14",
                "renameat2     | -1,-1,-1,-1,5             | 22 | 14",
                "mknodat       | -1,-1,0x2180,0            | 1  | 14",
                "mknodat       | -1,-1,0x100002180,0       | 1  | 14",
                "mknodat       | -1,-1,0x6180,0            | 1  | 14",
                "io_setup      | 1,-1                      | 38 | 14",
                "io_submit     | 0,1,-1                    | 38 | 22",
                "keyctl        | 9999,0,0,0,0              | 38 | 95",
                "add_key       | -1,-1,0,0,0               | 38 | 14",
                "io_uring_setup | 0,0                      | 38 | 14 1 22",
                "mount         | -1,-1,-1,0,0              | 1  | 14",
                "umount2       | -1,-1                     | 1  | 22",
                "open_tree     | -1,-1,-1                  | 38 | 22",
            })
    void refusedByTheFilterAndNotByTheKernel(String name, String arguments, String filtered, String unfiltered)
            throws Exception {
        String call = table.number(name).orElseThrow() + ":" + arguments;
        assertKernelAnswers(call, unfiltered.split(" "));
        assertThat(run(standard(), List.of(call)).get(call)).isEqualTo(filtered);
    }

    /** The benign twins: the same calls as ordinary programs make them get through to the kernel. */
    @ParameterizedTest(name = "{0}:{1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "clone       | 0x10000              | 22",
                "socket      | 1,0x80001,0          | 0",
                "socket      | 2,0x80801,0          | 0",
                "socket      | 2,2,0                | 0",
                "socket      | 16,0x80003,0         | 0",
                "socketpair  | 1,1,0,-1             | 14",
                "ioctl       | -1,0x5401,-1         | 9",
                "personality | 0xffffffff           | 0",
                "personality | 0x40000              | 0",
                "prctl       | 21                   | 0",
                "fcntl       | -1,1025,0            | 9",
                "renameat2   | -1,-1,-1,-1,1        | 14",
                "renameat2   | -1,-1,-1,-1,2        | 14",
                "mknodat     | -1,-1,0x1180,0       | 14",
                "mknodat     | -1,-1,0xc180,0       | 14",
                "socket      | 2,0x80001,262        | 0 93 92",
                "openat      | -1,-1,0              | 14",
                "statx       | -1,-1,0,0,-1         | 14",
                "fchownat    | -1,-1,0,0,0          | 14",
                "epoll_pwait | -1,-1,1,0,0          | 9",
                "futex       | -1,-1,0,0,0          | 38 22",
                "seccomp     | -1,0,0               | 22",
            })
    void ordinaryCallsReachTheKernel(String name, String arguments, String reached) throws Exception {
        String call = table.number(name).orElseThrow() + ":" + arguments;
        // prctl(PR_GET_SECCOMP) succeeds in both cases, with 0 and with 2.
        assertKernelAnswers(call, reached.split(" "));
        assertThat(run(standard(), List.of(call)).get(call)).isIn((Object[]) reached.split(" "));
    }

    /** Every refused call of this architecture, with arguments that are bad for all of them. */
    @Test
    void everyRefusedCallGetsTheErrnoOfItsVerdict() throws Exception {
        SeccompPolicy policy = SeccompPolicy.builder().build();
        Map<String, String> expected = new LinkedHashMap<>();
        table.byNumber().forEach((number, name) -> {
            // vhangup has no arguments that could be bad.
            if (policy.verdict(name) instanceof Verdict.Deny deny && !name.equals("vhangup")) {
                expected.put(number.toString(), Integer.toString(deny.errno()));
            }
        });
        assertThat(expected).hasSizeGreaterThan(60);
        List<String> calls = List.copyOf(expected.keySet());
        assertThat(run(standard(), calls)).isEqualTo(expected);
        if (filteredAlready()) {
            return;
        }
        Map<String, String> control = run(null, calls);
        assertThat(calls.stream().filter(call -> !control.get(call).equals(expected.get(call))))
                .as("refused calls that this kernel, for this user, answers otherwise without the filter")
                .hasSizeGreaterThan(25);
    }

    @Test
    void aGroupOfItsOwnLetsAsynchronousInputReachTheKernel() throws Exception {
        String call = table.number("io_setup").orElseThrow() + ":1,-1";
        assertKernelAnswers(call, "14");
        BpfProgram aio = SeccompPolicy.builder().add("@aio").build().compile(architecture);
        assertThat(run(aio, List.of(call))).containsEntry(call, "14");
        assertThat(run(standard(), List.of(call))).containsEntry(call, ENOSYS);
    }

    @Test
    void debugLetsPtraceReachTheKernel() throws Exception {
        String call = table.number("ptrace").orElseThrow() + ":0x4200,-1,0,0";
        assertKernelAnswers(call, "3");
        BpfProgram debug = SeccompPolicy.builder().add("debug").build().compile(architecture);
        assertThat(run(debug, List.of(call))).containsEntry(call, "3");
        assertThat(run(standard(), List.of(call))).containsEntry(call, EPERM);
    }

    @Test
    void nestedSandboxLetsNamespaceFlagsReachTheKernel() throws Exception {
        String clone = table.number("clone").orElseThrow() + ":0x7e030000";
        String clone3 = table.number("clone3").orElseThrow() + ":0,0";
        assertKernelAnswers(clone, "22");
        assertKernelAnswers(clone3, "22");
        BpfProgram nested =
                SeccompPolicy.builder().add("nested-sandbox").build().compile(architecture);
        assertThat(run(nested, List.of(clone, clone3)))
                .containsEntry(clone, "22")
                .containsEntry(clone3, "22");
        assertThat(run(standard(), List.of(clone, clone3)))
                .containsEntry(clone, EPERM)
                .containsEntry(clone3, ENOSYS);
    }

    @Test
    void aShellWithPipesAndFilesWorks() throws Exception {
        String script = "cd '" + directory + "' && echo marker > a && ln -s a b && cat b | (read x; echo got $x) &&"
                + " mkdir c && mv a c/ && chmod 4755 c/a && ls -l c | wc -l && rm -r c &&"
                + " grep Seccomp: /proc/self/status";
        assertThat(runCommand("sh", "-c", script)).isEqualTo("got marker\n2\nSeccomp:\t2\n");
    }

    /** Threads, futexes, memory reservations, timers: clone3 must fall back, or no thread starts. */
    @Test
    void aJvmWorks() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        assertThat(runCommand(java, "-XX:+UseG1GC", "-version")).contains("version");
    }

    /** The control: without our filter, the call gets one of these answers. */
    private void assertKernelAnswers(String call, String... errnos) throws Exception {
        String control = run(null, List.of(call)).get(call);
        assumeFalse(
                filteredAlready() && !List.of(errnos).contains(control),
                () -> "this kernel lacks an unfiltered " + call + ": something around this test answers " + control);
        assertThat(control).as("control").isIn((Object[]) errnos);
    }

    /** Whether this test runs under a filter of somebody else's, as in most containers; then there is no plain kernel. */
    private static boolean filteredAlready() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).contains("Seccomp:\t2");
    }

    private static void onlyOn(Architecture needed, String feature) {
        assumeTrue(architecture == needed, "this kernel lacks " + feature);
    }

    private static BpfProgram standard() {
        return SeccompPolicy.builder().build().compile(architecture);
    }

    private String runCommand(String... command) throws Exception {
        List<String> words = new ArrayList<>(List.of("--"));
        words.addAll(List.of(command));
        return execute(standard(), words);
    }

    /** Results by call: an errno, 0 for success, or how the process ended; {@code filter} null is none. */
    private Map<String, String> run(BpfProgram filter, List<String> calls) throws Exception {
        Map<String, String> results = new LinkedHashMap<>();
        for (String line : execute(filter, calls).lines().toList()) {
            String[] words = line.split(" ");
            assertThat(words).hasSize(2);
            results.put(words[0], words[1]);
        }
        assertThat(results.keySet()).containsExactlyElementsOf(calls);
        return results;
    }

    private String execute(BpfProgram filter, List<String> words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(trySyscall.toString()));
        if (filter == null) {
            command.add("-");
        } else {
            command.add(Files.write(directory.resolve("filter"), filter.bytes()).toString());
        }
        command.addAll(words);
        Path output = directory.resolve("output");
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS))
                    .as("ended in time")
                    .isTrue();
        } finally {
            process.destroyForcibly();
        }
        String text = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(process.exitValue()).as(text).isZero();
        return text;
    }
}
