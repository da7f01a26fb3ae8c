package io.jenkins.plugins.sandbox.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.sandbox.conformance.NativeLaunch.Result;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.Exit;
import io.jenkins.plugins.sandbox.model.LimitHit;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Status;
import io.jenkins.plugins.sandbox.model.Usage.PeakSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Programs that use more than they may, and what is said about it. Where a test needs a control group, the one that
 * {@code KernelTest} has delegated is used. No test looks at a clock: that somebody is ended at all is what counts, and the
 * numbers that are checked are CPU time and memory.
 */
@Tag("kernel")
class LimitsHoldTest {
    /** Only so that a defect fails a test instead of hanging it. */
    private static final long HANGS_AFTER_SECONDS = 60;

    private static final long MIB = 1 << 20;

    private NativeLaunch launch;
    private Path workspace;

    @BeforeEach
    void prepare(@TempDir Path temporary) throws IOException {
        Path directory = temporary.toRealPath();
        workspace = Files.createDirectory(directory.resolve("ws"));
        launch = new NativeLaunch(directory).strict(workspace);
    }

    private static String tool() {
        return Objects.requireNonNull(System.getProperty("sandbox.try_limit"), "sandbox.try_limit is not set");
    }

    private Ending ending(String... command) throws Exception {
        return launch.start(command).ended().ending();
    }

    private NativeLaunch withMemory(long mebibytes) {
        return launch.options("--primitive", "cgroup", "--memory", String.valueOf(mebibytes * MIB));
    }

    private NativeLaunch withPids(int number) {
        return launch.options(
                "--primitive", "rlimit_nproc", "--rlimit", "nproc=" + number, "--pids", String.valueOf(number));
    }

    private static void needsControlGroup() {
        boolean delegated = !System.getProperty("sandbox.test.cgroup", "").isEmpty();
        assumeTrue(delegated, "this machine lacks a control group that a test can delegate");
    }

    /** Nobody has delegated anything: there is no control group file system to be seen. */
    private NativeLaunch withoutControlGroup() {
        return launch.behind("unshare", "-rm", "sh", "-c", "mount -t tmpfs none /sys/fs/cgroup && exec \"$0\" \"$@\"");
    }

    private static LimitHit hit(LimitHit.Kind kind, long value) {
        return new LimitHit(kind, value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"malloc 400", "mmap 400", "many 400", "write 400 /mnt/full"})
    void memoryIsLimitedHoweverItIsUsed(String how) throws Exception {
        needsControlGroup();
        withMemory(64).options("--tmpfs", "/mnt", "0");
        String[] words = (tool() + " " + how).split(" ");
        Ending ending = ending(words);
        assertThat(ending.exit()).isEqualTo(new Exit(0, 9, "memory"));
        assertThat(ending.limits()).containsExactly(hit(LimitHit.Kind.MEMORY, 64 * MIB));
        assertThat(ending.usage().peakSource()).isEqualTo(PeakSource.CGROUP);
        assertThat(ending.usage().peakKiB()).isBetween(60L << 10, 64L << 10);
    }

    /** Their names hold the second of the machine's uptime in which they were made. */
    @Test
    void controlGroupsOfLaunchesThatAreLongGoneAreRemovedAndYoungerOnesStay() throws Exception {
        needsControlGroup();
        double uptime =
                Double.parseDouble(Files.readString(Path.of("/proc/uptime")).split(" ")[0]);
        Path parent = Path.of(System.getProperty("sandbox.test.cgroup").split(":")[0]);
        Path old = Files.createDirectory(parent.resolve("sandbox-" + ((long) uptime - 125) + "-4711"));
        Path young = Files.createDirectory(parent.resolve("sandbox-" + ((long) uptime - 80) + "-4711"));
        try {
            assertThat(withPids(50).start("true").ended().ending().exit()).isEqualTo(new Exit(0, 0, null));
            assertThat(old).doesNotExist();
            assertThat(young).exists();
        } finally {
            Files.deleteIfExists(old);
            Files.deleteIfExists(young);
        }
    }

    /** A real memory limit leaves alone who keeps to it, however much address space is reserved. */
    @Test
    void whoKeepsToTheLimitIsNotEnded() throws Exception {
        needsControlGroup();
        Ending ending = withMemory(256).start(tool(), "malloc", "200").ended().ending();
        assertThat(ending.exit()).isEqualTo(new Exit(0, 0, null));
        assertThat(ending.limits()).isEmpty();
        assertThat(ending.usage().peakKiB()).isBetween(200L << 10, 256L << 10);
    }

