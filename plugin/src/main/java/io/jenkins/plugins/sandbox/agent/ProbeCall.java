package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.launch.HostProbe;
import io.jenkins.plugins.sandbox.launch.ProbePlace;
import io.jenkins.plugins.sandbox.launch.TransportChoice;
import io.jenkins.plugins.sandbox.model.Level;
import java.util.List;
import java.util.Map;
import jenkins.agents.ControllerToAgentCallable;

/**
 * Tries on an agent what a sandbox can do there. What it returns comes from the agent: every part of it is to be checked.
 *
 * @param nodeRoot the root directory of the node
 */
public record ProbeCall(String nodeRoot) implements ControllerToAgentCallable<HostProbe, InterruptedException> {
    private static final long serialVersionUID = 1;

    @Override
    public HostProbe call() throws InterruptedException {
        String unsupported = UnsupportedMachine.reason();
        return unsupported == null
                ? HostProbe.run(
                        TransportChoice.auto(LauncherCache.of(nodeRoot)),
                        new ProbePlace(nodeRoot, LaunchDirectories.scratches(nodeRoot), nodeRoot))
                : new HostProbe(Map.of(), null, Level.NONE, List.of(), unsupported);
    }
}
