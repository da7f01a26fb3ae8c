package io.jenkins.plugins.sandbox.hosts;

import io.jenkins.plugins.sandbox.hosts.Host.Setting;
import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Primitive;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** All of them, as data. */
final class Hosts {
    private static final String TOO_OLD = "unavailable: needs Landlock ABI %d (Linux %s), this kernel has %d";

    /** The newer calls that the launcher, the C library or Java would use. */
    static final List<String> NEWER_CALLS = List.of(
            "mount_setattr",
            "open_tree",
            "move_mount",
            "close_range",
            "clone3",
            "openat2",
            "faccessat2",
            "fchmodat2",
            "pidfd_open",
            "pidfd_send_signal");

    /** Capabilities that a namespace's maker has, given up before the agent starts. */
    private static final String WITHOUT_CAPABILITIES =
            "exec setpriv --ambient-caps=-all --inh-caps=-all --bounding-set=-all -- \"$@\"";

    /** Neither namespaces nor Landlock. */
    static final String BAREST = "container-landlock-0";

    private Hosts() {}

    static List<Host> all() {
        List<Host> hosts = new ArrayList<>();
        hosts.add(new Host("ordinary", "Linux 6.12 or newer, nothing in the way", (base, work) -> List.of()));
        hosts.addAll(userNamespaces());
        hosts.addAll(files());
        hosts.addAll(kernels());
        hosts.addAll(sandboxes());
        return hosts;
    }

    private static List<Host> userNamespaces() {
        return List.of(
                new Host(
                                "no-user-namespaces",
                                "User namespaces switched off (RHEL and others, `user.max_user_namespaces = 0`)",
                                inNamespace("echo 0 > /proc/sys/user/max_user_namespaces\n" + WITHOUT_CAPABILITIES))
                        .lacksNamespaces("failed: ENOSPC, unshare", Cause.NAMESPACE_LIMIT),
                new Host(
                                "apparmor",
                                "AppArmor's restriction (Ubuntu 23.10 and newer), as it shows: no rights in the new namespace",
                                tryHost("--refuse-open", "/proc/self/setgroups=EACCES"))
                        .lacksNamespaces("failed: EACCES, write /proc/self/setgroups", Cause.SECCOMP_FILTER)
                        .notes("made by a filter, so that the probe names the filter; on Ubuntu it names AppArmor"),
                new Host(
                                "container",
                                "A container with its engine's default seccomp profile (Docker, containerd)",
                                tryHost("--container"))
                        .lacksNamespaces("failed: EPERM, unshare", Cause.SECCOMP_FILTER),
                new Host("chroot", "An agent in a chroot", inNamespace(chroot("mount --make-runbindable")))
                        .lacksNamespaces("failed: EPERM, unshare", Cause.CHROOT),
                new Host(
                                "chroot-seen-twice",
                                "An agent in a chroot that shows all of itself a second time",
                                inNamespace(chroot(":")))
                        .lacksNamespaces("failed: EPERM, unshare", Cause.CHROOT),
                new Host(
                                "no-network-namespaces",
                                "`user.max_net_namespaces = 0`",
                                inNamespace("echo 0 > /proc/sys/user/max_net_namespaces\n" + WITHOUT_CAPABILITIES))
                        .lacks(Primitive.NETWORK_NAMESPACE, "failed: ENOSPC, unshare", Cause.NAMESPACE_LIMIT),
                new Host(
                                "root-without-user-namespaces",
                                "An agent that runs as root, where user namespaces are switched off",
                                (base, work) -> List.of(
                                        "unshare",
                                        "--user",
                                        "--map-root-user",
                                        "--",
                                        "sh",
                                        "-c",
                                        "echo 0 > /proc/sys/user/max_user_namespaces; exec \"$@\"",
                                        "sh"))
                        .lacks(Primitive.USER_NAMESPACE, "failed: ENOSPC, unshare", Cause.NAMESPACE_LIMIT)
                        .notes("every other row holds, with the capabilities that root has"));
    }

