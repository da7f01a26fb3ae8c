package io.jenkins.plugins.sandbox.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.Sandbox;
import io.jenkins.plugins.sandbox.SandboxedProcess;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Paths that a launch names, by all the names that they have. In a directory that no profile replaces. */
@Tag("kernel")
class PathsTest {
    private Path directory;
    private Path workspace;
    private Path real;

    @BeforeEach
    void makeDirectories() throws IOException {
        String outside = Objects.requireNonNull(System.getProperty("sandbox.test.outside"), "sandbox.test.outside");
        directory = Files.createTempDirectory(Path.of(outside), "paths").toRealPath();
        workspace = Files.createDirectory(directory.resolve("workspace"));
        real = Files.createDirectory(directory.resolve("real"));
        Files.createDirectories(directory.resolve("home"));
        Files.createDirectories(directory.resolve("scratch"));
    }

    @AfterEach
    void removeDirectories() throws IOException, InterruptedException {
        // An overlay leaves directories that only chmod makes enterable.
        Process chmod = new ProcessBuilder("chmod", "-R", "u+rwx", directory.toString()).start();
        assertThat(chmod.waitFor()).isZero();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : (Iterable<Path>) files.sorted((a, b) -> b.compareTo(a))::iterator) {
                Files.delete(file);
            }
        }
    }

    private Policy.Builder policy() throws SandboxException {
        return Policy.builder(Profile.named("strict"), workspace.toString())
                .home(directory.resolve("home").toString())
                .scratch(directory.resolve("scratch").toString())
                .minimumLevel(Level.FULL);
    }

    private static String run(Policy policy, String script) throws Exception {
        SandboxedProcess process =
                Sandbox.of(policy).process(b -> b.redirectErrorStream(true)).start(List.of("sh", "-c", script));
        String out = new String(process.getInputStream().readAllBytes());
        process.waitFor();
        return out;
    }

    @Test
    void aDirectoryIsWritableByItsLinkAndByItsOwnName() throws Exception {
        Path link = Files.createSymbolicLink(directory.resolve("link"), real);
        String script = "echo a > " + link + "/a; echo b > " + real + "/b; cat " + real + "/a " + link + "/b";
        assertThat(run(policy().build(), script))
                .contains("Read-only file system")
                .doesNotContain("a\nb\n");
        assertThat(run(policy().write(link.toString()).build(), script)).isEqualTo("a\nb\n");
        assertThat(real.resolve("a")).exists();
        assertThat(real.resolve("b")).exists();
    }

    @Test
    void aFileIsWritableByItsLinkAndItsNeighboursAreNot() throws Exception {
        Path file = Files.writeString(real.resolve("file"), "old\n");
        Path neighbour = Files.writeString(real.resolve("neighbour"), "old\n");
        Path link = Files.createSymbolicLink(directory.resolve("link"), file);
        String out = run(
                policy().write(link.toString()).build(),
                "echo new > " + link + "; cat " + file + "; echo new > " + neighbour + "; echo x > " + real + "/more");
        assertThat(out).startsWith("new\n").contains("Read-only file system");
        assertThat(file).hasContent("new");
        assertThat(neighbour).hasContent("old");
        assertThat(real.resolve("more")).doesNotExist();
    }

    @Test
    void dotsAndLinksOnTheWayAreResolved() throws Exception {
        Files.createSymbolicLink(directory.resolve("up"), directory);
        String crooked = workspace + "/../up/real/.";
        assertThat(run(policy().write(crooked).build(), "echo x > " + crooked + "/x && cat " + real + "/x"))
                .isEqualTo("x\n");
        assertThat(real.resolve("x")).exists();
    }

    @Test
    void whatIsNotThereIsAnErrorAndSoIsALinkThatLeadsNowhere() throws Exception {
        Path broken = Files.createSymbolicLink(directory.resolve("broken"), directory.resolve("nothing"));
        for (Path path : List.of(directory.resolve("nothing"), broken)) {
            Sandbox sandbox = Sandbox.of(policy().write(path.toString()).build());
            assertThatThrownBy(() -> sandbox.start(List.of("true")))
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContaining(path.toString());
        }
    }

    @Test
    void aLinkThatABuildMakesLeadsNoFurtherThanTheBuildMayGo() throws Exception {
        Path file = Files.writeString(real.resolve("file"), "old\n");
        String out = run(
                policy().build(),
                "ln -s " + real + " way && cat way/file && echo new > way/file; echo x > way/made; rm -f way/file");
        assertThat(out).startsWith("old\n").contains("Read-only file system");
        assertThat(file).hasContent("old");
        assertThat(real.resolve("made")).doesNotExist();
    }
}
