package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the launcher said about one launch, after every check that can be made on it.
 *
 * @param outcomes one for each row, in the order of the sequence
 * @param level computed from {@code outcomes}
 * @param ready whether the launcher was ready to start the command
 * @param refusal why it was not, otherwise {@code null}
 * @param init the first process of the sandbox; {@code null} when the launch was refused before there was one
 * @param ending how it ended; {@code null} as long as that is not known
 */
public record Report(
        List<Outcome> outcomes, Level level, boolean ready, String refusal, InitProcess init, Ending ending)
        implements Serializable {
    /** As the launcher writes it: {@code BROKEN_VIEW} of {@code report.h}. */
    private static final String VIEW_FAILED = "the view of the file system failed on a kernel that makes views: ";

    public Report {
        outcomes = List.copyOf(outcomes);
    }

    /**
     * @return whether the launcher refused because the view of the file system could be begun and not finished, which it does
     *     whatever the minimum is
     */
    public boolean viewFailed() {
        return !ready && refusal != null && refusal.startsWith(VIEW_FAILED);
    }

    /**
     * @param primitive a row
     * @return what became of it, if it was reported
     */
    public Optional<Outcome> outcome(Primitive primitive) {
        return outcomes.stream().filter(o -> o.primitive() == primitive).findFirst();
    }

    /**
     * @return the rows that were asked for and did not hold
     */
    public List<Outcome> shortfalls() {
        return outcomes.stream().filter(Outcome::isShortfall).toList();
    }

    /**
     * @param causes what stands in the way of rows that did not hold, as the machine says; other rows are left as they are
     * @return the same report with them
     */
    public Report because(Map<Primitive, Cause> causes) {
        List<Outcome> explained = outcomes.stream()
                .map(o ->
                        o.isShortfall() && causes.containsKey(o.primitive()) ? o.because(causes.get(o.primitive())) : o)
                .toList();
        return new Report(explained, level, ready, refusal, init, ending);
    }

    /**
     * @param newEnding how the launch ended
     * @return the same report with its ending
     */
    public Report withEnding(Ending newEnding) {
        return new Report(outcomes, level, ready, refusal, init, newEnding);
    }
}
