package io.jenkins.plugins.sandbox.agent;

import jenkins.agents.ControllerToAgentCallable;

/**
 * Waits for the launches of a block that still ran at its end, and gives up those that still do after that.
 *
 * @param block the id of the block
 * @param seconds how long to wait
 */
public record LastEndingsCall(String block, int seconds)
        implements ControllerToAgentCallable<BlockEnd, InterruptedException> {
    private static final long serialVersionUID = 1;

    @Override
    public BlockEnd call() throws InterruptedException {
        BlockEnd end = BlockEnd.await(block, seconds);
        AgentLaunches.forget(block);
        return end;
    }
}
