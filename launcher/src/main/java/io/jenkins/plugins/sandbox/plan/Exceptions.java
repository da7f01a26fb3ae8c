package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The paths that a launch names itself. Rights add up for each file, whatever names it was given by.
 */
final class Exceptions {
    enum Right {
        READ("Read path"),
        WRITE("Write path"),
        EXECUTE("Execute path"),
        HIDE("Hidden path");

        private final String text;

        Right(String text) {
            this.text = text;
        }
    }

    /**
     * One file or directory.
     *
     * @param path canonical
     * @param rights at least one
     * @param names other absolute names that it was given by, through symbolic links
     */
    record Entry(Path path, Set<Right> rights, Set<Path> names) {
        boolean has(Right right) {
            return rights.contains(right);
        }

        String describe() {
            String text =
                    rights.stream().map(r -> r.name().toLowerCase(Locale.ROOT)).collect(Collectors.joining(" "));
            String links = names.stream().map(n -> ", also as " + n).collect(Collectors.joining());
            return path + ": " + text + links;
        }
    }

    private final Map<Path, Entry> entries = new LinkedHashMap<>();

    private Exceptions() {}

    /**
     * @throws SandboxException for a path that is not there, or cannot be what it is meant to be
     */
    static Exceptions of(Policy policy, Host host) throws SandboxException {
        Exceptions exceptions = new Exceptions();
        exceptions.add(host, Right.READ, policy.readPaths());
        exceptions.add(host, Right.WRITE, policy.writePaths());
        exceptions.add(host, Right.EXECUTE, policy.executePaths());
        exceptions.add(host, Right.HIDE, policy.hidePaths());
        for (Entry entry : exceptions.entries.values()) {
            if (entry.has(Right.HIDE) && entry.rights().size() > 1) {
                throw new SandboxException(
                        "Path " + Quoted.of(entry.path()) + " is to be hidden and to be seen: choose one of both.");
            }
        }
        return exceptions;
    }

    private void add(Host host, Right right, List<String> paths) throws SandboxException {
        for (String given : paths) {
            Path path = host.canonical(right.text, given);
            boolean root = path.getNameCount() == 0;
            if (root && right == Right.WRITE) {
                throw new SandboxException(
                        "Write path '/' would make the whole machine writable: name a directory in it.");
            }
            if (root && right == Right.HIDE) {
                throw new SandboxException("Hidden path '/' would leave nothing to run: use profile 'locked'.");
            }
            Entry entry = entries.computeIfAbsent(
                    path, p -> new Entry(p, EnumSet.noneOf(Right.class), new LinkedHashSet<>()));
            entry.rights().add(right);
            Path name = Path.of(given);
            // With `..` behind a link the text says nothing about where it leads.
            boolean plain = name.equals(name.normalize());
            if (plain && !name.equals(path) && right != Right.HIDE) {
                entry.names().add(name);
            }
        }
    }

    List<Entry> all() {
        return new ArrayList<>(entries.values());
    }
}
