package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;
import java.util.List;

/**
 * The second part of a report: how a launch ended.
 *
 * @param exit how the command ended; {@code null} when it was never started because of {@code refusal}
 * @param limits the limits that were reached, each at most once, whether they ended the command or not
 * @param taskStatus the exit status, 0 to 255, of the durable task that the command left behind; {@code null} when there was
 *     none, or its status is not known. A command that leaves one has a status of its own, which says nothing of the task's
 * @param usage what it used; {@code null} together with {@code exit}
 * @param execError why the command could not be started, for example {@code ENOENT, no-such-command}; otherwise
 *     {@code null}
 * @param refusal why the launch was given up at its gate; otherwise {@code null}
 */
public record Ending(
        Exit exit, List<LimitHit> limits, Integer taskStatus, Usage usage, String execError, String refusal)
        implements Serializable {
    public Ending {
        limits = List.copyOf(limits);
    }
}
