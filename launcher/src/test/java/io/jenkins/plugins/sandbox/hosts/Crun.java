package io.jenkins.plugins.sandbox.hosts;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A container of an ordinary user, as an OCI runtime makes it: the machine's own programs, and what engines cover and refuse. */
final class Crun {
    private static final List<String> MASKED = List.of("/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list");
    private static final List<String> READ_ONLY = List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys");
    private static final List<String> REFUSED = List.of(
            "unshare",
            "mount",
            "umount2",
            "pivot_root",
            "setns",
            "keyctl",
            "add_key",
            "request_key",
            "bpf",
            "open_tree",
            "move_mount",
            "fsopen",
            "fsconfig",
            "fsmount",
            "fspick",
            "mount_setattr",
            "userfaultfd",
            "perf_event_open");

    private Crun() {}

    /** Words that run a script, whose words are the agent's command, in a new container. */
    static List<String> words(Path base, Path work, boolean seccomp) throws IOException {
        Programs.require("crun");
        Path bundle = Files.createDirectory(work.resolve("bundle"));
        Path root = Files.createDirectory(bundle.resolve("rootfs"));
        List<String> mounts = new ArrayList<>();
        try (Stream<Path> entries = Files.list(Path.of("/"))) {
            for (Path entry : (Iterable<Path>) entries.sorted()::iterator) {
                String name = entry.getFileName().toString();
                if (Files.isSymbolicLink(entry)) {
                    Files.createSymbolicLink(root.resolve(name), Files.readSymbolicLink(entry));
                } else if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)
                        && !List.of("proc", "dev", "sys", "root", "lost+found").contains(name)) {
                    mounts.add(bind(entry.toString(), "rbind"));
                }
            }
        }
        mounts.add("{\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\"}");
        mounts.add("{\"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\","
                + " \"options\": [\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"]}");
        mounts.add("{\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\","
                + " \"options\": [\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\"]}");
        mounts.add(bind("/dev/shm", "rbind"));
        String config = "{\"ociVersion\": \"1.0.2\", \"root\": {\"path\": \"rootfs\"}, \"mounts\": ["
                + String.join(",\n", mounts)
                + "],\n\"process\": {\"terminal\": false, \"user\": {\"uid\": UID, \"gid\": GID}, \"cwd\": \"/\","
                + " \"args\": [\"sh\", \"" + work.resolve("start") + "\"], \"env\": [\"PATH=" + System.getenv("PATH")
                + "\"], \"capabilities\": {}, \"noNewPrivileges\": true},\n"
                + "\"linux\": {\"namespaces\": [{\"type\": \"user\"}, {\"type\": \"mount\"}, {\"type\": \"pid\"}],\n"
                + "\"uidMappings\": [{\"containerID\": UID, \"hostID\": UID, \"size\": 1}],\n"
                + "\"gidMappings\": [{\"containerID\": GID, \"hostID\": GID, \"size\": 1}],\n"
                + "\"maskedPaths\": [" + quoted(MASKED) + "], \"readonlyPaths\": [" + quoted(READ_ONLY) + "]"
                + (seccomp ? ",\n\"seccomp\": " + seccomp() : "") + "}}\n";
        Files.writeString(
                bundle.resolve("config.json"), config.replace("UID", id("uid")).replace("GID", id("gid")));
        // The environment and the words of the agent's command, for a container that has a configuration instead. The
        // control
        // groups are covered: crun refuses machines on which they are mounted in both versions.
        String run =
                "{ export -p; echo \"cd '$PWD'\"; printf 'exec'; for w; do printf \" '%s'\" \"$w\"; done; echo; } > \""
                        + work + "/start\"\nmount -t tmpfs t /sys/fs/cgroup\n"
                        + "exec setpriv --ambient-caps=-all --inh-caps=-all -- crun --root \"" + work
                        + "/state\" --cgroup-manager=disabled run --bundle \"" + bundle + "\" \"host-$$\"";
        return List.of(
                "unshare",
                "--user",
                "--map-current-user",
                "--keep-caps",
                "--mount",
                "--",
                "env",
                "XDG_RUNTIME_DIR=" + work,
                "sh",
                "-ec",
                run,
                "sh");
    }

    private static String bind(String path, String option) {
        return "{\"destination\": \"" + path + "\", \"type\": \"none\", \"source\": \"" + path + "\", \"options\": [\""
                + option + "\"]}";
    }

    private static String quoted(List<String> words) {
        return words.stream().map(w -> '"' + w + '"').collect(Collectors.joining(", "));
    }

    /** What engines refuse to a container without capabilities: these calls, and clone with a flag for a namespace. */
    private static String seccomp() {
        return "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [" + quoted(REFUSED)
                + "], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 1},\n"
                + "{\"names\": [\"clone3\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 38},\n"
                + namespaceFlags() + "]}";
    }

    /** One rule for each flag: a comparison can ask for all bits of a mask only. */
    private static String namespaceFlags() {
        return Stream.of(0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
                .map(flag -> "{\"names\": [\"clone\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 1, \"args\": [{"
                        + "\"index\": 0, \"value\": " + flag + ", \"valueTwo\": " + flag
                        + ", \"op\": \"SCMP_CMP_MASKED_EQ\"}]}")
                .collect(Collectors.joining(",\n"));
    }

    private static String id(String name) throws IOException {
        return Files.getAttribute(Path.of("/proc/self"), "unix:" + name).toString();
    }
}
