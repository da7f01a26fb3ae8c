package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.Sandbox;
import io.jenkins.plugins.sandbox.SandboxedProcess;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.policy.Limits;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Jenkins' durable tasks: what starts one ends at once. Its wrapper writes the status into the control directory, and a loop
 * beside it waits for that. The agent removes the directory as soon as it has read the status.
 */
@Tag("kernel")
class DurableTaskTest {
    /** Only so that a broken launcher fails a test instead of hanging it. */
    private static final Duration HANGS = Duration.ofSeconds(60);

    private Path directory;
    private Path workspace;
    private Path control;

    @BeforeEach
    void directories(@TempDir Path temporary) throws IOException {
        directory = temporary.toRealPath();
        workspace = Files.createDirectories(directory.resolve("agent/workspace/job"));
        control = Files.createDirectories(directory.resolve("agent/workspace/job@tmp/durable-1"));
    }

    private Policy.Builder policy(String profile) throws Exception {
        // The machine's /tmp is where the directories of this test are.
        Profile view = Profile.parse("view", """
                primitives = session close_fds environment user_namespace pid_namespace mount_namespace filesystem proc \
                no_new_privs capabilities landlock_fs
                root = ro
                dev = minimal
                home = scratch
                """);
        Path scratch = directory.resolve("scratch");
        return Policy.builder(profile.equals("standard") ? Profile.named(profile) : view, workspace.toString())
                .home(Files.createDirectories(directory.resolve("home")).toString())
                .scratch(Files.createDirectories(scratch).toString())
                .minimumLevel(profile.equals("standard") ? Level.BASELINE : Level.FULL)
                .agentRoot(directory.resolve("agent").toString())
                .controlDirectory(control.toString())
                .graceSeconds(1);
    }

    /** The words of durable-task's BourneShellScript. */
    private SandboxedProcess start(Policy.Builder policy, String script) throws Exception {
        Files.writeString(control.resolve("script.sh"), script);
        String c = control.toString();
        String wrapper = "({ while [ -d '" + c + "' -a \\! -f '" + c + "/jenkins-result.txt' ]; do touch '" + c
                + "/jenkins-log.txt'; sleep 3; done } & sh -e '" + c + "/script.sh' > '" + c
                + "/jenkins-log.txt' 2>&1; echo $? > '" + c + "/jenkins-result.txt.tmp'; mv '" + c
                + "/jenkins-result.txt.tmp' '" + c + "/jenkins-result.txt'; wait) >&- 2>&- &";
        SandboxedProcess process = Sandbox.of(policy.build()).start(List.of("nohup", "sh", "-c", wrapper));
        assertThat(process.waitFor(HANGS.toSeconds(), TimeUnit.SECONDS)).isTrue();
        return process;
    }

