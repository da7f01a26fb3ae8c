package io.jenkins.plugins.sandbox.compulsory;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.Extension;
import hudson.Launcher;
import hudson.LauncherDecorator;
import hudson.model.Node;
import hudson.model.TaskListener;
import io.jenkins.plugins.sandbox.controller.Confining;
import io.jenkins.plugins.sandbox.controller.ContainerLaunchers;
import io.jenkins.plugins.sandbox.pipeline.SandboxBlock;
import java.io.IOException;
import java.util.Set;
import org.jenkinsci.plugins.workflow.flow.StepListener;
import org.jenkinsci.plugins.workflow.graph.BlockStartNode;
import org.jenkinsci.plugins.workflow.graph.FlowNode;
import org.jenkinsci.plugins.workflow.graph.StepNode;
import org.jenkinsci.plugins.workflow.steps.DynamicContext;
import org.jenkinsci.plugins.workflow.steps.Step;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepDescriptor;

/**
 * Stops what would go past a sandbox: containers in a sandbox block, and steps in a container where a sandbox is compulsory.
 * Launchers cannot: that of the container comes first, and may never ask ours. What is thrown by a listener is only logged,
 * and the step starts; so the context is told.
 */
@Extension
public final class ContainerGuard implements StepListener {
    /** docker-workflow's, which is also {@code docker.inside} and {@code agent { docker }}, and the Kubernetes plugin's. */
    private static final Set<String> CONTAINERS = Set.of("withDockerContainer", "container");

    @Override
    public void notifyOfNewStep(@NonNull Step step, @NonNull StepContext context) {
        try {
            check(step.getDescriptor(), context);
        } catch (IOException | RuntimeException x) {
            context.onFailure(x);
        } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
            context.onFailure(x);
        }
    }

    private static void check(StepDescriptor step, StepContext context) throws IOException, InterruptedException {
        boolean block = context.get(SandboxBlock.class) != null;
        if (block && CONTAINERS.contains(step.getFunctionName())) {
            throw new AbortException(Messages.ContainerGuard_TurnAround(step.getFunctionName()));
        }
        if (step.getRequiredContext().contains(Launcher.class) && context.get(LauncherDecorator.class) != null) {
            Launcher launcher = context.get(Launcher.class);
            Confining confining = launcher == null ? null : ContainerLaunchers.passedBy(launcher);
            if (confining == null && !block) {
                confining = passedBy(context);
            }
            if (confining != null) {
                confining.passedBy(Messages.ContainerGuard_PassedBy());
            }
        }
    }

    /** Looks at the blocks around the step, since not every launcher can be looked into. */
    @CheckForNull
    private static Confining passedBy(StepContext context) throws IOException, InterruptedException {
        Node node = context.get(Node.class);
        FlowNode step = context.get(FlowNode.class);
        TaskListener listener = context.get(TaskListener.class);
        if (node == null || step == null || listener == null || !CompulsoryRule.covers(node)) {
            return null;
        }
        for (BlockStartNode around : step.iterateEnclosingBlocks()) {
            StepDescriptor descriptor = around instanceof StepNode of ? of.getDescriptor() : null;
            String name = descriptor == null ? "" : descriptor.getFunctionName();
            if (CONTAINERS.contains(name)) {
                Launcher launcher =
                        CompulsoryDecorator.createLauncher(node, listener, new StepOwner(delegated(context)));
                return launcher instanceof Confining confining ? confining : null;
            }
            if (name.equals("node")) {
                return null;
            }
        }
        return null;
    }

    private static DynamicContext.DelegatedContext delegated(StepContext context) {
        return new DynamicContext.DelegatedContext() {
            @Override
            public <T> T get(Class<T> key) throws IOException, InterruptedException {
                return context.get(key);
            }
        };
    }
}
