package io.jenkins.plugins.sandbox.pipeline;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.model.Result;
import io.jenkins.plugins.sandbox.controller.LaunchOwner;
import io.jenkins.plugins.sandbox.outcome.Origin;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import java.io.IOException;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.jenkinsci.plugins.workflow.actions.WarningAction;
import org.jenkinsci.plugins.workflow.flow.FlowExecution;
import org.jenkinsci.plugins.workflow.graph.FlowNode;
import org.jenkinsci.plugins.workflow.graph.StepNode;
import org.jenkinsci.plugins.workflow.steps.StepDescriptor;

/** What all owners have in common whose build is a Pipeline. */
public abstract class PipelineOwner implements LaunchOwner {
    private static final long serialVersionUID = 1;

    private static final Logger LOGGER = Logger.getLogger(PipelineOwner.class.getName());

    protected abstract FlowExecution execution() throws IOException, InterruptedException;

    @CheckForNull
    @Override
    public Origin origin(String step) {
        try {
            FlowNode node = node(step);
            StepDescriptor descriptor = node instanceof StepNode of ? of.getDescriptor() : null;
            return descriptor == null ? null : new Origin(descriptor.getFunctionName(), node.getId());
        } catch (IOException | InterruptedException x) {
            return unknown(x);
        }
    }

    @NonNull
    @Override
    public Set<String> runningLaunches() throws IOException, InterruptedException {
        return SandboxAction.launchesOf(run(), runningSteps());
    }

    private Set<String> runningSteps() {
        try {
            return execution().getCurrentHeads().stream().map(FlowNode::getId).collect(Collectors.toSet());
        } catch (IOException | InterruptedException x) {
            unknown(x);
            return Set.of();
        }
    }

    @Override
    public void warn(Origin origin, String message) {
        try {
            FlowNode node = node(origin.flowNode());
            if (node != null) {
                node.addOrReplaceAction(new WarningAction(Result.UNSTABLE).withMessage(message));
            }
        } catch (IOException | InterruptedException x) {
            unknown(x);
        }
    }

    @CheckForNull
    private FlowNode node(String id) throws IOException, InterruptedException {
        // Ids are numbers, and become file names.
        return id.matches("[0-9]{1,9}") ? execution().getNode(id) : null;
    }

    /** @return nothing; that a step is not marked is no reason to fail it */
    @CheckForNull
    protected static <T> T unknown(Exception x) {
        LOGGER.log(Level.WARNING, "a step is not marked", x);
        return null;
    }
}
