package io.jenkins.plugins.sandbox.model;

import java.util.regex.Pattern;

/**
 * What to do about a row that did not hold: in the words of its cause where the machine was asked ({@link Outcome#cause}), else
 * as far as the row itself says why, which is the way from an error to its likely {@link Cause}.
 */
public final class Remedies {
    private static final Pattern NEEDS_ROW = Pattern.compile("needs [a-z_]+");

    private Remedies() {}

    /**
     * @param outcome a row
     * @return what to do about it, in some sentences; empty for a row that was applied
     */
    public static String of(Outcome outcome) {
        return switch (outcome.status()) {
            case APPLIED -> "";
            case SKIPPED -> "The profile does not ask for it: choose a profile that does.";
            case FAILED, UNAVAILABLE -> ofShortfall(outcome);
        };
    }

    /** How the detail begins where a control directory is not this launch's alone. */
    public static final String SHARED = "control directory ";

    private static String ofShortfall(Outcome outcome) {
        Cause found = outcome.cause();
        if (found == null || found == Cause.NONE || found == Cause.UNKNOWN) {
            return ofLikely(outcome);
        }
        return sentence(found)
                + (found.hasPaste() ? " The probe has the lines to paste; in Jenkins, the node's page." : "");
    }

    private static String ofLikely(Outcome outcome) {
        return switch (cause(outcome)) {
            case APPARMOR_RESTRICTION ->
                "The system forbids unprivileged user namespaces. Ubuntu 23.10 or newer: allow the launcher in an AppArmor"
                        + " profile with the rule 'userns,'. Debian: sysctl -w kernel.unprivileged_userns_clone=1. In a"
                        + " container: allow unshare in its seccomp profile. The probe finds out which where it can, and prints the"
                        + " lines.";
            case NAMESPACE_LIMIT ->
                "The limit on namespaces is reached or 0: raise it (sysctl -w "
                        + Cause.namespaceLimit(outcome.primitive()) + "=15000).";
            case PATH -> "A path that the profile names is not there or out of reach: see the detail.";
            case UNKNOWN ->
                switch (outcome.primitive()) {
                    case FILESYSTEM ->
                        outcome.detail().startsWith(SHARED)
                                ? "Below 'dir' it lies in the workspace, which the other launch may write to. Give parallel"
                                        + " branches workspaces of their own (a node block, or ws(\"${WORKSPACE}@2\")), let"
                                        + " earlier steps leave nothing running, or write sh 'cd ... && ...' in the place of"
                                        + " dir."
                                : "Run the probe on that machine: it says what stands in the way.";
                    case LANDLOCK_FS ->
                        "Landlock allows what is below a directory together with it: where the detail names a file or"
                                + " directory, move it out of what the launch may use, or make the row filesystem hold (the"
                                + " probe says what stands in its way).";
                    default -> "Run the probe on that machine: it tries every row and says what stands in the way.";
                };
            default -> sentence(cause(outcome));
        };
    }

    private static String sentence(Cause cause) {
        return Character.toUpperCase(cause.summary().charAt(0))
                + cause.summary().substring(1) + ". " + cause.remedy();
    }

    /**
     * Names the most likely cause, as the row alone has it.
     *
     * @param outcome a row
     * @return {@link Cause#NONE} for one that was applied or not asked for
     */
    public static Cause cause(Outcome outcome) {
        if (outcome.status() == Status.APPLIED || outcome.status() == Status.SKIPPED) {
            return Cause.NONE;
        }
        if (NEEDS_ROW.matcher(outcome.detail()).matches()) {
            return Cause.PREREQUISITE;
        }
        return switch (outcome.primitive()) {
            case USER_NAMESPACE -> ofUserNamespace(outcome.errno());
            case PID_NAMESPACE, MOUNT_NAMESPACE, IPC_NAMESPACE, UTS_NAMESPACE, CGROUP_NAMESPACE, NETWORK_NAMESPACE ->
                ofNamespace(outcome.errno());
            case FILESYSTEM -> ofFilesystem(outcome.errno());
            case PROC -> outcome.errno() == Errno.EACCES ? Cause.SECURITY_MODULE : Cause.MASKED_PROC;
            case LANDLOCK_FS, LANDLOCK_NET, LANDLOCK_SCOPE -> ofLandlock(outcome);
            case CGROUP -> Cause.CGROUP;
            case RLIMIT_NPROC -> ofProcesses(outcome);
            case WORKSPACE_SIZE -> Cause.QUOTA;
            case SECCOMP, NO_NEW_PRIVS -> Cause.KERNEL;
            case CAPABILITIES -> outcome.errno() == Errno.EPERM ? Cause.CAPABILITY : Cause.UNKNOWN;
            default -> outcome.errno() == Errno.ENOSPC ? Cause.ROOM : Cause.UNKNOWN;
        };
    }

    /** Where the kernel does not count, a control group does. */
    private static Cause ofProcesses(Outcome outcome) {
        if (outcome.status() == Status.FAILED) {
            return Cause.UNKNOWN;
        }
        return outcome.detail().startsWith("needs Linux") ? Cause.KERNEL : Cause.CGROUP;
    }

    private static Cause ofUserNamespace(int errno) {
        return switch (errno) {
            case Errno.ENOSPC, Errno.EUSERS -> Cause.NAMESPACE_LIMIT;
            case Errno.EPERM, Errno.EACCES -> Cause.APPARMOR_RESTRICTION;
            case Errno.EINVAL, Errno.ENOSYS -> Cause.KERNEL;
            default -> Cause.UNKNOWN;
        };
    }

    private static Cause ofNamespace(int errno) {
        return switch (errno) {
            case Errno.ENOSPC -> Cause.NAMESPACE_LIMIT;
            case Errno.EPERM -> Cause.SECCOMP_FILTER;
            case Errno.EACCES -> Cause.SECURITY_MODULE;
            case Errno.EINVAL, Errno.ENOSYS -> Cause.KERNEL;
            default -> Cause.UNKNOWN;
        };
    }

    private static Cause ofFilesystem(int errno) {
        return switch (errno) {
            case Errno.ENOENT, Errno.ELOOP, Errno.ENOTDIR -> Cause.PATH;
            case Errno.ENOSPC -> Cause.ROOM;
            case Errno.EPERM -> Cause.SECCOMP_FILTER;
            case Errno.EACCES -> Cause.SECURITY_MODULE;
            case Errno.ENOSYS, Errno.ENODEV -> Cause.KERNEL;
            default -> Cause.UNKNOWN;
        };
    }

    private static Cause ofLandlock(Outcome outcome) {
        return switch (outcome.errno()) {
            // What the kernel lacks is unavailable; what it did not refuse is failed.
            case 0 -> outcome.status() == Status.UNAVAILABLE ? Cause.LANDLOCK_VERSION : Cause.UNKNOWN;
            case Errno.EOPNOTSUPP -> Cause.LANDLOCK_OFF;
            case Errno.ENOSYS -> Cause.KERNEL;
            case Errno.EPERM -> Cause.SECCOMP_FILTER;
            default -> Cause.UNKNOWN;
        };
    }
}
