package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.plan.Exceptions.Right;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The view. One rule decides everything: <em>of two rules the one for the longer path holds</em>, whatever its kind. So a
 * workspace in a hidden directory is seen, a secret in a workspace is not, and a read-only file in a writable directory is
 * read-only. Of rules for the same path the later one of this order holds: what every launch gets, what is hidden from every
 * build, Jenkins' directories, the workspace, what git obeys in it, the paths that the launch names.
 *
 * <p>Sorted by path, a directory comes before what lies in it, which is the order in which to mount.
 */
final class Mounts {
    private static final Path ROOT = Path.of("/");
    private static final Path DEV = Path.of("/dev");
    /** In every {@code /dev} of the launcher's, and everybody may write to them. */
    private static final Set<Path> USUAL_DEVICES = Stream.of("null", "zero", "random", "urandom", "full", "tty")
            .map(DEV::resolve)
            .collect(Collectors.toUnmodifiableSet());

    private static final Path PROC = Path.of("/proc");
    private static final Path RUN = Path.of("/run");
    private static final List<Path> EMPTY_PLACES =
            Stream.of("/media", "/mnt", "/srv", "/opt", "/boot").map(Path::of).toList();
    /** Every usual image has it, and nothing in it. */
    private static final Path EMPTY_PLACE_IN_CONTAINERS = Path.of("/media");

    private static final List<Path> TEMPORARY = List.of(Path.of("/tmp"), Path.of("/var/tmp"));

    /** The launcher's own bound. */
    private static final int MOST = 640;

    /** In memory; what a build puts there counts as its memory. */
    private static final long EMPTY_BYTES = 1L << 30;

    /** For the mount points in a hidden directory that something is seen in, without a scratch directory to make them in. */
    private static final long COVER_BYTES = 65_536;

    private final Policy policy;
    private final Profile profile;
    private final Host host;
    private final Scratch scratch;
    private final Path workspace;
    private final Exceptions exceptions;
    private final Map<Path, Mount> rules = new TreeMap<>();
    private final Map<Path, Boolean> points = new LinkedHashMap<>();
    private final Map<Path, Path> links = new LinkedHashMap<>();
    /** Where the machine's files are seen by another name than theirs. */
    private final Set<Path> otherNames = new HashSet<>();

    private Path besideControl;
    private boolean allRepositories;

    private Mounts(Policy policy, Host host, Scratch scratch, Path workspace, Exceptions exceptions) {
        this.policy = policy;
        this.profile = policy.profile();
        this.host = host;
        this.scratch = scratch;
        this.workspace = workspace;
        this.exceptions = exceptions;
    }

    /**
     * @param mounts in the order in which to mount
     * @param points what is to be made in the scratch directory, to be mounted or mounted on, and whether it is a directory
     * @param links symbolic links to be made there after that, and what they say
     * @param allRepositories whether the mounts cover all repositories of the workspace
     */
    record View(List<Mount> mounts, Map<Path, Boolean> points, Map<Path, Path> links, boolean allRepositories) {
        static final View NONE = new View(List.of(), Map.of(), Map.of(), false);
    }

    static View of(Policy policy, Host host, Scratch scratch, Path workspace, Exceptions exceptions)
            throws SandboxException {
        Mounts mounts = new Mounts(policy, host, scratch, workspace, exceptions);
        mounts.collect();
        List<Mount> result = mounts.inOrder();
        if (mounts.addOtherNames(result)) {
            result = mounts.inOrder();
        }
        if (result.size() > MOST) {
            throw new SandboxException("The plan has " + result.size() + " mounts, the launcher takes " + MOST
                    + ". Name fewer paths, for example a directory above several of them.");
        }
        return mounts.view(result);
    }

    private void put(Mount mount) {
        rules.put(mount.target(), mount);
    }

