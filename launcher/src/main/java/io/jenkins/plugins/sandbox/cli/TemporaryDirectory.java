package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.launch.TreeRemover;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A directory of mode 0700 for one run, gone at its end. */
record TemporaryDirectory(Console console, Path path) implements AutoCloseable {
    static TemporaryDirectory create(Console console) throws SandboxException {
        return create(console, System.getProperty("java.io.tmpdir"));
    }

    static TemporaryDirectory create(Console console, String parent) throws SandboxException {
        try {
            return new TemporaryDirectory(console, Files.createTempDirectory(Path.of(parent), "process-sandbox-"));
        } catch (IOException e) {
            throw new SandboxException(
                    "No scratch directory in " + Quoted.of(parent) + " (" + e
                            + "): it has to exist, to have room, and to let you write. Or name another with"
                            + " JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=DIR.",
                    e);
        }
    }

    @Override
    public void close() {
        try {
            TreeRemover.remove(path);
        } catch (IOException e) {
            console.error("warning: scratch directory " + Quoted.of(path) + " could not be removed (" + e
                    + "): remove it by hand.");
        }
    }
}
