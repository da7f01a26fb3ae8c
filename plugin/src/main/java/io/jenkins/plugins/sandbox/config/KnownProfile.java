package io.jenkins.plugins.sandbox.config;

import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.Set;

/**
 * A profile with everything that goes with it in Jenkins.
 *
 * @param definition what the launcher knows of it, its limits among that
 * @param paths the paths that it names
 * @param environment the variables that it passes on by name
 * @param choosable whether jobs may choose it even where it is weaker than the default profile
 */
public record KnownProfile(Profile definition, NamedPaths paths, Set<String> environment, boolean choosable) {
    public KnownProfile {
        environment = Set.copyOf(environment);
    }

    static KnownProfile builtIn(Profile definition) {
        return new KnownProfile(definition, NamedPaths.NONE, Set.of(), false);
    }

    /**
     * Limits and hidden paths are not compared: both profiles' hold when one takes the other's place.
     *
     * @return whether this profile gives nothing that the other one does not
     */
    boolean givesNoMoreThan(KnownProfile other) {
        return Strictness.isAtLeast(definition, other.definition)
                && paths.givesNoMoreThan(other.paths)
                && other.environment.containsAll(environment);
    }
}