    private void collect() throws SandboxException {
        if (isNamed()) {
            if (scratch == null) {
                throw new SandboxException("Profile '" + profile.name()
                        + "' makes files of /etc, which needs a scratch directory: name one.");
            }
            SystemFiles.mounts(host, profile.network() == Profile.Network.HOST, scratch.system())
                    .forEach(this::put);
        }
        if (profile.devices() == Profile.Devices.MINIMAL) {
            put(Mount.devices(DEV));
            if (isNamed()) {
                put(Mount.tmpfs(DEV.resolve("shm"), EMPTY_BYTES).withExecute(false));
            }
        }
        if (profile.temporary() != Profile.Temporary.HOST) {
            temporary(TEMPORARY.get(0), scratch == null ? null : scratch.temporary());
            temporary(TEMPORARY.get(1), scratch == null ? null : scratch.variableTemporary());
        }
        Optional<Path> home = home();
        Optional<Path> agent = agentRoot();
        if (profile.home() != Profile.Home.HOST && home.isPresent() && isChanged(home.get())) {
            put(changed(home.get(), agent).withExecute(!isNamed()));
        }
        Set<Path> homes = accountHomes();
        for (Path other : homes) {
            if (!home.equals(Optional.of(other))) {
                accountHome(other, agent);
            }
        }
        home.ifPresent(homes::add);
        boolean network = profile.network() == Profile.Network.HOST;
        for (Path path : HiddenPaths.of(host, homes, network)) {
            put(Mount.hide(path));
        }
        if (agent.isPresent() && !host.container()) {
            hideAgentFiles(home);
        }
        if (!isNamed() && !host.container()) {
            HiddenPaths.kept(host, network).stream()
                    .filter(m -> isHidden(m.target()))
                    .forEach(this::put);
        }
        if (agent.isPresent()) {
            jenkins(agent.get());
        }
        boolean execute = !isNamed() || exceptions.all().stream().anyMatch(this::makesTheWorkspaceExecutable);
        put(Mount.bind(workspace, workspace).withExecute(execute));
        git().forEach(m -> put(m.withExecute(execute)));
        if (policy.controlDirectory() != null) {
            control(host.canonicalDirectory("Control directory", policy.controlDirectory()), execute);
        }
        for (String path : policy.shielded()) {
            shield(Path.of(path).getParent(), execute);
        }
        for (Exceptions.Entry entry : exceptions.all()) {
            exception(entry);
        }
        hideByOtherNames(agent);
    }

    /** Not a directory that the home directory lies in, nor one that a private directory stands for already. */
    private void hideAgentFiles(Optional<Path> home) throws SandboxException {
        for (Path path : HiddenPaths.ofAgent(host)) {
            Mount there = rules.get(path);
            boolean isAboveHome = home.isPresent() && home.get().startsWith(path);
            if (!isAboveHome && (there == null || there.showsTheMachine())) {
                put(Mount.hide(path));
            }
        }
    }

    private List<Mount> git() throws SandboxException {
        GitFiles.Protection protection = GitFiles.in(workspace, profile.git(), scratch);
        allRepositories = protection.complete();
        List<Mount> mounts = protection.mounts();
        mounts.stream()
                .filter(m -> m.kind() == Mount.Kind.OVERLAY_OR_READ_ONLY)
                .flatMap(m -> m.arguments().stream())
                .forEach(layer -> points.put(PathBytes.path(layer), true));
        return mounts;
    }

    /** A file system may be mounted more than once: what is hidden by one name is so by all that are not named themselves. */
    private void hideByOtherNames(Optional<Path> agent) throws SandboxException {
        Set<Path> hidden = new LinkedHashSet<>();
        rules.values().stream()
                .filter(m -> m.kind() == Mount.Kind.HIDE)
                .map(Mount::target)
                .forEach(hidden::add);
        Stream.concat(TEMPORARY.stream(), agent.stream())
                .filter(p -> rules.containsKey(p) && !rules.get(p).showsTheMachine())
                .forEach(hidden::add);
        if (!hidden.isEmpty()) {
            MountTable table = MountTable.read();
            for (Path path : hidden) {
                table.otherNames(path).forEach(other -> rules.putIfAbsent(other, Mount.hide(other)));
            }
        }
    }

    /** Where /var/tmp is a link to /tmp, it needs no mount of its own; the launcher refuses links. */
    private void temporary(Path target, Path source) {
        if (isNamed() || Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
            boolean empty = profile.temporary() == Profile.Temporary.EMPTY;
            Mount mount =
                    empty || source == null ? Mount.tmpfs(target, empty ? EMPTY_BYTES : 0) : Mount.bind(source, target);
            put(mount.withExecute(!isNamed()));
        }
    }

