package io.jenkins.plugins.sandbox.hosts;

import io.jenkins.plugins.sandbox.escape.Breakouts;
import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A machine that refuses something, and what is expected of a launch of profile {@code offline} on it.
 *
 * @param name of the test
 * @param title for the table: how an administrator knows it
 * @param setting what to put before the agent's command so that it runs on such a machine
 * @param shortfalls the rows that do not hold; all others do
 * @param notes for the table
 */
record Host(String name, String title, Setting setting, Map<Primitive, Shortfall> shortfalls, String notes) {
    /** What a test needs to make a host. */
    @FunctionalInterface
    interface Setting {
        /**
         * @param base the scene's directory
         * @param work an empty directory for what the host needs
         */
        List<String> words(Path base, Path work) throws IOException;
    }

    /**
     * @param description as a report has it
     * @param cause what the probe says stands in the way
     */
    record Shortfall(String description, Cause cause) {}

    Host(String name, String title, Setting setting) {
        this(name, title, setting, Map.of(), "");
    }

    Host lacks(Primitive row, String description, Cause cause) {
        Map<Primitive, Shortfall> more = new LinkedHashMap<>(shortfalls);
        more.put(row, new Shortfall(description, cause));
        return new Host(name, title, setting, more, notes);
    }

    /** What is left without a user namespace: {@code needs user_namespace} and the like for the rows that build on it. */
    Host lacksNamespaces(String description, Cause cause) {
        Host host = lacks(Primitive.USER_NAMESPACE, description, cause);
        for (Primitive row : List.of(
                Primitive.PID_NAMESPACE,
                Primitive.MOUNT_NAMESPACE,
                Primitive.IPC_NAMESPACE,
                Primitive.UTS_NAMESPACE,
                Primitive.CGROUP_NAMESPACE,
                Primitive.NETWORK_NAMESPACE)) {
            host = host.lacks(row, "unavailable: needs user_namespace", Cause.PREREQUISITE);
        }
        return host.lacks(Primitive.FILESYSTEM, "unavailable: needs mount_namespace", Cause.PREREQUISITE)
                .lacks(Primitive.PROC, "unavailable: needs pid_namespace", Cause.PREREQUISITE);
    }

    Host notes(String text) {
        return new Host(name, title, setting, shortfalls, text);
    }

    /**
     * Attempts that cannot even be prepared here: a container's filter has no keys to read, and where there are no user
     * namespaces nobody becomes root of one.
     */
    boolean hasNoPlaceFor(String attempt) {
        Shortfall shortfall = shortfalls.get(Primitive.USER_NAMESPACE);
        boolean container = shortfall != null
                && shortfall.description().equals("failed: EPERM, unshare")
                && shortfall.cause() == Cause.SECCOMP_FILTER;
        boolean rootless = shortfall != null && !name.startsWith("root-");
        return rootless && Breakouts.NEEDING_ROOT.contains(attempt) || container && attempt.equals("session-key");
    }

    /** The level that a profile reaches. */
    Level level(Profile profile) {
        List<Primitive> missing = new ArrayList<>(profile.primitives());
        missing.retainAll(shortfalls.keySet());
        if (profile.isStandard()) {
            return missing.isEmpty() ? Level.BASELINE : Level.NONE;
        }
        return missing.isEmpty() ? Level.FULL : Level.PARTIAL;
    }
}
