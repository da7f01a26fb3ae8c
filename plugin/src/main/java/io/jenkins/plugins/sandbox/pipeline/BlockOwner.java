package io.jenkins.plugins.sandbox.pipeline;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.FilePath;
import hudson.model.Run;
import java.io.IOException;
import java.util.Objects;
import org.jenkinsci.plugins.workflow.flow.FlowExecution;
import org.jenkinsci.plugins.workflow.graph.FlowNode;
import org.jenkinsci.plugins.workflow.steps.StepContext;

/** A sandbox block of a Pipeline, on whose behalf its steps launch processes. */
final class BlockOwner extends PipelineOwner {
    private static final long serialVersionUID = 1;

    private final StepContext context;

    /** @param context of the step that has the block */
    BlockOwner(StepContext context) {
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
}
