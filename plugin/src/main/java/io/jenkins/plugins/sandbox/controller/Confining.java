package io.jenkins.plugins.sandbox.controller;

import java.io.IOException;

/** A launcher that puts commands into a sandbox. */
public interface Confining {
    /**
     * Is told of a command that will be launched without asking this launcher, and so without a sandbox; that is recorded.
     *
     * @param reason why, in a sentence
     * @throws IOException when that is below the minimum, and so must not be launched
     */
    void passedBy(String reason) throws IOException, InterruptedException;
}
