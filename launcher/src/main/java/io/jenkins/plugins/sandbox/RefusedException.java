package io.jenkins.plugins.sandbox;

import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.SandboxException;

/** The command was not started: the launch did not reach its minimum, or could not be set up. */
public final class RefusedException extends SandboxException {
    private static final long serialVersionUID = 1L;

    /** May be {@code null}. */
    private final Report report;

    RefusedException(String message, Report report) {
        super(message);
        this.report = report;
    }

    /**
     * @return what was applied, as far as that is known; {@code null} when the launcher said nothing
     */
    public Report report() {
        return report;
    }
}
