package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Where the helper keeps what it knows of a workspace: a record of the open block, and the repositories in quarantine. Both are
 * outside of everything that a build can write.
 *
 * @param workspace a path in which only the last name may be a link, which the launcher then refuses
 * @param store the directory {@code repositories} is made here; {@code null} where there is none, and what goes into quarantine
 *     gets another name in its place
 * @param records the record is here
 */
public record WorkspaceStore(Path workspace, Path store, Path records) {
    /**
     * What the store is called beside its workspace. Jenkins removes what is called {@code WORKSPACE@...} together with a
     * workspace.
     */
    public static final String SUFFIX = "@sandbox";

    private static final String RECORD = "record";

    /**
     * @param workspace a directory
     * @param fallback a directory of the agent's that no build can write, for a workspace whose parent this process cannot write;
     *     made when it is missing
     * @return the store of that workspace, made when it was missing
     * @throws SandboxException when it cannot be made, or belongs to somebody else
     */
    public static WorkspaceStore of(Path workspace, Path fallback) throws SandboxException {
        Path path;
        try {
            path = workspace.toRealPath();
        } catch (IOException e) {
            throw new SandboxException(
                    "Workspace " + Quoted.of(workspace) + " cannot be reached (" + e
                            + "): check the rights of its parents.",
                    e);
        }
        if (path.getFileName() == null) {
            throw new SandboxException("Workspace '/' would make the whole machine writable: name a directory in it.");
        }
        Path store = path.resolveSibling(path.getFileName() + SUFFIX);
        try {
            if (!Files.isWritable(path.getParent()) && !Files.isDirectory(store, LinkOption.NOFOLLOW_LINKS)) {
                return withoutStore(path, fallback);
            }
            own(store);
            return new WorkspaceStore(path, store, store);
        } catch (AccessDeniedException e) {
            return withoutStore(path, fallback);
        } catch (IOException e) {
            throw unusable(store, e);
        }
    }

    private static WorkspaceStore withoutStore(Path workspace, Path fallback) throws SandboxException {
        String id = LauncherBinary.sha256(HelperPaths.encode(workspace)).substring(0, 32);
        try {
            own(Files.createDirectories(fallback.toAbsolutePath()).toRealPath());
            Path records = fallback.toRealPath().resolve("workspace-" + id);
            own(records);
            return new WorkspaceStore(workspace, null, records);
        } catch (IOException e) {
            throw unusable(fallback, e);
        }
    }

    private static SandboxException unusable(Path directory, IOException cause) {
        return new SandboxException(
                "The repositories of a workspace cannot be recorded in " + Quoted.of(directory) + " (" + cause
                        + "): check its owner and rights and the room on its disk.",
                cause);
    }

    /** Makes a directory that only this user can enter, or checks that it is one. */
    private static void own(Path directory) throws IOException {
        try {
            Files.createDirectory(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
                throw new IOException(directory + " is not a directory", e);
            }
        }
        Object owner = Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS);
        if (!owner.equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))) {
            throw new IOException(directory + " belongs to another user");
        }
        // By its owner, which was just checked; its parent is not writable to builds.
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    }

    /**
     * @return whether a block has begun in the workspace and has not ended: what it left must not be obeyed before
     *     {@link WorkspaceHelper#end} is complete
     */
    public boolean isOpen() {
        return Files.exists(records.resolve(RECORD), LinkOption.NOFOLLOW_LINKS);
    }
}
