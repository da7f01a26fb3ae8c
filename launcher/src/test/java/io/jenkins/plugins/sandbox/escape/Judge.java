package io.jenkins.plugins.sandbox.escape;

import java.util.Optional;

/** Holds one run in a sandbox against what is expected of it. */
final class Judge {
    private Judge() {}

    /**
     * @param escaped what its proof says
     * @return what is wrong; empty when nothing is
     */
    static Optional<String> complaint(Attempt attempt, String profile, Result result, boolean escaped) {
        boolean expected = attempt.stoppedBy().contains(profile);
        boolean mayBeRefused = attempt.refusedBy().contains(profile);
        if (result.refusal() != null) {
            return mayBeRefused && !escaped ? Optional.empty() : Optional.of("the launch was refused");
        }
        if (mayBeRefused) {
            return Optional.of("the launch should have been refused");
        }
        if (!result.twinWorked()) {
            return Optional.of("the harmless twin does not work");
        }
        if (result.lacking() != null) {
            return Optional.of("what the control had is not there: " + result.lacking());
        }
        if (!result.says(Attempt.REACHED)) {
            return Optional.of("the decisive step was not reached");
        }
        if (escaped == expected) {
            return Optional.of(escaped ? "it is not stopped" : "it is stopped, and the table says that it is not");
        }
        return Optional.empty();
    }
}
