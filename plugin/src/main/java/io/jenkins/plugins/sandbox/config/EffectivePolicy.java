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
        String askedProfile = asked.profile();
        if (askedProfile != null) {
            if (Profiles.isWeaker(askedProfile, profile)) {
                raised.add(raised("profile", askedProfile, profile));
            } else {
                profile = askedProfile;
            }
        }
        Level askedMinimum = asked.minimumLevel();
        if (askedMinimum != null) {
            if (askedMinimum.compareTo(minimum) < 0) {
                raised.add(raised("minimumLevel", askedMinimum.name(), minimum.name()));
            } else {
                minimum = askedMinimum;
            }
        }
        OnShortfall askedAction = asked.onShortfall();
        if (askedAction != null) {
            if (askedAction.compareTo(onShortfall) < 0) {
                raised.add(raised("onShortfall", askedAction.word(), onShortfall.word()));
            } else {
                onShortfall = askedAction;
            }
        }
        return new EffectivePolicy(profile, minimum, onShortfall, raised);
    }

    private static String raised(String what, String from, String to) {
        return what + " raised from " + from + " to " + to + ": the administrator's settings are a floor";
    }
}
