package io.jenkins.plugins.sandbox.plan;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/** A {@code .git} that is a file, as submodules and further working trees have it: {@code gitdir: PATH} (gitrepository-layout(5)). */
public final class GitLink {
    private static final String KEY = "gitdir: ";
    private static final long LONGEST = 8192;

    private GitLink() {}

    /** What is in the file; empty when it is no plain file, or longer than any that git writes. */
    static Optional<String> text(Path file) throws IOException {
        return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && Files.size(file) <= LONGEST
                ? Optional.of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8).replace('\0', '?'))
                : Optional.empty();
    }

    /**
     * @param file the file
     * @return the directory that it names, without symbolic links in its path; empty when there is none
     * @throws IOException when the file cannot be read
     */
    public static Optional<Path> target(Path file) throws IOException {
        Optional<String> text = text(file).filter(t -> t.startsWith(KEY));
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            Path target = file.resolveSibling(text.get().substring(KEY.length()).stripTrailing())
                    .toRealPath();
            return Files.isDirectory(target) ? Optional.of(target) : Optional.empty();
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
