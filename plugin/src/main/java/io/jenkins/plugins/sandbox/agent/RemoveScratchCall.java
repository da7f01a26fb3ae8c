package io.jenkins.plugins.sandbox.agent;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import jenkins.agents.ControllerToAgentCallable;

/**
 * Removes the scratch directory of a block that has ended, and says how its launches ended. The directory is removed even if
 * some of them still run: durable tasks have a process that does, for three seconds at most.
 *
 * @param block the id of the block
 * @param path the directory
 * @param patience how long to wait for launches that still run, in seconds; 0 not to wait
 */
public record RemoveScratchCall(String block, String path, int patience)
        implements ControllerToAgentCallable<BlockEnd, IOException> {
    private static final long serialVersionUID = 1;

    private static final int ATTEMPTS = 5;

    @Override
    public BlockEnd call() throws IOException {
        AgentLaunches.releaseEnded(block, Set.of());
        try {
            BlockEnd end = BlockEnd.await(block, patience);
            remove();
            return end;
        } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", x);
        }
    }

    private void remove() throws IOException, InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                ScratchDirectory.remove(Path.of(path));
                return;
            } catch (IOException x) {
                // A process of the block that is still running may be writing there.
                if (attempt == ATTEMPTS) {
                    throw x;
                }
            }
            Thread.sleep(200L * attempt);
        }
    }
}
