package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.SandboxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What no build sees unless it is asked for by name: {@code hidden.txt}, as far as it is there. */
final class HiddenPaths {
    private static final Map<String, List<String>> FILE = DataFile.read("hidden.txt");

    private HiddenPaths() {}

    /**
     * @param homes canonical paths of the home directories
     * @param network whether the launch has the machine's network
     * @return canonical paths
     */
    static Set<Path> of(Host host, Set<Path> homes, boolean network) throws SandboxException {
        Set<Path> hidden = new LinkedHashSet<>();
        for (Path home : homes) {
            addExisting(host, hidden, home, FILE.get("home"));
        }
        addExisting(host, hidden, Path.of("/"), FILE.get("machine"));
        if (!network) {
            addExisting(host, hidden, Path.of("/"), FILE.get("offline"));
        }
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
     * there. What looks up names for others does so over the machine's network.
     *
     * @param network whether the launch has the machine's network
     * @return read-only, and as links where they are links
     */
    static List<Mount> kept(Host host, boolean network) throws SandboxException {
        List<String> names = new ArrayList<>(FILE.get("kept"));
        if (network) {
            names.addAll(FILE.get("kept-network"));
        }
        List<Mount> kept = new ArrayList<>();
        for (Path path : PathList.existing(Path.of("/"), names)) {
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
