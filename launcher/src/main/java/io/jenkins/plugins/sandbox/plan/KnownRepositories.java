package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * The repositories that were in a workspace when the first launch with a scratch directory began. They are the machine's: what
 * is in them git outside of the sandbox may obey. All others are the build's. Kept by this JVM, and written down in the scratch
 * directory for the next one, of which no command sees this part where it has a view of the file system.
 *
 * @param workspace canonical path of the workspace
 * @param setting what becomes of its repositories
 * @param exposed whether a launch was allowed to start in which a build could write to these repositories: without a view of
 *     the file system, or with more repositories than a launch mounts
 * @param since when that was, by the clock of the workspace's file system
 * @param found each {@code .git}, a directory or a file, and what tells it from another one that is put in its place
 */
public record KnownRepositories(
        Path workspace, Profile.Git setting, boolean exposed, FileTime since, Map<Path, String> found) {
    private static final String PREFIX = "known-repositories-";
    private static final String VERSION = "2";
    private static final List<String> ORDERS =
            List.of("config", "config.worktree", "commondir", "hooks", "worktrees", "modules");
    private static final int DEEPEST = 64;
    private static final long LONGEST = 1 << 24;

    /** By workspace, the scratch directories of which a launch has begun and that have not been given up. Guarded by the class. */
    private static final Map<Path, Set<Path>> OPEN = new HashMap<>();

    /** What is in each file of those. Landlock alone does not keep a build from the files. Guarded by the class. */
    private static final Map<Path, KnownRepositories> KEPT = new HashMap<>();

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
        if (!isToBeKept(policy)) {
            return;
        }
        Path scratch = host.canonicalDirectory("Scratch directory", policy.scratch());
        Path workspace = Plan.workspace(policy, host);
        try {
            synchronized (KnownRepositories.class) {
                if (of(scratch, workspace).isEmpty()) {
                    Map<Path, String> found = new LinkedHashMap<>();
                    Repositories there = Repositories.in(workspace, GitFiles.MOST_ENTRIES);
                    for (Path repository : there.git()) {
                        identity(repository).ifPresent(i -> found.put(repository, i));
                    }
                    new KnownRepositories(workspace, policy.profile().git(), false, now(workspace), found)
                            .write(scratch);
                }
                OPEN.computeIfAbsent(workspace, w -> new HashSet<>()).add(scratch);
            }
        } catch (IOException e) {
            throw new SandboxException(
                    "The repositories in workspace " + Quoted.of(workspace) + " cannot be written down in "
                            + Quoted.of(scratch) + " (" + e + "): check its rights and the room on its disk.",
                    e);
        }
    }

    /**
     * Writes down that a launch is allowed to start that can write to repositories of the workspace.
     *
     * @param policy as {@link #remember} had it
     * @param host the machine
     * @throws SandboxException when that is not possible
     */
    public static void expose(Policy policy, Host host) throws SandboxException {
        if (!isToBeKept(policy)) {
            return;
        }
        Path scratch = host.canonicalDirectory("Scratch directory", policy.scratch());
        Path workspace = Plan.workspace(policy, host);
        try {
            synchronized (KnownRepositories.class) {
                Optional<KnownRepositories> known = of(scratch, workspace);
                if (known.isPresent() && !known.get().exposed) {
                    KnownRepositories k = known.get();
                    new KnownRepositories(k.workspace, k.setting, true, k.since, k.found).write(scratch);
                }
            }
        } catch (IOException e) {
            throw new SandboxException(
                    "That nothing but Landlock keeps the workspace " + Quoted.of(workspace)
                            + " cannot be written down in " + Quoted.of(scratch) + " (" + e
                            + "): check its rights and the room on its disk.",
                    e);
        }
    }

    private static boolean isToBeKept(Policy policy) {
        return policy.scratch() != null
                && policy.profile().primitives().contains(Primitive.FILESYSTEM)
                && policy.profile().git() != Profile.Git.HOST;
    }

    /**
     * @param scratch a scratch directory
     * @return what was written down there, for each workspace
     * @throws IOException when it cannot be read
     */
    public static List<KnownRepositories> in(Path scratch) throws IOException {
        Path real = real(scratch);
        Map<Path, KnownRepositories> all = new LinkedHashMap<>();
        synchronized (KnownRepositories.class) {
            KEPT.forEach((file, known) -> {
                if (real.equals(file.getParent())) {
                    all.put(file, known);
                }
            });
        }
        if (Files.isDirectory(real, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(real, PREFIX + "*[0-9a-f]")) {
                for (Path file : files) {
                    if (!all.containsKey(file)) {
                        all.put(file, read(file));
                    }
                }
            }
        }
        return List.copyOf(all.values());
    }

    /** @return the scratch directories of which launches of this JVM have begun, and that have not been given up */
    public static synchronized Set<Path> open() {
        Set<Path> open = new HashSet<>();
        OPEN.values().forEach(open::addAll);
        return open;
    }

    /** Of a directory that a build may have removed. */
    private static Path real(Path scratch) throws IOException {
        Path absolute = scratch.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        return parent == null || Files.notExists(parent)
                ? absolute
                : parent.toRealPath().resolve(absolute.getFileName());
    }

    /**
     * Gives up a scratch directory, of which no launch runs any more. Where launches with another one run in the same
     * workspace, what that one knows becomes what both know: the repositories that either has made are for its end.
     *
     * @param scratch a scratch directory
     * @return what was written down there, for each workspace that nobody else works in
     * @throws IOException when it cannot be read or written
     */
    public static List<KnownRepositories> leave(Path scratch) throws IOException {
        List<KnownRepositories> left = new ArrayList<>();
        Path real = real(scratch);
        synchronized (KnownRepositories.class) {
            for (KnownRepositories ours : in(real)) {
                Set<Path> others = OPEN.getOrDefault(ours.workspace, new HashSet<>());
                others.remove(real);
                KEPT.remove(file(real, ours.workspace));
                List<Path> running = others.stream().filter(Scratch::isInUse).toList();
                for (Path other : running) {
                    Optional<KnownRepositories> found = of(other, ours.workspace);
                    if (found.isEmpty()) {
                        continue;
                    }
                    KnownRepositories theirs = found.get();
                    Map<Path, String> both = new LinkedHashMap<>(theirs.found);
                    both.entrySet().retainAll(ours.found.entrySet());
                    new KnownRepositories(
                                    ours.workspace,
                                    theirs.setting,
                                    ours.exposed || theirs.exposed,
                                    earlier(ours.since, theirs.since),
                                    both)
                            .write(other);
                }
                if (running.isEmpty()) {
                    left.add(ours);
                }
                if (others.isEmpty()) {
                    OPEN.remove(ours.workspace);
                }
            }
        }
        return left;
    }

    /** Of one workspace; empty when nothing was written down. */
    static synchronized Optional<KnownRepositories> of(Path scratch, Path workspace) throws IOException {
        Path file = file(scratch, workspace);
        if (KEPT.containsKey(file)) {
            return Optional.of(KEPT.get(file));
        }
        return Files.exists(file, LinkOption.NOFOLLOW_LINKS) ? Optional.of(read(file)) : Optional.empty();
    }

    /** Whether it is the one that was found, and no other that has been put in its place. */
    public boolean has(Path git) throws IOException {
        String identity = found.get(git);
        return identity != null && Optional.of(identity).equals(identity(git));
    }

    /**
     * Whether nobody has touched what git obeys in a repository since the first launch began: one that was there, and that
     * nobody has looked for. Nobody can set the time at which a file was last changed (its ctime, inode(7)).
     *
     * @param repository a directory
     */
    public boolean isUntouched(Path repository) throws IOException {
        for (String name : ORDERS) {
            if (!isAllOlder(repository.resolve(name), DEEPEST)) {
                return false;
            }
        }
        return true;
    }

    /**
     * @param path a file, or a directory without what is in it
     * @return whether it is as it was when the first launch began
     */
    public boolean isOlder(Path path) throws IOException {
        return changed(path).compareTo(since) < 0;
    }

    private boolean isAllOlder(Path path, int depth) throws IOException {
        if (depth == 0 || !isOlder(path)) {
            return false;
        }
        if (GitFiles.isDirectory(path)) {
            try (DirectoryStream<Path> children = Files.newDirectoryStream(path)) {
                for (Path child : children) {
                    if (!isAllOlder(child, depth - 1)) {
                        return false;
                    }
                }
            } catch (AccessDeniedException e) {
                return false;
            }
        }
        return true;
    }

    private static FileTime changed(Path path) throws IOException {
        try {
            return (FileTime) Files.getAttribute(path, "unix:ctime", LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            return FileTime.fromMillis(Long.MIN_VALUE);
        }
    }

    /** By the clock of its file system, which may be another machine's. */
    private static FileTime now(Path workspace) throws IOException {
        Path file = Files.createTempFile(workspace, ".process-sandbox-", null);
        try {
            return changed(file);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /** Of a directory that it is this one, of a file what it says. */
    private static Optional<String> identity(Path git) throws IOException {
        try {
            BasicFileAttributes attributes =
                    Files.readAttributes(git, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return attributes.isDirectory()
                    ? Optional.of("directory " + attributes.fileKey())
                    : GitLink.text(git).map(t -> "file " + t);
        } catch (NoSuchFileException e) {
            // Somebody outside has just removed it.
            return Optional.empty();
        }
    }

    private static FileTime earlier(FileTime a, FileTime b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    private static Path file(Path scratch, Path workspace) {
        return scratch.resolve(PREFIX + UUID.nameUUIDFromBytes(PathBytes.bytes(PathBytes.word(workspace))));
    }

    private void write(Path scratch) throws IOException {
        List<String> words = new ArrayList<>(List.of(
                VERSION,
                PathBytes.word(workspace),
                setting.name(),
                String.valueOf(exposed),
                String.valueOf(since.to(TimeUnit.NANOSECONDS))));
        found.forEach((git, identity) -> words.addAll(List.of(PathBytes.word(git), identity)));
        Path file = file(scratch, workspace);
        Path unfinished = file.resolveSibling(file.getFileName() + ".new");
        Files.write(unfinished, PathBytes.bytes(String.join("\0", words) + "\0"));
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        KEPT.put(file, this);
    }

    private static KnownRepositories read(Path file) throws IOException {
        if (Files.size(file) > LONGEST) {
            throw new IOException(file + " is too long");
        }
        String[] words = PathBytes.word(Files.readAllBytes(file)).split("\0");
        if (words.length < 5 || words.length % 2 == 0 || !words[0].equals(VERSION)) {
            throw new IOException(file + " is not of this version, or damaged");
        }
        Map<Path, String> found = new LinkedHashMap<>();
        for (int i = 5; i < words.length; i += 2) {
            found.put(PathBytes.path(words[i]), words[i + 1]);
        }
        return new KnownRepositories(
                PathBytes.path(words[1]),
                Profile.Git.valueOf(words[2]),
                Boolean.parseBoolean(words[3]),
                FileTime.from(Long.parseLong(words[4]), TimeUnit.NANOSECONDS),
                found);
    }
}
