package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What git obeys in a workspace. Jenkins runs git outside of the sandbox before the next build, and its configuration and
 * hooks name programs: a build that could write them would run as the agent. So, under {@code git = overlay}, each
 * {@code .git} that was there when the block began is an overlay: git works in it, and nothing of that reaches the machine.
 * Where the kernel makes no overlay, or there is no scratch directory, it is read-only. A {@code .git} that is a file, as
 * submodules and further working trees have it, is read-only. What a build makes itself is its own until the block ends.
 *
 * <p>Under {@code git = protected}, for each repository whose {@code .git} is there when the launch begins:
 *
 * <ul>
 *   <li>{@code config}, {@code config.worktree}, {@code hooks} and {@code modules}, which has the same of the submodules, are
 *       read-only. Missing {@code hooks} and {@code modules} become empty directories, and what is written there is gone
 *       with the launch;
 *   <li>{@code commondir} is read-only. It names another directory to take all of these from
 *       (gitrepository-layout(5)), and where it is missing, one is made that names this one: an empty mount point would stay
 *       behind, and git dies of an empty file;
 *   <li>a {@code .git} in which one of these is a symbolic link is read-only as a whole.
 * </ul>
 *
 * <p>In any case {@code .git} is a mount of its own, since a rename of it would undo everything below it; so are the
 * directories between it and the workspace; and a {@code .git} that this process may not read, write and search is read-only
 * as a whole.
 *
 * <p>Repositories are looked for in the workspace and in its directories, level by level down to {@value #DEEPEST_REPOSITORY},
 * and where the submodules say that their working trees are. A workspace may hold anything: below its own directories at most
 * {@value #MOST_ENTRIES} names are looked at, {@value #MOST_OF_ONE} of each, no symbolic link is followed, and
 * {@code node_modules} is left out.
 *
 * <p>At most {@value #MOST_REPOSITORIES} repositories, with {@value #MOST_MOUNTS} mounts, are mounted, the ones nearest to the
 * workspace's top first. The others are compared at the end of the block instead ({@link KnownRepositories#exposed}).
 */
final class GitFiles {
    private static final long EMPTY_BYTES = 4096;
    private static final long LONGEST_CONFIG = 1 << 20;
    private static final int DEEPEST_MODULE = 8;

    /** {@code src/github.com/owner/name}, as Go had it. */
    static final int DEEPEST_REPOSITORY = 4;

    /** Each takes some microseconds, for every launch. */
    static final int MOST_ENTRIES = 10_000;

    /** So that one directory full of files does not use that up. */
    static final int MOST_OF_ONE = 1_000;

    /** The number of repositories in a workspace must not keep a launch from starting: the launcher takes 640 mounts. */
    static final int MOST_REPOSITORIES = 64;

    static final int MOST_MOUNTS = 320;

    static final String GIT = ".git";

    private static final String COMMON_DIRECTORY = "commondir";
    private static final List<String> OBEYED =
            List.of("config", "config.worktree", "hooks", "modules", COMMON_DIRECTORY);

    private final Path workspace;
    private final Profile.Git setting;
    private final Scratch scratch;
    private final Map<Path, Mount> mounts = new LinkedHashMap<>();
    private final Set<Path> mounted = new HashSet<>();
    private boolean complete = true;

    private GitFiles(Path workspace, Profile.Git setting, Scratch scratch) {
        this.workspace = workspace;
        this.setting = setting;
        this.scratch = scratch;
    }

    /**
     * @param mounts in no particular order
     * @param complete whether they cover all repositories; the others are compared at the end of the block
     */
    record Protection(List<Mount> mounts, boolean complete) {}

    /**
     * @param workspace canonical path of the workspace
     * @param setting what becomes of its repositories
     * @param scratch where the layers of overlays are; {@code null} for none
     * @return the mounts that protect what is there
     * @throws SandboxException when it cannot be found out what is there
     */
    static Protection in(Path workspace, Profile.Git setting, Scratch scratch) throws SandboxException {
        if (setting == Profile.Git.HOST) {
            return new Protection(List.of(), true);
        }
        GitFiles files = new GitFiles(workspace, setting, scratch);
        try {
            Optional<KnownRepositories> known =
                    scratch == null ? Optional.empty() : scratch.knownRepositories(workspace);
            List<Path> all = new ArrayList<>();
            if (setting != Profile.Git.OVERLAY || known.isEmpty()) {
                all.addAll(Repositories.in(workspace, MOST_ENTRIES).git());
            }
            known.ifPresent(k -> all.addAll(k.found().keySet()));
            all.sort(Comparator.comparing(Path::getNameCount).thenComparing(Comparator.naturalOrder()));
            for (Path git : all) {
                if (git.endsWith(GIT) && files.isReached(git)) {
                    files.repository(git);
                }
            }
        } catch (IOException | DirectoryIteratorException | InvalidPathException e) {
            throw cannotBeLookedAt(workspace, e);
        }
        return new Protection(List.copyOf(files.mounts.values()), files.complete);
    }

    /**
     * Through directories alone. One of this user's that a build took the rights from is read-only, so that no command can
     * restore the rights and change the repository below.
     */
    private boolean isReached(Path git) throws IOException {
        List<Path> way = new ArrayList<>();
        for (Path path = git.getParent(); !path.equals(workspace); path = path.getParent()) {
            way.add(0, path);
        }
        for (Path directory : way) {
            if (!isDirectory(directory)) {
                return false;
            }
            if (!Files.isExecutable(directory)) {
                if (isOwn(directory)) {
                    Map<Path, Mount> of = new LinkedHashMap<>();
                    between(directory.getParent(), of);
                    put(of, Mount.readOnly(directory, directory));
                    mount(directory, of);
                }
                return false;
            }
        }
        return true;
    }

    private void repository(Path git) throws IOException {
        Map<Path, Mount> of = new LinkedHashMap<>();
        add(git, of);
        if (mount(git, of) && isDirectory(git)) {
            worktrees(git.resolve("modules"), DEEPEST_MODULE);
        }
    }

    /** All mounts of one repository, or none: half of them would be no protection. */
    private boolean mount(Path repository, Map<Path, Mount> of) {
        Set<Path> targets = new HashSet<>(mounts.keySet());
        targets.addAll(of.keySet());
        if (mounted.contains(repository)) {
            return false;
        }
        if (mounted.size() == MOST_REPOSITORIES || targets.size() > MOST_MOUNTS) {
            complete = false;
            return false;
        }
        mounted.add(repository);
        mounts.putAll(of);
        return true;
    }

    private void add(Path git, Map<Path, Mount> of) throws IOException {
        Path worktree = git.getParent();
        boolean readOnly = setting == Profile.Git.READ_ONLY || setting == Profile.Git.OVERLAY && scratch == null;
        if (Files.isRegularFile(git, LinkOption.NOFOLLOW_LINKS)) {
            between(worktree, of);
            put(of, Mount.readOnly(git, git));
        } else if (isDirectory(git)) {
            between(worktree, of);
            if (readOnly || !isOpen(git) || setting == Profile.Git.PROTECTED && isLinked(git)) {
                put(of, Mount.readOnly(git, git));
            } else if (setting == Profile.Git.OVERLAY) {
                Path layers = scratch.repository(git);
                put(of, Mount.overlayOrReadOnly(git, layers.resolve("upper"), layers.resolve("work")));
            } else {
                protect(git, of);
            }
        }
    }

    private static void put(Map<Path, Mount> of, Mount mount) {
        of.put(mount.target(), mount);
    }

    private void protect(Path git, Map<Path, Mount> of) {
        put(of, Mount.bind(git, git));
        Path common = git.resolve(COMMON_DIRECTORY);
        if (Files.isRegularFile(common, LinkOption.NOFOLLOW_LINKS) || canBeMade(common)) {
            put(of, Mount.readOnly(common, common));
        }
        for (String name : List.of("config", "config.worktree")) {
            Path file = git.resolve(name);
            if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                put(of, Mount.readOnly(file, file));
            }
        }
        readOnlyOrEmpty(git.resolve("hooks"), of);
        readOnlyOrEmpty(git.resolve("modules"), of);
    }

    /**
     * A command may take the rights to a directory away, so that the next launch sees nothing in it, and give them back then. In
     * a read-only mount it cannot.
     */
    private static boolean isOpen(Path directory) {
        return Files.isReadable(directory) && Files.isWritable(directory) && Files.isExecutable(directory);
    }

    private static boolean isOwn(Path path) throws IOException {
        return Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS)
                .equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    }

    /** A symbolic link cannot be mounted on. */
    private static boolean isLinked(Path git) {
        return OBEYED.stream().map(git::resolve).anyMatch(Files::isSymbolicLink);
    }

    private void between(Path worktree, Map<Path, Mount> of) {
        for (Path path = worktree; !path.equals(workspace); path = path.getParent()) {
            put(of, Mount.bind(path, path));
        }
    }

    private void readOnlyOrEmpty(Path directory, Map<Path, Mount> of) {
        if (isDirectory(directory)) {
            put(of, Mount.readOnly(directory, directory));
        } else if (canBeMade(directory)) {
            put(of, Mount.tmpfs(directory, EMPTY_BYTES));
        }
    }

    /** What this process cannot make, a command of the same user cannot make either. */
    private static boolean canBeMade(Path path) {
        return Files.notExists(path, LinkOption.NOFOLLOW_LINKS) && Files.isWritable(path.getParent());
    }

    /**
     * Makes each {@code commondir} that is to be mounted and is not there. No symbolic link is followed on the way: what is in
     * a workspace may change at any time.
     */
    static void makeCommonDirectories(Path workspace, List<Mount> mounts) throws SandboxException {
        for (Mount mount : mounts) {
            Path path = mount.target();
            boolean ours = path.startsWith(workspace) && path.endsWith(Path.of(".git", COMMON_DIRECTORY));
            if (ours && Files.notExists(path, LinkOption.NOFOLLOW_LINKS)) {
                try (DirectoryStream<Path> top = Files.newDirectoryStream(workspace)) {
                    makeCommonDirectory((SecureDirectoryStream<Path>) top, workspace.relativize(path));
                } catch (FileAlreadyExistsException e) {
                    // By another launch of the same workspace.
                    continue;
                } catch (IOException | ClassCastException e) {
                    throw new SandboxException(
                            "File " + Quoted.of(path) + " cannot be made (" + e
                                    + "): check the rights of that directory, and the room on its disk.",
                            e);
                }
            }
        }
    }

    private static void makeCommonDirectory(SecureDirectoryStream<Path> directory, Path path) throws IOException {
        if (path.getNameCount() > 1) {
            try (SecureDirectoryStream<Path> next =
                    directory.newDirectoryStream(path.getName(0), LinkOption.NOFOLLOW_LINKS)) {
                makeCommonDirectory(next, path.subpath(1, path.getNameCount()));
            }
            return;
        }
        Set<OpenOption> options =
                Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW, LinkOption.NOFOLLOW_LINKS);
        try (SeekableByteChannel file = directory.newByteChannel(path, options)) {
            file.write(ByteBuffer.wrap(".\n".getBytes(StandardCharsets.US_ASCII)));
        }
    }

    /** The working trees of submodules, as their own configuration names them: the build cannot have changed that. */
    private void worktrees(Path modules, int depth) throws IOException {
        if (depth == 0 || !isDirectory(modules)) {
            return;
        }
        for (Path module : someDirectories(modules)) {
            Optional<Path> worktree = worktree(module);
            if (worktree.isPresent() && Files.isRegularFile(worktree.get().resolve(GIT), LinkOption.NOFOLLOW_LINKS)) {
                repository(worktree.get().resolve(GIT));
            }
            // The name of a submodule may have slashes in it, and a submodule may have submodules.
            worktrees(Files.exists(module.resolve("HEAD")) ? module.resolve("modules") : module, depth - 1);
        }
    }

    private Optional<Path> worktree(Path module) throws IOException {
        Path config = module.resolve("config");
        if (!Files.isRegularFile(config, LinkOption.NOFOLLOW_LINKS) || Files.size(config) > LONGEST_CONFIG) {
            return Optional.empty();
        }
        // As git writes it: `worktree = ../../../sub`, relative to the module's directory.
        for (String line :
                Files.readString(config, StandardCharsets.ISO_8859_1).lines().toList()) {
            // No regular expression: a build may have left a line of a million blanks.
            int equals = line.indexOf('=');
            if (equals > 0 && line.substring(0, equals).strip().equals("worktree")) {
                String value = line.substring(equals + 1).strip();
                Path named = Path.of(new String(value.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8));
                Path worktree = module.resolve(named).normalize();
                boolean inside = worktree.startsWith(workspace) && !worktree.equals(workspace);
                return inside && isDirectory(worktree) && worktree.toRealPath().equals(worktree)
                        ? Optional.of(worktree)
                        : Optional.empty();
            }
        }
        return Optional.empty();
    }

    private static List<Path> someDirectories(Path directory) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, GitFiles::isDirectory)) {
            for (Iterator<Path> i = entries.iterator(); found.size() < MOST_OF_ONE && i.hasNext(); ) {
                found.add(i.next());
            }
        }
        return found;
    }

    static boolean isDirectory(Path path) {
        return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
    }

    static SandboxException cannotBeLookedAt(Path workspace, Exception cause) {
        return new SandboxException(
                "What git obeys in workspace " + Quoted.of(workspace) + " cannot be looked at (" + cause
                        + "): check the rights of its directories, and start this process with LANG=C.UTF-8 in its environment.",
                cause);
    }
}
