package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.launch.RepositorySweep;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.Set;
import jenkins.agents.ControllerToAgentCallable;

/**
 * Makes harmless, in the way of git that is about to be run outside of the sandbox, what blocks have left for it to obey whose
 * end has not come yet, or never will: their scratch directories tell. What a block has left that has ended is swept already, see
 * {@link EndBlockCall}.
 *
 * @param directory where git will work
 * @param suffix what the name of a workspace gets to be that of its directory for temporary files
 */
public record SweepCall(String directory, String suffix)
        implements ControllerToAgentCallable<ArrayList<String>, IOException> {
    private static final long serialVersionUID = 1;

    /** @return sentences for people */
    @Override
    public ArrayList<String> call() throws IOException {
        if (!System.getProperty("os.name").equals("Linux")) {
            return new ArrayList<>();
        }
        Path start = Path.of(directory).toAbsolutePath().normalize();
        Set<Path> parents = new LinkedHashSet<>();
        for (Path path = start; path != null; path = path.getParent()) {
            Path name = path.getFileName();
            if (name != null) {
                parents.add(path.resolveSibling(name + suffix));
            }
        }
        LaunchDirectories.ELSEWHERE.forEach(e -> parents.add(Path.of(e)));
        Set<Path> scratches = new LinkedHashSet<>();
        for (Path parent : parents) {
            if (Files.isDirectory(parent, LinkOption.NOFOLLOW_LINKS) && Files.isReadable(parent)) {
                try (DirectoryStream<Path> names = Files.newDirectoryStream(parent, ScratchDirectory.PREFIX + "*")) {
                    for (Path scratch : names) {
                        if (ScratchDirectory.isOne(scratch)) {
                            scratches.add(scratch);
                        }
                    }
                }
            }
        }
        // Also those that a build has hidden, removed or given another mode, where it had no view of the file system.
        scratches.addAll(RepositorySweep.open());
        return new ArrayList<>(RepositorySweep.before(start, scratches));
    }
}
