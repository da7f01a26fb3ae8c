package io.jenkins.plugins.sandbox.model;

import java.util.Arrays;
import java.util.Optional;

/**
 * What on a machine stands in the way of a row. The texts are for whoever administers the machine, not for the author of a
 * build; the lines to paste change no more than is needed.
 */
public enum Cause {
    /** Nothing: the row was applied, or not asked for. */
    NONE("", "", ""),
    /** The row needs another one, whose own cause is to be removed. */
    PREREQUISITE("another row is missing", "See to the row that it needs.", ""),
    /** A limit of this user namespace, {@code sysctl user.max_..._namespaces} (namespaces(7)). */
    NAMESPACE_LIMIT(
            "the limit on namespaces is reached or 0",
            "Raise the limit on namespaces of the kind that the row names.",
            "echo 'LIMIT = 15000' >> /etc/sysctl.d/60-process-sandbox.conf\nsysctl -w LIMIT=15000"),
    /** Debian's switch of older kernels. */
    ROOT_ONLY(
            "user namespaces are for root alone",
            "Allow them to other users.",
            "echo 'kernel.unprivileged_userns_clone = 1' >> /etc/sysctl.d/60-process-sandbox.conf\n"
                    + "sysctl -w kernel.unprivileged_userns_clone=1"),
    /** Ubuntu 23.10 and newer: programs without a profile get no capability in their user namespace. */
    APPARMOR_RESTRICTION(
            "AppArmor takes the rights in a user namespace away from programs without a profile",
            "Load an AppArmor profile for the launcher's file; no other program gets the right by it.",
            "cat > /etc/apparmor.d/process-sandbox <<'END'\n"
                    + "abi <abi/4.0>,\n"
                    + "profile process-sandbox LAUNCHER flags=(unconfined) {\n"
                    + "  userns,\n"
                    + "}\n"
                    + "END\n"
                    + "apparmor_parser -r /etc/apparmor.d/process-sandbox"),
    /** The seccomp filter of a container or a service around this process. */
    SECCOMP_FILTER(
            "a seccomp filter around the agent refuses the call",
            "Start the agent's container or service with a seccomp filter that allows unshare, mount, umount2, pivot_root,"
                    + " mount_setattr and Landlock's three calls on top of the container engine's own (its default.json).",
            "jq '.syscalls += [{names: [\"unshare\", \"mount\", \"umount2\", \"pivot_root\", \"mount_setattr\","
                    + " \"landlock_create_ruleset\", \"landlock_add_rule\", \"landlock_restrict_self\"],"
                    + " action: \"SCMP_ACT_ALLOW\"}]' default.json > process-sandbox.json\n"
                    + "# Docker, Podman: --security-opt seccomp=process-sandbox.json\n"
                    + "# Kubernetes: securityContext: {seccompProfile: {type: Localhost, localhostProfile: process-sandbox.json}}\n"
                    + "# systemd, in the agent's unit: RestrictNamespaces=no, and @mount and @sandbox in its SystemCallFilter="),
    /** AppArmor, SELinux or another security module; containers have such a profile. */
    SECURITY_MODULE(
            "a security module (AppArmor, SELinux) refuses it",
            "Start the agent's container without the engine's AppArmor profile or SELinux type, or with one that allows to"
                    + " mount.",
            "# Docker, Podman with AppArmor: --security-opt apparmor=unconfined\n"
                    + "# Docker, Podman with SELinux: --security-opt label=type:container_engine_t\n"
                    + "# Kubernetes: securityContext: {appArmorProfile: {type: Unconfined}}"),
    /** mount_namespaces(7) and the kernel's mount_too_revealing(): a new /proc may not show what the old one covers. */
    MASKED_PROC(
            "parts of /proc are covered, so that the kernel refuses a new one",
            "Start the agent's container with the whole of its /proc.",
            "# Docker, Podman: --security-opt systempaths=unconfined\n"
                    + "# Kubernetes: securityContext: {procMount: Unmasked}, in a pod with hostUsers: false"),
    /** user_namespaces(7): EPERM in a chroot. */
    CHROOT(
            "the agent runs in a chroot, where the kernel refuses user namespaces",
            "Start the agent outside of the chroot, or in a container.",
            ""),
    /** unshare(2) answers EPERM for a chroot that looks like none, and security modules may answer what they like. */
    REFUSED(
            "the machine refuses user namespaces, and nothing that can be read there says why",
            "Start the agent outside of any chroot, and allow user namespaces in what confines it: 'userns,' in an AppArmor"
                    + " profile, unshare in a seccomp filter, user_namespace create in an SELinux policy.",
            ""),
    /** The kernel was built without it, or is older than the feature. */
    KERNEL(
            "the kernel does not have it",
            "Use a kernel that is new enough and built with it: see the detail. docs/troubleshooting.md says since when.",
            ""),
    /** The running kernel's Landlock is older than what the row needs. */
    LANDLOCK_VERSION("the kernel's Landlock is too old for it", "Use the kernel that the detail names, or newer.", ""),
    /** Landlock is built in and not started. */
    LANDLOCK_OFF(
            "Landlock was switched off when the machine was booted",
            "Name it first in the boot option lsm=, before what is there already, and boot.",
            "# /etc/default/grub, then update-grub: the list is the one of /sys/kernel/security/lsm with landlock before it\n"
                    + "GRUB_CMDLINE_LINUX=\"lsm=landlock,lockdown,yama,integrity,apparmor\""),
    /** The agent has lost a capability that this needs, and is in no user namespace of its own. */
    CAPABILITY(
            "the agent lacks the capability",
            "Let the agent have user namespaces of its own: see to the row user_namespace.",
            ""),
    /** What a launch needs to be planned cannot be made on this machine. */
    DIRECTORIES(
            "the directories of a launch cannot be made",
            "Do what the detail says; until then launches fail in the same way.",
            ""),
    /** No room, in memory or on a disk. */
    ROOM("there is no room left", "Make room on the disk that holds the scratch directory.", ""),
    /** An agent whose working directory or path of the plan is not there. */
    PATH("a path is not there or cannot be reached", "Create it, or name another: see the detail.", ""),
    /** No delegated control group. */
    CGROUP(
            "no control group was delegated to the agent",
            "Only limits on memory, processes and CPU of a launch as a whole need one: delegate a cgroup v2 subtree to the"
                    + " agent's user, with the agent in a group below it (docs/limits.md).",
            "# systemd 254 or newer, in the agent's unit:\n[Service]\nDelegate=cpu memory pids\nDelegateSubgroup=agent"),
    /** A workspace that may grow as large as its disk. */
    QUOTA(
            "nobody has limited the workspace on this machine, and only its root can",
            "Give the agent's workspaces a file system of that size, or each a project quota (docs/limits.md).",
            ""),
    /** None of the above. */
    UNKNOWN("not known", "The detail names the call that failed: look for it in the machine's log.", "");

