package io.jenkins.plugins.sandbox.config;

import io.jenkins.plugins.sandbox.policy.Profile;
import io.jenkins.plugins.sandbox.seccomp.SeccompPolicy;
import io.jenkins.plugins.sandbox.seccomp.Verdict;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compares profiles part by part. Of two profiles that each have something which the other lacks, neither is the stricter one:
 * whoever may only tighten can then not go from one to the other.
 */
final class Strictness {
    /** Weakest first: what stays for the next build is weaker than what goes with the block. */
    private static final List<Profile.Home> HOMES = List.of(
            Profile.Home.HOST, Profile.Home.JOB, Profile.Home.OVERLAY, Profile.Home.SCRATCH, Profile.Home.EMPTY);

    private Strictness() {}

    /** @return whether {@code a} keeps everything that {@code b} keeps */
    static boolean isAtLeast(Profile a, Profile b) {
        return a.primitives().containsAll(b.primitives())
                && a.root().compareTo(b.root()) >= 0
                && a.temporary().compareTo(b.temporary()) >= 0
                && a.devices().compareTo(b.devices()) >= 0
                && isAtLeast(a.home(), b.home())
                && a.git().compareTo(b.git()) >= 0
                && a.network().compareTo(b.network()) >= 0
                && a.environment().compareTo(b.environment()) >= 0
                && isAtLeast(a.syscallPolicy(), b.syscallPolicy());
    }

    static boolean isAtLeast(Profile.Home a, Profile.Home b) {
        return HOMES.indexOf(a) >= HOMES.indexOf(b);
    }

    private static boolean isAtLeast(Optional<SeccompPolicy> a, Optional<SeccompPolicy> b) {
        if (a.isEmpty() || b.isEmpty()) {
            return b.isEmpty();
        }
        Map<String, Verdict> verdicts = b.get().verdicts();
        return a.get().verdicts().entrySet().stream()
                .allMatch(e -> weight(e.getValue()) <= weight(verdicts.get(e.getKey())));
    }

    private static int weight(Verdict verdict) {
        if (verdict instanceof Verdict.Deny) {
            return 0;
        }
        return verdict instanceof Verdict.Conditional ? 1 : 2;
    }
}
