package io.jenkins.plugins.sandbox.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Files that Jenkins put where a sandbox shows nothing, and without which the command cannot do. Whoever wrote the job can
 * name what he likes: only what Jenkins makes is accepted, and the rest is left as hidden as it is.
 */
final class NamedFiles {
    private static final Pattern SCRIPT = Pattern.compile("(?:jenkins|hudson)[0-9]+\\.[A-Za-z0-9]+");

    private NamedFiles() {}

    /**
     * Secret files and the like: what the environment names in the directory for temporary files, where those of other steps
     * lie as well.
     *
     * @param named that directory, as the environment names it
     * @param temporary the same without a symbolic link in its path
     */
    static Set<Path> inTemporary(LaunchRequest request, String named, Path temporary) {
        Set<Path> files = new LinkedHashSet<>();
        for (String name : request.files()) {
            below(Path.of(named), name)
                    .filter(NamedFiles::isOneOfMany)
                    .map(temporary::resolve)
                    .filter(NamedFiles::isReal)
                    .ifPresent(files::add);
        }
        return files;
    }

    /** The script of a freestyle job's shell step, which lies in the agent's directory for temporary files. */
    static Set<Path> scripts(LaunchRequest request) {
        Set<Path> scripts = new LinkedHashSet<>();
        for (String name : request.programs()) {
            below(Path.of(System.getProperty("java.io.tmpdir")), name)
                    .filter(p -> p.getNameCount() == 1
                            && SCRIPT.matcher(p.toString()).matches())
                    .map(p -> Path.of(name))
                    .filter(NamedFiles::isFile)
                    .ifPresent(scripts::add);
        }
        return scripts;
    }

    /** The other wrapper of durable tasks, which lies in the caches of the agent. */
    static Set<Path> wrappers(LaunchRequest request) {
        Set<Path> wrappers = new LinkedHashSet<>();
        for (String name : request.programs()) {
            below(Path.of(request.nodeRoot(), "caches", "durable-task"), name)
                    .filter(p -> p.getNameCount() == 1)
                    .map(p -> Path.of(name))
                    .filter(NamedFiles::isFile)
                    .ifPresent(wrappers::add);
        }
        return wrappers;
    }

    private static Optional<Path> below(Path directory, String name) {
        try {
            Path path = Path.of(name);
            return path.isAbsolute() && path.equals(path.normalize()) && path.startsWith(directory)
                    ? Optional.of(directory.relativize(path))
                            .filter(p -> !p.toString().isEmpty())
                    : Optional.empty();
        } catch (InvalidPathException x) {
            return Optional.empty();
        }
    }

    /** Neither the directory of all secret files, nor those of other launches. */
    private static boolean isOneOfMany(Path path) {
        String first = path.getName(0).toString();
        return first.equals("secretFiles")
                ? path.getNameCount() > 1
                : !first.startsWith("durable-") && !first.startsWith(ScratchDirectory.PREFIX);
    }

    /** Without a symbolic link anywhere. */
    private static boolean isReal(Path path) {
        try {
            return path.toRealPath().equals(path);
        } catch (IOException x) {
            return false;
        }
    }

    private static boolean isFile(Path path) {
        return Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS);
    }
}
