package io.jenkins.plugins.sandbox.config;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Paths that somebody named for a sandbox.
 *
 * @param read must be readable
 * @param write may be written to
 * @param execute must be readable and executable
 * @param hide must not be seen
 */
public record NamedPaths(
        List<SandboxPath> read, List<SandboxPath> write, List<SandboxPath> execute, List<SandboxPath> hide)
        implements Serializable {
    public static final NamedPaths NONE = new NamedPaths(List.of(), List.of(), List.of(), List.of());

    public NamedPaths {
        read = List.copyOf(read);
        write = List.copyOf(write);
        execute = List.copyOf(execute);
        hide = List.copyOf(hide);
    }

    /** @return whether everything that this gives is given by the other as well */
    boolean givesNoMoreThan(NamedPaths other) {
        List<SandboxPath> readable = new ArrayList<>(other.read);
        readable.addAll(other.write);
        readable.addAll(other.execute);
        return read.stream().allMatch(p -> isIn(p, readable))
                && write.stream().allMatch(p -> isIn(p, other.write))
                && execute.stream().allMatch(p -> isIn(p, other.execute));
    }

    NamedPaths hiding(List<SandboxPath> more) {
        Set<SandboxPath> all = new LinkedHashSet<>(hide);
        all.addAll(more);
        return new NamedPaths(read, write, execute, List.copyOf(all));
    }

    static boolean isIn(SandboxPath path, List<SandboxPath> directories) {
        return directories.stream().anyMatch(path::isIn);
    }

    /** @return what lies in both */
    static List<SandboxPath> both(List<SandboxPath> a, List<SandboxPath> b) {
        Set<SandboxPath> both = new LinkedHashSet<>();
        a.stream().filter(p -> isIn(p, b)).forEach(both::add);
        b.stream().filter(p -> isIn(p, a)).forEach(both::add);
        return List.copyOf(both);
    }
}
