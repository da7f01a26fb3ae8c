package io.jenkins.plugins.sandbox.compulsory;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.AbstractBuild;
import hudson.model.Computer;
import hudson.model.Executor;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.Run;
import io.jenkins.plugins.sandbox.controller.LaunchOwner;
import io.jenkins.plugins.sandbox.freestyle.BuildOwner;
import java.util.HashSet;
import java.util.Set;

/** Finds out which build it is that launches, where nobody says so, from what Jenkins alone decides. */
final class LaunchingBuild {
    private LaunchingBuild() {}

    /**
     * @return the build that this thread executes, or else the only one that the node does; {@code null} when there is none, or
     *     more than one
     */
    @CheckForNull
    static LaunchOwner on(Node node) {
        Executor executor = Executor.currentExecutor();
        Run<?, ?> run = executor == null ? onlyOneOn(node) : run(executor);
        if (run instanceof AbstractBuild<?, ?> build) {
            return new BuildOwner(build);
        }
        return run == null ? null : new PipelineRunOwner(run);
    }

    @CheckForNull
    private static Run<?, ?> onlyOneOn(Node node) {
        Computer computer = node.toComputer();
        Set<Run<?, ?>> runs = new HashSet<>();
        if (computer != null) {
            // Not the one-off executors: those run no commands on the node, but for instance all Pipelines themselves.
            for (Executor executor : computer.getExecutors()) {
                if (executor.isBusy()) {
                    runs.add(run(executor));
                }
            }
        }
        return runs.size() == 1 ? runs.iterator().next() : null;
    }

    @CheckForNull
    private static Run<?, ?> run(Executor executor) {
        Queue.Executable executable = executor.getCurrentExecutable();
        while (executable != null && !(executable instanceof Run)) {
            executable = executable.getParentExecutable();
        }
        return (Run<?, ?>) executable;
    }
}
