package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
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

/** A launch as it is prepared for a container: the agent has no process number by which to end it. */
@Tag("kernel")
class BlockFileTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    private Path workspace;
    private Path scratch;

    @BeforeEach
    void directories(@TempDir Path temporary) throws IOException {
        Path directory = temporary.toRealPath();
        workspace = Files.createDirectory(directory.resolve("ws"));
        scratch = Files.createDirectories(directory.resolve("ws@tmp/scratch"));
    }

    private Policy policy() throws Exception {
        return Policy.builder(Profile.named("standard"), workspace.toString())
                .scratch(scratch.toString())
                .build();
    }

    private Process start(PreparedLaunch launch) throws Exception {
        List<String> words = new ArrayList<>(launch.prefix());
        words.addAll(List.of("sh", "-c", "sleep 300 < /dev/null > /dev/null 2>&1 & exit 0"));
        Process process = new ProcessBuilder(words)
                .directory(workspace.toFile())
                .inheritIO()
                .start();
        Report report = ReportParser.parse(launch.awaitReport(LONG), true);
        assertThat(report.ready()).as(report.refusal()).isTrue();
        launch.openGate();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
        assertThat(LiveInit.isAlive(report.init())).isTrue();
        return process;
    }

    @Test
    void theEndOfTheBlockEndsWhatALaunchInAContainerLeftBehind() throws Exception {
        String files = scratch.resolve("launcher").toString();
        try (PreparedLaunch launch = PreparedLaunch.prepare(policy(), TransportChoice.container(files))) {
            start(launch);
            assertThat(launch.awaitEnding(Duration.ofSeconds(2))).as("control").isEmpty();
            assertThat(BlockFile.remove(scratch)).isTrue();
            Ending ending = ReportParser.parseEnding(launch.awaitEnding(LONG).orElseThrow());
            assertThat(ending.exit().code()).isZero();
        }
        assertThat(BlockFile.remove(scratch)).isFalse();
    }

    /** On the agent itself the launch is ended by its number, and watches nothing. */
    @Test
    void aLaunchOnTheAgentHasNoSuchFile() throws Exception {
        String files = scratch.resolve("launcher").toString();
        try (PreparedLaunch launch = PreparedLaunch.prepare(policy(), TransportChoice.file(files))) {
            start(launch);
            assertThat(BlockFile.remove(scratch)).isFalse();
            Report report = ReportParser.parse(launch.awaitReport(LONG), true);
            LiveInit.terminate(report.init());
            assertThat(launch.awaitEnding(LONG)).isPresent();
        }
    }

    @Test
    void aLinkInThePlaceOfTheScratchDirectoryIsNotFollowed() throws Exception {
        Path other = Files.createDirectory(workspace.resolve("other"));
        Path file = Files.createFile(other.resolve("block"));
        Path link = Files.createSymbolicLink(scratch.resolveSibling("link"), other);
        assertThatThrownBy(() -> BlockFile.remove(link)).isInstanceOf(IOException.class);
        assertThat(file).exists();
        assertThat(BlockFile.remove(other)).as("twin").isTrue();
    }
}
