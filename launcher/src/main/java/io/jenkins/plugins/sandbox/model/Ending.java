package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;

/**
 * The second part of a report: how a launch ended.
 *
 * @param exit how the command ended; {@code null} when it was never started because of {@code refusal}
 * @param usage what it used; {@code null} together with {@code exit}
 * @param execError why the command could not be started, for example {@code ENOENT, no-such-command}; otherwise
 *     {@code null}
 * @param refusal why the launch was given up at its gate; otherwise {@code null}
 */
public record Ending(Exit exit, Usage usage, String execError, String refusal) implements Serializable {}
