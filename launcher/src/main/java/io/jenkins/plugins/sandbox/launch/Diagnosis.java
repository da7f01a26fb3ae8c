package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Errno;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Remedies;
import io.jenkins.plugins.sandbox.model.Report;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Finds the cause of a row that does not hold: what the row itself says, and where that is not enough, the machine's settings. */
public final class Diagnosis {
    private Diagnosis() {}

    /**
     * What stands in the way of the rows of a launch on this machine. Looks at the machine only where something fell short.
     *
     * @param report of a launch that saw this machine as this process does: not one in a container
     * @return for each row that did not hold and of which more is known than it says itself; not for those that only need another
     */
    public static Map<Primitive, Cause> causes(Report report) {
        List<Outcome> shortfalls = report.shortfalls();
        if (shortfalls.isEmpty()) {
            return Map.of();
        }
        HostFacts facts = HostFacts.read();
        Map<Primitive, Cause> causes = new EnumMap<>(Primitive.class);
        for (Outcome outcome : shortfalls) {
            Cause cause = of(outcome, facts);
            if (cause != Cause.PREREQUISITE && cause != Cause.UNKNOWN) {
                causes.put(outcome.primitive(), cause);
            }
        }
        return causes;
    }

    static Cause of(Outcome outcome, HostFacts facts) {
        Cause likely = Remedies.cause(outcome);
        return switch (likely) {
            // The launcher can tell neither of them from the other: all of them are EPERM or EACCES.
            case APPARMOR_RESTRICTION, ROOT_ONLY, SECCOMP_FILTER -> refused(outcome, likely, facts);
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

    private static Cause refused(Outcome outcome, Cause likely, HostFacts facts) {
        if (facts.is(HostFacts.CLONE, "0")) {
            return Cause.ROOT_ONLY;
        }
        if (facts.is(HostFacts.CHROOT, "yes")) {
            return Cause.CHROOT;
        }
        if (facts.is(HostFacts.APPARMOR_RESTRICTION, "1")) {
            return Cause.APPARMOR_RESTRICTION;
        }
        if (facts.is(HostFacts.SECCOMP, "yes")) {
            return Cause.SECCOMP_FILTER;
        }
        // Ubuntu's restriction, where its switch cannot be read, lets the namespace be made and takes what it is good
        // for.
        if (likely == Cause.APPARMOR_RESTRICTION && outcome.errno() == Errno.EACCES) {
            return likely;
        }
        if (facts.isConfined()) {
            return Cause.SECURITY_MODULE;
        }
        return outcome.primitive() == Primitive.USER_NAMESPACE ? Cause.REFUSED : Cause.UNKNOWN;
    }
}
