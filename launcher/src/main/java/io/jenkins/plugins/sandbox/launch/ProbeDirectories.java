package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.plan.KnownRepositories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A workspace with a repository in it and a scratch directory, both empty, for the launch of a probe. */
final class ProbeDirectories implements AutoCloseable {
    private static final String PREFIX = "process-sandbox-probe-";

    private final Path base;
    private final Path workspace;
    private final Path scratch;

    private ProbeDirectories(Path base, Path workspace, Path scratch) {
        this.base = base;
        this.workspace = workspace;
        this.scratch = scratch;
    }

    static ProbeDirectories make(ProbePlace place) throws SandboxException {
        Path base = temporary(place.workspaces());
        Path scratch = null;
        Path workspace = base.resolve("workspace");
        try {
            scratch = temporary(place.scratches());
            Files.createDirectories(workspace.resolve(".git"));
            return new ProbeDirectories(base, workspace, scratch);
        } catch (SandboxException e) {
            removeQuietly(base, scratch);
            throw e;
        } catch (IOException e) {
            removeQuietly(base, scratch);
            throw unmade(base.toString(), e);
        }
    }

    /** Of mode 0700. */
    private static Path temporary(String parent) throws SandboxException {
        try {
            return Files.createTempDirectory(Path.of(parent), PREFIX);
        } catch (IOException e) {
            throw unmade(parent, e);
        }
    }

    private static SandboxException unmade(String parent, IOException cause) {
        return new SandboxException(
                "No directory can be made in " + Quoted.of(parent) + " (" + cause
                        + "): check that it is there, its rights and the room on its disk.",
                cause);
    }

    String workspace() {
        return workspace.toString();
    }

    String scratch() {
        return scratch.toString();
    }

    /** Removes them, once nothing uses them any more. */
    @Override
    public void close() throws SandboxException {
        try {
            KnownRepositories.leave(scratch);
            TreeRemover.remove(scratch);
            TreeRemover.remove(base);
        } catch (IOException e) {
            throw new SandboxException(
                    "What the probe made in " + Quoted.of(base) + " and " + Quoted.of(scratch) + " cannot be removed ("
                            + e + "): remove it by hand.",
                    e);
        }
    }

    /** After a failure that says more than what follows from it. */
    private static void removeQuietly(Path base, Path scratch) {
        try {
            TreeRemover.remove(base);
            if (scratch != null) {
                TreeRemover.remove(scratch);
            }
        } catch (IOException e) {
            return;
        }
    }
}
