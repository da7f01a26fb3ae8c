package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Removal by the helper, in its sandbox. */
@Tag("kernel")
class WorkspaceHelperTest {
    private final WorkspaceHelper helper = new WorkspaceHelper(TransportChoice.memfd());

    private Path tree;
    private Path outside;

    @BeforeEach
    void directories(@TempDir Path temporary) throws Exception {
        Path directory = temporary.toRealPath();
        tree = Files.createDirectory(directory.resolve("tree"));
        outside = Files.createDirectory(directory.resolve("outside"));
        Files.writeString(outside.resolve("file"), "kept");
    }

    private void make(String script) throws Exception {
        Process process = new ProcessBuilder("sh", "-ec", script)
                .directory(tree.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "true",
                "mkdir -p a/b/c; touch a/f a/b/c/f; chmod 0 a/b/c a/b a; chmod 0 .",
                "mkdir -p a/b; chmod 0500 a/b a .",
                "mkdir -p a/b; chmod 0200 a/b; chmod 0100 a; chmod 0400 .",
                "ln -s ../outside link; ln -s ../outside/file file; ln -s . self; mkdir d; ln -s ../../outside d/link",
                "mkfifo pipe; mkdir -p d/e; mkfifo d/e/pipe",
                "x=$(printf '\\377\\n'); mkdir -p \"$x/$x\"; touch \"$x/$x/$x\"; chmod 0 \"$x/$x\" \"$x\"",
                "n=$(printf 'x%.0s' $(seq 250)); for i in $(seq 60); do mkdir $n; cd -P $n; done; touch f; chmod 0 .",
                "for i in $(seq 300); do mkdir d; cd -P d; touch f; done",
                "seq 3000 | xargs mkdir; seq -f f%g 3000 | xargs touch",
                "mkdir .removed-0000000000000000; touch .removed-0000000000000001",
            })
    void removesWhateverABuildMade(String script) throws Exception {
        make(script);
        WorkspaceHelper.Removal removal = helper.remove(tree);
        assertThat(removal.problems()).isEmpty();
        assertThat(removal.complete()).isTrue();
        assertThat(removal.level()).isEqualTo(Level.FULL);
        assertThat(tree).doesNotExist();
        assertThat(outside.resolve("file")).hasContent("kept");
    }

    @Test
    void removesALinkAndAFileInPlaceOfTheTree() throws Exception {
        Path link = Files.createSymbolicLink(tree.resolveSibling("link"), outside);
        assertThat(helper.remove(link).complete()).isTrue();
        assertThat(Files.exists(link, LinkOption.NOFOLLOW_LINKS)).isFalse();
        assertThat(helper.remove(outside.resolve("file")).complete()).isTrue();
        assertThat(outside).isEmptyDirectory();
        assertThat(helper.remove(tree.resolve("nowhere")).complete()).isTrue();
        assertThat(helper.remove(tree.resolve("nowhere/below")).complete()).isTrue();
    }

    @Test
    void findsTheTreeThroughALinkAboveIt() throws Exception {
        Files.createSymbolicLink(tree.resolveSibling("above"), tree.getParent());
        make("mkdir -p a/b");
        assertThat(helper.remove(tree.resolveSibling("above").resolve("tree")).complete())
                .isTrue();
        assertThat(tree).doesNotExist();
    }

    /** An aborted build is cleaned up as well. */
    @Test
    void anInterruptIsKeptForTheCaller() throws Exception {
        make("mkdir -p a/b");
        Thread.currentThread().interrupt();
        WorkspaceHelper.Removal removal = helper.remove(tree);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(removal.complete()).isTrue();
        assertThat(tree).doesNotExist();
    }

    /** A process that was left in the background: it can keep the tree from being removed, and nothing else. */
    @Test
    void aDirectoryThatIsSwappedMeanwhileLeadsNowhere() throws Exception {
        Process swapping = new ProcessBuilder(
                        "sh",
                        "-c",
                        "while :; do mkdir -p d/e/f; touch d/e/file d/e/f/g; mv d x; ln -s ../outside d; rm d; mv x d; mv d/e y;"
                                + " ln -s ../../outside d/e; ln -s ../outside d/e/f; rm d/e; mv y d/e; done")
                .directory(tree.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            for (int i = 0; i < 20; i++) {
                helper.remove(tree);
                Files.createDirectories(tree);
            }
        } finally {
            swapping.destroyForcibly().waitFor();
        }
        assertThat(outside.resolve("file")).hasContent("kept");
        assertThat(outside).isDirectoryContaining("glob:**/file");
        assertThat(helper.remove(tree).complete()).isTrue();
    }

    @Test
    void refusesTheRootDirectory() {
        assertThatThrownBy(() -> helper.remove(Path.of("/"))).isInstanceOf(SandboxException.class);
    }

    @Test
    void reportsWhatItCannotRemove() throws Exception {
        WorkspaceHelper.Removal removal = helper.remove(Path.of("/proc/self/fd"));
        assertThat(removal.complete()).isFalse();
        assertThat(removal.problems()).isNotEmpty();
    }
}
