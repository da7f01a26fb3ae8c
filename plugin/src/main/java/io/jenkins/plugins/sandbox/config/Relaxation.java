package io.jenkins.plugins.sandbox.config;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What the administrator may let jobs loosen. Without it a job can only tighten. */
public enum Relaxation {
    /** {@code network: 'host'} where the profile has none. */
    NETWORK,
    /** A home directory that keeps more of the machine's, or keeps it for longer, than the profile's. */
    HOME,
    /** Repositories in the workspace of which more stays than under the profile. */
    GIT,
    /** Limits above those of the profile. */
    LIMITS,
    /** Variables of the agent's own environment by name, its secrets included. */
    ENVIRONMENT;

    /** @return the word for it in forms and in Configuration as Code */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** @throws IllegalArgumentException when there is no such word */
    static Relaxation parse(String word) {
        return Arrays.stream(values())
                .filter(r -> r.name().equalsIgnoreCase(word.trim()))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Jobs cannot be allowed to relax '" + word
                        + "': use some of "
                        + Arrays.stream(values()).map(Relaxation::word).collect(Collectors.joining(", ")) + "."));
    }
}
