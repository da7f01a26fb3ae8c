package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The directories below a scratch directory. {@code tmp} and {@code var-tmp} are shared by all launches that are given the
 * same scratch directory, at the same time as well. A home overlay cannot be: the kernel calls two mounts of one upper
 * directory undefined (kernel documentation, overlayfs, "Sharing and copying layers"). So a launch takes the first home
 * that no running launch of this JVM has: launches one after the other see each other's changes, parallel ones do not. With
 * the overlays of repositories it is the same.
 */
public final class Scratch implements AutoCloseable {
    private static final Set<Path> TAKEN = ConcurrentHashMap.newKeySet();
    private static final int MOST_HOMES = 1000;

    private final Path directory;
    private final Path home;
    private final Path repositories;

    private Scratch(Path directory, Path home, Path repositories) {
        this.directory = directory;
        this.home = home;
        this.repositories = repositories;
    }

    /**
     * Creates what is missing below a scratch directory, and takes a home until {@link #close}.
     *
     * @param host the machine
     * @param directory absolute path of an existing directory
     * @return its directories
     * @throws SandboxException when they cannot be made
     */
    static Scratch open(Host host, String directory) throws SandboxException {
        return open(host, directory, directory);
    }

    private static Scratch open(Host host, String directory, String homes) throws SandboxException {
        Path real = host.canonicalDirectory("Scratch directory", directory);
        Path parent = host.canonicalDirectory("Scratch directory", homes);
        Owner.check("Scratch directory", real);
        Owner.check("Scratch directory", parent);
        Path home = take(parent, "home-");
        Scratch scratch;
        try {
            // Not with the home, which may stay for the job's next build.
            scratch = new Scratch(real, home, take(real, "repositories-"));
        } catch (SandboxException e) {
            TAKEN.remove(home);
            throw e;
        }
        try {
            // As /tmp is everywhere: programs check it. The scratch directory above keeps other users out.
            create(scratch.temporary(), "rwxrwxrwt");
            create(scratch.variableTemporary(), "rwxrwxrwt");
            create(scratch.home, "rwx------");
            create(scratch.homeUpper(), "rwx------");
            create(scratch.homeWork(), "rwx------");
            create(scratch.homeWhole(), "rwx------");
            return scratch;
        } catch (IOException e) {
            scratch.close();
            throw unfilled(directory, e);
        }
    }

    /**
     * Creates what a launch needs below its scratch directory, and takes a home until {@link #close}. The home of
     * {@link Profile.Home#JOB} is below the job's scratch directory.
     *
     * @param policy what is asked for
     * @param host the machine
     * @return its directories; {@code null} when the policy has no scratch directory
     * @throws SandboxException when they cannot be made
     */
    public static Scratch of(Policy policy, Host host) throws SandboxException {
        if (policy.scratch() == null) {
            return null;
        }
        String home = isJobHome(policy) ? policy.jobScratch() : policy.scratch();
        Scratch scratch = open(host, policy.scratch(), home);
        if (policy.profile().root() == Profile.Root.NAMED) {
            try {
                create(scratch.system(), "rwxr-xr-x");
                SystemFiles.write(scratch.system(), policy.home() == null ? host.home() : policy.home());
            } catch (IOException e) {
                scratch.close();
                throw unfilled(policy.scratch(), e);
            }
        }
        return scratch;
    }

    /** The same paths, without anything being made: for a plan that is only looked at. */
    static Scratch imagined(Policy policy) {
        if (policy.scratch() == null) {
            return null;
        }
        String home = isJobHome(policy) ? policy.jobScratch() : policy.scratch();
        Path directory = Path.of(policy.scratch());
        return new Scratch(directory, Path.of(home).resolve("home-0"), directory.resolve("repositories-0"));
    }

    private static boolean isJobHome(Policy policy) {
        return policy.profile().home() == Profile.Home.JOB && policy.jobScratch() != null;
    }

    private static SandboxException unfilled(String directory, IOException cause) {
        return new SandboxException(
                "Scratch directory " + Quoted.of(directory) + " cannot be filled (" + cause
                        + "): check its rights and the room on its disk.",
                cause);
    }

