package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Paths as the data files write them: {@code *} in the last component stands for any characters. */
final class PathList {
    private PathList() {}

    /** Of one pattern: each is a mount, and a plan has room for a few hundred. */
    private static final int MOST_MATCHES = 100;

    /** Those that are there, not resolved. What this process cannot reach, a command of the same user cannot reach either. */
    static List<Path> existing(Path directory, Collection<String> names) throws SandboxException {
        List<Path> found = new ArrayList<>();
        // A home directory may hold many files, and several patterns are about it: each directory is listed once.
        Map<Path, List<String>> patterns = new LinkedHashMap<>();
        for (String name : names) {
            Path path = directory.resolve(name);
            if (name.contains("*")) {
                patterns.computeIfAbsent(path.getParent(), p -> new ArrayList<>())
                        .add(String.valueOf(path.getFileName()));
            } else if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                found.add(path);
            }
        }
        for (Map.Entry<Path, List<String>> entry : patterns.entrySet()) {
            addMatches(found, entry.getKey(), entry.getValue());
        }
        return found;
    }

    private static void addMatches(List<Path> found, Path directory, List<String> patterns) throws SandboxException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        String glob = "{" + String.join(",", patterns) + "}";
        int matches = 0;
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, glob)) {
            for (Path entry : entries) {
                if (++matches > MOST_MATCHES * patterns.size()) {
                    throw new SandboxException("Directory " + Quoted.of(directory) + " has more than "
                            + MOST_MATCHES * patterns.size() + " files with names like " + String.join(", ", patterns)
                            + ", which are to be hidden: remove some, or move them to a directory of their own.");
                }
                found.add(entry);
            }
        } catch (IOException | DirectoryIteratorException e) {
            if (Files.isReadable(directory)) {
                throw new SandboxException(
                        "Directory " + directory + " cannot be listed (" + e
                                + "): check its rights, for what is to be hidden in it is not known otherwise.",
                        e);
            }
            // Not readable for the command either, but names that it guesses are: this list cannot guess them.
        }
    }
}
