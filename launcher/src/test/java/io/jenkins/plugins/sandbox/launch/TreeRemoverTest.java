package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As an unprivileged user: for root every directory can be entered. */
@Tag("kernel")
class TreeRemoverTest {
    @TempDir
    private Path directory;

    @Test
    void removesWhatCannotBeEnteredAndFollowsNoLinks() throws Exception {
        Path outside = Files.createDirectories(directory.resolve("outside/x"));
        Path tree = Files.createDirectory(directory.resolve("tree"));
        Files.createSymbolicLink(tree.resolve("link"), outside.getParent());
        Path shut = Files.createDirectories(tree.resolve("work/work"));
        Files.writeString(shut.resolve("file"), "");
        Files.setPosixFilePermissions(shut, PosixFilePermissions.fromString("---------"));
        Files.setPosixFilePermissions(shut.getParent(), PosixFilePermissions.fromString("r--r--r--"));
        TreeRemover.remove(tree);
        assertThat(tree).doesNotExist();
        assertThat(outside).exists();
        TreeRemover.remove(tree);
        Path link = Files.createSymbolicLink(directory.resolve("link"), outside);
        TreeRemover.remove(link);
        assertThat(link).doesNotExist();
        assertThat(outside).exists();
    }

    @Test
    void removesTreesThatAreDeeperThanAPathIsLong() throws Exception {
        Path tree = Files.createDirectory(directory.resolve("tree"));
        String script =
                "d=$(printf 'x%.0s' $(seq 200)); for i in $(seq 60); do mkdir $d; cd -P $d || exit 1; done; chmod 0 .";
        Process process =
                new ProcessBuilder("sh", "-c", script).directory(tree.toFile()).start();
        assertThat(process.waitFor()).isZero();
        TreeRemover.remove(tree);
        assertThat(tree).doesNotExist();
    }

    @Test
    void saysWhenItCannot() {
        assertThatThrownBy(() -> TreeRemover.remove(Path.of("/proc/self/fd"))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> TreeRemover.remove(Path.of("/"))).isInstanceOf(IOException.class);
    }
}
