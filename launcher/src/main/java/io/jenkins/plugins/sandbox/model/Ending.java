package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;
import java.util.List;

/**
 * The second part of a report: how a launch ended.
 *
 * @param exit how the command ended; {@code null} when it was never started because of {@code refusal}
 * @param limits the limits that were reached, each at most once, whether they ended the command or not
 * @param usage what it used; {@code null} together with {@code exit}
 * @param execError why the command could not be started, for example {@code ENOENT, no-such-command}; otherwise
 *     {@code null}
 * @param refusal why the launch was given up at its gate; otherwise {@code null}
 */
public record Ending(Exit exit, List<LimitHit> limits, Usage usage, String execError, String refusal)
        implements Serializable {
    public Ending {
        limits = List.copyOf(limits);
    }
}