    @Test
    void withoutAControlGroupMemoryIsLimitedByProcessAndTheReportSaysSo() throws Exception {
        withMemory(64);
        Result result = withoutControlGroup().run(tool() + " malloc 400; " + tool() + " malloc 40");
        assertThat(result.outcome("cgroup").status()).isEqualTo(Status.UNAVAILABLE);
        assertThat(result.outcome("cgroup").detail()).startsWith("no control group");
        assertThat(result.outcome("rlimit_data").describe())
                .isEqualTo("applied: in the place of the cgroup: each process by itself");
        assertThat(result.out()).isEqualTo("REACHED\nREFUSED malloc: Cannot allocate memory\nREACHED\nDONE\n");
        Ending ending = result.parsed().ending();
        // Nobody but the process itself heard of it.
        assertThat(ending.limits()).isEmpty();
        assertThat(ending.usage().peakSource()).isEqualTo(PeakSource.PROCESS);
        assertThat(ending.usage().peakKiB()).isBetween(40L << 10, 64L << 10);
    }

    @Test
    void aForkBombIsHeldAndEnded() throws Exception {
        Ending ending = withPids(30)
                .options("--wall-time", "2")
                .start(tool(), "bomb")
                .ended()
                .ending();
        assertThat(ending.exit()).isEqualTo(new Exit(0, 9, "wall_time"));
        assertThat(ending.limits()).containsExactly(hit(LimitHit.Kind.PIDS, 30), hit(LimitHit.Kind.WALL_TIME, 2));
        assertThat(ending.usage().tasks()).isPositive();
    }

    @Test
    void withoutAControlGroupAForkBombIsHeldAsWell() throws Exception {
        withPids(30).options("--wall-time", "3");
        Ending ending = withoutControlGroup().start(tool(), "bomb").ended().ending();
        assertThat(ending.limits()).containsExactly(hit(LimitHit.Kind.PIDS, 30), hit(LimitHit.Kind.WALL_TIME, 3));
    }

    @Test
    void asManyProcessesAsAllowedCanBeStarted() throws Exception {
        String script = "for i in 1 2 3 4; do sleep 60 & p=\"$p $!\"; done; kill $p; wait; echo done";
        assertThat(withPids(5).run(script).out()).isEqualTo("done\n");
    }

    @Test
    void processesNeedAUserNamespaceToBeCounted() throws Exception {
        Result result = new NativeLaunch(workspace)
                .options("--primitive", "rlimit_nproc", "--rlimit", "nproc=5")
                .run("true");
        assertThat(result.outcome("rlimit_nproc"))
                .extracting(Outcome::status, Outcome::detail)
                .containsExactly(Status.UNAVAILABLE, "needs user_namespace");
    }

    @Test
    void cpuTimeOfAllProcessesTogetherIsLimited() throws Exception {
        Ending ending = launch.options("--cpu-time", "1")
                .start(tool(), "spin", "3")
                .ended()
                .ending();
        assertThat(ending.exit()).isEqualTo(new Exit(0, 9, "cpu_time"));
        assertThat(ending.limits()).containsExactly(hit(LimitHit.Kind.CPU_TIME, 1));
        assertThat(ending.usage().cpuMillis()).isBetween(900L, 1900L);
    }

    @ParameterizedTest
    @CsvSource({"spin, 24", "spin-deaf, 9"})
    void cpuTimeOfOneProcessEndsItWithItsOwnSignal(String how, int signal) throws Exception {
        String script = how.equals("spin") ? "while :; do :; done" : "exec " + tool() + " spin-deaf";
        Ending ending = launch.options("--primitive", "rlimit_cpu", "--rlimit", "cpu=2")
                .start("sh", "-c", script)
                .ended()
                .ending();
        assertThat(ending.exit()).isEqualTo(new Exit(0, signal, "cpu_time"));
        assertThat(ending.limits()).containsExactly(hit(LimitHit.Kind.CPU_TIME, 1));
    }

    @Test
    void wallTimeEndsEverythingAlsoBehindAnEndedCommand() throws Exception {
        launch.options("--wall-time", "1");
        Ending ending = launch.start("sh", "-c", "trap '' TERM INT HUP; setsid sleep 1000 & sleep 1000 & exit 5")
                .ended()
                .ending();
        assertThat(ending.exit()).isEqualTo(new Exit(5, 0, null));
        assertThat(ending.limits()).containsExactly(hit(LimitHit.Kind.WALL_TIME, 1));
    }

