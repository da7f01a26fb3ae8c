package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.plan.GitLink;
import io.jenkins.plugins.sandbox.plan.KnownRepositories;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What is done with the repositories that a build has left in its workspace, when nothing of it runs any more and before
 * somebody runs git there outside of the sandbox. A build may have written anything into them, and git obeys it. Of a
 * repository that was not there when the build began, the commits and the index stay, and it gets a new configuration with
 * nothing in it; what git cannot use without the old one is moved aside, where git does not find it.
 *
 * <p>One that was there is no build's as long as builds had a view of the file system. Where one had none, it is one of the
 * build's when its configuration or its hooks are not as old as they were, whoever has changed them.
 *
 * <p>All of the workspace is looked at, however many names it has in it, down to {@value #DEEPEST} levels. No symbolic link is
 * followed. Directories of other users are left out: git does not obey them (git-config(1), {@code safe.directory}), and a
 * sandboxed build, which cannot change an owner, has not made them.
 */
public final class RepositorySweep {
    /** Each takes an open file. Nobody works so deep in a workspace. */
    private static final int DEEPEST = 64;

    private static final int MOST_NOTES = 20;

    private static final Path GIT = Path.of(".git");
    private static final Set<String> LINKED = Set.of("modules", "worktrees");
    private static final Path HEAD = Path.of("HEAD");

    private final KnownRepositories known;
    private final UserPrincipal self;
    private final List<String> notes = new ArrayList<>();
    private int unsaid;

    private RepositorySweep(KnownRepositories known) throws IOException {
        this.known = known;
        this.self = Files.getOwner(Path.of("/proc/self"));
    }

    /**
     * Sweeps each workspace for which launches with this scratch directory have written down what was there. Where launches
     * with another one run in the same workspace at this time, the last of them does it.
     *
     * @param scratch the scratch directory; nothing of its launches may run any more
     * @return a sentence for each repository that git does not find any more, and for what was not looked at
     * @throws IOException when a repository could not be made harmless
     */
    public static List<String> run(Path scratch) throws IOException {
        List<String> notes = new ArrayList<>();
        for (KnownRepositories each : KnownRepositories.leave(scratch)) {
            RepositorySweep sweep = new RepositorySweep(each);
            sweep.sweep(Path.of(""));
            notes.addAll(sweep.allNotes());
        }
        return notes;
    }

    /** @return the scratch directories of which this JVM knows that a launch with it has begun, and that were not swept */
    public static Set<Path> open() {
        return KnownRepositories.open();
    }

    /**
     * Sweeps what git obeys that is about to be run in a directory, outside of the sandbox, while blocks that have launched
     * something in its workspace have not ended: the directory, all below it, and each directory between it and the workspace.
     * What still runs of these blocks can spoil it again.
     *
     * @param directory where git will work; need not exist
     * @param scratches the scratch directories of these blocks
     * @return as {@link #run(Path)}
     * @throws IOException when a repository could not be made harmless
     */
    public static List<String> before(Path directory, Collection<Path> scratches) throws IOException {
        if (scratches.isEmpty()) {
            return List.of();
        }
        Path real = directory.toAbsolutePath().normalize();
        while (!Files.exists(real) && real.getParent() != null) {
            real = real.getParent();
        }
        real = real.toRealPath();
        List<String> notes = new ArrayList<>();
        for (Path scratch : scratches) {
            for (KnownRepositories each : knownOf(scratch)) {
                boolean below = real.startsWith(each.workspace());
                if (below || each.workspace().startsWith(real)) {
                    RepositorySweep sweep = new RepositorySweep(each);
                    sweep.sweep(below ? each.workspace().relativize(real) : Path.of(""));
                    notes.addAll(sweep.allNotes());
                }
            }
        }
        return notes;
    }

    /** A block that ends meanwhile sweeps before it removes its scratch directory. */
    private static List<KnownRepositories> knownOf(Path scratch) throws IOException {
        try {
            return KnownRepositories.in(scratch);
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    /** @param start relative to the workspace: of what is beside the way there, nothing is looked at */
    private void sweep(Path start) throws IOException {
        Path workspace = known.workspace();
        if (!Files.isDirectory(workspace, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (DirectoryStream<Path> opened = Files.newDirectoryStream(workspace)) {
            if (!(opened instanceof SecureDirectoryStream<Path> top)) {
                throw new IOException("this file system cannot be looked at safely: " + workspace);
            }
            walk(new GitDirectory(top, workspace), start, 1);
        } catch (NoSuchFileException e) {
            // The whole workspace may have been removed meanwhile.
            return;
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private List<String> allNotes() {
        List<String> all = new ArrayList<>(notes);
        if (unsaid > 0) {
            all.add("And " + unsaid + " more of these.");
        }
        return all;
    }

    private void walk(GitDirectory directory, Path start, int depth) throws IOException {
        if (directory.exists(GIT)) {
            judge(directory);
        }
        if (directory.looksLikeARepository() && !known.isUntouched(directory.path())) {
            directory.move(HEAD, Path.of("HEAD.process-sandbox-" + GitDirectory.unique()));
            note(directory.path()
                    + " looks like a git repository that was not there before, or whose configuration the build"
                    + " has changed. So that git does not obey it, its file HEAD has got another name: " + remedy());
        }
        if (depth == DEEPEST) {
            return;
        }
        if (!start.toString().isEmpty()) {
            Path rest = start.getNameCount() == 1 ? Path.of("") : start.subpath(1, start.getNameCount());
            walkBelow(directory, start.getName(0), rest, depth);
            return;
        }
        for (Path child : directory) {
            walkBelow(directory, child.getFileName(), start, depth);
        }
    }

    private void walkBelow(GitDirectory directory, Path name, Path start, int depth) throws IOException {
        if (!name.equals(GIT) && directory.isDirectory(name)) {
            Optional<GitDirectory> opened = open(directory, name);
            if (opened.isPresent()) {
                try (GitDirectory below = opened.get()) {
                    walk(below, start, depth + 1);
                }
            }
        }
    }

    private void judge(GitDirectory worktree) throws IOException {
        Path git = worktree.path().resolve(GIT);
        boolean found = known.has(git);
        if (!worktree.isDirectory(GIT)) {
            boolean ours = found || known.isOlder(git);
            if (!isLinkToAKnownRepository(git) && !(ours && !leadsIntoTheWorkspace(git))) {
                aside(worktree, "it leads git to a place that the build has chosen");
            }
        } else if (found && known.exposed()) {
            clean(worktree, known.isUntouched(git), false);
        } else if (!found || known.setting() == Profile.Git.PROTECTED) {
            clean(worktree, found || known.isUntouched(git), !found && known.isOlder(git));
        }
    }

    /**
     * @param obeyed whether its configuration and hooks are no build's
     * @param old whether nothing has been made or removed in {@code .git} itself, which may be unusual then
     */
    private void clean(GitDirectory worktree, boolean obeyed, boolean old) throws IOException {
        Optional<GitDirectory> opened = open(worktree, GIT);
        if (opened.isEmpty()) {
            return;
        }
        Optional<String> spoilt = Optional.empty();
        try (GitDirectory git = opened.get()) {
            if (obeyed && old) {
                git.removeLinksInContent();
                return;
            }
            spoilt = obeyed ? git.whyGitDoesNotTakeIt() : git.whyItIsOfNoUse();
            if (spoilt.isEmpty() && obeyed) {
                git.removeLinks();
            } else if (spoilt.isEmpty()) {
                git.removeOrders();
                note(git.path() + (known.found().containsKey(git.path()) ? " was changed" : " was made")
                        + " by the build: its commits are kept, its configuration, hooks and submodules are"
                        + " removed, so that git does not obey them.");
            }
        }
        if (spoilt.isPresent()) {
            aside(worktree, spoilt.get());
        }
    }

    /** A submodule's or a further working tree's: what lies there is no build's, or is looked at with the repository. */
    private boolean isLinkToAKnownRepository(Path file) throws IOException {
        Optional<Path> target = GitLink.target(file);
        if (target.isEmpty()) {
            return false;
        }
        for (Path path = target.get().getParent();
                path != null && path.startsWith(known.workspace());
                path = path.getParent()) {
            if (path.endsWith(GIT) && (known.has(path) || known.isUntouched(path))) {
                return LINKED.contains(path.relativize(target.get()).getName(0).toString());
            }
        }
        return false;
    }

    /** Where there is nothing, git has nothing to obey. */
    private boolean leadsIntoTheWorkspace(Path file) throws IOException {
        return GitLink.target(file).filter(t -> t.startsWith(known.workspace())).isPresent();
    }

    private void aside(GitDirectory worktree, String why) throws IOException {
        Path name = Path.of(".git.process-sandbox-" + GitDirectory.unique());
        worktree.move(GIT, name);
        if (worktree.isDirectory(name)) {
            Optional<GitDirectory> opened = open(worktree, name);
            if (opened.isPresent()) {
                try (GitDirectory moved = opened.get()) {
                    if (moved.exists(HEAD) && !moved.isDirectory(HEAD)) {
                        moved.move(HEAD, Path.of("HEAD.process-sandbox-" + GitDirectory.unique()));
                    }
                }
            }
        }
        note(worktree.path().resolve(GIT) + " was left by the build and is now " + name
                + ", so that git does not obey it: " + why + ". " + remedy());
    }

    private static String remedy() {
        return "Clone it anew, or use it in the same block, before it ends.";
    }

    private void note(String text) {
        if (notes.size() < MOST_NOTES) {
            notes.add(Quoted.visible(text, 1000));
        } else {
            unsaid++;
        }
    }

    /** A build may have taken the rights away, and git outside of the sandbox needs fewer than this. */
    private Optional<GitDirectory> open(GitDirectory parent, Path name) throws IOException {
        try {
            if (!parent.owner(name).equals(self)) {
                return Optional.empty();
            }
            return Optional.of(parent.open(name));
        } catch (AccessDeniedException e) {
            // Java can do this by path only. At worst it gives this user rights to a file of his own.
            Path path = parent.path().resolve(name);
            Set<PosixFilePermission> rights =
                    EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_EXECUTE);
            rights.addAll(Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS));
            Files.setPosixFilePermissions(path, rights);
            return Optional.of(parent.open(name));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }
}
