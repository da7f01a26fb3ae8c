package io.jenkins.plugins.sandbox.compulsory;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.FilePath;
import hudson.model.Run;
import io.jenkins.plugins.sandbox.outcome.Origin;
import io.jenkins.plugins.sandbox.pipeline.ContainerBlocks;
import io.jenkins.plugins.sandbox.pipeline.PipelineOwner;
import java.io.IOException;
import java.util.Objects;
import org.jenkinsci.plugins.workflow.flow.FlowExecution;
import org.jenkinsci.plugins.workflow.graph.FlowNode;
import org.jenkinsci.plugins.workflow.steps.DynamicContext.DelegatedContext;

/** A step of a Pipeline in no sandbox block. */
final class StepOwner extends PipelineOwner {
    private static final long serialVersionUID = 1;

    private final transient DelegatedContext context;

    StepOwner(DelegatedContext context) {
        this.context = context;
    }

    @NonNull
    @Override
    public Run<?, ?> run() throws IOException, InterruptedException {
        return Objects.requireNonNull(context.get(Run.class));
    }

    @Override
    protected FlowExecution execution() throws IOException, InterruptedException {
        return Objects.requireNonNull(context.get(FlowExecution.class));
    }

    @CheckForNull
    @Override
    public FilePath directory() throws IOException, InterruptedException {
        return context.get(FilePath.class);
    }

    @Override
    public boolean isInContainer() throws IOException, InterruptedException {
        FlowNode node = context.get(FlowNode.class);
        return node != null && ContainerBlocks.isAround(node);
    }

    /** The step is known, whatever the environment says. */
    @CheckForNull
    @Override
    public Origin origin(String step) {
        try {
            FlowNode node = context.get(FlowNode.class);
            return node == null ? null : super.origin(node.getId());
        } catch (IOException | InterruptedException x) {
            return unknown(x);
        }
    }
}
