package io.jenkins.plugins.sandbox.agent;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import jenkins.agents.ControllerToAgentCallable;

/**
 * Removes the scratch directory of a block that has ended.
 *
 * @param block the id of the block
 * @param path the directory
 */
public record RemoveScratchCall(String block, String path) implements ControllerToAgentCallable<Void, IOException> {
    private static final long serialVersionUID = 1;

    private static final int ATTEMPTS = 5;

    @Override
    public Void call() throws IOException {
        AgentLaunches.forgetEnded(block, Set.of());
        for (int attempt = 1; ; attempt++) {
            try {
                ScratchDirectory.remove(Path.of(path));
                return null;
            } catch (IOException x) {
                // A process of the block that is still running may be writing there.
                if (attempt == ATTEMPTS) {
                    throw x;
                }
            }
            try {
                Thread.sleep(200L * attempt);
            } catch (InterruptedException x) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", x);
            }
        }
    }
}