    /**
     * The jail can be seen in the jail: a directory that is the root directory by another name.
     *
     * @param mounted what is done with each mount of it
     */
    private static String chroot(String mounted) {
        return "jail=$(realpath \"$PWD/../../..\")/jail\nfor d in /*; do\n"
                + "if test -L \"$d\"; then ln -s \"$(readlink \"$d\")\" \"$jail$d\"\n"
                + "elif test -d \"$d\" && test \"$d\" != /root; then\n"
                + "mkdir \"$jail$d\"; mount --rbind \"$d\" \"$jail$d\"; " + mounted
                + " \"$jail$d\"; fi\ndone\n"
                + "exec chroot \"$jail\" sh -c 'cd \"$0\"; exec setpriv --ambient-caps=-all --inh-caps=-all"
                + " --bounding-set=-all -- \"$@\"' \"$PWD\" \"$@\"";
    }

    private static List<Host> files() {
        return List.of(
                new Host(
                                "masked-proc",
                                "Parts of /proc covered, as in a Kubernetes pod without a seccomp profile",
                                inNamespace("mount -t tmpfs t /proc/fs\nmount --bind /dev/null /proc/timer_list\n"
                                        + WITHOUT_CAPABILITIES))
                        .lacks(Primitive.PROC, "failed: EPERM, mount proc on /proc", Cause.MASKED_PROC),
                new Host(
                        "read-only",
                        "A read-only machine but for the agent's directory, whose caches and home directory are noexec",
                        (base, work) -> inNamespace(
                                        "for d in \"" + base + "\" /tmp; do mount --rbind \"$d\" \"$d\"; done\n"
                                                + "mount -o remount,bind,ro /\n"
                                                + "for d in agent/caches home scratch; do mount --bind \"" + base
                                                + "/$d\" \"" + base
                                                + "/$d\"; mount -o remount,bind,noexec \"" + base + "/$d\"; done\n"
                                                + WITHOUT_CAPABILITIES)
                                .words(base, work)),
                new Host(
                                "no-overlay",
                                "No overlays: a scratch directory on a container's own disk, or Linux before 5.11",
                                (base, work) -> inNamespace("for d in scratch scenes; do\n"
                                                + "mkdir \"" + work + "/$d\"; mount -t tmpfs t \"" + work
                                                + "/$d\"; mkdir \"" + work + "/$d/upper\" \"" + work
                                                + "/$d/work\"\nmount -t overlay -o \"userxattr,lowerdir=" + base
                                                + "/$d,upperdir=" + work + "/$d/upper,workdir=" + work
                                                + "/$d/work\" o \"" + base + "/$d\"\ndone\n"
                                                + WITHOUT_CAPABILITIES)
                                        .words(base, work))
                        .notes("the home directory is empty at first, the repositories in the workspace are read-only"),
                new Host(
                        "hidepid",
                        "/proc mounted with hidepid=2",
                        (base, work) -> List.of(
                                "unshare",
                                "--user",
                                "--map-current-user",
                                "--keep-caps",
                                "--mount",
                                "--pid",
                                "--fork",
                                "--",
                                "sh",
                                "-ec",
                                "mount -t proc -o hidepid=2 p /proc\n" + WITHOUT_CAPABILITIES,
                                "sh")));
    }

    private static List<Host> kernels() {
        List<String> newer = new ArrayList<>();
        NEWER_CALLS.forEach(call -> newer.addAll(List.of("--refuse", call + "=ENOSYS")));
        newer.addAll(List.of("--landlock", "0"));
        List<String> inContainer = new ArrayList<>(List.of("--container"));
        List<Host> hosts = new ArrayList<>();
        hosts.add(
                landlock(new Host("linux-5.0", "A kernel as of Linux 5.0", tryHost(newer.toArray(String[]::new))), 0));
        hosts.add(new Host("landlock-off", "Landlock not named in the boot option `lsm=`", tryHost("--landlock", "off"))
                .lacks(Primitive.LANDLOCK_FS, OFF, Cause.LANDLOCK_OFF)
                .lacks(Primitive.LANDLOCK_SCOPE, OFF, Cause.LANDLOCK_OFF));
        String[] since = {"5.13", "5.19", "6.2", "6.7", "6.10", "6.12"};
        for (int abi = 1; abi <= since.length; abi++) {
            hosts.add(landlock(
                    new Host(
                            "landlock-" + abi,
                            "Landlock ABI " + abi + " (Linux " + since[abi - 1] + ")",
                            tryHost("--landlock", String.valueOf(abi))),
                    abi));
        }
        for (int abi : new int[] {0, 1, 2, 3, 5}) {
            List<String> options = new ArrayList<>(inContainer);
            options.addAll(List.of("--landlock", String.valueOf(abi)));
            Host host = new Host(
                            "container-landlock-" + abi,
                            abi == 0
                                    ? "A container with its engine's default seccomp profile, and no Landlock"
                                    : "A container with its engine's default seccomp profile, and Landlock ABI " + abi,
                            tryHost(options.toArray(String[]::new)))
                    .lacksNamespaces("failed: EPERM, unshare", Cause.SECCOMP_FILTER);
            hosts.add(landlock(host, abi));
        }
        return hosts;
    }

