package io.jenkins.plugins.sandbox.plan;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * The repositories in a workspace, as far as {@link GitFiles} looks for them. The search holds a bounded number of paths, no
 * matter how many names the workspace has.
 *
 * @param git each {@code .git}, a directory or a file, the ones nearest to the top first
 */
record Repositories(List<Path> git) {

    /** @param entries how many names below the workspace's own directories to look at */
    static Repositories in(Path workspace, int entries) throws IOException {
        return new Search(workspace, entries).found();
    }

    private static final class Search {
        private final Path workspace;
        private final List<Path> git = new ArrayList<>();
        /** Directories of one level in which the next level is looked for. */
        private List<Path> level = new ArrayList<>();

        private int entriesLeft;

        Search(Path workspace, int entries) {
            this.workspace = workspace;
            this.entriesLeft = entries;
        }

        Repositories found() throws IOException {
            look(workspace);
            try (DirectoryStream<Path> top = Files.newDirectoryStream(workspace, GitFiles::isDirectory)) {
                for (Path directory : top) {
                    take(directory);
                }
            }
            for (int depth = GitFiles.DEEPEST_REPOSITORY; depth > 1 && !level.isEmpty(); depth--) {
                List<Path> directories = level;
                level = new ArrayList<>();
                directories.forEach(this::below);
            }
            return new Repositories(List.copyOf(git));
        }

        /** A directory of the workspace: looked at, and kept for the next level. */
        private void take(Path directory) {
            look(directory);
            boolean entered = !directory.endsWith(GitFiles.GIT) && !directory.endsWith("node_modules");
            if (entered && level.size() < GitFiles.MOST_ENTRIES) {
                level.add(directory);
            }
        }

        private void look(Path directory) {
            Path path = directory.resolve(GitFiles.GIT);
            boolean there = GitFiles.isDirectory(path) || Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS);
            if (there && git.size() < GitFiles.MOST_ENTRIES) {
                git.add(path);
            }
        }

        /** As far as this process may read it: a build may leave directories that nobody may read. */
        private void below(Path directory) {
            if (entriesLeft <= 0) {
                return;
            }
            int end = Math.max(entriesLeft - GitFiles.MOST_OF_ONE, 0);
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
                for (Iterator<Path> i = stream.iterator(); entriesLeft > end && i.hasNext(); entriesLeft--) {
                    Path path = i.next();
                    if (GitFiles.isDirectory(path)) {
                        take(path);
                    }
                }
            } catch (IOException | DirectoryIteratorException e) {
                // What this process cannot read holds no repository that it protects.
                return;
            }
        }
    }
}
