package io.jenkins.plugins.sandbox.compulsory;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.FilePath;
import hudson.model.Run;
import io.jenkins.plugins.sandbox.outcome.Origin;
import io.jenkins.plugins.sandbox.pipeline.PipelineOwner;
import java.io.IOException;
import org.jenkinsci.plugins.workflow.flow.FlowExecution;
import org.jenkinsci.plugins.workflow.flow.FlowExecutionOwner;

/** A build of a Pipeline, one of whose steps asked the node itself for a launcher. */
final class PipelineRunOwner extends PipelineOwner {
    private static final long serialVersionUID = 1;

    private final transient Run<?, ?> run;

    PipelineRunOwner(Run<?, ?> run) {
        this.run = run;
    }

    @NonNull
    @Override
    public Run<?, ?> run() {
        return run;
    }

    @Override
    protected FlowExecution execution() throws IOException {
        FlowExecutionOwner owner =
                run instanceof FlowExecutionOwner.Executable executable ? executable.asFlowExecutionOwner() : null;
        if (owner == null) {
            throw new AbortException(run + " is no Pipeline");
        }
        return owner.get();
    }

    @CheckForNull
    @Override
    public FilePath directory() {
        return null;
    }

    /** Such a launcher is the node's, without what the blocks around the step do to it. */
    @Override
    public boolean isInContainer() {
        return false;
    }

    /** What the environment says is not known to come from Jenkins. */
    @CheckForNull
    @Override
    public Origin origin(String step) {
        return null;
    }
}
