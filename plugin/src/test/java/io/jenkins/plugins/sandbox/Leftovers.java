package io.jenkins.plugins.sandbox;

import hudson.FilePath;
import java.lang.management.ManagementFactory;
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
     * have theirs there as well; what lay there before these tests began is nobody's.
     */
    public static void awaitNone(FilePath directory) throws Exception {
        long began = ManagementFactory.getRuntimeMXBean().getStartTime();
        for (FilePath scratch : in(directory)) {
            while (scratch.exists() && scratch.lastModified() >= began) {
                Thread.sleep(100);
            }
        }
    }
}
