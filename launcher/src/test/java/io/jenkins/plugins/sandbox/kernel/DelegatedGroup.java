package io.jenkins.plugins.sandbox.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A control group that belongs to the unprivileged user, as a service manager would delegate it, with the other JVM in it. Of
 * version 1 or 2, whichever this machine has; made by root, and not at all where even root cannot make one.
 */
public final class DelegatedGroup {
    private static final List<String> CONTROLLERS = List.of("memory", "pids", "cpu", "cpuacct");

    private final int owner;
    private final List<Path> directories = new ArrayList<>();
    private final List<Path> procs = new ArrayList<>();
    /** Where the launcher makes its own. */
    private final List<Path> parents = new ArrayList<>();

    private DelegatedGroup(int owner) {
        this.owner = owner;
    }

    /**
     * @param owner the id of the user to whom it is given
     * @return a group; one without anything in it where none can be made
     * @throws IllegalStateException when none was made although this machine has control groups that can be written to, and
     *     nothing may be left out
     */
    public static DelegatedGroup make(int owner) {
        DelegatedGroup group = new DelegatedGroup(owner);
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/cgroup"))) {
                String[] fields = line.split(":", 3);
                if (CONTROLLERS.stream().anyMatch(List.of(fields[1].split(","))::contains)) {
                    group.makeFirst(fields[1], fields[2]);
                }
            }
            if (group.parents.isEmpty()) {
                group.makeSecond();
            }
        } catch (IOException e) {
            return group.none(e);
        }
        return group;
    }

    private DelegatedGroup none(IOException why) {
        remove();
        if (System.getenv("PROCESS_SANDBOX_CI") != null && isWritable()) {
            throw new IllegalStateException("a control group could be delegated here, and was not", why);
        }
        System.err.println("NOTE: no control group can be delegated here: " + why);
        return new DelegatedGroup(owner);
    }

    /** Containers have their groups read-only, and some machines have none. */
    private static boolean isWritable() {
        try (var mounts = Files.lines(Path.of("/proc/self/mountinfo"))) {
            return mounts.map(line -> line.split(" - ", 2))
                    .filter(halves -> halves[0].split(" ")[5].startsWith("rw"))
                    .anyMatch(halves ->
                            hasMemory(halves[1].split(" "), Path.of(halves[0].split(" ")[4])));
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean hasMemory(String[] type, Path mount) {
        if (type[0].equals("cgroup")) {
            return List.of(type[2].split(",")).contains("memory");
        }
        try {
            return type[0].equals("cgroup2")
                    && Files.readString(mount.resolve("cgroup.subtree_control")).contains("memory");
        } catch (IOException e) {
            return false;
        }
    }

    /** Version 1: below our own, whose limits hold on. */
    private void makeFirst(String controllers, String path) throws IOException {
        Path mount = mount("cgroup", controllers);
        if (mount != null) {
            Path directory = directory(Path.of(mount + path).resolve(name()));
            give(directory, "cgroup.procs");
            parents.add(directory);
            procs.add(directory.resolve("cgroup.procs"));
        }
    }

    /** Version 2: our own has processes in it, so it cannot be divided; a service's would be below the root too. */
    private void makeSecond() throws IOException {
        Path mount = mount("cgroup2", "");
        if (mount == null
                || !Files.readString(mount.resolve("cgroup.subtree_control")).contains("memory")) {
            throw new IOException("no controller memory for children of " + mount);
        }
        Path directory = directory(mount.resolve(name()));
        Files.writeString(directory.resolve("cgroup.subtree_control"), "+memory +pids +cpu");
        Path agent = directory(directory.resolve("agent"));
        for (Path each : List.of(directory, agent)) {
            give(each, "cgroup.procs", "cgroup.subtree_control");
        }
        parents.add(directory);
        procs.add(agent.resolve("cgroup.procs"));
    }

    private static String name() {
        return "sandbox-kernel-test-" + ProcessHandle.current().pid();
    }

    private Path directory(Path path) throws IOException {
        directories.add(Files.createDirectory(path));
        return path;
    }

    private void give(Path directory, String... files) throws IOException {
        Files.setAttribute(directory, "unix:uid", owner);
        for (String file : files) {
            Files.setAttribute(directory.resolve(file), "unix:uid", owner);
        }
    }

    /** The mount point of the whole hierarchy; {@code null} when only a part of it can be seen. */
    private static Path mount(String type, String controllers) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
            String[] halves = line.split(" - ", 2);
            String[] fields = halves[0].split(" ");
            String[] rest = halves[1].split(" ");
            boolean has = List.of(rest[2].split(",")).containsAll(List.of(controllers.split(",")));
            if (rest[0].equals(type) && fields[3].equals("/") && (controllers.isEmpty() || has)) {
                return Path.of(fields[4]);
            }
        }
        return null;
    }

    /** Words in front of a command that move it in. */
    public List<String> words() {
        if (procs.isEmpty()) {
            return List.of();
        }
        String files = procs.stream().map(Path::toString).collect(Collectors.joining(" "));
        return List.of("sh", "-c", "for f in " + files + "; do echo $$ > $f || exit; done; exec \"$0\" \"$@\"");
    }

    /** For the property {@code sandbox.test.cgroup}: where leaves are made, separated by colons; empty without any. */
    public String property() {
        return parents.stream().map(Path::toString).collect(Collectors.joining(":"));
    }

    public void remove() {
        Collections.reverse(directories);
        for (Path directory : directories) {
            try {
                Files.deleteIfExists(directory);
            } catch (IOException e) {
                System.err.println("NOTE: control group " + directory + " is left: " + e);
            }
        }
        directories.clear();
    }
}
