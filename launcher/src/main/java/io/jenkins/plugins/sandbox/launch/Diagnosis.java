package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Remedies;

/** Finds the cause of a row that does not hold: what the row itself says, and where that is not enough, the machine's settings. */
final class Diagnosis {
    private Diagnosis() {}

    static Cause of(Outcome outcome, HostFacts facts) {
        Cause likely = Remedies.cause(outcome);
        return switch (likely) {
            // The launcher can tell neither of them from the other: all of them are EPERM or EACCES.
            case APPARMOR_RESTRICTION, ROOT_ONLY, SECCOMP_FILTER -> refused(likely, facts);
            case MASKED_PROC ->
                facts.has(HostFacts.MASKED) || !facts.is(HostFacts.SECCOMP, "yes")
                        ? Cause.MASKED_PROC
                        : Cause.SECCOMP_FILTER;
            // A filter answers the same for a call that it does not know; engines let Landlock through.
            case KERNEL ->
                outcome.primitive() == Primitive.USER_NAMESPACE && facts.is(HostFacts.SECCOMP, "yes")
                        ? Cause.SECCOMP_FILTER
                        : likely;
            default -> likely;
        };
    }

    private static Cause refused(Cause likely, HostFacts facts) {
        if (facts.is(HostFacts.CLONE, "0")) {
            return Cause.ROOT_ONLY;
        }
        if (facts.is(HostFacts.CHROOT, "yes")) {
            return Cause.CHROOT;
        }
        if (facts.is(HostFacts.APPARMOR_RESTRICTION, "1")) {
            return Cause.APPARMOR_RESTRICTION;
        }
        return facts.is(HostFacts.SECCOMP, "yes") ? Cause.SECCOMP_FILTER : likely;
    }
}
