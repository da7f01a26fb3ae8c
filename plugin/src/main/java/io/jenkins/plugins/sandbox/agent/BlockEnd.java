package io.jenkins.plugins.sandbox.agent;

import java.io.Serializable;
import java.time.Duration;
import java.util.Map;

/**
 * What the agent says at the end of a block. It comes from the agent: every part of it is to be checked.
 *
 * @param endings how launches ended, by id, as their launchers wrote it
 * @param more whether there are launches that have not ended yet
 */
public record BlockEnd(Map<String, byte[]> endings, boolean more) implements Serializable {
    private static final long PAUSE_MILLIS = 100;

    /** Waits until all launches of a block have ended, or the time is over. */
    static BlockEnd await(String block, int seconds) throws InterruptedException {
        long start = System.nanoTime();
        boolean more = AgentLaunches.hasLive(block);
        while (more && System.nanoTime() - start < Duration.ofSeconds(seconds).toNanos()) {
            Thread.sleep(PAUSE_MILLIS);
            more = AgentLaunches.hasLive(block);
        }
        return new BlockEnd(AgentLaunches.takeEndings(block), more);
    }
}
