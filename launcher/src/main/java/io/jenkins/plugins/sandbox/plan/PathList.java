package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Paths as the data files write them: {@code *} in the last component stands for any characters. */
final class PathList {
    private PathList() {}

    /** Those that are there, not resolved. What this process cannot reach, a command of the same user cannot reach either. */
    static List<Path> existing(Path directory, Collection<String> names) throws SandboxException {
        List<Path> found = new ArrayList<>();
        for (String name : names) {
            Path path = directory.resolve(name);
            if (!name.contains("*")) {
                if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                    found.add(path);
                }
                continue;
            }
            String glob = String.valueOf(path.getFileName());
            if (!Files.isDirectory(path.getParent())) {
                continue;
            }
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(path.getParent(), glob)) {
                entries.forEach(found::add);
            } catch (IOException | DirectoryIteratorException e) {
                if (Files.isReadable(path.getParent())) {
                    throw new SandboxException(
                            "Directory " + path.getParent() + " cannot be listed (" + e
                                    + "): check its rights, for what is to be hidden in it is not known otherwise.",
                            e);
                }
                // Not readable for the command either, but names that it guesses are: this list cannot guess them.
                continue;
            }
        }
        return found;
    }
}
