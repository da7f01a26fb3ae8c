package io.jenkins.plugins.sandbox.node;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Errno;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Status;

/**
 * One row of what a node can do. What to do about it is this controller's own text: an agent must not get its words into an
 * administrator's shell.
 *
 * @param outcome what became of it when it was tried, cleaned
 * @param cause what the agent says is in its way
 * @param paste lines for a shell or a configuration file that do what is to be done; empty where there are none, or where an
 *     earlier row has them
 */
public record NodeRow(Outcome outcome, Cause cause, String paste) {
    public String getPrimitive() {
        return outcome.primitive().wireName();
    }

    public String getSummary() {
        return outcome.primitive().summary();
    }

    public boolean isApplied() {
        return outcome.status() == Status.APPLIED;
    }

    public String getStatus() {
        return outcome.status().wireName();
    }

    /** @return the error by its name; {@code null} when there was none */
    @CheckForNull
    public String getError() {
        return outcome.errno() == 0 ? null : Errno.name(outcome.errno());
    }

    /** @return what the agent said, unescaped */
    public String getDetail() {
        return outcome.detail();
    }

    /** @return what stands in its way, as half a sentence */
    public String getWhy() {
        return isApplied() ? "" : cause.summary();
    }

    public String getRemedy() {
        return isApplied() ? "" : cause.remedy();
    }

    public String getPaste() {
        return paste;
    }
}
