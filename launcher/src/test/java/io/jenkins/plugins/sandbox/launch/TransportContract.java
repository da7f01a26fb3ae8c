package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What both ways to hand a launch over have to do. */
@Tag("kernel")
abstract class TransportContract {
    static final Duration LONG = Duration.ofSeconds(30);

    Path directory;
    Path workspace;

    @BeforeEach
    void directories(@TempDir Path temporary) throws IOException {
        directory = temporary.toRealPath();
        workspace = Files.createDirectory(directory.resolve("ws"));
    }

    /** The transport under test. */
    abstract TransportChoice choice();

    Policy.Builder policy() throws SandboxException {
        return Policy.builder(Profile.named("standard"), workspace.toString());
    }

    PreparedLaunch prepare() throws SandboxException {
        return PreparedLaunch.prepare(policy().build(), choice());
    }

    Process start(PreparedLaunch launch, String... command) throws IOException {
        List<String> words = new ArrayList<>(launch.prefix());
        words.addAll(List.of(command));
        return new ProcessBuilder(words)
                .directory(workspace.toFile())
                .redirectErrorStream(true)
                .start();
    }

    private static String output(Process process) throws IOException, InterruptedException {
        String text = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return text;
    }

    private static Ending ending(PreparedLaunch launch) throws Exception {
        return ReportParser.parseEnding(launch.awaitEnding(LONG).orElseThrow());
    }

    @Test
    void fromPlanToEnding() throws Exception {
        try (PreparedLaunch launch = prepare()) {
            assertThat(launch.id()).matches("[0-9a-f]{16}");
            assertThat(launch.prefix()).allMatch(w -> w.matches("[A-Za-z0-9_./=:,@+-]+"));
            Process process = start(launch, "sh", "-c", "echo out; exit 7");
            Report report = ReportParser.parse(launch.awaitReport(LONG), true);
            assertThat(report.level()).isEqualTo(Level.BASELINE);
            assertThat(report.ready()).isTrue();
            assertThat(LiveInit.isAlive(report.init())).isTrue();
            launch.openGate();
            assertThat(output(process)).isEqualTo("out\n");
            assertThat(process.exitValue()).isEqualTo(7);
            assertThat(ending(launch).exit().code()).isEqualTo(7);
        }
    }

    @Test
    void theCommandWaitsForTheGate() throws Exception {
        Path marker = workspace.resolve("marker");
        try (PreparedLaunch launch = prepare()) {
            Process process = start(launch, "touch", "marker");
            launch.awaitReport(LONG);
            Thread.sleep(300);
            assertThat(marker).doesNotExist();
            assertThat(process.isAlive()).isTrue();
            launch.openGate();
            assertThat(output(process)).isEmpty();
            assertThat(marker).exists();
            assertThatThrownBy(launch::openGate)
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContaining("used already");
        }
    }

    @Test
    void anAbortedCommandNeverStarts() throws Exception {
        try (PreparedLaunch launch = prepare()) {
            Process process = start(launch, "touch", "marker");
            launch.awaitReport(LONG);
            launch.abort();
            launch.abort();
            assertThatThrownBy(launch::openGate).isInstanceOf(SandboxException.class);
            assertThat(output(process)).isEmpty();
            assertThat(process.exitValue()).isEqualTo(125);
            assertThat(ending(launch).refusal()).isEqualTo("gate closed");
        }
        assertThat(workspace.resolve("marker")).doesNotExist();
    }

    @Test
    void closingBeforeTheGateIsOpenAborts() throws Exception {
        PreparedLaunch launch = prepare();
        Process process = start(launch, "touch", "marker");
        launch.awaitReport(LONG);
        launch.close();
        assertThat(output(process)).isEmpty();
        assertThat(process.exitValue()).isEqualTo(125);
        assertThat(workspace.resolve("marker")).doesNotExist();
    }

    @Test
    void closingAfterTheGateIsOpenLetsTheCommandGoOn() throws Exception {
        PreparedLaunch launch = prepare();
        Process process = start(launch, "sh", "-c", "sleep 0.3; touch marker");
        launch.awaitReport(LONG);
        launch.openGate();
        launch.close();
        assertThat(output(process)).isEmpty();
        assertThat(process.exitValue()).isZero();
        assertThat(workspace.resolve("marker")).exists();
    }

    @Test
    void aGateThatNobodyOpensAborts() throws Exception {
        try (PreparedLaunch launch =
                PreparedLaunch.prepare(policy().gateSeconds(1).build(), choice())) {
            Process process = start(launch, "touch", "marker");
            launch.awaitReport(LONG);
            assertThat(output(process)).isEmpty();
            assertThat(process.exitValue()).isEqualTo(125);
            assertThat(ending(launch).refusal()).isEqualTo("gate timed out after 1 s");
        }
        assertThat(workspace.resolve("marker")).doesNotExist();
    }

