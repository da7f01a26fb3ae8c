package io.jenkins.plugins.sandbox.config;

import java.util.Locale;

/** What happens to a launch that stays below its minimum level, weakest first. */
public enum OnShortfall {
    /** The command runs; the log, the step and the build page say what was missing. */
    WARN,
    /** Likewise, and the build becomes unstable. */
    UNSTABLE,
    /** The command does not run, and the step fails. */
    FAIL;

    /** @return the word for it in a Jenkinsfile and in Configuration as Code */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Reads the word that somebody wrote, in any case.
     *
     * @throws IllegalArgumentException when it is none of them
     */
    public static OnShortfall parse(String word) {
        for (OnShortfall each : values()) {
            if (each.name().equalsIgnoreCase(word.trim())) {
                return each;
            }
        }
        throw new IllegalArgumentException("onShortfall is '" + word + "': use 'fail', 'unstable' or 'warn'.");
    }
}
