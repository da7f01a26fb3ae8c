package io.jenkins.plugins.sandbox.config;

import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.List;

/** The built-in profiles by name, weakest first. */
public final class Profiles {
    /** Each one keeps everything that the one before it keeps. */
    public static final List<String> BY_STRICTNESS = Profile.BUILT_IN;

    static final String DEFAULT = "strict";

    private Profiles() {}

    /**
     * Checks the name of a profile.
     *
     * @return the name without surrounding blanks
     * @throws IllegalArgumentException when there is no such profile
     */
    public static String check(String name) {
        String profile = name.trim();
        if (!BY_STRICTNESS.contains(profile)) {
            throw new IllegalArgumentException(
                    "There is no profile '" + name + "': use one of " + String.join(", ", BY_STRICTNESS) + ".");
        }
        return profile;
    }

    static boolean isWeaker(String profile, String than) {
        return BY_STRICTNESS.indexOf(profile) < BY_STRICTNESS.indexOf(than);
    }
}
