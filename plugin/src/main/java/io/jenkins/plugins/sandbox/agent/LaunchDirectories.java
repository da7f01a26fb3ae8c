package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.plan.Host;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The directories of a launch after everything has been checked that can only be checked on the agent. A workspace is full of
 * what builds left there: a symbolic link in it must not make some other directory writable.
 *
 * @param workspace the workspace without a symbolic link in its path
 * @param temporary the directory beside it for temporary files, whether or not it exists
 * @param current the same of the directory where the command starts
 * @param control the control directory, in {@code current}; empty when there is none
 * @param scratch the scratch directory of the block, whether or not it exists
 * @param jobScratch that of the job, which stays for its next build, whether or not it exists
 */
record LaunchDirectories(
        Path workspace, Path temporary, Path current, Optional<Path> control, Path scratch, Optional<Path> jobScratch) {
    /** Where scratch directories may be that cannot be beside the workspace, the first that does first. */
    static final List<String> ELSEWHERE = List.of("/var/tmp", System.getProperty("java.io.tmpdir"));

    /** @throws SandboxException when one of them is not what it is meant to be; the message names it */
    static LaunchDirectories check(LaunchRequest request, Profile profile) throws SandboxException {
        Path workspace = directory("workspace", Path.of(request.workspace()));
        Path start = real("directory", Path.of(request.directory()));
        if (!start.startsWith(workspace)) {
            throw new SandboxException("The directory '" + request.directory() + "' is really '" + start
                    + "', outside of the workspace '" + workspace
                    + "': a sandbox starts commands in the workspace only. Remove the symbolic link.");
        }
        try {
            Path temporary = workspace.resolveSibling(name(Path.of(request.temporary())));
            Path parent = Objects.requireNonNull(Path.of(request.workspace()).getParent());
            Path current = workspace.resolveSibling(parent.relativize(Path.of(request.current())));
            Optional<Path> control = Optional.ofNullable(request.control()).map(current::resolve);
            if (control.isPresent() && !isRealDirectory(control.get())) {
                throw new SandboxException(
                        "The control directory '" + control.get()
                                + "' is not a directory, or there is a symbolic link in its path. Remove what a build left there.");
            }
            boolean overlay = profile.home() == Profile.Home.OVERLAY || profile.home() == Profile.Home.JOB;
            Path scratches = scratchParent(temporary, overlay && !request.container());
            return new LaunchDirectories(
                    workspace,
                    temporary,
                    current,
                    control,
                    ScratchDirectory.of(scratches, request.block()),
                    profile.home() == Profile.Home.JOB
                            ? Optional.of(jobScratch(scratches, request.job()))
                            : Optional.empty());
        } catch (IOException x) {
            if (x instanceof SandboxException known) {
                throw known;
            }
            throw new SandboxException("The directories of the launch cannot be looked at: " + x, x);
        }
    }

    /**
     * @param nodeRoot the root directory of a node
     * @return where the scratch directories are of launches in it whose home is an overlay, if not beside their workspaces; else
     *     {@code nodeRoot}
     */
    static String scratches(String nodeRoot) {
        try {
            return scratchParent(Path.of(nodeRoot).toRealPath(), true).toString();
        } catch (IOException | InvalidPathException x) {
            // Whoever makes something there will know.
            return nodeRoot;
        }
    }

    /** @return where it is, whether or not it exists */
    static Path jobScratch(Path parent, String job) {
        return ScratchDirectory.of(parent, "job-" + job);
    }

    /**
     * Makes the scratch directory, unless an earlier launch of the block did.
     *
     * @return whether it was made by this call
     * @throws SandboxException when it cannot be made
     */
    boolean makeScratch() throws SandboxException {
        return make(scratch);
    }

    /** As {@link #makeScratch}, for what stays for the job's next build, where there is such a thing. */
    void makeJobScratch() throws SandboxException {
        if (jobScratch.isPresent()) {
            make(jobScratch.get());
        }
    }

    private static boolean make(Path directory) throws SandboxException {
        try {
            Path parent = directory.getParent();
            if (parent != null && Files.notExists(parent, LinkOption.NOFOLLOW_LINKS)) {
                Files.createDirectory(parent);
            } else if (parent == null || !isDirectory(parent)) {
                throw new NotDirectoryException(String.valueOf(parent));
            }
            return ScratchDirectory.make(directory);
        } catch (IOException x) {
            throw new SandboxException(
                    "The scratch directory " + Quoted.of(directory) + " cannot be made (" + x
                            + "): check the rights of its parent, and the room on its disk.",
                    x);
        }
    }

    /** Parents may be links, as administrators make them; the directory itself may not, as builds could make it. */
    private static Path directory(String what, Path path) throws SandboxException {
        Path parent = path.getParent();
        if (!path.isAbsolute() || parent == null) {
            throw new SandboxException("The " + what + " '" + path + "' is no absolute path of a directory.");
        }
        if (Files.notExists(path, LinkOption.NOFOLLOW_LINKS)) {
            throw missing(what, path);
        }
        Path directory = real(what, parent).resolve(name(path));
        if (Files.isSymbolicLink(directory)) {
            throw new SandboxException(
                    "The " + what + " '" + directory + "' is a symbolic link: make it a directory, or remove it.");
        }
        if (!isDirectory(directory)) {
            throw new SandboxException("The " + what + " '" + directory + "' is not a directory.");
        }
        return directory;
    }

    private static Path name(Path path) {
        return Objects.requireNonNull(path.getFileName(), "the root directory has no name");
    }

    private static Path real(String what, Path path) throws SandboxException {
        try {
            return path.toRealPath();
        } catch (IOException x) {
            throw Files.notExists(path)
                    ? missing(what, path)
                    : new SandboxException("The " + what + " '" + path + "' cannot be reached: " + x, x);
        }
    }

    private static SandboxException missing(String what, Path path) {
        return new SandboxException("The " + what + " '" + path + "' does not exist on the agent.");
    }

    private static boolean isDirectory(Path path) {
        return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
    }

    /** A build may have made any component a link that leads elsewhere. */
    private static boolean isRealDirectory(Path path) throws IOException {
        return isDirectory(path) && path.toRealPath().equals(path);
    }

    /**
     * Beside the workspace, which containers see as well; but the layers of an overlay may not lie in one another, and many a
     * workspace is in the home.
     */
    private static Path scratchParent(Path temporary, boolean overlay) throws IOException {
        if (overlay) {
            Optional<Path> home = home();
            if (home.isPresent() && temporary.startsWith(home.get())) {
                for (String name : ELSEWHERE) {
                    Path elsewhere = Path.of(name);
                    if (Files.isDirectory(elsewhere) && Files.isWritable(elsewhere)) {
                        Path real = elsewhere.toRealPath();
                        if (!real.startsWith(home.get())) {
                            return real;
                        }
                    }
                }
            }
        }
        return temporary;
    }

    private static Optional<Path> home() throws IOException {
        String home = Host.current().home();
        return home.startsWith("/") && Files.isDirectory(Path.of(home))
                ? Optional.of(Path.of(home).toRealPath())
                : Optional.empty();
    }
}
