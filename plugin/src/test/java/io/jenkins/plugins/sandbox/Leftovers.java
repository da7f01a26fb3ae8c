package io.jenkins.plugins.sandbox;

import hudson.FilePath;
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
     * Waits until the blocks whose scratch directories are in a directory now have removed them. Tests that run at the same time
     * have theirs there as well.
     */
    public static void awaitNone(FilePath directory) throws Exception {
        for (FilePath scratch : in(directory)) {
            while (scratch.exists()) {
                Thread.sleep(100);
            }
        }
    }
}