    @Test
    void waitingForAReportThatNeverComesIsBoundedAndInterruptible() throws Exception {
        try (PreparedLaunch launch = prepare()) {
            assertThatThrownBy(() -> launch.awaitReport(Duration.ofMillis(50)))
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContaining("did not report within 50 ms");
            assertThatThrownBy(() -> launch.awaitReport(LONG, () -> false)).isInstanceOf(SandboxException.class);
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> launch.awaitReport(LONG)).isInstanceOf(InterruptedException.class);
            assertThat(launch.awaitEnding(Duration.ZERO)).isEmpty();
        }
    }

    @Test
    void waitingOnAClosedLaunchReturns() throws Exception {
        PreparedLaunch launch = prepare();
        launch.close();
        launch.close();
        launch.abort();
        assertThatThrownBy(() -> launch.awaitReport(LONG)).isInstanceOf(SandboxException.class);
        assertThat(launch.awaitEnding(LONG)).isEmpty();
        assertThatThrownBy(launch::openGate).isInstanceOf(SandboxException.class);
    }

    @Test
    void closingWakesWhoeverWaits() throws Exception {
        PreparedLaunch launch = prepare();
        List<Throwable> thrown = new ArrayList<>();
        Thread waiter = new Thread(() -> {
            try {
                launch.awaitReport(LONG);
            } catch (SandboxException | InterruptedException e) {
                thrown.add(e);
            }
        });
        waiter.start();
        Thread.sleep(100);
        launch.close();
        waiter.join(10_000);
        assertThat(waiter.isAlive()).isFalse();
        assertThat(thrown).singleElement().isInstanceOf(SandboxException.class);
    }

    @Test
    void nothingIsInherited() throws Exception {
        try (PreparedLaunch launch = prepare()) {
            Process process = start(launch, "sh", "-c", "ls /proc/$$/fd");
            launch.awaitReport(LONG);
            launch.openGate();
            // close_fds is no row of standard: nothing may be there to close in the first place.
            assertThat(output(process)).isEqualTo("0\n1\n2\n");
        }
    }

    @Test
    void nothingIsLeftBehind() throws Exception {
        runOnce();
        Set<String> before = everything();
        for (int i = 0; i < 10; i++) {
            runOnce();
            prepare().close();
            assertThatThrownBy(() -> PreparedLaunch.prepare(
                            Policy.builder(Profile.named("standard"), "/nonexistent")
                                    .build(),
                            choice()))
                    .isInstanceOf(SandboxException.class);
        }
        // Not the same: pipes of other tests' processes may have been closed by now, and those of this one's are closed
        // by a thread of the JVM a moment after it has said that the process is gone.
        for (int i = 0; i < 100 && !before.containsAll(everything()); i++) {
            Thread.sleep(50);
        }
        assertThat(before).containsAll(everything());
    }

    private void runOnce() throws Exception {
        try (PreparedLaunch launch = prepare()) {
            Process process = start(launch, "true");
            launch.awaitReport(LONG);
            launch.openGate();
            assertThat(output(process)).isEmpty();
            ending(launch);
        }
    }

    /** The open files of this JVM, and all files below the test's directory. */
    private Set<String> everything() throws IOException {
        Set<String> names = new HashSet<>();
        try (Stream<Path> fds = Files.list(Path.of("/proc/self/fd"))) {
            for (Path fd : fds.toList()) {
                try {
                    String target = Files.readSymbolicLink(fd).toString();
                    if (target.startsWith("/memfd:")
                            || target.startsWith("pipe:")
                            || target.startsWith(directory.toString())) {
                        names.add(fd.getFileName() + " " + target);
                    }
                } catch (IOException e) {
                    continue; // The listing's own.
                }
            }
        }
        try (Stream<Path> files = Files.walk(directory)) {
            files.forEach(f -> names.add(f.toString()));
        }
        return names;
    }

    @Test
    void manyAtATime() throws Exception {
        List<PreparedLaunch> launches = new ArrayList<>();
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            launches.add(prepare());
            processes.add(start(launches.get(i), "sh", "-c", "exit " + i));
        }
        for (int i = 7; i >= 0; i--) {
            launches.get(i).awaitReport(LONG);
            launches.get(i).openGate();
        }
        for (int i = 0; i < 8; i++) {
            assertThat(processes.get(i).waitFor()).isEqualTo(i);
            assertThat(ending(launches.get(i)).exit().code()).isEqualTo(i);
            launches.get(i).close();
        }
        assertThat(launches.stream().map(PreparedLaunch::id).distinct()).hasSize(8);
    }
}