    @Test
    void wallTimeEndsTheCommand() throws Exception {
        NativeLaunch.Running running =
                launch.options("--wall-time", "1").start("sh", "-c", "trap '' TERM; sleep 1000; sleep 1000");
        assertThat(running.process().waitFor()).isEqualTo(137);
        // Said when the last process is gone, which may be after the command.
        Ending ending = running.ended().ending();
        assertThat(ending.exit()).isEqualTo(new Exit(0, 9, "wall_time"));
        assertThat(ending.usage().wallMillis()).isGreaterThanOrEqualTo(1000);
    }

    /** Who waits for a background job waits for a file that its wrapper writes; the wrapper was killed too. */
    @Test
    void whoWaitsForAFileIsToldOfTheLimit() throws Exception {
        Path status = workspace.resolve("result");
        Path log = Files.writeString(workspace.resolve("log"), "last words\n");
        launch.options("--wall-time", "1", "--task", status.toString(), log.toString());
        launch.start("sh", "-c", "(sleep 1000; echo 0 > result) &").ended();
        assertThat(status).hasContent("137");
        assertThat(log)
                .hasContent(
                        "last words\n[sandbox] the limit on wall time, 1 s, was reached: all processes were killed");
    }

    /** Jenkins' wrapper: when the log is full, the shell that would say so there is ended as well, and writes no status. */
    @Test
    void whoWaitsForAFileIsToldOfALogThatIsFull() throws Exception {
        Path status = workspace.resolve("result");
        Path log = workspace.resolve("log");
        launch.options("--primitive", "rlimit_fsize", "--rlimit", "fsize=1048576")
                .options("--wall-time", "20", "--task", status.toString(), log.toString());
        Ending ending = launch.start(
                        "sh",
                        "-c",
                        "( { while test ! -e result; do sleep 1; done; } & sh -c 'yes; :' > log 2>&1; echo $? > result;"
                                + " wait ) > /dev/null 2>&1 &")
                .ended()
                .ending();
        assertThat(ending.limits()).containsExactly(hit(LimitHit.Kind.FILE_SIZE, MIB));
        assertThat(status).hasContent("153");
        assertThat(Files.readString(log))
                .endsWith(
                        "[sandbox] the limit on the size of a file, 1024 KiB, was reached: all processes were killed\n");
    }

    /** The same signal, and the wrapper lives on: nobody is ended but who wrote too much. */
    @Test
    void aFileThatIsTooLargeEndsNobodyElse() throws Exception {
        Path status = workspace.resolve("result");
        launch.options("--primitive", "rlimit_fsize", "--rlimit", "fsize=1048576")
                .options("--task", status.toString(), workspace + "/log");
        launch.start("sh", "-c", "( sh -c 'yes > large; :' > log 2>&1; sleep 1; echo 5 > result ) &")
                .ended();
        assertThat(status).hasContent("5");
    }

    @Test
    void whoWroteTheFileInTimeIsNotContradictedAndNoLinkIsFollowed() throws Exception {
        Path status = workspace.resolve("result");
        Path log = workspace.resolve("log");
        Path other = Files.writeString(workspace.resolve("other"), "other");
        launch.options("--wall-time", "1", "--task", status.toString(), log.toString());
        launch.start("sh", "-c", "echo 5 > result; ln -s other log; sleep 1000").ended();
        assertThat(status).hasContent("5");
        NativeLaunch again = new NativeLaunch(workspace).strict(workspace);
        Files.delete(status);
        again.options("--wall-time", "1", "--task", status.toString(), log.toString());
        again.start("sh", "-c", "sleep 1000").ended();
        assertThat(status).hasContent("137");
        assertThat(other).hasContent("other");
        Files.delete(status);
        NativeLaunch linked = new NativeLaunch(workspace).strict(workspace);
        linked.options("--wall-time", "1", "--task", status.toString(), log.toString());
        linked.start("sh", "-c", "ln -s dangling result; sleep 1000").ended();
        assertThat(workspace.resolve("dangling")).doesNotExist();
    }

    @Test
    void aCommandsOwnExitStatusIsNobodysLimit() throws Exception {
        withPids(50).options("--wall-time", "100", "--cpu-time", "100");
        Result result = launch.run("exit 137");
        assertThat(result.parsed().ending().exit()).isEqualTo(new Exit(137, 0, null));
        assertThat(result.parsed().ending().limits()).isEmpty();
    }

    @Test
    void aLogOfTenGigabytesEndsAtTheLimit() throws Exception {
        launch.options("--primitive", "rlimit_fsize", "--rlimit", "fsize=1048576");
        Ending ending = ending(tool(), "write", "10240", workspace + "/log");
        assertThat(ending.exit()).isEqualTo(new Exit(0, 25, "file_size"));
        assertThat(ending.limits()).containsExactly(hit(LimitHit.Kind.FILE_SIZE, MIB));
        assertThat(workspace.resolve("log")).hasSize(MIB);
    }

