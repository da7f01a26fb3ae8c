package io.jenkins.plugins.sandbox.model;

/**
 * A report that is cut, oversized, of another version, or garbage. Nothing in it is to be believed: the launch counts as
 * {@link Level#NONE}.
 */
public final class ReportException extends SandboxException {
    private static final long serialVersionUID = 1L;

    ReportException(String message) {
        super(message);
    }
}
