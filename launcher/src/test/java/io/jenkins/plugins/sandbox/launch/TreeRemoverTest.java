package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

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
        assertThat(TreeRemover.remove(tree)).isTrue();
        assertThat(tree).doesNotExist();
        assertThat(outside).exists();
        assertThat(TreeRemover.remove(tree)).isTrue();
    }

    @Test
    void saysWhenItCannot() {
        assertThat(TreeRemover.remove(Path.of("/proc/self"))).isFalse();
    }
}
