package io.jenkins.plugins.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.launch.LiveInit;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.model.Status;
import io.jenkins.plugins.sandbox.policy.Limits;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole launches, by the library. */
@Tag("kernel")
class SandboxTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    private Path directory;
    private Path workspace;
    private Path home;
    private Path scratch;

    @BeforeEach
    void directories(@TempDir Path temporary) throws IOException {
        directory = temporary.toRealPath();
        workspace = Files.createDirectory(directory.resolve("ws"));
        home = Files.createDirectory(directory.resolve("home"));
        scratch = Files.createDirectory(directory.resolve("scratch"));
    }

    private Policy.Builder strict() throws SandboxException {
        return Policy.builder(Profile.named("strict"), workspace.toString())
                .home(home.toString())
                .scratch(scratch.toString());
    }

    private static SandboxedProcess start(Policy policy, String script) throws Exception {
        return Sandbox.of(policy).process(b -> b.redirectErrorStream(true)).start(List.of("sh", "-c", script));
    }

    private static String run(Policy policy, String script) throws Exception {
        SandboxedProcess process = start(policy, script);
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.awaitEnding(LONG)).isPresent();
        return output;
    }

    @Test
    void strictIsFullHere() throws Exception {
        SandboxedProcess process = start(strict().minimumLevel(Level.FULL).build(), "cat; exit 3");
        process.getOutputStream().write("through".getBytes());
        process.getOutputStream().close();
        assertThat(new String(process.getInputStream().readAllBytes())).isEqualTo("through");
        assertThat(process.waitFor()).isEqualTo(3);
        assertThat(process.isAlive()).isFalse();
        Ending ending = process.awaitEnding(LONG).orElseThrow();
        assertThat(ending.exit().code()).isEqualTo(3);
        assertThat(ending.usage().maxRssKiB()).isPositive();
        assertThat(process.report().level()).isEqualTo(Level.FULL);
        assertThat(process.report().ending()).isEqualTo(ending);
        assertThat(process.shortfall()).isEmpty();
    }

    @Test
    void whatAStepWritesToTmpAndHomeTheNextOneSeesAndTheMachineDoesNot() throws Exception {
        Files.writeString(home.resolve("old"), "from the machine");
        Policy policy = strict().build();
        String name = "marker-" + directory.getFileName();
        String homeName = "export HOME=" + home + "; ";
        run(
                policy,
                homeName + "echo one > /tmp/" + name + "; echo two > /var/tmp/" + name
                        + "; echo three > ~/new; echo four > ~/old");
        assertThat(run(policy, homeName + "cat /tmp/" + name + " /var/tmp/" + name + " ~/new ~/old"))
                .isEqualTo("one\ntwo\nthree\nfour\n");
        assertThat(Path.of("/tmp", name)).doesNotExist();
        assertThat(Path.of("/var/tmp", name)).doesNotExist();
        assertThat(home.resolve("new")).doesNotExist();
        assertThat(home.resolve("old")).hasContent("from the machine");
    }

    @Test
    void aScratchHomeIsEmpty() throws Exception {
        Files.writeString(home.resolve("old"), "from the machine");
        Policy policy = Policy.builder(Profile.named("strict").withHome(Profile.Home.SCRATCH), workspace.toString())
                .home(home.toString())
                .scratch(scratch.toString())
                .build();
        assertThat(run(policy, "ls -A " + home + "; touch " + home + "/x && echo ok"))
                .isEqualTo("ok\n");
        assertThat(home.resolve("x")).doesNotExist();
    }

    @Test
    void parallelLaunchesOfOneBlockShareTmpAndNotTheChangedHome() throws Exception {
        Policy policy = strict().build();
        String name = "/tmp/shared-" + directory.getFileName();
        SandboxedProcess first =
                start(policy, "touch " + home + "/mine; while [ ! -e " + name + " ]; do sleep 0.05; done");
        try {
            assertThat(run(policy, "ls -A " + home + "; touch " + name)).isEmpty();
            assertThat(first.waitFor(30, TimeUnit.SECONDS)).isTrue();
        } finally {
            first.destroyForcibly();
        }
    }

    @Test
    void onlyTheWorkspaceAndWritePathsAreWritable() throws Exception {
        Path more = Files.createDirectory(directory.resolve("more"));
        Path file = Files.writeString(directory.resolve("file"), "");
        Path other = Files.createDirectory(directory.resolve("other"));
        String attempts = "cd " + directory + "; for i in ws/a more/a file other/a a; do "
                + "if echo x > $i; then echo \"$i yes\"; else echo \"$i no\"; fi; done 2>/dev/null";
        assertThat(run(
                        Policy.builder(Profile.named("standard"), workspace.toString())
                                .build(),
                        attempts))
                .as("the same attempts without a view of its own")
                .isEqualTo("ws/a yes\nmore/a yes\nfile yes\nother/a yes\na yes\n");
        for (String name : List.of("ws/a", "more/a", "other/a", "a")) {
            Files.delete(directory.resolve(name));
        }
        Policy policy = strict().write(more.toString()).write(file.toString()).build();
        // The test's own directory lies in /tmp, which is another one in there: what is written to it stays there.
        assertThat(run(policy, attempts)).startsWith("ws/a yes\nmore/a yes\nfile yes\nother/a no\n");
        assertThat(workspace.resolve("a")).exists();
        assertThat(more.resolve("a")).exists();
        assertThat(directory.resolve("a")).doesNotExist();
        assertThat(other).isEmptyDirectory();
        assertThat(run(policy, "ls " + other + " 2>&1")).contains("No such file");
        assertThat(run(strict().read(other.toString()).build(), "ls " + other + "; touch " + other + "/a 2>&1"))
                .contains("Read-only file system");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "a\nb", "$HOME", "'a\"b'", "ä€😀", "--bind", "end", "*", "a\\b", "${x}", " "})
    void workspacesOfAnyName(String name) throws Exception {
        workspace = Files.createDirectory(directory.resolve(name));
        assertThat(run(strict().minimumLevel(Level.FULL).build(), "touch made && pwd"))
                .isEqualTo(workspace + "\n");
        assertThat(workspace.resolve("made")).exists();
    }

    /** The test's own variables: {@link io.jenkins.plugins.sandbox.kernel.KernelTest} gives it a secret. */
    @ParameterizedTest
    @ValueSource(strings = {"standard", "strict", "offline"})
    void theAgentsSecretsAreGoneAndTheStepsAreThere(String profile) throws Exception {
        assertThat(System.getenv("SANDBOX_TEST_TOKEN")).as("control").isEqualTo("the agent's");
        Profile read = Profile.named(profile);
        String script = "echo \"$SANDBOX_TEST_TOKEN,$STEP_TOKEN,$PATH\"";
        Policy.Builder builder = Policy.builder(read, workspace.toString())
                .home(home.toString())
                .scratch(scratch.toString())
                .minimumLevel(read.isStandard() ? Level.BASELINE : Level.FULL);
        assertThat(environment(builder.build(), script)).isEqualTo(",the step's," + System.getenv("PATH"));
        assertThat(environment(
                        builder.keepVariables(List.of("SANDBOX_TEST_TOKEN")).build(), script))
                .startsWith("the agent's,the step's,");
        assertThat(environment(
                        Policy.builder(read.withAllVariables(), workspace.toString())
                                .home(home.toString())
                                .scratch(scratch.toString())
                                .build(),
                        script))
                .startsWith("the agent's,the step's,");
    }

    @Test
    void whatAStepSetsToAnotherValueIsTheSteps() throws Exception {
        SandboxedProcess process = Sandbox.of(strict().build())
                .process(b -> b.environment().put("SANDBOX_TEST_TOKEN", "the step's"))
                .start(List.of("sh", "-c", "echo $SANDBOX_TEST_TOKEN"));
        assertThat(process.getInputStream().readAllBytes()).asString().isEqualTo("the step's\n");
    }

    private static String environment(Policy policy, String script) throws Exception {
        SandboxedProcess process = Sandbox.of(policy)
                .process(b -> b.environment().put("STEP_TOKEN", "the step's"))
                .start(List.of("sh", "-c", script));
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return output.strip();
    }

    /** A server of the test's own, outside: strict reaches it, a network of the launch's own does not. */
    @Test
    void onlyTheMachinesNetworkReachesTheMachine() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            String connect = "exec 3<>/dev/tcp/127.0.0.1/" + server.getLocalPort() + " && echo reached";
            List<String> command = List.of("bash", "-c", connect);
            assertThat(output(strict().build(), command)).as("control").isEqualTo("reached\n");
            Policy none = Policy.builder(
                            Profile.named("strict").withNetwork(Profile.Network.NONE), workspace.toString())
                    .home(home.toString())
                    .scratch(scratch.toString())
                    .minimumLevel(Level.FULL)
                    .build();
            assertThat(output(none, command)).doesNotContain("reached").contains("refused");
            String routes = "wc -l < /proc/net/route; grep -o 'lo:' /proc/net/dev";
            assertThat(run(none, routes)).as("a heading, and loopback").isEqualTo("1\nlo:\n");
        }
    }

    private static String output(Policy policy, List<String> command) throws Exception {
        SandboxedProcess process =
                Sandbox.of(policy).process(b -> b.redirectErrorStream(true)).start(command);
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return output;
    }

    @Test
    void limitsHold() throws Exception {
        Policy policy = strict().limits(Limits.builder()
                        .cpuTime(1000)
                        .memory(1L << 30)
                        .addressSpace(true)
                        .openFiles(100)
                        .build())
                .build();
        assertThat(run(policy, "ulimit -Ht; ulimit -Hv; ulimit -Hn")).isEqualTo("1001\n8388608\n100\n");
    }

    /** Starts where the view has nothing, in the machine's /tmp: so the view cannot be finished. */
    private SandboxedProcess startElsewhere(Policy policy, String script) throws Exception {
        Path elsewhere = Files.createDirectories(directory.resolve("elsewhere"));
        return Sandbox.of(policy)
                .process(b -> b.directory(elsewhere.toFile()).redirectErrorStream(true))
                .start(List.of("sh", "-c", script));
    }

    @Test
    void aViewThatCannotBeFinishedRefusesTheLaunchWhateverTheMinimumIs() throws Exception {
        for (Policy policy : List.of(
                strict().build(),
                strict().minimumLevel(Level.FULL)
                        .onShortfall(Policy.OnShortfall.WARN)
                        .build(),
                strict().require(Primitive.FILESYSTEM).build())) {
            assertThatThrownBy(() -> startElsewhere(policy, "touch " + workspace + "/marker"))
                    .isInstanceOfSatisfying(RefusedException.class, e -> {
                        assertThat(e.getMessage()).contains("working directory ", "No such file or directory");
                        assertThat(e.report().outcome(Primitive.FILESYSTEM))
                                .get()
                                .satisfies(o -> assertThat(o.status()).isEqualTo(Status.FAILED));
                    });
        }
        Thread.sleep(200);
        assertThat(workspace.resolve("marker")).doesNotExist();
    }

    @Test
    void whereAWarningWillDoItRunsAndSaysSo() throws Exception {
        // The profile standard reaches BASELINE at most. That nothing runs without the warning is HostMatrixTest's.
        Policy policy = Policy.builder(Profile.named("standard"), workspace.toString())
                .minimumLevel(Level.FULL)
                .onShortfall(Policy.OnShortfall.WARN)
                .build();
        SandboxedProcess process = Sandbox.of(policy).start(List.of("touch", "marker"));
        assertThat(process.waitFor()).isZero();
        assertThat(process.shortfall()).get().asString().contains("The level is BASELINE, the minimum is FULL");
        assertThat(workspace.resolve("marker")).exists();
    }

    @Test
    void theReportComesBeforeTheCommand() throws Exception {
        List<Boolean> there = new ArrayList<>();
        Sandbox.of(strict().build())
                .onReport(r -> there.add(Files.exists(workspace.resolve("marker"))))
                .start(List.of("touch", "marker"))
                .waitFor();
        assertThat(there).containsExactly(false);
        assertThat(workspace.resolve("marker")).exists();
    }

    @Test
    void aListenerThatThrowsLeavesNothingRunning() throws Exception {
        assertThatThrownBy(() -> Sandbox.of(strict().build())
                        .onReport(r -> {
                            throw new IllegalStateException("no");
                        })
                        .start(List.of("touch", "marker")))
                .isInstanceOf(IllegalStateException.class);
        Thread.sleep(200);
        assertThat(workspace.resolve("marker")).doesNotExist();
    }

    @Test
    void aCommandThatDoesNotExistOrMayNotBeExecuted() throws Exception {
        SandboxedProcess missing = Sandbox.of(strict().build()).start(List.of("no-such-command"));
        assertThat(missing.waitFor()).isEqualTo(127);
        assertThat(missing.awaitEnding(LONG).orElseThrow().execError())
                .startsWith("ENOENT")
                .contains("no-such-command");
        SandboxedProcess denied = Sandbox.of(strict().build()).start(List.of("/etc/passwd"));
        assertThat(denied.waitFor()).isEqualTo(126);
        assertThat(denied.awaitEnding(LONG).orElseThrow().execError()).startsWith("EACCES");
        assertThatThrownBy(() -> Sandbox.of(strict().build()).start(List.of())).isInstanceOf(SandboxException.class);
    }

    @Test
    void aSignalIsSaidAsAShellSaysIt() throws Exception {
        SandboxedProcess process = start(strict().build(), "kill -SEGV $$");
        assertThat(process.waitFor()).isEqualTo(128 + 11);
        assertThat(process.awaitEnding(LONG).orElseThrow().exit().signal()).isEqualTo(11);
    }

    @Test
    void stopEndsWhatIgnoresSigterm() throws Exception {
        SandboxedProcess process =
                start(strict().graceSeconds(1).build(), "trap '' TERM; echo on; while :; do sleep 1; done");
        assertThat(process.getInputStream().read()).isEqualTo('o');
        InitProcess init = process.report().init();
        assertThat(LiveInit.isAlive(init)).isTrue();
        process.stop();
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(LiveInit.isAlive(init)).isFalse();
    }

    @Test
    void killingItByForceEndsTheBackgroundToo() throws Exception {
        SandboxedProcess process = start(strict().build(), "sleep 1000 & echo on; wait");
        assertThat(process.getInputStream().read()).isEqualTo('o');
        InitProcess init = process.report().init();
        process.destroyForcibly();
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(process.awaitEnding(LONG)).isEmpty();
        assertThat(LiveInit.isAlive(init)).isFalse();
    }

    @Test
    void backgroundProcessesAreKeptOrKilled() throws Exception {
        SandboxedProcess kept = start(strict().build(), "(sleep 0.5; touch late) >/dev/null 2>&1 &");
        assertThat(kept.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(workspace.resolve("late")).doesNotExist();
        assertThat(kept.awaitEnding(LONG)).isPresent();
        assertThat(workspace.resolve("late")).exists();
        SandboxedProcess killed =
                start(strict().background(Policy.Background.KILL).build(), "sleep 1000 >/dev/null 2>&1 & exit 4");
        assertThat(killed.waitFor()).isEqualTo(4);
        assertThat(killed.awaitEnding(LONG)).isPresent();
    }

    @Test
    void neverAnotherProcessWithTheSameId() {
        long self = ProcessHandle.current().pid();
        assertThat(LiveInit.isAlive(new InitProcess(self, 1))).isFalse();
        assertThat(LiveInit.kill(new InitProcess(self, 1))).isFalse();
        assertThat(LiveInit.isAlive(new InitProcess(4_194_305, 1))).isFalse();
    }
}
