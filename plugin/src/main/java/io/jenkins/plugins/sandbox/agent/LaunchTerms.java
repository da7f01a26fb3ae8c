package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.config.NamedPaths;
import io.jenkins.plugins.sandbox.config.SandboxPath;
import io.jenkins.plugins.sandbox.model.Minimum;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.Serializable;
import java.util.List;
import java.util.Set;

/**
 * What is to hold for a launch, as far as the controller can say it.
 *
 * @param profile the profile, with the limits of the launch
 * @param minimum what it has to reach for its command to start
 * @param profilePaths the paths of the profile, which an administrator named
 * @param paths the paths of the job; what they lead to has to lie in {@code allowedPaths}
 * @param allowedPaths where jobs may name paths
 * @param environment the variables of the agent's own that are passed on by name
 */
public record LaunchTerms(
        Profile profile,
        Minimum minimum,
        NamedPaths profilePaths,
        NamedPaths paths,
        List<SandboxPath> allowedPaths,
        Set<String> environment)
        implements Serializable {}
