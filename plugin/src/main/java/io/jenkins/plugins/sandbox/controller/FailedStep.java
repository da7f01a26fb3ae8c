package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Run;
import io.jenkins.plugins.sandbox.outcome.Launch;
import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jenkinsci.plugins.workflow.actions.ErrorAction;
import org.jenkinsci.plugins.workflow.flow.FlowExecution;
import org.jenkinsci.plugins.workflow.flow.FlowExecutionOwner;
import org.jenkinsci.plugins.workflow.graph.FlowNode;

/**
 * A step of a Pipeline that has failed. The process that a durable task launches ends at once and with 0; how the work behind
 * it ended is known to the step alone.
 *
 * @param status the exit status that the step's error names; {@code null} when it names none
 */
record FailedStep(@CheckForNull Integer status) {
    /** As {@code sh} says it. */
    private static final Pattern STATUS = Pattern.compile("script returned exit code ([0-9]{1,3})");

    /** @return {@code null} when the step of this launch has not failed, or is not known */
    @CheckForNull
    static FailedStep of(Run<?, ?> run, Launch launch) {
        if (!launch.isLinkable() || !(run instanceof FlowExecutionOwner.Executable pipeline)) {
            return null;
        }
        FlowExecutionOwner owner = pipeline.asFlowExecutionOwner();
        FlowExecution execution = owner == null ? null : owner.getOrNull();
        try {
            FlowNode node = execution == null ? null : execution.getNode(launch.getFlowNode());
            ErrorAction error = node == null ? null : node.getError();
            return error == null ? null : new FailedStep(status(error.getError().getMessage()));
        } catch (IOException x) {
            // Then nothing is said: it would have been a hint.
            return null;
        }
    }

    @CheckForNull
    private static Integer status(@CheckForNull String message) {
        Matcher m = STATUS.matcher(message == null ? "" : message);
        return m.matches() ? Integer.valueOf(m.group(1)) : null;
    }
}
