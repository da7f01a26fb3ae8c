package io.jenkins.plugins.sandbox.escape;

import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * An agent as Jenkins leaves it: a root directory with secrets, tools, workspaces and control directories, a home directory
 * with credentials, and other files and processes of the same user. Everything is made anew for every run, and lies outside
 * of /tmp, which most profiles replace: what is hidden there would not be hidden for its own sake.
 */
final class Scene implements AutoCloseable {
    static final String ORIGINAL = "original\n";
    static final String SECRET = "secret\n";

    /** Where tools keep credentials, in groups as the attempts have them. */
    static final Map<String, List<String>> CREDENTIALS = credentials();

    private final Path base;
    private final String id = "escape-" + UUID.randomUUID();
    private final Path hostTemporary = Path.of("/tmp", id);
    private final Path hostMemory = Path.of("/dev/shm", id);
    private final Path program = Path.of(property("sandbox.try_escape"));
    private final Process victim;
    private final Neighbour neighbour;
    private final boolean isOurs;

    Scene(boolean withNeighbour) throws IOException {
        this(
                Files.createTempDirectory(Path.of(property("sandbox.test.outside")), "escape")
                        .toRealPath(),
                true,
                withNeighbour);
    }

    /** What somebody else has made there, with other processes. */
    static Scene on(Path base) throws IOException {
        return new Scene(base, false, false);
    }

    private Scene(Path base, boolean isOurs, boolean withNeighbour) throws IOException {
        this.base = base;
        this.isOurs = isOurs;
        if (isOurs) {
            makeFiles();
        }
        for (Path directory : List.of(hostTemporary, hostMemory)) {
            Files.writeString(Files.createDirectory(directory).resolve("secret"), SECRET);
        }
        victim = new ProcessBuilder("sleep", "600").start();
        try {
            neighbour = withNeighbour ? new Neighbour(program, base.resolve("host"), id) : null;
        } catch (IOException e) {
            victim.destroyForcibly();
            throw e;
        }
    }