    /** Stands in {@link #paste} for the launcher's file. */
    private static final String LAUNCHER = "LAUNCHER";

    /** Stands in {@link #paste} for the limit on namespaces of the row's kind. */
    private static final String LIMIT = "LIMIT";

    private final String summary;
    private final String remedy;
    private final String paste;

    Cause(String summary, String remedy, String paste) {
        this.summary = summary;
        this.remedy = remedy;
        this.paste = paste;
    }

    /**
     * @param name of a constant, for example {@code SECCOMP_FILTER}
     * @return what stands in the way by that name, if there is such a thing; never {@link #NONE}
     */
    public static Optional<Cause> named(String name) {
        return Arrays.stream(values())
                .filter(c -> c != NONE && c.name().equals(name))
                .findFirst();
    }

    /**
     * @return half a sentence without a full stop; empty for {@link #NONE}
     */
    public String summary() {
        return summary;
    }

    /**
     * @return what to do, one or two sentences; empty for {@link #NONE}
     */
    public String remedy() {
        return remedy;
    }

    /**
     * @return whether there are lines that do it
     */
    public boolean hasPaste() {
        return !paste.isEmpty();
    }

    /**
     * @param row what it stands in the way of
     * @param launcher path or pattern of the launcher's file, for the profile that names it
     * @return lines for a shell or a configuration file; empty where there is nothing to paste
     */
    public String paste(Primitive row, String launcher) {
        return paste.replace(LIMIT, namespaceLimit(row)).replace(LAUNCHER, launcher);
    }

    /** The name that sysctl(8) has for the limit on namespaces of a row's kind (namespaces(7)). */
    static String namespaceLimit(Primitive row) {
        String kind =
                switch (row) {
                    case PID_NAMESPACE -> "pid";
                    case MOUNT_NAMESPACE -> "mnt";
                    case IPC_NAMESPACE -> "ipc";
                    case UTS_NAMESPACE -> "uts";
                    case CGROUP_NAMESPACE -> "cgroup";
                    case NETWORK_NAMESPACE -> "net";
                    default -> "user";
                };
        return "user.max_" + kind + "_namespaces";
    }
}
