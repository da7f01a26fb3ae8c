package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What git obeys in a workspace. Jenkins runs git outside of the sandbox before the next build, and its configuration and
 * hooks name programs: a build that could write them would run as the agent. So, for each repository whose {@code .git} is
 * there when the launch begins:
 *
 * <ul>
 *   <li>{@code .git} is a mount of its own, since a rename of it would undo everything below it; so are the directories
 *       between it and the workspace;
 *   <li>{@code config}, {@code config.worktree}, {@code hooks} and {@code modules}, which has the same of the submodules, are
 *       read-only. Missing {@code hooks} and {@code modules} become empty directories, and what is written there is gone
 *       with the launch;
 *   <li>a {@code .git} that is a file, as submodules and further working trees have it, is read-only.
 * </ul>
 *
 * <p>Repositories are looked for in the workspace, in each directory directly in it, and where the submodules say that their
 * working trees are. What a build clones itself is its own.
 */
final class GitFiles {
    private static final long EMPTY_BYTES = 4096;
    private static final long LONGEST_CONFIG = 1 << 20;
    private static final int DEEPEST_MODULE = 8;

    private final Path workspace;
    private final List<Mount> mounts = new ArrayList<>();

    private GitFiles(Path workspace) {
        this.workspace = workspace;
    }

    /**
     * @param workspace canonical path of the workspace
     * @return the mounts that protect what is there, in no particular order
     * @throws SandboxException when it cannot be found out what is there
     */
    static List<Mount> in(Path workspace) throws SandboxException {
        GitFiles files = new GitFiles(workspace);
        try {
            files.repository(workspace);
            for (Path child : directories(workspace)) {
                files.repository(child);
            }
        } catch (IOException | DirectoryIteratorException | InvalidPathException e) {
            throw new SandboxException(
                    "What git obeys in workspace " + Quoted.of(workspace) + " cannot be looked at (" + e
                            + "): check the rights of its directories, and start this process with LANG=C.UTF-8 in its environment.",
                    e);
        }
        return files.mounts;
    }

    private void repository(Path worktree) throws IOException {
        Path git = worktree.resolve(".git");
        if (Files.isRegularFile(git, LinkOption.NOFOLLOW_LINKS)) {
            between(worktree);
            mounts.add(Mount.readOnly(git, git));
        } else if (isDirectory(git)) {
            between(worktree);
            mounts.add(Mount.bind(git, git));
            for (String name : List.of("config", "config.worktree")) {
                Path file = git.resolve(name);
                if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                    mounts.add(Mount.readOnly(file, file));
                }
            }
            readOnlyOrEmpty(git.resolve("hooks"));
            readOnlyOrEmpty(git.resolve("modules"));
            worktrees(git.resolve("modules"), DEEPEST_MODULE);
        }
    }

    private void between(Path worktree) {
        for (Path path = worktree; !path.equals(workspace); path = path.getParent()) {
            mounts.add(Mount.bind(path, path));
        }
    }

    private void readOnlyOrEmpty(Path directory) {
        if (isDirectory(directory)) {
            mounts.add(Mount.readOnly(directory, directory));
        } else if (Files.notExists(directory, LinkOption.NOFOLLOW_LINKS) && Files.isWritable(directory.getParent())) {
            mounts.add(Mount.tmpfs(directory, EMPTY_BYTES));
        }
    }

    /** The working trees of submodules, as their own configuration names them: the build cannot have changed that. */
    private void worktrees(Path modules, int depth) throws IOException {
        if (depth == 0 || !isDirectory(modules)) {
            return;
        }
        for (Path module : directories(modules)) {
            Optional<Path> worktree = worktree(module);
            if (worktree.isPresent()
                    && Files.isRegularFile(worktree.get().resolve(".git"), LinkOption.NOFOLLOW_LINKS)) {
                repository(worktree.get());
            }
            // The name of a submodule may have slashes in it, and a submodule may have submodules.
            worktrees(Files.exists(module.resolve("HEAD")) ? module.resolve("modules") : module, depth - 1);
        }
    }

    private Optional<Path> worktree(Path module) throws IOException {
        Path config = module.resolve("config");
        if (!Files.isRegularFile(config, LinkOption.NOFOLLOW_LINKS) || Files.size(config) > LONGEST_CONFIG) {
            return Optional.empty();
        }
        // As git writes it: `worktree = ../../../sub`, relative to the module's directory.
        for (String line :
                Files.readString(config, StandardCharsets.ISO_8859_1).lines().toList()) {
            String[] words = line.strip().split("\\s*=\\s*", 2);
            if (words.length == 2 && words[0].equals("worktree")) {
                Path named =
                        Path.of(new String(words[1].getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8));
                Path worktree = module.resolve(named).normalize();
                boolean inside = worktree.startsWith(workspace) && !worktree.equals(workspace);
                return inside && isDirectory(worktree) && worktree.toRealPath().equals(worktree)
                        ? Optional.of(worktree)
                        : Optional.empty();
            }
        }
        return Optional.empty();
    }

    private static List<Path> directories(Path directory) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, GitFiles::isDirectory)) {
            entries.forEach(found::add);
        }
        return found;
    }

    private static boolean isDirectory(Path path) {
        return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
    }
}