    @Test
    void aHundredThousandOpenFilesAreRefused() throws Exception {
        Result result = launch.options("--primitive", "rlimit_nofile", "--rlimit", "nofile=1000")
                .run(tool() + " files 100000");
        assertThat(result.out()).isEqualTo("REACHED\nOPEN 997\nREFUSED open: Too many open files\n");
    }

    /** Root has given the workspace a file system of its own: what a project quota looks like from inside as well. */
    private NativeLaunch withWorkspaceOf(String size, long limit) {
        return launch.behind(
                        "unshare",
                        "-rm",
                        "sh",
                        "-c",
                        "mount -t tmpfs -o size=" + size + " none " + workspace + " && exec \"$0\" \"$@\"")
                .options("--primitive", "workspace_size", "--workspace-size", workspace.toString(), "" + limit);
    }

    @Test
    void aWorkspaceHasNoMoreThanItsFileSystem() throws Exception {
        Result result = withWorkspaceOf("8m", 16 * MIB).run(tool() + " write 100 " + workspace + "/x");
        assertThat(result.outcome("workspace_size").describe()).isEqualTo("applied: 8 MiB, the size that was there");
        assertThat(result.out()).isEqualTo("REACHED\nREFUSED write: No space left on device\n");
    }

    @Test
    void aWorkspaceThatNobodyHasLimitedIsNotSaidToBe() throws Exception {
        Result result = withWorkspaceOf("32m", 16 * MIB).run("true");
        assertThat(result.outcome("workspace_size").status()).isEqualTo(Status.UNAVAILABLE);
        assertThat(result.outcome("workspace_size").detail())
                .startsWith(workspace + " has 32 MiB, and no project quota");
    }

    @Test
    void aFullTemporaryDirectoryIsNamed() throws Exception {
        Result result = launch.options("--tmpfs", "/mnt", "4194304").run(tool() + " write 100 /mnt/x");
        assertThat(result.out()).isEqualTo("REACHED\nREFUSED write: No space left on device\n");
        assertThat(result.parsed().ending().limits()).containsExactly(hit(LimitHit.Kind.SCRATCH, 4 * MIB));
    }

    @ParameterizedTest
    @CsvSource({
        "fsize, f, 1048576, 2048",
        "core, c, 0, 0",
        "stack, s, 1048576, 1024",
        "memlock, l, 65536, 64",
        "data, d, 104857600, 102400"
    })
    void rlimitsAreSetForGood(String name, String letter, long value, String shown) throws Exception {
        launch.options("--primitive", "rlimit_" + name, "--rlimit", name + "=" + value);
        Result result = launch.start(
                        "bash",
                        "-c",
                        "ulimit -S" + letter + "; ulimit -H" + letter + "; ulimit -H" + letter
                                + " unlimited 2> /dev/null || echo refused")
                .result();
        String wanted = name.equals("fsize") ? String.valueOf(value / 1024) : shown;
        assertThat(result.out()).isEqualTo(wanted + "\n" + wanted + "\nrefused\n");
        assertThat(result.applied("rlimit_" + name)).isTrue();
    }

    @Test
    void aStackThatFitsAndOneThatDoesNot() throws Exception {
        launch.options("--primitive", "rlimit_stack", "--rlimit", "stack=4194304");
        assertThat(launch.run(tool() + " stack 2").parsed().ending().exit()).isEqualTo(new Exit(0, 0, null));
        Ending ending = new NativeLaunch(workspace)
                .options("--primitive", "rlimit_stack", "--rlimit", "stack=4194304")
                .start(tool(), "stack", "8")
                .ended()
                .ending();
        assertThat(ending.exit()).isEqualTo(new Exit(0, 11, null));
    }

