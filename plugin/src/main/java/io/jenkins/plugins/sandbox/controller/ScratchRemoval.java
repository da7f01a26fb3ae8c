package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.Extension;
import hudson.FilePath;
import hudson.model.AbstractBuild;
import hudson.model.Computer;
import hudson.model.Node;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.model.listeners.RunListener;
import hudson.remoting.Channel;
import hudson.remoting.VirtualChannel;
import hudson.slaves.ComputerListener;
import io.jenkins.plugins.sandbox.agent.BlockEnd;
import io.jenkins.plugins.sandbox.agent.EndBlockCall;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import io.jenkins.plugins.sandbox.outcome.Scratch;
import java.io.IOException;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Ends blocks on their agents: what their launches left running, and their scratch directories; when a block ends, or else as
 * soon as that is possible. On the same occasion the agents say how the launches ended.
 */
public final class ScratchRemoval {
    private static final Logger LOGGER = Logger.getLogger(ScratchRemoval.class.getName());

    /** A home directory full of somebody's caches takes its time. */
    private static final int SECONDS = 300;

    private static final int MAX_NOTES = 100;
    private static final int MAX_NOTE = 1000;

    private ScratchRemoval() {}

    /**
     * Ends a block on all of its agents. Waits for them: not for the thread that runs a Pipeline's program. An agent that is gone
     * gets another chance when it comes back; that fails nothing.
     *
     * @throws IOException when the build cannot be stored
     */
    public static void remove(Run<?, ?> run, String block, TaskListener listener) throws IOException {
        remove(run, SandboxAction.take(run, s -> s.block().equals(block)), listener);
    }

    private static void remove(Run<?, ?> run, List<Scratch> scratches, TaskListener listener) throws IOException {
        // All of them first: a block may have launched on several nodes, and is given up as a whole.
        List<LeftScratch.Left> blocks = scratches.stream()
                .map(s -> new LeftScratch.Left(s, SandboxAction.initsOf(run, s.block(), name(s))))
                .toList();
        for (LeftScratch.Left block : blocks) {
            Scratch scratch = block.scratch();
            try {
                BlockEnd end = end(block, channel(scratch));
                Endings.note(run, name(scratch), end.endings(), listener);
                notes(end).forEach(n -> listener.getLogger().println("[sandbox] " + n));
            } catch (IOException x) {
                listener.getLogger()
                        .println(Messages.ScratchRemoval_Left(
                                scratch.path(), name(scratch), String.valueOf(x.getMessage())));
                if (node(scratch) != null) {
                    LeftScratch.get().add(block);
                }
            }
            SandboxAction.giveUp(run, r -> r.block().equals(scratch.block()));
        }
    }

    private static String name(Scratch scratch) {
        Node node = node(scratch);
        return node == null ? scratch.node() : node.getDisplayName();
    }

    @CheckForNull
    private static Node node(Scratch scratch) {
        return scratch.node().isEmpty() ? Jenkins.get() : Jenkins.get().getNode(scratch.node());
    }

    /** Nothing that an agent says is believed. */
    private static List<String> notes(BlockEnd end) {
        return end.notes() == null
                ? List.of()
                : end.notes().stream()
                        .limit(MAX_NOTES)
                        .map(n -> Quoted.visible(String.valueOf(n), MAX_NOTE))
                        .toList();
    }

    private static VirtualChannel channel(Scratch scratch) throws AbortException {
        Node node = node(scratch);
        VirtualChannel channel = node == null ? null : node.getChannel();
        if (channel == null) {
            throw new AbortException(Messages.ScratchRemoval_Offline());
        }
        return channel;
    }

    private static BlockEnd end(LeftScratch.Left block, VirtualChannel channel) throws IOException {
        Scratch scratch = block.scratch();
        BlockEnd end = AgentCalls.limited(
                Messages.ScratchRemoval_Removing(),
                name(scratch),
                SECONDS,
                () -> channel.call(new EndBlockCall(scratch.block(), scratch.path(), block.inits())));
        if (end == null) {
            throw new AbortException(Messages.SandboxLauncher_BadAnswer(name(scratch)));
        }
        return end;
    }

    /** For a freestyle build, and for one that was killed hard, whose blocks never end. */
    @Extension
    public static final class AtTheEndOfBuilds extends RunListener<Run<?, ?>> {
        /** Its log is still open here. A Pipeline's end is no place to wait. */
        @Override
        public void onCompleted(Run<?, ?> run, @NonNull TaskListener listener) {
            if (run instanceof AbstractBuild) {
                removeAll(run, listener);
            }
        }

        @Override
        public void onFinalized(@NonNull Run<?, ?> run) {
            SandboxAction action = run.getAction(SandboxAction.class);
            if (action != null && !action.getScratches().isEmpty()) {
                Computer.threadPoolForRemoting.execute(() -> removeAll(run, TaskListener.NULL));
            }
        }

        private static void removeAll(Run<?, ?> run, TaskListener listener) {
            try {
                remove(run, SandboxAction.take(run, s -> true), listener);
            } catch (IOException x) {
                LOGGER.log(Level.WARNING, "cannot store " + run, x);
            }
        }
    }

    /** For an agent that was gone when its block ended. Before it gets a build, whose git would obey what the block left. */
    @Extension
    public static final class WhenAgentsComeBack extends ComputerListener {
        @Override
        public void preOnline(Computer computer, Channel channel, FilePath root, TaskListener listener) {
            endAll(computer, channel, listener);
        }

        /** The controller's own node does not come online as others do. */
        @Override
        public void onOnline(Computer computer, TaskListener listener) {
            if (computer instanceof Jenkins.MasterComputer) {
                Computer.threadPoolForRemoting.execute(() -> endAll(computer, computer.getChannel(), listener));
            }
        }

        private static void endAll(Computer computer, VirtualChannel channel, TaskListener listener) {
            for (LeftScratch.Left left : LeftScratch.get().take(computer.getName())) {
                try {
                    notes(end(left, channel)).forEach(n -> listener.getLogger().println("[sandbox] " + n));
                } catch (IOException x) {
                    LOGGER.log(
                            Level.FINE,
                            x,
                            () -> "not removed yet: " + left.scratch().path());
                    LeftScratch.get().add(left);
                }
            }
        }
    }
}
