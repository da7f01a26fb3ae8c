package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The repositories that were in a workspace when the first launch with a scratch directory began. They are the machine's: what
 * is in them git outside of the sandbox may obey. All others are the build's. Written down in the scratch directory, of which
 * no command sees this part, so that it is known at the end even when somebody else asks then.
 *
 * @param workspace canonical path of the workspace
 * @param setting what becomes of its repositories
 * @param found each {@code .git}, a directory or a file, and each repository without a working tree; and what tells it from
 *     another one that is put in its place
 */
public record KnownRepositories(Path workspace, Profile.Git setting, Map<Path, String> found) {
    private static final String PREFIX = "known-repositories-";
    private static final String VERSION = "1";
    private static final List<String> ORDERS = List.of("config", "config.worktree", "commondir", "hooks", "worktrees");
    private static final long LONGEST = 1 << 24;

    public KnownRepositories {
        found = Map.copyOf(found);
    }

    /**
     * Writes down what is there, unless an earlier launch did.
     *
     * @param policy nothing happens when it has no scratch directory, or no view of the file system
     * @param host the machine
     * @throws SandboxException when that is not possible
     */
    public static void remember(Policy policy, Host host) throws SandboxException {
        if (policy.scratch() == null || !policy.profile().primitives().contains(Primitive.FILESYSTEM)) {
            return;
        }
        Path scratch = host.canonicalDirectory("Scratch directory", policy.scratch());
        Path workspace = host.canonicalDirectory("Workspace", policy.workspace());
        try {
            synchronized (KnownRepositories.class) {
                if (Files.notExists(file(scratch, workspace), LinkOption.NOFOLLOW_LINKS)) {
                    Map<Path, String> found = new LinkedHashMap<>();
                    Repositories there = Repositories.in(workspace, GitFiles.MOST_ENTRIES);
                    for (Path repository : there.git()) {
                        found.put(repository, identity(repository));
                    }
                    for (Path repository : there.bare()) {
                        found.put(repository, identity(repository));
                    }
                    new KnownRepositories(workspace, policy.profile().git(), found).write(scratch);
                }
            }
        } catch (IOException e) {
            throw new SandboxException(
                    "The repositories in workspace " + Quoted.of(workspace) + " cannot be written down in "
                            + Quoted.of(scratch) + " (" + e + "): check its rights and the room on its disk.",
                    e);
        }
    }

    /**
     * @param scratch a scratch directory
     * @return what was written down there, for each workspace
     * @throws IOException when it cannot be read
     */
    public static List<KnownRepositories> in(Path scratch) throws IOException {
        List<KnownRepositories> all = new ArrayList<>();
        if (Files.isDirectory(scratch, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(scratch, PREFIX + "*[0-9a-f]")) {
                for (Path file : files) {
                    all.add(read(file));
                }
            }
        }
        return all;
    }

    /** Of one workspace; empty when nothing was written down. */
    static Optional<KnownRepositories> of(Path scratch, Path workspace) throws IOException {
        Path file = file(scratch, workspace);
        return Files.exists(file, LinkOption.NOFOLLOW_LINKS) ? Optional.of(read(file)) : Optional.empty();
    }

    /** Whether it is the one that was found, and no other that has been put in its place. */
    public boolean has(Path git) throws IOException {
        String identity = found.get(git);
        return identity != null && identity.equals(identity(git));
    }

    /** Of a directory that it is this one, of a file what it says. Builds can write to bare ones, but must not give orders. */
    private static String identity(Path git) throws IOException {
        BasicFileAttributes attributes =
                Files.readAttributes(git, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (!attributes.isDirectory()) {
            return "file " + GitLink.text(git).orElse("");
        }
        return "directory " + attributes.fileKey() + (git.endsWith(GitFiles.GIT) ? "" : orders(git));
    }

    /** When they were last touched, which nobody can set. */
    private static String orders(Path bare) throws IOException {
        StringBuilder text = new StringBuilder();
        for (String name : ORDERS) {
            Path path = bare.resolve(name);
            text.append(' ').append(touched(path));
            if (GitFiles.isDirectory(path)) {
                try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
                    List<Path> sorted = new ArrayList<>();
                    files.forEach(sorted::add);
                    sorted.sort(null);
                    for (Path file : sorted) {
                        text.append(' ').append(touched(file));
                    }
                }
            }
        }
        return " " + UUID.nameUUIDFromBytes(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String touched(Path path) throws IOException {
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS)
                ? Files.getAttribute(path, "unix:ctime", LinkOption.NOFOLLOW_LINKS)
                        .toString()
                : "-";
    }

    private static Path file(Path scratch, Path workspace) {
        return scratch.resolve(
                PREFIX + UUID.nameUUIDFromBytes(workspace.toString().getBytes(StandardCharsets.UTF_8)));
    }

    private void write(Path scratch) throws IOException {
        List<String> words = new ArrayList<>(List.of(VERSION, workspace.toString(), setting.name()));
        found.forEach((git, identity) -> words.addAll(List.of(git.toString(), identity)));
        Path file = file(scratch, workspace);
        Path unfinished = file.resolveSibling(file.getFileName() + ".new");
        Files.writeString(unfinished, String.join("\0", words) + "\0");
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static KnownRepositories read(Path file) throws IOException {
        if (Files.size(file) > LONGEST) {
            throw new IOException(file + " is too long");
        }
        String[] words = Files.readString(file).split("\0");
        if (words.length < 3 || words.length % 2 != 1 || !words[0].equals(VERSION)) {
            throw new IOException(file + " is not of this version, or damaged");
        }
        Map<Path, String> found = new LinkedHashMap<>();
        for (int i = 3; i < words.length; i += 2) {
            found.put(Path.of(words[i]), words[i + 1]);
        }
        return new KnownRepositories(Path.of(words[1]), Profile.Git.valueOf(words[2]), found);
    }
}
