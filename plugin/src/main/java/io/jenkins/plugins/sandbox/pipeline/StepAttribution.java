package io.jenkins.plugins.sandbox.pipeline;

import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.EnvVars;
import hudson.Extension;
import hudson.model.TaskListener;
import io.jenkins.plugins.sandbox.controller.LaunchOwner;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jenkinsci.plugins.workflow.graph.FlowNode;
import org.jenkinsci.plugins.workflow.steps.EnvironmentExpander;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepEnvironmentContributor;

/**
 * Tells a launch which step it belongs to, and which variables the steps around that one set. Nothing else does: a launcher
 * does not know who asked for it, and is handed the agent's own variables as if the step had set them.
 */
@Extension
public final class StepAttribution extends StepEnvironmentContributor {
    @Override
    public void buildEnvironmentFor(
            @NonNull StepContext stepContext, @NonNull EnvVars envs, @NonNull TaskListener listener)
            throws IOException, InterruptedException {
        if (stepContext.get(SandboxBlock.class) != null) {
            attribute(stepContext, envs);
        }
    }

    /** Adds {@link LaunchOwner#STEP_VARIABLE} for a step. */
    public static void attribute(StepContext stepContext, EnvVars envs) throws IOException, InterruptedException {
        FlowNode node = stepContext.get(FlowNode.class);
        if (node != null) {
            List<String> words = new ArrayList<>(List.of(node.getId()));
            EnvironmentExpander expander = stepContext.get(EnvironmentExpander.class);
            if (expander != null) {
                EnvVars set = new EnvVars();
                expander.expand(set);
                words.addAll(set.keySet());
            }
            envs.put(LaunchOwner.STEP_VARIABLE, String.join("=", words));
        }
    }
}
