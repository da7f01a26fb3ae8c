package io.jenkins.plugins.sandbox.model;

/** This machine cannot run the launcher at all: another operating system or processor. Its level is {@link Level#NONE}. */
public final class UnsupportedHostException extends SandboxException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message names the machine and what is supported
     */
    public UnsupportedHostException(String message) {
        super(message);
    }
}
