package io.jenkins.plugins.sandbox.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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

    public static DelegatedGroup make(int owner) throws IOException {
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
            group.remove();
            if (System.getenv("PROCESS_SANDBOX_CI") != null && isPossible()) {
                throw e;
            }
            System.err.println("NOTE: no control group can be delegated here: " + e);
            return new DelegatedGroup(owner);
        }
        return group;
    }

    /** Whether this machine has a hierarchy that root can write to and that limits memory. */
    private static boolean isPossible() throws IOException {
        Path first = mount("cgroup", "memory");
        Path second = mount("cgroup2", "");
        return first != null && Files.isWritable(first)
                || second != null
                        && Files.isWritable(second)
                        && Files.readString(second.resolve("cgroup.controllers"))
                                .contains("memory");
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

    /**
     * Ends what tests left running in there, and removes it.
     *
     * @throws IOException when it is still there after a while
     */
    public void remove() throws IOException {
        Collections.reverse(directories);
        for (Path directory : directories) {
            remove(directory);
        }
        directories.clear();
    }

    /** A process that ends is in its group until the kernel has done with it, and rmdir(2) says EBUSY. */
    private static void remove(Path directory) throws IOException {
        for (int attempt = 0; ; attempt++) {
            try {
                List<Path> below;
                try (Stream<Path> entries = Files.list(directory)) {
                    below = entries.filter(Files::isDirectory).toList();
                }
                for (Path each : below) {
                    kill(each);
                    Files.deleteIfExists(each);
                }
                kill(directory);
                Files.delete(directory);
                return;
            } catch (NoSuchFileException e) {
                return;
            } catch (IOException e) {
                if (attempt == 100) {
                    throw e;
                }
            }
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException(e);
            }
        }
    }

    private static void kill(Path directory) throws IOException {
        for (String pid : Files.readAllLines(directory.resolve("cgroup.procs"))) {
            ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
        }
    }
}