    private static Path take(Path directory, String name) throws SandboxException {
        for (int i = 0; i < MOST_HOMES; i++) {
            Path path = directory.resolve(name + i);
            if (TAKEN.add(path)) {
                return path;
            }
        }
        throw new SandboxException("Scratch directory " + Quoted.of(directory) + " has " + MOST_HOMES
                + " launches running in it: give some of them another one.");
    }

    private static void create(Path directory, String mode) throws IOException {
        if (Files.notExists(directory, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectory(directory);
            chmod(directory, mode);
        } else if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(directory + " is not a directory");
        }
    }

    private static void chmod(Path directory, String mode) throws IOException {
        boolean sticky = mode.endsWith("t");
        Files.setPosixFilePermissions(
                directory, PosixFilePermissions.fromString(sticky ? mode.substring(0, 8) + "x" : mode));
        if (sticky) {
            // Not in PosixFilePermission. "unix" is the view of every Unix JDK.
            Files.setAttribute(directory, "unix:mode", 01777, LinkOption.NOFOLLOW_LINKS);
        }
    }

    Path temporary() {
        return directory.resolve("tmp");
    }

    Path variableTemporary() {
        return directory.resolve("var-tmp");
    }

    /**
     * What a build sees in the place of a directory for temporary files, as its workspace and each directory in it may have
     * one.
     */
    Path workspaceTemporary(Path replaced) {
        return directory.resolve("ws-tmp-" + nameFor(PathBytes.word(replaced)));
    }

    /** What is made for {@code /etc} under {@code root = named}. */
    Path system() {
        return directory.resolve("etc");
    }

    /** A directory of mount points, of this launch alone. */
    Path cover(Path covered) {
        return home.resolve("cover-" + nameFor(PathBytes.word(covered)));
    }

    /** The same for the same text, and as long as a name may be. */
    private static String nameFor(String text) {
        return UUID.nameUUIDFromBytes(PathBytes.bytes(text)).toString();
    }

    /** Whether it is one of these directories, which need not be there yet. */
    boolean isDirectory(Path path) {
        return directory.equals(path.getParent()) || home.equals(path.getParent());
    }

    boolean isCover(Path path) {
        return home.equals(path.getParent()) && path.getFileName().toString().startsWith("cover-");
    }

    Path homeUpper() {
        return home.resolve("upper");
    }

    Path homeWork() {
        return home.resolve("work");
    }

    Path homeWhole() {
        return home.resolve("home");
    }

    /** The same for a home directory of the account's that is not the environment's. */
    Path accountUpper(Path account) {
        return account(account).resolve("upper");
    }

    Path accountWork(Path account) {
        return account(account).resolve("work");
    }

    Path accountWhole(Path account) {
        return account(account).resolve("home");
    }

    private Path account(Path account) {
        return home.resolve("account-" + nameFor(PathBytes.word(account)));
    }

    /**
     * The layers of a repository's overlay, which the launches share that find it as it is. Where git outside of the sandbox
     * has worked in it meanwhile, which makes and removes lock files in {@code .git}, others are used: the kernel gives no
     * promise for an overlay whose lower layer has changed.
     *
     * @param git the directory {@code .git}
     */
    Path repository(Path git) throws IOException {
        BasicFileAttributes state = Files.readAttributes(git, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        return repositories.resolve(nameFor(PathBytes.word(git) + "/" + state.fileKey()
                + state.lastModifiedTime().to(TimeUnit.NANOSECONDS)));
    }

    /** What was in a workspace when the first launch began; empty when that was not written down. */
    Optional<KnownRepositories> knownRepositories(Path workspace) throws IOException {
        return KnownRepositories.of(directory, workspace);
    }

    /** Whether launches with this scratch directory run. */
    static boolean isInUse(Path directory) {
        return TAKEN.stream().anyMatch(p -> p.startsWith(directory));
    }

    /** Lets another launch have the overlays. Removes nothing. */
    @Override
    public void close() {
        TAKEN.remove(home);
        TAKEN.remove(repositories);
    }
}
