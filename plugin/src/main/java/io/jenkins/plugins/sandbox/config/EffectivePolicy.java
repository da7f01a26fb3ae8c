package io.jenkins.plugins.sandbox.config;

import io.jenkins.plugins.sandbox.model.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What holds for one launch: what was asked for, raised to the administrator's settings. Those are a floor; whoever
 * writes a Jenkinsfile can tighten them, never loosen them.
 *
 * @param profile the profile to apply
 * @param minimumLevel the lowest level with which the command may start
 * @param onShortfall what happens below it
 * @param raised one sentence for each thing that was asked for and is weaker than the floor
 */
public record EffectivePolicy(String profile, Level minimumLevel, OnShortfall onShortfall, List<String> raised) {
    public EffectivePolicy {
        raised = List.copyOf(raised);
    }

    /**
     * @param floor the administrator's settings, complete
     * @param asked what the step asks for, each part of it optional
     */
    public static EffectivePolicy of(SandboxSettings floor, SandboxSettings asked) {
        String profile = Objects.requireNonNull(floor.profile());
        Level minimum = Objects.requireNonNull(floor.minimumLevel());
        OnShortfall onShortfall = Objects.requireNonNull(floor.onShortfall());
        List<String> raised = new ArrayList<>();
        if (asked.profile() != null) {
            if (Profiles.isWeaker(asked.profile(), profile)) {
                raised.add(raised("profile", asked.profile(), profile));
            } else {
                profile = asked.profile();
            }
        }
        if (asked.minimumLevel() != null) {
            if (asked.minimumLevel().compareTo(minimum) < 0) {
                raised.add(raised("minimumLevel", asked.minimumLevel().name(), minimum.name()));
            } else {
                minimum = asked.minimumLevel();
            }
        }
        if (asked.onShortfall() != null) {
            if (asked.onShortfall().compareTo(onShortfall) < 0) {
                raised.add(raised("onShortfall", asked.onShortfall().word(), onShortfall.word()));
            } else {
                onShortfall = asked.onShortfall();
            }
        }
        return new EffectivePolicy(profile, minimum, onShortfall, raised);
    }

    private static String raised(String what, String from, String to) {
        return what + " raised from " + from + " to " + to + ": the administrator's settings are a floor";
    }
}
