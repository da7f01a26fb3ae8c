package io.jenkins.plugins.sandbox.config;

import io.jenkins.plugins.sandbox.model.Level;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Levels as people write them. */
public final class Levels {
    private Levels() {}

    /** @return every level, weakest first */
    public static List<Level> all() {
        return Arrays.asList(Level.values());
    }

    /**
     * Reads the name of a level, in any case.
     *
     * @throws IllegalArgumentException when there is no such level
     */
    public static Level parse(String name) {
        for (Level level : all()) {
            if (level.name().equals(name.trim().toUpperCase(Locale.ROOT))) {
                return level;
            }
        }
        throw new IllegalArgumentException(
                "There is no level '" + name + "': use one of NONE, BASELINE, PARTIAL, FULL.");
    }
}
