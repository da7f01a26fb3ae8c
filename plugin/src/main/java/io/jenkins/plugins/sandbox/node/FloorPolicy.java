package io.jenkins.plugins.sandbox.node;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.AbortException;
import io.jenkins.plugins.sandbox.config.EffectivePolicy;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.config.SandboxSettings;
import io.jenkins.plugins.sandbox.model.Minimum;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.List;

/**
 * What holds for launches that ask for nothing of their own.
 *
 * @param profile the default profile
 * @param minimum what has to be reached
 */
record FloorPolicy(Profile profile, Minimum minimum) {
    /** @return {@code null} while the administrator's settings cannot be used, in which case nothing is launched */
    @CheckForNull
    static FloorPolicy get() {
        try {
            EffectivePolicy policy =
                    EffectivePolicy.of(SandboxConfiguration.get().floor(), SandboxSettings.NOTHING);
            return new FloorPolicy(
                    policy.definition(), new Minimum(policy.minimumLevel(), List.copyOf(policy.requiredPrimitives())));
        } catch (AbortException x) {
            return null;
        }
    }
}