    private void makeFiles() throws IOException {
        for (String directory : List.of(
                "agent/tools",
                "agent/caches",
                "agent/remoting/jarCache",
                "agent/workspace/job/m",
                "agent/workspace/job/sub",
                "agent/workspace/job/.git/hooks",
                "agent/workspace/job/.git/refs/heads",
                "agent/workspace/job/.git/modules/sub/hooks",
                "agent/workspace/job/checkout/.git/hooks",
                "agent/workspace/job/deep/er/.git/hooks",
                "agent/workspace/job/a/dir@tmp/durable-3",
                "agent/workspace/job/a/dir@tmp/secretFiles/other",
                "agent/workspace/job@tmp/durable-1",
                "agent/workspace/job@tmp/durable-2",
                "agent/workspace/job@tmp/secretFiles/other",
                "agent/workspace/other",
                "home/.m2/repository",
                "host/again",
                "host/sub",
                "jail",
                "scratch")) {
            Files.createDirectories(base.resolve(directory));
        }
        Files.copy(program, workspace().resolve("try_escape"), StandardCopyOption.COPY_ATTRIBUTES);
        for (String original : List.of(
                "agent/remoting/jarCache/agent.jar",
                "agent/workspace/job/own",
                "agent/workspace/job/.git/config",
                "agent/workspace/job/.git/modules/sub/config",
                "agent/workspace/job/sub/.git",
                "agent/workspace/job/a/dir@tmp/durable-3/jenkins-log.txt",
                "agent/workspace/job@tmp/durable-1/jenkins-log.txt",
                "agent/workspace/other/file",
                "home/.bashrc",
                "home/.m2/repository/lib.jar",
                "host/file")) {
            Files.writeString(base.resolve(original), ORIGINAL);
        }
        for (String secret : List.of(
                "agent/secret.key",
                "agent/workspace/job/a/dir@tmp/secretFiles/other/key",
                "agent/workspace/job@tmp/secretFiles/other/key",
                "agent/workspace/other/secret",
                "host/readable")) {
            Files.writeString(base.resolve(secret), SECRET);
        }
        for (List<String> names : CREDENTIALS.values()) {
            for (String name : names) {
                Files.createDirectories(base.resolve("home").resolve(name).getParent());
                Files.writeString(base.resolve("home").resolve(name), SECRET);
            }
        }
        Path tool = Files.writeString(base.resolve("agent/tools/tool"), "#!/bin/sh\necho tool\n");
        Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static Map<String, List<String>> credentials() {
        Map<String, List<String>> files = new LinkedHashMap<>();
        files.put("ssh", List.of(".ssh/id_ed25519", ".ssh/config"));
        files.put(
                "cloud", List.of(".aws/credentials", ".azure/msal_token_cache.json", ".config/gcloud/credentials.db"));
        files.put(
                "registry",
                List.of(
                        ".docker/config.json",
                        ".npmrc",
                        ".pypirc",
                        ".m2/settings.xml",
                        ".m2/settings-security.xml",
                        ".gradle/gradle.properties"));
        files.put("git", List.of(".netrc", ".git-credentials"));
        files.put("cluster", List.of(".kube/config", ".gnupg/private-keys-v1.d/key"));
        return files;
    }

    private static String property(String name) {
        return Objects.requireNonNull(System.getProperty(name), name + " is not set");
    }

    Path workspace() {
        return base.resolve("agent/workspace/job");
    }

    Path home() {
        return base.resolve("home");
    }

    /** Where a driver that works with files keeps them, as the plugin does. */
    Path launcherDirectory() {
        return base.resolve("agent/caches/process-sandbox");
    }

    /** What the plugin would ask for. */
    Policy.Builder policy(Profile profile) throws SandboxException {
        return policy(profile, base);
    }

    static Policy.Builder policy(Profile profile, Path base) throws SandboxException {
        String workspace = base.resolve("agent/workspace/job").toString();
        return Policy.builder(profile, workspace)
                .home(base.resolve("home").toString())
                .scratch(base.resolve("scratch").toString())
                .agentRoot(base.resolve("agent").toString())
                .controlDirectory(
                        base.resolve("agent/workspace/job@tmp/durable-1").toString())
                // Under `locked`, nothing is executed there unless it is named for that; the attempts are.
                .execute(workspace);
    }

    /** Assignments of a shell, for all scripts. */
    String assignments(String profile) {
        Map<String, Object> variables = new LinkedHashMap<>();
        variables.put("PROFILE", profile);
        variables.put("WS", workspace());
        variables.put("T", workspace().resolve("try_escape"));
        variables.put("CONTROL", base.resolve("agent/workspace/job@tmp/durable-1"));
        variables.put("WSTMP", base.resolve("agent/workspace/job@tmp"));
        variables.put("OTHER", base.resolve("agent/workspace/other"));
        variables.put("AGENT", base.resolve("agent"));
        variables.put("HOMEDIR", home());
        variables.put("HOST", base.resolve("host"));
        variables.put("JAIL", base.resolve("jail"));
        variables.put("TMPX", hostTemporary);
        variables.put("SHMX", hostMemory);
        variables.put("ID", id);
        variables.put("VICTIM", victim.pid());
        variables.put("JVM", ProcessHandle.current().pid());
        StringBuilder text = new StringBuilder("set -u\n");
        variables.forEach(
                (name, value) -> text.append(name).append("='").append(value).append("'\n"));
        return text + (neighbour == null ? "" : neighbour.assignments());
    }

    Path directory(String variable) {
        return switch (variable) {
            case "WS" -> workspace();
            case "HOST" -> base.resolve("host");
            default -> throw new IllegalArgumentException(variable);
        };
    }

    // ---- proofs ----

    boolean exists(String path) {
        return Files.exists(base.resolve(path), LinkOption.NOFOLLOW_LINKS);
    }

    boolean isChanged(String path) throws IOException {
        return !exists(path) || !Files.readString(base.resolve(path)).equals(ORIGINAL);
    }

    boolean is(String path, String type) throws IOException {
        if (!exists(path)) {
            return false;
        }
        int mode = (int) Files.getAttribute(base.resolve(path), "unix:mode", LinkOption.NOFOLLOW_LINKS);
        int wanted =
                switch (type) {
                    case "link" -> 0xA000;
                    case "fifo" -> 0x1000;
                    default -> throw new IllegalArgumentException(type);
                };
        return (mode & 0xF000) == wanted;
    }

    boolean isSetUid(String path) throws IOException {
        return exists(path) && ((int) Files.getAttribute(base.resolve(path), "unix:mode") & 04000) != 0;
    }

    boolean holds(String path, String text) throws IOException {
        // A program is no UTF-8.
        return exists(path)
                && Files.readString(base.resolve(path), StandardCharsets.ISO_8859_1)
                        .contains(text);
    }

    boolean isPlantedInTmp() {
        return Files.exists(hostTemporary.resolve("planted"), LinkOption.NOFOLLOW_LINKS);
    }

    boolean isVictimDead() throws InterruptedException {
        return victim.waitFor(100, TimeUnit.MILLISECONDS);
    }

    /** The first file in a directory whose name fits, as a path below this scene. */
    String find(String directory, String glob) throws IOException {
        try (Stream<Path> files = Files.list(base.resolve(directory))) {
            return files.filter(f ->
                            f.getFileSystem().getPathMatcher("glob:" + glob).matches(f.getFileName()))
                    .map(f -> base.relativize(f).toString())
                    .findFirst()
                    .orElseThrow(() -> new IOException("no " + glob + " in " + directory));
        }
    }

    /** Whether a process has stayed that was told this scene's name. */
    boolean isHaunted() {
        return ghosts().findAny().isPresent();
    }

    private Stream<ProcessHandle> ghosts() {
        return ProcessHandle.allProcesses().filter(p -> p.info()
                .arguments()
                .filter(a -> List.of(a).contains(id) && List.of(a).contains("linger"))
                .isPresent());
    }

    @Override
    public void close() throws IOException {
        ghosts().forEach(ProcessHandle::destroyForcibly);
        victim.destroyForcibly();
        if (neighbour != null) {
            neighbour.close();
        }
        for (Path directory : isOurs ? List.of(hostTemporary, hostMemory, base) : List.of(hostTemporary, hostMemory)) {
            Trees.remove(directory);
        }
    }
}
