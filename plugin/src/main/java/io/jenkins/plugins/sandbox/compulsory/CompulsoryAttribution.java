package io.jenkins.plugins.sandbox.compulsory;

import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.EnvVars;
import hudson.Extension;
import hudson.model.Node;
import hudson.model.Run;
import hudson.model.TaskListener;
import io.jenkins.plugins.sandbox.pipeline.StepAttribution;
import java.io.IOException;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepEnvironmentContributor;

/** As {@link StepAttribution}, for steps that are in no sandbox block. */
@Extension
public final class CompulsoryAttribution extends StepEnvironmentContributor {
    @Override
    public void buildEnvironmentFor(
            @NonNull StepContext stepContext, @NonNull EnvVars envs, @NonNull TaskListener listener)
            throws IOException, InterruptedException {
        Node node = stepContext.get(Node.class);
        if (node != null && CompulsoryRule.covers(node)) {
            Run<?, ?> run = stepContext.get(Run.class);
            if (run == null || !CompulsoryRule.excepts(run.getParent())) {
                StepAttribution.attribute(stepContext, envs);
            }
        }
    }
}
