package io.jenkins.plugins.sandbox.launch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What holds around the process of this JVM itself, as {@code /proc} shows it (proc_pid_status(5), user_namespaces(7),
 * proc_pid_mountinfo(5)). {@code sandbox agent} applies all of it; a hardened container may as well.
 *
 * @param noNewPrivileges no program gains privileges by its set-user-id bit or file capabilities
 * @param noCapabilities the process has no capability, nor can it get one from its bounding set
 * @param filtered a filter refuses system calls
 * @param userNamespace the process is in another user namespace than the machine's first one
 * @param readOnlyRoot the file system at {@code /} is mounted read-only
 */
public record AgentWall(
        boolean noNewPrivileges,
        boolean noCapabilities,
        boolean filtered,
        boolean userNamespace,
        boolean readOnlyRoot) {
    /** The map of the first user namespace: every id to itself. */
    private static final String EVERY_ID = "0 0 4294967295";

    private static final String FILTER_MODE = "2";

    /** The processes of a machine without {@code /proc}, and of one that is not Linux. */
    public static final AgentWall NONE = new AgentWall(false, false, false, false, false);

    /** @return what holds around this JVM; {@link #NONE} where it cannot be read */
    public static AgentWall current() {
        return of(Path.of("/proc/self"));
    }

    static AgentWall of(Path process) {
        try {
            Map<String, String> status = new TreeMap<>();
            for (String line : Files.readAllLines(process.resolve("status"))) {
                int colon = line.indexOf(':');
                if (colon > 0) {
                    status.put(
                            line.substring(0, colon), line.substring(colon + 1).strip());
                }
            }
            String map = Files.readString(process.resolve("uid_map")).strip().replaceAll("\\s+", " ");
            return new AgentWall(
                    "1".equals(status.get("NoNewPrivs")),
                    isZero(status.get("CapPrm")) && isZero(status.get("CapBnd")),
                    FILTER_MODE.equals(status.get("Seccomp")),
                    !map.isEmpty() && !map.equals(EVERY_ID),
                    isRootReadOnly(process));
        } catch (IOException | IllegalArgumentException e) {
            return NONE;
        }
    }

    private static boolean isZero(String mask) {
        return mask != null && mask.matches("0+");
    }

    /** Of several mounts at {@code /} the last one is seen. */
    private static boolean isRootReadOnly(Path process) throws IOException {
        boolean readOnly = false;
        for (String line : Files.readAllLines(process.resolve("mountinfo"))) {
            String[] fields = line.split(" ");
            if (fields.length > 5 && fields[4].equals("/")) {
                readOnly = List.of(fields[5].split(",")).contains("ro");
            }
        }
        return readOnly;
    }

    /** @return whether all of it holds */
    public boolean holds() {
        return missing().isEmpty();
    }

    /** @return the names of what does not hold, in the order of the components */
    public List<String> missing() {
        List<String> missing = new ArrayList<>();
        if (!noNewPrivileges) {
            missing.add("no_new_privs");
        }
        if (!noCapabilities) {
            missing.add("capabilities");
        }
        if (!filtered) {
            missing.add("seccomp");
        }
        if (!userNamespace) {
            missing.add("user_namespace");
        }
        if (!readOnlyRoot) {
            missing.add("filesystem");
        }
        return missing;
    }
}
