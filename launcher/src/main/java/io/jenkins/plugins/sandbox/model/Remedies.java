package io.jenkins.plugins.sandbox.model;

/**
 * What to do about a row that did not hold. The texts are for whoever administers the machine, not for the author of a
 * build.
 */
public final class Remedies {
    private Remedies() {}

    /**
     * @param outcome a row
     * @return what to do about it, in one or two sentences; empty for a row that was applied
     */
    public static String of(Outcome outcome) {
        return switch (outcome.status()) {
            case APPLIED -> "";
            case SKIPPED -> "The profile does not ask for it: choose a profile that does.";
            case FAILED, UNAVAILABLE -> ofShortfall(outcome);
        };
    }

    private static String ofShortfall(Outcome outcome) {
        if (outcome.errno() == Errno.ENOSPC && outcome.primitive() != Primitive.USER_NAMESPACE) {
            return "Make room on the disk that holds the scratch directory.";
        }
        return switch (outcome.primitive()) {
            case USER_NAMESPACE -> ofUserNamespace(outcome.errno());
            case PID_NAMESPACE, MOUNT_NAMESPACE, IPC_NAMESPACE, UTS_NAMESPACE, CGROUP_NAMESPACE, NETWORK_NAMESPACE ->
                "It needs the user namespace: see there. In a container, allow unshare and mount in its seccomp profile.";
            case FILESYSTEM -> ofFilesystem(outcome.errno());
            case PROC ->
                "In a container /proc is masked, and the kernel then refuses a fresh one: start the container with its /proc"
                        + " unmasked (Kubernetes: procMount Unmasked; Docker: --security-opt systempaths=unconfined).";
            case SECCOMP ->
                "The kernel must be built with CONFIG_SECCOMP_FILTER, and the architecture must be x86_64 or aarch64.";
            case LANDLOCK_FS, LANDLOCK_NET, LANDLOCK_SCOPE ->
                "The kernel must have Landlock (5.13 or newer, and named in the boot option lsm=).";
            case CGROUP -> "Delegate a cgroup v2 subtree to the agent's user (systemd: Delegate=yes in its unit).";
            case NO_NEW_PRIVS -> "The kernel must be 3.5 or newer.";
            case CAPABILITIES -> "It needs the user namespace, or an agent that runs without capabilities.";
            default -> "Run the probe on that machine: it tries every row and says what stands in the way.";
        };
    }

    private static String ofUserNamespace(int errno) {
        return switch (errno) {
            case Errno.ENOSPC ->
                "The limit on user namespaces is reached or 0: raise it (sysctl -w user.max_user_namespaces=15000).";
            case Errno.EPERM, Errno.EACCES ->
                "The system forbids unprivileged user namespaces. Ubuntu 23.10 or newer: allow the launcher in an AppArmor"
                        + " profile with the rule 'userns,', or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0."
                        + " Debian: sysctl -w kernel.unprivileged_userns_clone=1. In a container: allow unshare in its"
                        + " seccomp profile.";
            case Errno.EINVAL, Errno.ENOSYS ->
                "The kernel is too old or built without CONFIG_USER_NS: 3.8 or newer is needed.";
            default ->
                "Check sysctl user.max_user_namespaces, and that the container or AppArmor lets unprivileged processes create"
                        + " user namespaces.";
        };
    }

    private static String ofFilesystem(int errno) {
        return switch (errno) {
            case Errno.ENOSYS -> "The kernel is too old: 5.12 or newer can make a tree read-only at once.";
            case Errno.ENOENT -> "A path that the profile names is not there: see the detail.";
            case Errno.EINVAL, Errno.EBUSY ->
                "If the detail names an overlay, its file system cannot be one: use home: scratch.";
            default ->
                "It needs the user and mount namespaces, and a container that lets its processes mount. If the detail names an"
                        + " overlay, use home: scratch.";
        };
    }
}
