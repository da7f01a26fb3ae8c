package io.jenkins.plugins.sandbox;

import hudson.model.Result;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.jvnet.hudson.test.JenkinsRule;

/** What most tests do: run a Pipeline and look at it. */
public final class Pipelines {
    private Pipelines() {}

    /** Runs a script in the Groovy sandbox, as a Jenkinsfile of a stranger would be. */
    public static WorkflowRun run(JenkinsRule r, String job, Result expected, String script) throws Exception {
        return r.assertBuildStatus(expected, define(r, job, script).scheduleBuild2(0));
    }

    public static WorkflowRun run(JenkinsRule r, Result expected, String script) throws Exception {
        return run(r, "p", expected, script);
    }

    public static WorkflowJob define(JenkinsRule r, String job, String script) throws Exception {
        WorkflowJob p = r.jenkins.getItemByFullName(job, WorkflowJob.class);
        if (p == null) {
            p = r.createProject(WorkflowJob.class, job);
        }
        p.setDefinition(new CpsFlowDefinition(script, true));
        return p;
    }

    public static SandboxAction action(WorkflowRun run) {
        SandboxAction action = run.getAction(SandboxAction.class);
        if (action == null) {
            throw new AssertionError("nothing was recorded in " + run);
        }
        return action;
    }
}
