package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.model.Computer;
import hudson.model.Node;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.model.listeners.RunListener;
import hudson.remoting.VirtualChannel;
import hudson.slaves.ComputerListener;
import io.jenkins.plugins.sandbox.agent.RemoveScratchCall;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import io.jenkins.plugins.sandbox.outcome.Scratch;
import java.io.IOException;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/** Removes what the launches of a block left on their agents: when it ends, or else as soon as that is possible. */
public final class ScratchRemoval {
    private static final Logger LOGGER = Logger.getLogger(ScratchRemoval.class.getName());

    /** A home directory full of somebody's caches takes its time. */
    private static final int SECONDS = 300;

    private ScratchRemoval() {}

    /**
     * Removes all scratch directories of a block. Waits for agents: not for the thread that runs a Pipeline's program. An
     * agent that is gone gets another chance when it comes back; that fails nothing.
     *
     * @throws IOException when the build cannot be stored
     */
    public static void remove(Run<?, ?> run, String block, TaskListener listener) throws IOException {
        remove(SandboxAction.take(run, s -> s.block().equals(block)), listener);
    }

    private static void remove(List<Scratch> scratches, TaskListener listener) {
        for (Scratch scratch : scratches) {
            Node node = node(scratch.node());
            String problem = remove(scratch, node);
            if (problem == null) {
                continue;
            }
            listener.getLogger()
                    .println(Messages.ScratchRemoval_Left(
                            scratch.path(), node == null ? scratch.node() : node.getDisplayName(), problem));
            if (node != null) {
                LeftScratch.get().add(scratch);
            }
        }
    }

    @CheckForNull
    private static Node node(String name) {
        return name.isEmpty() ? Jenkins.get() : Jenkins.get().getNode(name);
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

    /** For a build that was killed hard, whose blocks never end. */
    @Extension
    public static final class AtTheEndOfBuilds extends RunListener<Run<?, ?>> {
        @Override
        public void onFinalized(@NonNull Run<?, ?> run) {
            SandboxAction action = run.getAction(SandboxAction.class);
            if (action == null || action.getScratches().isEmpty()) {
                return;
            }
            Computer.threadPoolForRemoting.execute(() -> {
                try {
                    remove(SandboxAction.take(run, s -> true), TaskListener.NULL);
                } catch (IOException x) {
                    LOGGER.log(Level.WARNING, "cannot store " + run, x);
                }
            });
        }
    }

    /** For an agent that was gone when its block ended. */
    @Extension
    public static final class WhenAgentsComeBack extends ComputerListener {
        @Override
        public void onOnline(Computer computer, TaskListener listener) {
            List<Scratch> left = LeftScratch.get().take(computer.getName());
            if (!left.isEmpty()) {
                Computer.threadPoolForRemoting.execute(() -> remove(left, TaskListener.NULL));
            }
        }
    }
}
