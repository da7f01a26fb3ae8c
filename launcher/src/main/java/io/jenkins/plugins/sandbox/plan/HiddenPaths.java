package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.SandboxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What no build sees unless it is asked for by name: {@code hidden.txt}, as far as it is there. */
final class HiddenPaths {
    private static final Map<String, List<String>> FILE = DataFile.read("hidden.txt");

    private HiddenPaths() {}

    /**
     * @param home canonical path of the home directory
     * @return canonical paths
     */
    static Set<Path> of(Host host, Optional<Path> home) throws SandboxException {
        Set<Path> hidden = new LinkedHashSet<>();
        if (home.isPresent()) {
            addExisting(host, hidden, home.get(), FILE.get("home"));
        }
        addExisting(host, hidden, Path.of("/"), FILE.get("machine"));
        return hidden;
    }

    /**
     * The files that hold the agent's own credentials.
     *
     * @return canonical paths of those that exist
     */
    static Set<Path> ofAgent(Host host) throws SandboxException {
        Set<Path> hidden = new LinkedHashSet<>();
        addExisting(host, hidden, host.agentFiles());
        return hidden;
    }

    private static void addExisting(Host host, Set<Path> hidden, Path directory, List<String> names)
            throws SandboxException {
        addExisting(host, hidden, PathList.existing(directory, names));
    }

    private static void addExisting(Host host, Set<Path> hidden, Collection<Path> paths) throws SandboxException {
        for (Path path : paths) {
            // A link that leads nowhere shows nothing.
            if (Files.exists(path)) {
                Path real = host.canonical("Hidden path", path);
                // Many a history file is a link to /dev/null.
                if (real.getNameCount() > 0 && !real.startsWith("/dev") && !real.startsWith("/proc")) {
                    hidden.add(real);
                }
            }
        }
    }

    /**
     * What is seen of the machine in a hidden directory all the same: the lists of name servers and the like, as far as they are
     * there.
     *
     * @return read-only, and as links where they are links
     */
    static List<Mount> kept(Host host) throws SandboxException {
        List<Mount> kept = new ArrayList<>();
        for (Path path : PathList.existing(Path.of("/"), FILE.get("kept"))) {
            Path parent = host.canonical("System path", path.getParent());
            Path itself = parent.resolve(path.getFileName());
            if (Files.isSymbolicLink(itself)) {
                kept.add(Mount.symlink(SystemFiles.textOf(itself), itself));
            }
            if (Files.exists(itself)) {
                Path real = host.canonical("System path", itself);
                kept.add(Mount.readOnly(real, real));
            }
        }
        return kept;
    }
}
