package io.jenkins.plugins.sandbox.model;

import java.io.IOException;

/**
 * Something that the user or the administrator can put right. The message is one or two sentences for them: it names the
 * thing that is wrong and what to do about it, and needs no stack trace to be understood.
 */
public class SandboxException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message names the thing and the remedy
     */
    public SandboxException(String message) {
        super(message);
    }

    /**
     * @param message names the thing and the remedy
     * @param cause what the system said
     */
    public SandboxException(String message, Throwable cause) {
        super(message, cause);
    }
}
