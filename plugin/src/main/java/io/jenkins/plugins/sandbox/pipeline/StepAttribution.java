package io.jenkins.plugins.sandbox.pipeline;

import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.EnvVars;
import hudson.Extension;
import hudson.model.TaskListener;
import io.jenkins.plugins.sandbox.controller.LaunchOwner;
import java.io.IOException;
import org.jenkinsci.plugins.workflow.graph.FlowNode;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepEnvironmentContributor;

/** Tells a launch which step it belongs to, which nothing else does: a launcher does not know who asked for it. */
@Extension
public final class StepAttribution extends StepEnvironmentContributor {
    @Override
    public void buildEnvironmentFor(
            @NonNull StepContext stepContext, @NonNull EnvVars envs, @NonNull TaskListener listener)
            throws IOException, InterruptedException {
        if (stepContext.get(SandboxBlock.class) != null) {
            FlowNode node = stepContext.get(FlowNode.class);
            if (node != null) {
                envs.put(LaunchOwner.STEP_VARIABLE, node.getId());
            }
        }
    }
}
