package io.jenkins.plugins.sandbox;

import hudson.FilePath;
import hudson.model.Node;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** What blocks leave on agents, and should not. */
public final class Leftovers {
    private Leftovers() {}

    /** @return the scratch directories of blocks in a directory, which need not be there */
    public static List<FilePath> in(FilePath directory) throws Exception {
        return directory.isDirectory()
                ? directory.listDirectories().stream()
                        .filter(d -> d.getName().matches("process-sandbox-[0-9a-f]{32}"))
                        .toList()
                : List.of();
    }

    /**
     * Waits until the blocks of a node whose scratch directories are not beside the workspace, but in /var/tmp, have removed
     * them. Tests that run at the same time have theirs there as well; what lay there before these tests began is nobody's.
     */
    public static void awaitNone(Node node) throws Exception {
        long began = ManagementFactory.getRuntimeMXBean().getStartTime();
        Path root = Path.of(node.getRootPath().getRemote()).toRealPath();
        for (FilePath each : in(new FilePath(Path.of("/var/tmp").toFile()))) {
            Path scratch = Path.of(each.getRemote());
            while (Files.exists(scratch) && each.lastModified() >= began && !isOfAnother(scratch, root)) {
                Thread.sleep(100);
            }
        }
    }

    /** As is written down there, from the first launch of a profile with a view of the file system on. */
    private static boolean isOfAnother(Path scratch, Path root) throws IOException {
        boolean said = false;
        try (DirectoryStream<Path> known = Files.newDirectoryStream(scratch, "known-repositories-*[0-9a-f]")) {
            for (Path file : known) {
                said = true;
                if (Path.of(Files.readString(file).split("\0")[1]).startsWith(root)) {
                    return false;
                }
            }
        } catch (NoSuchFileException x) {
            return false;
        }
        return said;
    }
}
