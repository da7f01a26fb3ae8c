package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.launch.BlockFile;
import io.jenkins.plugins.sandbox.launch.LiveInit;
import io.jenkins.plugins.sandbox.launch.RepositorySweep;
import io.jenkins.plugins.sandbox.model.InitProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jenkins.agents.ControllerToAgentCallable;

/**
 * Ends a block: first everything that its launches left running, then what they left for git to obey, then its scratch
 * directory. In that order, since what comes after the block is not sandboxed and must not have the build's processes beside
 * it, and since a directory cannot be looked at or removed safely while somebody changes it. The last part is what tells
 * somebody who tries again that there is something to do.
 *
 * @param block the id of the block
 * @param path its scratch directory
 * @param inits the first processes of those of its launches that have not been heard to end; after a restart of the agent only
 *     the controller knows them
 */
public record EndBlockCall(String block, String path, List<InitProcess> inits)
        implements ControllerToAgentCallable<BlockEnd, IOException> {
    private static final long serialVersionUID = 1;

    /** More than the 5 s that a launcher gives its processes between SIGTERM and SIGKILL. */
    private static final Duration GRACE = Duration.ofSeconds(8);

    /** For the kernel to take a killed sandbox down. */
    private static final Duration DEATH = Duration.ofSeconds(10);

    private static final int ATTEMPTS = 5;

    @Override
    public BlockEnd call() throws IOException {
        try {
            AgentLaunches.releaseEnded(block, Set.of());
            if (BlockFile.remove(Path.of(path))) {
                AgentLaunches.awaitContainers(block, GRACE.plus(DEATH));
            }
            endProcesses();
            Map<String, byte[]> endings = AgentLaunches.takeAll(block);
            List<String> notes = RepositorySweep.run(Path.of(path));
            remove();
            return new BlockEnd(endings, new ArrayList<>(notes));
        } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", x);
        }
    }

    /** The heartbeat of a durable task, which would sleep for three seconds more, ends at once; others have a while. */
    private void endProcesses() throws InterruptedException {
        List<InitProcess> all = new ArrayList<>(inits);
        all.addAll(AgentLaunches.initsOf(block));
        all.forEach(LiveInit::terminate);
        if (!haveEnded(all, GRACE)) {
            all.forEach(LiveInit::kill);
            haveEnded(all, DEATH);
        }
    }

    private static boolean haveEnded(List<InitProcess> inits, Duration limit) throws InterruptedException {
        long start = System.nanoTime();
        for (long pause = 2; inits.stream().anyMatch(LiveInit::isAlive); pause = Math.min(2 * pause, 200)) {
            if (System.nanoTime() - start >= limit.toNanos()) {
                return false;
            }
            Thread.sleep(pause);
        }
        return true;
    }

    private void remove() throws IOException, InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                ScratchDirectory.remove(Path.of(path));
                return;
            } catch (IOException x) {
                // One that could not be killed, in the middle of a system call, may be writing there.
                if (attempt == ATTEMPTS) {
                    throw x;
                }
            }
            Thread.sleep(200L * attempt);
        }
    }
}