    private static void await(Path file) throws Exception {
        long start = System.nanoTime();
        while (!Files.exists(file)) {
            assertThat(System.nanoTime() - start).as("waiting for " + file).isLessThan(HANGS.toNanos());
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    /** As Jenkins does. */
    private String readAndRemove() throws Exception {
        await(control.resolve("jenkins-result.txt"));
        String status = Files.readString(control.resolve("jenkins-result.txt")).strip();
        remove();
        return status;
    }

    private void remove() throws IOException {
        try (Stream<Path> files = Files.list(control)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.delete(file);
            }
        }
        Files.delete(control);
    }

    private static Ending ending(SandboxedProcess process) throws Exception {
        return process.awaitEnding(HANGS).orElseThrow(() -> new AssertionError("the launch does not end"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"view", "standard"})
    void aLaunchEndsWithItsTaskAndKnowsTheStatus(String profile) throws Exception {
        SandboxedProcess process =
                start(policy(profile).limits(Limits.builder().wallTime(30).build()), "echo quick; exit 3");
        Ending ending = ending(process);
        assertThat(ending.limits()).isEmpty();
        assertThat(ending.taskStatus()).isEqualTo(3);
        assertThat(control.resolve("jenkins-result.txt")).hasContent("3");
        assertThat(LiveInit.isAlive(process.report().init())).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"view", "standard"})
    void itEndsAlsoWhenTheAgentIsFasterThanTheLoopBesideTheTask(String profile) throws Exception {
        SandboxedProcess process =
                start(policy(profile).limits(Limits.builder().wallTime(30).build()), "echo quick; exit 3");
        assertThat(readAndRemove()).isEqualTo("3");
        assertThat(ending(process).limits()).isEmpty();
        assertThat(LiveInit.isAlive(process.report().init())).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"view", "standard"})
    void itEndsTooWhenTheStatusWasNeverSeen(String profile) throws Exception {
        Policy.Builder policy =
                policy(profile).limits(Limits.builder().wallTime(30).build());
        // The script is not over: the agent has given it up.
        SandboxedProcess process = start(policy, "echo > " + workspace + "/up; exec sleep 1000");
        await(workspace.resolve("up"));
        remove();
        Ending ending = ending(process);
        assertThat(ending.limits()).isEmpty();
        assertThat(ending.taskStatus()).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"view", "standard"})
    void whatTheScriptLeftInTheBackgroundGoesOn(String profile) throws Exception {
        String server = "(echo $$ > " + workspace + "/up; while [ ! -e " + workspace
                + "/stop ]; do sleep 0.05; done; echo > " + workspace + "/stopped) > /dev/null 2>&1 &\n";
        SandboxedProcess process = start(policy(profile), server + "exit 0");
        await(workspace.resolve("up"));
        assertThat(readAndRemove()).isEqualTo("0");
        // More than the loop beside the task sleeps.
        TimeUnit.SECONDS.sleep(4);
        assertThat(LiveInit.isAlive(process.report().init())).isTrue();
        Files.createFile(workspace.resolve("stop"));
        ending(process);
        assertThat(workspace.resolve("stopped")).exists();
    }

    @ParameterizedTest
    @ValueSource(strings = {"view", "standard"})
    void whoWaitsForATaskThatIgnoresEverythingIsToldOfTheAbort(String profile) throws Exception {
        SandboxedProcess process =
                start(policy(profile), "trap '' TERM; echo > " + workspace + "/up; while :; do sleep 0.05; done");
        await(workspace.resolve("up"));
        assertThat(LiveInit.terminate(process.report().init())).isTrue();
        ending(process);
        assertThat(control.resolve("jenkins-result.txt")).hasContent("137");
        assertThat(Files.readString(control.resolve("jenkins-log.txt")))
                .endsWith("[sandbox] aborted: all processes were killed\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"view", "standard"})
    void andOfOneThatDoesAsItIsTold(String profile) throws Exception {
        SandboxedProcess process = start(policy(profile), "echo > " + workspace + "/up; exec sleep 1000");
        await(workspace.resolve("up"));
        assertThat(LiveInit.terminate(process.report().init())).isTrue();
        ending(process);
        assertThat(control.resolve("jenkins-result.txt")).hasContent("143");
        assertThat(Files.readString(control.resolve("jenkins-log.txt")))
                .endsWith("[sandbox] aborted: all processes were ended\n");
    }

    /** The command can put there what it likes: neither does init wait for it, nor follow it. */
    @ParameterizedTest
    @ValueSource(strings = {"mkfifo R", "ln -s W/seven R", "mkdir R", "echo 999 > R", ": > R", "echo x > R"})
    void aStatusThatIsNoneIsNotBelieved(String command) throws Exception {
        Files.writeString(workspace.resolve("seven"), "7");
        SandboxedProcess process = start(
                policy("standard"),
                "echo > " + workspace + "/up; "
                        + command.replace("R", control + "/jenkins-result.txt").replace("W", workspace.toString())
                        + "; exec sleep 1000");
        await(workspace.resolve("up"));
        await(control.resolve("jenkins-result.txt"));
        remove();
        assertThat(ending(process).taskStatus()).isNull();
    }
}