    /** Nothing exists but what is named, and nothing is executed but what is named for it. */
    private boolean isNamed() {
        return profile.root() == Profile.Root.NAMED;
    }

    /** The home directory, where there is one. */
    private Optional<Path> home() throws SandboxException {
        if (host.container()) {
            // That one has another, or none.
            return Optional.empty();
        }
        String name = policy.home() == null ? host.home() : policy.home();
        // An account without a home directory is common in containers, and no mistake.
        return name.startsWith("/") && name.indexOf('\0') < 0 && Files.isDirectory(PathBytes.named(name))
                ? Optional.of(host.canonicalDirectory("Home directory", name))
                : Optional.empty();
    }

    /** Those of the account, where they are there and are somebody's: system accounts have {@code /} or a directory of root's. */
    private Set<Path> accountHomes() throws SandboxException {
        Set<Path> homes = new LinkedHashSet<>();
        if (host.container()) {
            return homes;
        }
        for (String name : host.accountHomes()) {
            if (name.startsWith("/") && name.indexOf('\0') < 0 && Files.isDirectory(PathBytes.named(name))) {
                Path home = host.canonicalDirectory("Home directory", name);
                if (home.getNameCount() > 0) {
                    homes.add(home);
                }
            }
        }
        return homes;
    }

    /**
     * The account's home directory, where the environment names another one: covered likewise, since many programs ask the user
     * database. Where an overlay is not possible, it is read-only as everything else.
     */
    private void accountHome(Path home, Optional<Path> agent) {
        boolean covered = !isNamed()
                && profile.root() == Profile.Root.RO
                && isChanged(home)
                && isOwn(home)
                && !rules.containsKey(home)
                && !agent.map(a -> a.startsWith(home)).orElse(false);
        if (!covered) {
            return;
        }
        switch (profile.home()) {
            case EMPTY -> put(Mount.tmpfs(home, EMPTY_BYTES));
            case SCRATCH -> {
                if (scratch != null) {
                    points.put(scratch.accountWhole(home), true);
                    put(Mount.bind(scratch.accountWhole(home), home));
                }
            }
            case OVERLAY, JOB -> {
                // The kernel answers ELOOP when one layer of an overlay lies in another.
                if (scratch != null && !scratch.accountUpper(home).startsWith(home)) {
                    points.put(scratch.accountUpper(home), true);
                    points.put(scratch.accountWork(home), true);
                    put(
                            profile.home() == Profile.Home.JOB
                                    ? Mount.durableOverlay(home, scratch.accountUpper(home), scratch.accountWork(home))
                                    : Mount.overlay(home, scratch.accountUpper(home), scratch.accountWork(home)));
                }
            }
            case HOST -> {}
        }
    }

