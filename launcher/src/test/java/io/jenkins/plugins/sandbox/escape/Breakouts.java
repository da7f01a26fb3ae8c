package io.jenkins.plugins.sandbox.escape;

import static io.jenkins.plugins.sandbox.model.Primitive.*;

import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Attempts of this suite in one launch, for machines on which only some rows hold: what a row that is `applied` has to stop, it
 * has to stop alone.
 */
public final class Breakouts implements AutoCloseable {
    /** What is tried, and the rows each of which is to stop it by itself. */
    private static final Map<String, Set<Primitive>> GUARDS = guards();

    private static final String BEGIN = "ATTEMPT ";

    private final Scene scene = new Scene(true);
    private final Map<String, Attempt> attempts = new LinkedHashMap<>();

    public Breakouts() throws IOException {
        Map<String, Attempt> all = new HashMap<>();
        Attempts.all().forEach(a -> all.put(a.name(), a));
        for (String name : GUARDS.keySet()) {
            Attempt attempt = all.get(name);
            if (attempt == null || !attempt.setting().equals(Attempt.Setting.ORDINARY)) {
                throw new IllegalStateException(name + " is no attempt for an ordinary launch");
            }
            attempts.put(name, attempt);
        }
    }

    private static Map<String, Set<Primitive>> guards() {
        Map<String, Set<Primitive>> guards = new LinkedHashMap<>();
        Set<Primitive> files = EnumSet.of(FILESYSTEM, LANDLOCK_FS);
        for (String name : List.of(
                "change-file",
                "delete-file",
                "move-out",
                "symbolic-link",
                "hard-link",
                "change-other-workspace",
                "read-other-workspace",
                "read-agent",
                "change-agent",
                "change-tool",
                "read-home-ssh",
                "read-home-cloud",
                "link-to-home",
                "change-home",
                "poison-cache",
                "other-steps-secret",
                "other-steps-result")) {
            guards.put(name, files);
        }
        // A read-only mount is in the way of neither.
        guards.put("log-link", EnumSet.of(LANDLOCK_FS));
        guards.put("named-pipe", EnumSet.of(LANDLOCK_FS));
        for (String name : List.of("read-tmp", "git-hook", "git-config", "git-rename", "devices")) {
            guards.put(name, EnumSet.of(FILESYSTEM));
        }
        guards.put("shared-memory-file", EnumSet.of(FILESYSTEM));
        guards.put("see", EnumSet.of(PROC));
        guards.put("limit", EnumSet.of(PID_NAMESPACE));
        for (String name : List.of("trace", "read-memory", "read-memory-file", "foreign-root", "agents-environment")) {
            guards.put(name, EnumSet.of(PROC, LANDLOCK_FS));
        }
        for (String name : List.of(
                "mount-in-namespace",
                "mount-options",
                "mount-tree",
                "user-namespace",
                "user-namespace-by-clone",
                "user-namespace-by-clone3",
                "user-namespace-by-32-bit-call",
                "nf-tables",
                "raw-socket-flags",
                "io-uring",
                "page-faults",
                "bpf",
                "keyring",
                "trace-init")) {
            guards.put(name, EnumSet.of(SECCOMP));
        }
        for (String name : List.of("tcp", "tcp-by-ipv6", "udp")) {
            // The latter in the place of the former refuses internet sockets as a whole.
            guards.put(name, EnumSet.of(NETWORK_NAMESPACE, LANDLOCK_NET));
        }
        guards.put("abstract-socket", EnumSet.of(NETWORK_NAMESPACE, LANDLOCK_SCOPE));
        for (String name : List.of("shared-memory", "semaphore", "message", "message-queue")) {
            guards.put(name, EnumSet.of(IPC_NAMESPACE));
        }
        for (String name : List.of("agent-secret", "cloud-secret", "initial-environment")) {
            guards.put(name, EnumSet.of(ENVIRONMENT));
        }
        guards.put("become-root", EnumSet.of(NO_NEW_PRIVS));
        // The last: others ask for the process that it kills.
        guards.put("kill", EnumSet.of(PID_NAMESPACE, LANDLOCK_SCOPE));
        return guards;
    }

    public Path workspace() {
        return scene.workspace();
    }

    public Path home() {
        return scene.home();
    }

    /** Everything of the scene that is not in /tmp or /dev/shm is below it. */
    public Path base() {
        return scene.home().getParent();
    }

    /** What the plugin would ask for, from directories alone. */
    public static Policy.Builder policy(Profile profile, Path base) throws SandboxException {
        return Scene.policy(profile, base);
    }

    /** For `sh`: each attempt in a shell of its own. */
    public String script() {
        StringBuilder script = new StringBuilder(scene.assignments("offline"));
        attempts.forEach((name, attempt) -> script.append("echo ")
                .append(BEGIN)
                .append(name)
                .append("\n(\n")
                .append(attempt.script())
                .append("\n) 2>&1\n"));
        return script.append("echo ").append(BEGIN).append("end\n").toString();
    }

    /** Names of the attempts that succeeded. */
    public Set<String> escaped(String out) throws IOException, InterruptedException {
        Map<String, Result> results = new LinkedHashMap<>();
        List<String> lines = new ArrayList<>();
        String current = null;
        for (String line : out.lines().toList()) {
            if (line.startsWith(BEGIN)) {
                if (current != null) {
                    results.put(current, Result.of(String.join("\n", lines), "", null));
                }
                current = line.substring(BEGIN.length());
                lines = new ArrayList<>();
            } else {
                lines.add(line);
            }
        }
        if (!results.keySet().equals(attempts.keySet()) || !"end".equals(current)) {
            throw new AssertionError("not all attempts were made: " + out);
        }
        Set<String> escaped = new TreeSet<>();
        for (Map.Entry<String, Result> result : results.entrySet()) {
            Result said = result.getValue();
            if (!said.says(Attempt.REACHED) && said.lacking() == null && !hasNoInternet(said)) {
                throw new AssertionError("the decisive step of " + result.getKey() + " was not reached: " + said);
            }
            if (attempts.get(result.getKey()).proof().holds(scene, said)) {
                escaped.add(result.getKey());
            }
        }
        return escaped;
    }

    /** There is not even a socket to reach the decisive step with. */
    private static boolean hasNoInternet(Result said) {
        return said.out().contains("try_escape: socket: Address family not supported by protocol");
    }

    /** Of the attempts that succeeded those that one of these rows should have stopped. */
    public static List<String> disproved(Set<String> escaped, Set<Primitive> applied) {
        List<String> wrong = new ArrayList<>();
        for (String name : escaped) {
            Set<Primitive> guards = EnumSet.copyOf(GUARDS.get(name));
            guards.retainAll(applied);
            if (!guards.isEmpty()) {
                wrong.add(name + " in spite of " + guards);
            }
        }
        return wrong;
    }

    @Override
    public void close() throws IOException {
        scene.close();
    }
}
