package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is mounted on this machine, for one question: by which other names a file can be reached because its file system is
 * mounted more than once, as by a bind mount or the top level of btrfs. What is hidden by one name must be hidden by all.
 *
 * <p>Source: proc_pid_mountinfo(5).
 */
final class MountTable {
    private static final Path FILE = Path.of("/proc/self/mountinfo");
    private static final Pattern OCTAL = Pattern.compile("\\\\([0-3][0-7]{2})");

    /**
     * @param device the file system's number; that of all subvolumes of btrfs is the same here
     * @param root what of the file system is mounted
     */
    private record Entry(String device, Path root, Path point) {}

    private final List<Entry> entries;

    private MountTable(List<Entry> entries) {
        this.entries = entries;
    }

    static MountTable read() throws SandboxException {
        try {
            return parse(PathBytes.word(Files.readAllBytes(FILE)));
        } catch (IOException e) {
            throw new SandboxException(
                    "What is mounted here cannot be found out (" + e + "): mount /proc, or use profile 'standard'.", e);
        }
    }

    /** @param text as {@link PathBytes} has it */
    static MountTable parse(String text) {
        List<Entry> entries = new ArrayList<>();
        for (String line : text.split("\n")) {
            String[] fields = line.split(" ", 6);
            if (fields.length == 6) {
                String root = unescape(fields[3]);
                String point = unescape(fields[4]);
                // Of nsfs and the like the root is no path: mnt:[4026531840].
                if (root.startsWith("/") && point.startsWith("/")) {
                    entries.add(new Entry(fields[2], PathBytes.path(root), PathBytes.path(point)));
                }
            }
        }
        return new MountTable(entries);
    }

    /** Blanks, tabs, line breaks and backslashes are written as their number. */
    private static String unescape(String field) {
        return OCTAL.matcher(field)
                .replaceAll(m -> Matcher.quoteReplacement(String.valueOf((char) Integer.parseInt(m.group(1), 8))));
    }

    /**
     * @param path canonical
     * @return canonical paths, without that one
     */
    List<Path> otherNames(Path path) {
        return candidates(path).stream().filter(other -> isSame(path, other)).toList();
    }

    /** Other places where it would be, if nothing is mounted over them. */
    List<Path> candidates(Path path) {
        Optional<Entry> holder = entries.stream()
                .filter(e -> path.startsWith(e.point()))
                // Of several on one place the last one is on top.
                .reduce((a, b) -> b.point().getNameCount() >= a.point().getNameCount() ? b : a);
        if (holder.isEmpty()) {
            return List.of();
        }
        Path inside = holder.get()
                .root()
                .resolve(holder.get().point().relativize(path))
                .normalize();
        return entries.stream()
                .filter(e -> e.device().equals(holder.get().device()) && inside.startsWith(e.root()))
                .map(e -> e.point().resolve(e.root().relativize(inside)).normalize())
                .filter(other -> !other.equals(path))
                .distinct()
                .toList();
    }

    private static boolean isSame(Path path, Path other) {
        try {
            return Files.isSameFile(path, other);
        } catch (IOException e) {
            // What this user cannot reach, a build cannot reach either.
            return false;
        }
    }
}
