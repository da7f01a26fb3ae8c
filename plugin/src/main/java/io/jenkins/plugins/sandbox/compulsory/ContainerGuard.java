package io.jenkins.plugins.sandbox.compulsory;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.Extension;
import hudson.Launcher;
import hudson.LauncherDecorator;
import hudson.model.Node;
import hudson.model.Run;
import io.jenkins.plugins.sandbox.controller.Confining;
import io.jenkins.plugins.sandbox.controller.ContainerLaunchers;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import io.jenkins.plugins.sandbox.pipeline.ContainerBlocks;
import io.jenkins.plugins.sandbox.pipeline.SandboxBlock;
import java.io.IOException;
import java.util.Set;
import org.jenkinsci.plugins.workflow.flow.StepListener;
import org.jenkinsci.plugins.workflow.graph.FlowNode;
import org.jenkinsci.plugins.workflow.graph.StepNode;
import org.jenkinsci.plugins.workflow.steps.DynamicContext.DelegatedContext;
import org.jenkinsci.plugins.workflow.steps.Step;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepDescriptor;

/**
 * Stops what would go past a sandbox: containers in a sandbox block, and steps in a container where a sandbox is compulsory.
 * Launchers cannot: that of the container comes first, and may never ask ours. So a step is stopped before it has one: see
 * {@link StepLauncher}. What is thrown by a listener is only logged, and the step starts; so the context is told.
 */
@Extension
public final class ContainerGuard implements StepListener {
    /** Steps that take a launcher and launch nothing with it. They may be around a sandbox block, or behind it. */
    private static final Set<String> LAUNCH_NOTHING =
            Set.of("archiveArtifacts", "fingerprint", "isUnix", "junit", "stash", "unstash", "withCredentials");

    @Override
    public void notifyOfNewStep(@NonNull Step step, @NonNull StepContext context) {
        try {
            StepDescriptor descriptor = step.getDescriptor();
            if (ContainerBlocks.isOne(descriptor) && context.get(SandboxBlock.class) != null) {
                throw new AbortException(Messages.ContainerGuard_TurnAround(descriptor.getFunctionName()));
            }
        } catch (IOException | RuntimeException x) {
            context.onFailure(x);
        } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
            context.onFailure(x);
        }
    }

    /**
     * Finds out whether what a step launches with its launcher would go past the sandbox that it has to be in. That is recorded
     * once for each step, since most ask for a launcher more than once.
     *
     * @param launcher of the node, to which the decorators of the blocks around the step have not been applied yet
     * @throws IOException when it would, and that is below the minimum; the step gets no launcher then
     */
    static void check(DelegatedContext context, Node node, Launcher launcher) throws IOException, InterruptedException {
        LauncherDecorator decorator = context.get(LauncherDecorator.class);
        if (decorator == null) {
            return;
        }
        FlowNode step = context.get(FlowNode.class);
        Confining confining = passedBy(context, decorator.decorate(launcher, node), launcher);
        if (confining == null || launchesNothing(step)) {
            return;
        }
        if (step == null || !SandboxAction.isWarnedOf(context.get(Run.class), step.getId())) {
            confining.passedBy(Messages.ContainerGuard_PassedBy());
        }
    }

    /** Some steps are builders or publishers of core, in a step for all of them: the node knows which. */
    private static boolean launchesNothing(@CheckForNull FlowNode step) {
        StepDescriptor descriptor = step instanceof StepNode of ? of.getDescriptor() : null;
        return descriptor != null
                && (LAUNCH_NOTHING.contains(descriptor.getFunctionName())
                        || (descriptor.isMetaStep() && LAUNCH_NOTHING.contains(step.getDisplayFunctionName())));
    }

    /** Looks at the blocks around the step as well, since not every launcher can be looked into. */
    @CheckForNull
    private static Confining passedBy(DelegatedContext context, Launcher decorated, Launcher launcher)
            throws IOException, InterruptedException {
        Confining confining = ContainerLaunchers.passedBy(decorated);
        if (confining != null || context.get(SandboxBlock.class) != null) {
            return confining;
        }
        FlowNode step = context.get(FlowNode.class);
        return launcher instanceof Confining outermost && step != null && ContainerBlocks.isAround(step)
                ? outermost
                : null;
    }
}
