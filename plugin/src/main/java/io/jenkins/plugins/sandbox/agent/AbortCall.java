package io.jenkins.plugins.sandbox.agent;

import jenkins.agents.ControllerToAgentCallable;

/**
 * Gives up a launch whose command has not started.
 *
 * @param id the id of the launch
 */
public record AbortCall(String id) implements ControllerToAgentCallable<Void, RuntimeException> {
    private static final long serialVersionUID = 1;

    @Override
    public Void call() {
        AgentLaunches.abort(id);
        return null;
    }
}
