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
 * The repositories in a workspace, as far as {@link GitFiles} looks for them.
 *
 * @param git each {@code .git}, a directory or a file
 * @param shut directories of this user's that this process may not search, so that there may be one in them
 */
record Repositories(List<Path> git, List<Path> shut) {

    /** @param entries how many names below the workspace's own directories to look at */
    static Repositories in(Path workspace, int entries) throws IOException {
        return new Search(workspace, entries).found();
    }

    private static final class Search {
        private final Path workspace;
        private final Repositories found = new Repositories(new ArrayList<>(), new ArrayList<>());
        private int entriesLeft;

        Search(Path workspace, int entries) {
            this.workspace = workspace;
            this.entriesLeft = entries;
        }

        Repositories found() throws IOException {
            look(workspace);
            below(GitFiles.directories(workspace), GitFiles.DEEPEST_REPOSITORY);
            return found;
        }

        private void below(List<Path> directories, int depth) throws IOException {
            List<Path> next = new ArrayList<>();
            for (Path directory : directories) {
                look(directory);
                if (depth > 1
                        && entriesLeft > 0
                        && !directory.endsWith(GitFiles.GIT)
                        && !directory.endsWith("node_modules")) {
                    next.addAll(someDirectories(directory));
                }
            }
            if (!next.isEmpty()) {
                below(next, depth - 1);
            }
        }

        private void look(Path directory) throws IOException {
            Path git = directory.resolve(GitFiles.GIT);
            if (GitFiles.isDirectory(git) || Files.isRegularFile(git, LinkOption.NOFOLLOW_LINKS)) {
                found.git.add(git);
            } else if (!directory.equals(workspace) && !Files.isExecutable(directory) && GitFiles.isOwn(directory)) {
                found.shut.add(directory);
            }
        }

        /** As far as it can be looked at: a build may leave directories that nobody may read. */
        private List<Path> someDirectories(Path directory) {
            List<Path> found = new ArrayList<>();
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
                int end = Math.max(entriesLeft - GitFiles.MOST_OF_ONE, 0);
                for (Iterator<Path> i = stream.iterator(); entriesLeft > end && i.hasNext(); entriesLeft--) {
                    Path path = i.next();
                    if (GitFiles.isDirectory(path)) {
                        found.add(path);
                    }
                }
            } catch (IOException | DirectoryIteratorException e) {
                return found;
            }
            return found;
        }
    }
}
