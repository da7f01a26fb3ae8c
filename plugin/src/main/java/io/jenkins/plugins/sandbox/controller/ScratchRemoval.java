package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Node;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.remoting.VirtualChannel;
import io.jenkins.plugins.sandbox.agent.RemoveScratchCall;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import io.jenkins.plugins.sandbox.outcome.Scratch;
import java.io.IOException;
import jenkins.model.Jenkins;

/** Removes what the launches of a block left on their agents. */
public final class ScratchRemoval {
    /** A home directory full of somebody's caches takes its time. */
    private static final int SECONDS = 300;

    private ScratchRemoval() {}

    /**
     * Removes all scratch directories of a block. Waits for agents: not for the thread that runs a Pipeline's program. An
     * agent that is gone, or does not manage, gets a line in the log and fails nothing.
     */
    public static void remove(Run<?, ?> run, String block, TaskListener listener) throws IOException {
        for (Scratch scratch : SandboxAction.take(run, block)) {
            Node node = scratch.node().isEmpty() ? Jenkins.get() : Jenkins.get().getNode(scratch.node());
            String problem = remove(scratch, node);
            if (problem != null) {
                listener.getLogger()
                        .println(Messages.ScratchRemoval_Left(
                                scratch.path(), node == null ? scratch.node() : node.getDisplayName(), problem));
            }
        }
    }

    @CheckForNull
    private static String remove(Scratch scratch, @CheckForNull Node node) {
        VirtualChannel channel = node == null ? null : node.getChannel();
        if (channel == null) {
            return Messages.ScratchRemoval_Offline();
        }
        try {
            AgentCalls.limited(
                    Messages.ScratchRemoval_Removing(),
                    node.getDisplayName(),
                    SECONDS,
                    () -> channel.call(new RemoveScratchCall(scratch.block(), scratch.path())));
            return null;
        } catch (IOException x) {
            return String.valueOf(x.getMessage());
        }
    }
}
