package io.jenkins.plugins.sandbox.config;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.model.Level;
import java.io.Serializable;
import java.util.Comparator;

/**
 * What somebody asked for; {@code null} means that they did not say. Immutable. Not a record: it is kept in a Pipeline's
 * program, whose serialisation does not know records.
 */
public final class SandboxSettings implements Serializable {
    private static final long serialVersionUID = 1;

    private final String profile;
    private final Level minimumLevel;
    private final OnShortfall onShortfall;

    /**
     * @param profile a name of {@link Profiles#BY_STRICTNESS}
     * @param minimumLevel the lowest level that will do
     * @param onShortfall what happens below it
     */
    public SandboxSettings(
            @CheckForNull String profile, @CheckForNull Level minimumLevel, @CheckForNull OnShortfall onShortfall) {
        this.profile = profile;
        this.minimumLevel = minimumLevel;
        this.onShortfall = onShortfall;
    }

    @CheckForNull
    public String profile() {
        return profile;
    }

    @CheckForNull
    public Level minimumLevel() {
        return minimumLevel;
    }

    @CheckForNull
    public OnShortfall onShortfall() {
        return onShortfall;
    }

    /** @return the stricter of each, as two nested blocks ask for */
    public SandboxSettings and(SandboxSettings other) {
        return new SandboxSettings(
                stricter(profile, other.profile, Comparator.comparingInt(Profiles.BY_STRICTNESS::indexOf)),
                stricter(minimumLevel, other.minimumLevel, Comparator.naturalOrder()),
                stricter(onShortfall, other.onShortfall, Comparator.naturalOrder()));
    }

    @CheckForNull
    private static <T> T stricter(@CheckForNull T a, @CheckForNull T b, Comparator<T> order) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        return order.compare(a, b) < 0 ? b : a;
    }
}
