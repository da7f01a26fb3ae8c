package io.jenkins.plugins.sandbox.plan;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The files that hold a Jenkins agent's credentials, as far as the agent's own command line and environment name them. The
 * agent reads them once; builds never need them.
 *
 * <p>Hidden are a file behind an {@code @}, which is how remoting and Java take arguments from a file, and all that such a file
 * names; values of the options of {@code agent.txt}; any other file that the command line names and that other users may not
 * read (key stores, for example; a trust store that everybody may read is needed by builds as well); the files of
 * {@code agent.txt} beside the agent's jar; and the credentials of systemd.
 */
public final class AgentFiles {
    /** Longer argument files do not exist; what is behind it is not looked at. */
    private static final int MAX_BYTES = 1 << 16;

    private static final int MAX_FILES = 100;
    private static final int MAX_DEPTH = 3;

    private final Path directory;
    private final Set<Path> found = new LinkedHashSet<>();

    private AgentFiles(Path directory) {
        this.directory = directory;
    }

    /** Computed once, when no build has run yet: builds may be able to change what a relative name leads to. */
    private static final class Own {
        private static final Set<Path> FILES = Set.copyOf(read());

        private static Set<Path> read() {
            List<String> words;
            try {
                words = words(Files.readAllBytes(Path.of("/proc/self/cmdline")), Host.ownEncoding());
            } catch (IOException e) {
                words = List.of();
            }
            return in(words, System.getenv(), directory());
        }

        /** By another name where this JVM's encoding cannot express its directory's own. */
        private static Path directory() {
            try {
                return Path.of(System.getProperty("user.dir"));
            } catch (InvalidPathException e) {
                return Path.of("/proc/self/cwd");
            }
        }
    }

    /**
     * @return those of this process; absolute, at most 100, not resolved. They may not exist any more
     */
    public static Set<Path> own() {
        return Own.FILES;
    }

    /** Splits what /proc/PID/cmdline holds. */
    static List<String> words(byte[] line, Charset encoding) {
        String text = new String(line, encoding);
        return text.isEmpty() ? List.of() : Arrays.asList(text.split("\0"));
    }

    /**
     * @param words of the command line
     * @param environment of the process
     * @param directory in which it was started
     */
    static Set<Path> in(List<String> words, Map<String, String> environment, Path directory) {
        AgentFiles files = new AgentFiles(directory);
        files.addWords(words, 0);
        environment.forEach((name, value) -> {
            if (AgentOptions.areIn(name)) {
                files.addWords(Arrays.asList(value.trim().split("\\s+")), 0);
            }
        });
        files.addBeside(directory);
        files.jarDirectories(words).forEach(files::addBeside);
        files.add("/run/credentials");
        files.add(environment.getOrDefault("CREDENTIALS_DIRECTORY", ""));
        return files.found;
    }

    private void addWords(List<String> words, int depth) {
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            int equals = word.indexOf('=');
            if (word.startsWith("@")) {
                addArguments(word.substring(1), depth);
            } else if (equals >= 0 && word.startsWith("@", equals + 1)) {
                addArguments(word.substring(equals + 2), depth);
            } else if (equals > 0 && AgentOptions.isFileOption(word.substring(0, equals))) {
                add(word.substring(equals + 1));
            } else if (i > 0 && AgentOptions.isFileOption(words.get(i - 1))) {
                add(word);
            } else {
                addUnreadable(word);
            }
        }
    }

    /** A file with arguments in it: args4j takes each line as one, Java separates them by white space. */
    private void addArguments(String name, int depth) {
        Path file = add(name);
        if (file == null || depth >= MAX_DEPTH || !Files.isRegularFile(file)) {
            return;
        }
        try (InputStream in = Files.newInputStream(file)) {
            String text = new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8);
            addWords(text.lines().toList(), depth + 1);
            addWords(Arrays.asList(text.trim().replaceAll("[\"']", "").split("\\s+")), depth + 1);
        } catch (IOException e) {
            // This user cannot read it, and neither can a build.
            return;
        }
    }

    /** What a word names among other things, as in {@code -Djavax.net.ssl.keyStore=/etc/agent.p12}. */
    private void addUnreadable(String word) {
        for (String part : word.split("[=:,;]")) {
            if (part.startsWith("/")) {
                Path path = path(part);
                if (path != null && Files.isRegularFile(path) && !isReadableByAll(path)) {
                    add(part);
                }
            }
        }
    }

    private static boolean isReadableByAll(Path file) {
        try {
            return Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ);
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    private List<Path> jarDirectories(List<String> words) {
        List<Path> directories = new ArrayList<>();
        for (int i = 1; i < words.size(); i++) {
            Path jar = words.get(i - 1).equals("-jar") ? path(words.get(i)) : null;
            if (jar != null && jar.getParent() != null) {
                directories.add(jar.getParent());
            }
        }
        return directories;
    }

    private void addBeside(Path place) {
        for (String name : AgentOptions.beside()) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(place, name)) {
                files.forEach(f -> add(f.toString()));
            } catch (IOException | DirectoryIteratorException e) {
                return;
            }
        }
    }

    /** @return what was added; {@code null} when the name is none */
    private Path add(String name) {
        Path path = path(name);
        if (path == null || path.getNameCount() == 0 || found.size() >= MAX_FILES) {
            return null;
        }
        found.add(path);
        return path;
    }

    /** Absolute; {@code null} for what no path can be made of. */
    private Path path(String name) {
        try {
            return name.isEmpty() ? null : directory.resolve(name);
        } catch (InvalidPathException e) {
            return null;
        }
    }
}