    private static final String OFF =
            "unavailable: EOPNOTSUPP, landlock_create_ruleset: switched off when the machine was booted";

    /** What a version of Landlock leaves of a host's rows. */
    private static Host landlock(Host host, int abi) {
        boolean network = host.shortfalls().containsKey(Primitive.NETWORK_NAMESPACE);
        boolean view = !host.shortfalls().containsKey(Primitive.FILESYSTEM);
        if (abi == 0) {
            String none = "unavailable: ENOSYS, landlock_create_ruleset: not in this kernel";
            Host without = host.lacks(Primitive.LANDLOCK_FS, none, Cause.KERNEL)
                    .lacks(Primitive.LANDLOCK_SCOPE, none, Cause.KERNEL);
            return network ? without.lacks(Primitive.LANDLOCK_NET, none, Cause.KERNEL) : without;
        }
        Host result = host;
        if (abi == 1 && view) {
            result = result.lacks(Primitive.LANDLOCK_FS, String.format(TOO_OLD, 2, "5.19", 1), Cause.LANDLOCK_VERSION);
        } else if (abi < 3) {
            String kept = abi == 1
                    ? "unavailable: kept but for truncation, and nothing can be moved to another directory:"
                    : "unavailable: kept but for truncation:";
            result = result.lacks(
                    Primitive.LANDLOCK_FS,
                    String.format(TOO_OLD, 3, "6.2", abi).replace("unavailable:", kept),
                    Cause.LANDLOCK_VERSION);
        }
        if (abi < 4 && network) {
            result =
                    result.lacks(Primitive.LANDLOCK_NET, String.format(TOO_OLD, 4, "6.7", abi), Cause.LANDLOCK_VERSION);
        }
        return abi < 6
                ? result.lacks(Primitive.LANDLOCK_SCOPE, String.format(TOO_OLD, 6, "6.12", abi), Cause.LANDLOCK_VERSION)
                : result;
    }

    private static List<Host> sandboxes() {
        return List.of(
                new Host("bubblewrap", "Inside bubblewrap, its own /proc and /dev", (base, work) -> bubblewrap(base)),
                new Host(
                                "pod",
                                "A Kubernetes pod without a seccomp profile, all capabilities dropped (crun)",
                                (base, work) -> Crun.words(base, work, false))
                        .lacks(Primitive.PROC, "failed: EPERM, mount proc on /proc", Cause.MASKED_PROC),
                new Host(
                                "docker",
                                "Docker's defaults: its seccomp profile, masked /proc (crun)",
                                (base, work) -> Crun.words(base, work, true))
                        .lacksNamespaces("failed: EPERM, unshare", Cause.SECCOMP_FILTER));
    }

    private static List<String> bubblewrap(Path base) {
        Programs.require("bwrap");
        String there = base.toString();
        return List.of(
                "bwrap",
                "--ro-bind",
                "/",
                "/",
                "--dev",
                "/dev",
                "--proc",
                "/proc",
                "--bind",
                "/tmp",
                "/tmp",
                "--bind",
                there,
                there,
                "--unshare-user",
                "--unshare-pid",
                "--unshare-ipc",
                "--");
    }

    static String tool(String name) {
        return Objects.requireNonNull(System.getProperty("sandbox." + name), "sandbox." + name + " is not set");
    }

    private static Setting tryHost(String... options) {
        return (base, work) -> {
            List<String> words = new ArrayList<>(List.of(tool("try_host")));
            words.addAll(Arrays.asList(options));
            words.add("--");
            return words;
        };
    }

    /** A script that this user runs with all capabilities in a namespace, and that starts the agent in the end. */
    private static Setting inNamespace(String script) {
        return (base, work) -> List.of(
                "unshare", "--user", "--map-current-user", "--keep-caps", "--mount", "--", "sh", "-ec", script, "sh");
    }
}