    private static boolean isOwn(Path path) {
        try {
            return Files.getAttribute(path, "unix:uid").equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /** "/" is read-only already; the workspace is writable anyway; a private /tmp is as good as a scratch home. */
    private boolean isChanged(Path home) {
        return home.getNameCount() > 0 && !home.startsWith(workspace) && !TEMPORARY.contains(home);
    }

    private Mount changed(Path home, Optional<Path> agent) throws SandboxException {
        if (profile.home() == Profile.Home.EMPTY) {
            return Mount.tmpfs(home, EMPTY_BYTES);
        }
        String what = "Profile '" + profile.name() + "' changes the home directory " + Quoted.of(home);
        if (scratch == null) {
            throw new SandboxException(what + ", which needs a scratch directory: name one, or use home = host.");
        }
        // An agent's root that is the home directory is hidden as any other: what is left is an empty home.
        if (profile.home() == Profile.Home.SCRATCH || agent.equals(Optional.of(home))) {
            return Mount.bind(scratch.homeWhole(), home);
        }
        // The kernel answers ELOOP when one layer of an overlay lies in another.
        if (scratch.homeUpper().startsWith(home)) {
            throw new SandboxException(what + " by an overlay, which cannot have its scratch directory "
                    + Quoted.of(scratch.homeUpper().getParent().getParent())
                    + " inside: use one outside of the home directory.");
        }
        // The job's next build has what is there; a block ends with the machine.
        return profile.home() == Profile.Home.JOB
                ? Mount.durableOverlay(home, scratch.homeUpper(), scratch.homeWork())
                : Mount.overlay(home, scratch.homeUpper(), scratch.homeWork());
    }

    private Optional<Path> agentRoot() throws SandboxException {
        if (policy.agentRoot() == null) {
            return Optional.empty();
        }
        Path root = host.canonicalDirectory("Agent root", policy.agentRoot());
        if (root.getNameCount() == 0) {
            throw new SandboxException("The agent's root directory is '/', which cannot be hidden from builds:"
                    + " give the agent a root directory of its own.");
        }
        return Optional.of(root);
    }

    /** Of Jenkins' own directories a build sees its workspace and the tools, and a private one in the place of @tmp. */
    private void jenkins(Path root) {
        Mount there = rules.get(root);
        if (there == null || there.showsTheMachine()) {
            put(Mount.hide(root));
        }
        Path tools = root.resolve("tools");
        if (!host.container() && Files.isDirectory(tools, LinkOption.NOFOLLOW_LINKS)) {
            put(Mount.readOnly(tools, tools));
        }
        Path temporary = workspace.resolveSibling(workspace.getFileName() + "@tmp");
        if (Files.isDirectory(temporary, LinkOption.NOFOLLOW_LINKS)) {
            if (scratch == null) {
                put(Mount.hide(temporary));
            } else {
                privateTemporary(temporary);
            }
        }
    }

    /** @return the directory that is seen there instead */
    private Path privateTemporary(Path replaced) {
        Path instead = scratch.workspaceTemporary(replaced);
        points.put(instead, true);
        put(Mount.bind(instead, replaced).withExecute(!isNamed()));
        return instead;
    }

    private boolean makesTheWorkspaceExecutable(Exceptions.Entry entry) {
        return entry.has(Right.EXECUTE) && workspace.startsWith(entry.path());
    }

    /**
     * The agent follows links when it reads what a step left in its control directory, so Landlock lets commands make none
     * there. But what Landlock allows in a directory it allows in all below, and control directories lie in a home directory
     * or, below {@code dir}, in the workspace. So the control directory is mounted where nothing above it can be written to.
     * Its parent, where other steps' control directories and secret files are, is a private directory instead, with a link to
     * that place in it. It is a mount of its own, which cannot be renamed, and so is every directory between it and the
     * workspace.
     */
    private void control(Path control, boolean execute) throws SandboxException {
        Path temporary = control.getParent();
        if (scratch == null || temporary == null || workspace.startsWith(temporary)) {
            throw new SandboxException("Control directory " + Quoted.of(control)
                    + " cannot be kept from the command: it needs a parent beside the workspace or in it, and the launch a"
                    + " scratch directory.");
        }
        keepInPlace(temporary, execute);
        besideControl = temporary;
        Path target = placeForControl().resolve(control.getFileName());
        put(Mount.control(control, target));
        links.put(privateTemporary(temporary).resolve(control.getFileName()), target);
    }

    /** Makes a mount of every directory between the workspace and this one: what is a mount cannot be renamed. */
    private void keepInPlace(Path directory, boolean execute) {
        if (directory.startsWith(workspace) && !directory.equals(workspace)) {
            for (Path path = directory.getParent(); !path.equals(workspace); path = path.getParent()) {
                rules.putIfAbsent(path, Mount.bind(path, path).withExecute(execute));
            }
        }
    }

    /** Another step's, which the agent reads while this launch runs. What is not there is not hidden either. */
    private void shield(Path temporary, boolean execute) {
        if (!temporary.equals(besideControl) && Files.isDirectory(temporary, LinkOption.NOFOLLOW_LINKS)) {
            keepInPlace(temporary, execute);
            rules.putIfAbsent(temporary, Mount.hide(temporary));
        }
    }

    /**
     * Somewhere in what is hidden anyway, or a directory of the machine that has nothing in it, which nobody will miss; anything
     * where nothing exists.
     */
    private Path placeForControl() throws SandboxException {
        if (isNamed()) {
            return Path.of("/jenkins");
        }
        Mount run = rules.get(RUN);
        if (run != null && run.kind() == Mount.Kind.HIDE && isNotNamed(RUN)) {
            return RUN.resolve("process-sandbox");
        }
        if (host.container()) {
            put(Mount.hide(EMPTY_PLACE_IN_CONTAINERS));
            return EMPTY_PLACE_IN_CONTAINERS;
        }
        Path place = EMPTY_PLACES.stream()
                .filter(p -> !rules.containsKey(p) && isNotNamed(p) && isEmptyDirectory(p))
                .findFirst()
                .orElseThrow(
                        () -> new SandboxException("There is no place for the control directory: /run is not there or"
                                + " named by the launch, and neither is another directory of " + EMPTY_PLACES
                                + " there and empty. Make one of them."));
        put(Mount.hide(place));
        return place;
    }

    private boolean isNotNamed(Path place) {
        return exceptions.all().stream().noneMatch(e -> e.path().equals(place));
    }

    private static boolean isEmptyDirectory(Path path) {
        if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
            return !entries.iterator().hasNext();
        } catch (IOException | DirectoryIteratorException e) {
            return false;
        }
    }

    private void exception(Exceptions.Entry entry) throws SandboxException {
        Path path = entry.path();
        boolean ours = profile.devices() == Profile.Devices.MINIMAL && path.startsWith(DEV);
        if (ours && USUAL_DEVICES.contains(path) && !entry.has(Right.HIDE) && !entry.has(Right.EXECUTE)) {
            return; // The launch has it in any case.
        }
        if (ours || path.startsWith(PROC)) {
            throw new SandboxException("Path " + Quoted.of(path) + " cannot be named: the launch has a "
                    + (ours ? DEV : PROC) + " of its own.");
        }
        if (path.equals(besideControl)
                || besideControl != null && entry.has(Right.WRITE) && path.startsWith(besideControl)) {
            throw new SandboxException("Path " + Quoted.of(path)
                    + " cannot be named: it is where Jenkins keeps what it reads of this step. Use another directory.");
        }
        Mount there = rules.get(path);
        boolean writable = there != null && there.writesToTheMachine();
        boolean execute = !isNamed() || entry.has(Right.EXECUTE) || writable && there.execute();
        if (entry.has(Right.HIDE)) {
            if (writable) {
                throw new SandboxException("Path " + Quoted.of(path)
                        + " cannot be hidden: it is the workspace, or the launch cannot do without it.");
            }
            put(Mount.hide(path));
        } else if (entry.has(Right.WRITE)) {
            put(Mount.bind(path, path).withExecute(execute));
        } else if (writable) {
            put(there.withExecute(execute));
        } else if (path.getNameCount() > 0) {
            put(Mount.readOnly(path, path).withExecute(execute));
        } else if (isNamed()) {
            throw new SandboxException("Path '/' would make everything exist: use profile 'offline'.");
        }
    }

    /** What lies above a path in the view so far. */
    private static Optional<Mount> above(List<Mount> mounts, Path path) {
        return mounts.stream().filter(m -> path.startsWith(m.target())).reduce((first, second) -> second);
    }

    private boolean isHidden(Path path) {
        return above(List.copyOf(rules.values()), path)
                .map(m -> m.kind() == Mount.Kind.HIDE)
                .orElse(false);
    }

    private boolean isSeen(Optional<Mount> above) {
        return above.map(m -> m.showsTheMachine() || otherNames.contains(m.target()))
                .orElse(!isNamed());
    }

    /** Covers get their mount points, and their links, before the launch: nothing can be made in them then. */
    private View view(List<Mount> all) {
        List<Mount> mounts = new ArrayList<>();
        for (Mount mount : all) {
            Optional<Mount> above = above(mounts, mount.target());
            if (above.isPresent()
                    && scratch != null
                    && scratch.isCover(above.get().source())) {
                Path point = above.get().source().resolve(above.get().target().relativize(mount.target()));
                if (mount.kind() == Mount.Kind.SYMLINK) {
                    links.put(point, mount.linkText());
                    continue;
                }
                points.put(point, mount.isDirectory() || scratch.isDirectory(mount.source()));
            }
            mounts.add(mount);
        }
        return new View(List.copyOf(mounts), new LinkedHashMap<>(points), Map.copyOf(links), allRepositories);
    }

    /** Leaves out what would change nothing, or has nothing to be mounted on. */
    private List<Mount> inOrder() {
        List<Mount> mounts = new ArrayList<>();
        for (Mount mount : rules.values()) {
            Path target = mount.target();
            Optional<Mount> above = above(mounts, target);
            boolean seen = isSeen(above);
            boolean writable = above.map(Mount::writesToTheMachine).orElse(profile.root() == Profile.Root.HOST);
            switch (mount.kind()) {
                case HIDE -> {
                    if (seen) {
                        mounts.add(isSeenInside(target) ? cover(target) : mount);
                    }
                }
                case READ_ONLY -> {
                    boolean executed = above.map(Mount::execute).orElse(true);
                    if (!seen || writable || !mount.showsTheMachine() || mount.execute() && !executed) {
                        mounts.add(mount);
                    }
                }
                case SYMLINK -> {
                    if (!seen) {
                        mounts.add(mount);
                    }
                }
                default -> mounts.add(mount);
            }
        }
        return mounts;
    }

    /**
     * A directory that has nothing but the mount points of what is seen in it, read-only: what a build writes is kept or
     * refused, and never lost without a word.
     */
    private Mount cover(Path target) {
        return scratch == null
                ? Mount.tmpfs(target, COVER_BYTES)
                : Mount.readOnly(scratch.cover(target), target).withExecute(!isNamed());
    }

    private boolean isSeenInside(Path hidden) {
        return rules.values().stream()
                .anyMatch(m -> m.kind() != Mount.Kind.HIDE
                        && !m.target().equals(hidden)
                        && m.target().startsWith(hidden));
    }

    /**
     * A path that was given through a symbolic link works by that name too: where the link is not seen itself, it is made
     * anew, or the file is mounted a second time.
     */
    private boolean addOtherNames(List<Mount> mounts) throws SandboxException {
        boolean added = false;
        for (Map.Entry<Path, Path> other : otherNames().entrySet()) {
            Path name = other.getKey();
            Path link = firstLink(name);
            if (link == null) {
                continue;
            }
            Path there = host.canonical("Path", link.getParent()).resolve(link.getFileName());
            Optional<Mount> above = above(mounts, there);
            if (isNamed() && above.isEmpty() || above.map(this::isCovered).orElse(false)) {
                added |= rules.putIfAbsent(there, Mount.symlink(host.canonical("Path", link), there)) == null;
            } else if (!isSeen(above)) {
                putAgain(other.getValue(), there.resolve(link.relativize(name)).normalize());
                added = true;
            }
        }
        return added;
    }

    /** Nothing is seen there but mount points and links, made for this launch alone. */
    private boolean isCovered(Mount mount) {
        return scratch != null && (mount.kind() == Mount.Kind.HIDE || scratch.isCover(mount.source()));
    }

    /** What holds below a path holds by its other name too, or that would be the way around it. */
    private void putAgain(Path path, Path name) {
        Mount mount = rules.get(path);
        // What has no rule of its own is seen as it is, read-only.
        Mount again = mount != null && mount.writesToTheMachine() ? Mount.bind(path, name) : Mount.readOnly(path, name);
        List<Mount> below = rules.values().stream()
                .filter(m -> m.target().startsWith(path) && !m.target().equals(path))
                .toList();
        rules.put(name, again.withExecute(mount == null || mount.execute()));
        otherNames.add(name);
        for (Mount part : below) {
            Path place = name.resolve(path.relativize(part.target()));
            rules.put(place, part.again(place));
            if (part.showsTheMachine()) {
                otherNames.add(place);
            }
        }
    }

    /** Names through symbolic links, and what they lead to. */
    private Map<Path, Path> otherNames() {
        Map<Path, Path> names = new LinkedHashMap<>();
        exceptions.all().forEach(e -> e.names().forEach(n -> names.put(n, e.path())));
        Path given = Path.of(policy.workspace());
        if (given.equals(given.normalize()) && !given.equals(workspace)) {
            names.put(given, workspace);
        }
        return names;
    }

    private static Path firstLink(Path name) {
        Path path = ROOT;
        for (Path component : name) {
            path = path.resolve(component);
            if (Files.isSymbolicLink(path)) {
                return path;
            }
        }
        return null;
    }
}