    /** The usual soft limit is 8 MiB, the hard one unlimited: who asks for more is to get it. */
    @Test
    void aStackAboveTheSoftLimitIsThere() throws Exception {
        String[] usual = {"sh", "-c", "ulimit -Ss 8192; exec \"$0\" \"$@\""};
        Ending without = new NativeLaunch(workspace)
                .primitives(List.of("no_new_privs"))
                .behind(usual)
                .start(tool(), "stack", "80")
                .ended()
                .ending();
        assertThat(without.exit()).as("control").isEqualTo(new Exit(0, 11, null));
        launch.behind(usual).options("--primitive", "rlimit_stack", "--rlimit", "stack=104857600");
        Result result = launch.run("ulimit -Ss; ulimit -Hs; " + tool() + " stack 80");
        assertThat(result.out()).isEqualTo("102400\n102400\nREACHED\nDONE\n");
        assertThat(result.outcome("rlimit_stack").describe()).isEqualTo("applied");
        Result tooSmall = new NativeLaunch(workspace)
                .behind("sh", "-c", "ulimit -s 8192; exec \"$0\" \"$@\"")
                .options("--primitive", "rlimit_stack", "--rlimit", "stack=104857600")
                .run("ulimit -Ss");
        assertThat(tooSmall.out()).isEqualTo("8192\n");
        assertThat(tooSmall.outcome("rlimit_stack").describe()).isEqualTo("applied: 8388608, the limit that was there");
    }

    @Test
    void aLowerLimitThatWasThereStaysAndIsSaid() throws Exception {
        launch.behind("sh", "-c", "ulimit -n 200; exec \"$0\" \"$@\"")
                .options("--primitive", "rlimit_nofile", "--rlimit", "nofile=1000");
        Result result = launch.run("ulimit -Hn");
        assertThat(result.out()).isEqualTo("200\n");
        assertThat(result.outcome("rlimit_nofile").describe()).isEqualTo("applied: 200, the limit that was there");
    }

    @Test
    void processorsAreLimited() throws Exception {
        launch.options("--primitive", "cpu_affinity", "--cpus", "0");
        Result result = launch.run("grep Cpus_allowed_list /proc/self/status");
        assertThat(result.out()).isEqualTo("Cpus_allowed_list:\t0\n");
        assertThat(result.applied("cpu_affinity")).isTrue();
    }

    @Test
    void theBuildIsTakenBeforeTheAgentAndCannotChangeThat() throws Exception {
        Result result = launch.options("--primitive", "landlock_fs")
                .run(
                        "cat /proc/self/oom_score_adj;"
                                + " echo 0 2> /dev/null > /proc/self/oom_score_adj || echo refused; cat /proc/self/oom_score_adj");
        assertThat(result.out()).isEqualTo("1000\nrefused\n1000\n");
    }

    @Test
    void usageIsThatOfTheWholeTree() throws Exception {
        // Half of it in a child, and the command has ended long before its grandchild has.
        Ending ending = ending("sh", "-c", tool() + " cpu 1 &");
        assertThat(ending.exit()).isEqualTo(new Exit(0, 0, null));
        assertThat(ending.usage().cpuMillis()).isBetween(950L, 1300L);
        assertThat(ending.usage().wallMillis()).isGreaterThanOrEqualTo(500);
        assertThat(ending.usage().tasks()).isEqualTo(3);
    }

    @Test
    void memoryOfTheLargestProcessIsMeasuredInAnyCase() throws Exception {
        Ending ending = ending(tool(), "malloc", "200");
        assertThat(ending.usage().maxRssKiB()).isBetween(200L << 10, 210L << 10);
    }

    /** A child whose end nobody waits for is in no process' account, but in the control group's. */
    @Test
    void aControlGroupCountsWhatNobodyWaitedFor() throws Exception {
        needsControlGroup();
        assertThat(ending(tool(), "ignore-child", "1").usage().cpuMillis()).isBetween(950L, 1300L);
    }

    @Test
    void aQuotaSlowsEverybodyDown() throws Exception {
        needsControlGroup();
        Ending ending = launch.options("--primitive", "cgroup", "--cpu-quota", "10", "--wall-time", "2")
                .start(tool(), "spin", "4")
                .ended()
                .ending();
        assertThat(ending.exit()).isEqualTo(new Exit(0, 9, "wall_time"));
        // 200 ms of 2 s, and one period more.
        assertThat(ending.usage().cpuMillis()).isLessThan(400);
    }

    @Test
    void nothingStaysBehindInTheControlGroup() throws Exception {
        needsControlGroup();
        assertThat(withMemory(64).run("true").applied("cgroup")).isTrue();
        // What init reports is its last word but not its last deed, here and in the launches of other tests.
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(HANGS_AFTER_SECONDS);
        while (!leftGroups().isEmpty() && System.nanoTime() < until) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(leftGroups()).isEmpty();
    }

    private static List<Path> leftGroups() throws IOException {
        List<Path> left = new ArrayList<>();
        for (String directory : System.getProperty("sandbox.test.cgroup").split(":")) {
            try (var groups = Files.list(Path.of(directory))) {
                groups.filter(g -> g.getFileName().toString().startsWith("sandbox-"))
                        .forEach(left::add);
            }
        }
        return left;
    }
}
