package io.jenkins.plugins.sandbox.agent;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.is;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScratchDirectoryTest {
    @TempDir
    private Path parent;

    @Test
    void isPrivateAndMadeOnce() throws Exception {
        Path scratch = ScratchDirectory.of(parent, "0123");
        assertThat(scratch, is(parent.resolve("process-sandbox-0123")));
        assertThat(ScratchDirectory.make(scratch), is(true));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(scratch)), is("rwx------"));
        assertThat(ScratchDirectory.make(scratch), is(false));
    }

    @Test
    void somebodyElsesInItsPlaceIsRefused() throws Exception {
        Path elsewhere = Files.createDirectory(parent.resolve("elsewhere"));
        Files.createSymbolicLink(parent.resolve("process-sandbox-link"), elsewhere);
        assertThrows(IOException.class, () -> ScratchDirectory.make(ScratchDirectory.of(parent, "link")));
        Files.createFile(parent.resolve("process-sandbox-file"));
        assertThrows(IOException.class, () -> ScratchDirectory.make(ScratchDirectory.of(parent, "file")));
        Files.createDirectory(
                parent.resolve("process-sandbox-open"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        assertThrows(IOException.class, () -> ScratchDirectory.make(ScratchDirectory.of(parent, "open")));
    }

    @Test
    void isRemovedWithAllThatBuildsLeave() throws Exception {
        Path scratch = ScratchDirectory.of(parent, "0123");
        ScratchDirectory.make(scratch);
        Path outside = Files.createDirectory(parent.resolve("outside"));
        Path kept = Files.writeString(outside.resolve("kept"), "kept");
        Path inner = Files.createDirectories(scratch.resolve("a/b/c"));
        Files.writeString(inner.resolve("file"), "x");
        Files.createSymbolicLink(inner.resolve("link"), outside);
        Files.createSymbolicLink(scratch.resolve("a/file-link"), kept);
        Files.createSymbolicLink(scratch.resolve("dangling"), Path.of("/no/such/thing"));
        Files.setPosixFilePermissions(inner, PosixFilePermissions.fromString("r-xr-xr-x"));
        Files.setPosixFilePermissions(scratch.resolve("a"), PosixFilePermissions.fromString("---------"));
        ScratchDirectory.remove(scratch);
        assertThat(Files.exists(scratch), is(false));
        assertThat(Files.readString(kept), is("kept"));
        ScratchDirectory.remove(scratch);
    }

    @Test
    void isRemovedHoweverDeepItIs() throws Exception {
        Path scratch = ScratchDirectory.of(parent, "deep");
        ScratchDirectory.make(scratch);
        // Longer than any path that the system takes: made from the inside, by renaming.
        Path top = scratch;
        for (int i = 0; i < 400; i++) {
            Path above = scratch.resolve("above");
            Files.createDirectory(above);
            if (i > 0) {
                Files.move(top, above.resolve("d"));
            }
            top = scratch.resolve("top");
            Files.move(above, top);
        }
        ScratchDirectory.remove(scratch);
        assertThat(Files.exists(scratch), is(false));
    }

    @Test
    void nothingElseIsEverRemoved() throws Exception {
        Path other = Files.createDirectory(parent.resolve("workspace"));
        assertThrows(IOException.class, () -> ScratchDirectory.remove(other));
        assertThrows(IOException.class, () -> ScratchDirectory.remove(Path.of("process-sandbox-x")));
        assertThat(Files.isDirectory(other), is(true));
        Path link = Files.createSymbolicLink(parent.resolve("process-sandbox-0"), other);
        assertThrows(IOException.class, () -> ScratchDirectory.remove(link));
        assertThat(Files.isDirectory(other), is(true));
    }
}
