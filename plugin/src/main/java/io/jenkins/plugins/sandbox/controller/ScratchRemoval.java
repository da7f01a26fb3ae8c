package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.Extension;
import hudson.model.AbstractBuild;
import hudson.model.Computer;
import hudson.model.Node;
import hudson.model.Result;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.model.listeners.RunListener;
import hudson.remoting.VirtualChannel;
import hudson.slaves.ComputerListener;
import io.jenkins.plugins.sandbox.agent.BlockEnd;
import io.jenkins.plugins.sandbox.agent.LastEndingsCall;
import io.jenkins.plugins.sandbox.agent.RemoveScratchCall;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import io.jenkins.plugins.sandbox.outcome.Scratch;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Removes what the launches of a block left on their agents: when it ends, or else as soon as that is possible. On the same
 * occasion the agents say how the launches ended.
 */
public final class ScratchRemoval {
    private static final Logger LOGGER = Logger.getLogger(ScratchRemoval.class.getName());

    /** A home directory full of somebody's caches takes its time. */
    private static final int SECONDS = 300;

    /**
     * In seconds: how long the end of a block that failed waits to hear whether it was a limit that ended a command, where there
     * was one. Longer than the three seconds for which the heartbeat of a durable task sleeps.
     */
    private static final int PATIENCE = 5;

    /** In seconds, for launches that still ran when their block ended. Nobody waits for that. */
    private static final int LAST_SECONDS = 15;

    private ScratchRemoval() {}

    /**
     * Removes all scratch directories of a block. Waits for agents: not for the thread that runs a Pipeline's program. An
     * agent that is gone gets another chance when it comes back; that fails nothing.
     *
     * @param failed whether the block failed, and somebody will want to know why
     * @throws IOException when the build cannot be stored
     */
    public static void remove(Run<?, ?> run, String block, boolean failed, TaskListener listener) throws IOException {
        remove(run, SandboxAction.take(run, s -> s.block().equals(block)), failed, listener);
    }

    private static void remove(Run<?, ?> run, List<Scratch> scratches, boolean failed, TaskListener listener)
            throws IOException {
        for (Scratch scratch : scratches) {
            Node node = node(scratch.node());
            try {
                BlockEnd end =
                        remove(scratch, node, failed && SandboxAction.isLimited(run, scratch.block()) ? PATIENCE : 0);
                String name = node == null ? scratch.node() : node.getDisplayName();
                Endings.note(run, name, end.endings(), listener);
                if (end.more() && node != null) {
                    Computer.threadPoolForRemoting.execute(() -> awaitLast(run, scratch, node, listener));
                } else {
                    SandboxAction.giveUp(run, r -> r.block().equals(scratch.block()));
                }
            } catch (IOException x) {
                listener.getLogger()
                        .println(Messages.ScratchRemoval_Left(
                                scratch.path(),
                                node == null ? scratch.node() : node.getDisplayName(),
                                String.valueOf(x.getMessage())));
                if (node != null) {
                    LeftScratch.get().add(scratch);
                }
                SandboxAction.giveUp(run, r -> r.block().equals(scratch.block()));
            }
        }
    }

    /** The build may have ended meanwhile: its record is changed all the same. */
    private static void awaitLast(Run<?, ?> run, Scratch scratch, Node node, TaskListener listener) {
        VirtualChannel channel = node.getChannel();
        try {
            if (channel != null) {
                BlockEnd end = AgentCalls.limited(
                        Messages.ScratchRemoval_Removing(),
                        node.getDisplayName(),
                        2 * LAST_SECONDS,
                        () -> channel.call(new LastEndingsCall(scratch.block(), LAST_SECONDS)));
                Endings.note(
                        run, node.getDisplayName(), end.endings(), run.isBuilding() ? listener : TaskListener.NULL);
            }
        } catch (IOException x) {
            LOGGER.log(Level.FINE, "it will not be known how launches on " + node.getDisplayName() + " ended", x);
        }
        try {
            SandboxAction.giveUp(run, r -> r.block().equals(scratch.block()));
        } catch (IOException x) {
            LOGGER.log(Level.WARNING, "cannot store " + run, x);
        }
    }

    @CheckForNull
    private static Node node(String name) {
        return name.isEmpty() ? Jenkins.get() : Jenkins.get().getNode(name);
    }

    private static BlockEnd remove(Scratch scratch, @CheckForNull Node node, int patience) throws IOException {
        VirtualChannel channel = node == null ? null : node.getChannel();
        if (channel == null) {
            throw new AbortException(Messages.ScratchRemoval_Offline());
        }
        BlockEnd end = AgentCalls.limited(
                Messages.ScratchRemoval_Removing(),
                node.getDisplayName(),
                SECONDS,
                () -> channel.call(new RemoveScratchCall(scratch.block(), scratch.path(), patience)));
        return end == null ? new BlockEnd(Map.of(), false) : end;
    }

    /** For a freestyle build, and for one that was killed hard, whose blocks never end. */
    @Extension
    public static final class AtTheEndOfBuilds extends RunListener<Run<?, ?>> {
        /** Its log is still open here. A Pipeline's end is no place to wait. */
        @Override
        public void onCompleted(Run<?, ?> run, @NonNull TaskListener listener) {
            if (run instanceof AbstractBuild) {
                Result result = run.getResult();
                removeAll(run, result != null && result.isWorseThan(Result.SUCCESS), listener);
            }
        }

        @Override
        public void onFinalized(@NonNull Run<?, ?> run) {
            SandboxAction action = run.getAction(SandboxAction.class);
            if (action != null && !action.getScratches().isEmpty()) {
                Computer.threadPoolForRemoting.execute(() -> removeAll(run, false, TaskListener.NULL));
            }
        }

        private static void removeAll(Run<?, ?> run, boolean failed, TaskListener listener) {
            try {
                remove(run, SandboxAction.take(run, s -> true), failed, listener);
            } catch (IOException x) {
                LOGGER.log(Level.WARNING, "cannot store " + run, x);
            }
        }
    }

    /** For an agent that was gone when its block ended. */
    @Extension
    public static final class WhenAgentsComeBack extends ComputerListener {
        @Override
        public void onOnline(Computer computer, TaskListener listener) {
            List<Scratch> left = LeftScratch.get().take(computer.getName());
            if (!left.isEmpty()) {
                Computer.threadPoolForRemoting.execute(() -> left.forEach(WhenAgentsComeBack::removeLeft));
            }
        }

        private static void removeLeft(Scratch scratch) {
            try {
                remove(scratch, node(scratch.node()), 0);
            } catch (IOException x) {
                LOGGER.log(Level.FINE, x, () -> "not removed yet: " + scratch.path());
                LeftScratch.get().add(scratch);
            }
        }
    }
}
