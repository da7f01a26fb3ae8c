package io.jenkins.plugins.sandbox.policy;

import io.jenkins.plugins.sandbox.model.Errno;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.seccomp.SeccompPolicy;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A named set of measures, read from a data file: UTF-8 lines {@code key = value}, comments from {@code #} at the start of a
 * line, lists separated by blanks. The keys are this record's components: {@code description}, {@code primitives},
 * {@code root}, {@code tmp}, {@code dev}, {@code home}, {@code git}, {@code network}, {@code environment}, {@code syscalls},
 * {@code syscalls-allow}, {@code syscalls-deny}, and one for each of {@link Limits}, {@code cpu-time} for example. Every mistake
 * is an error.
 *
 * @param name {@code [a-z0-9-]}, at most 32 characters
 * @param description one line for people
 * @param primitives the rows that it asks for, in the order of the sequence; limits that a launch asks for come on top
 * @param root what the file system starts from
 * @param temporary what {@code /tmp} and {@code /var/tmp} are
 * @param devices what {@code /dev} is
 * @param home what the home directory is
 * @param git what becomes of the repositories in the workspace
 * @param network which network the command sees
 * @param environment which variables the command gets
 * @param limits what every launch is limited to at least; a launch's own limits can only be lower
 * @param syscalls the groups of system calls that are allowed, by name, and with a {@code -} before it those that are taken
 *     away from them again; empty without the row {@code seccomp}
 * @param allowedSyscalls single calls allowed on top of the groups
 * @param deniedSyscalls single calls taken out of the groups
 */
public record Profile(
        String name,
        String description,
        List<Primitive> primitives,
        Root root,
        Temporary temporary,
        Devices devices,
        Home home,
        Git git,
        Network network,
        Environment environment,
        Limits limits,
        List<String> syscalls,
        List<String> allowedSyscalls,
        List<String> deniedSyscalls)
        implements Serializable {

    /** The built-in profiles, weakest first. */
    public static final List<String> BUILT_IN = List.of("standard", "strict", "offline", "locked");

    /** The built-in profile of {@code sandbox agent}. It is weaker than {@code strict}, so no build can choose it. */
    public static final String AGENT = "agent";

    /**
     * What a network of the launch's own is made of. Not LANDLOCK_NET: it refuses TCP over loopback too, which many a test
     * needs.
     */
    static final List<Primitive> NETWORK_ROWS = List.of(Primitive.NETWORK_NAMESPACE);

    /** What the file system starts from. */
    public enum Root {
        /** The machine's, as it is. */
        HOST,
        /** The machine's, read-only and nosuid. */
        RO,
        /** Nothing but programs, what they need, and what is named; only what is named for it can be executed. */
        NAMED
    }

    /** What {@code /tmp} and {@code /var/tmp} are. */
    public enum Temporary {
        /** The machine's. */
        HOST,
        /** Directories of the scratch directory, or empty ones of the launch without one. */
        PRIVATE,
        /** Empty ones in memory, at most 1 GiB each, that are gone with the launch. */
        EMPTY
    }

    /** What {@code /dev} is. */
    public enum Devices {
        /** The machine's. */
        HOST,
        /** The harmless few. */
        MINIMAL
    }

    /** What the home directory is. */
    public enum Home {
        /** The machine's. */
        HOST,
        /** The machine's below, a scratch directory above: changes are seen by the launch and go with the scratch directory. */
        OVERLAY,
        /** An empty scratch directory. */
        SCRATCH,
        /** As OVERLAY, with a scratch directory that stays for the job's next build. */
        JOB,
        /** Empty, in memory, at most 1 GiB, and gone with the launch. */
        EMPTY
    }

    /** What becomes of the repositories in the workspace, which git outside of the sandbox uses afterwards. */
    public enum Git {
        /** As writable as the rest of the workspace. For the profile {@link Profile#AGENT}, whose JVM checks out. */
        HOST,
        /** What names programs is read-only: configuration, hooks, submodules'. The rest can be written to. */
        PROTECTED,
        /** The machine's below, a scratch directory above: nothing that is written to {@code .git} reaches the machine. */
        OVERLAY,
        /** All of {@code .git} is read-only. */
        READ_ONLY
    }

    /** Which network the command sees. */
    public enum Network {
        /** The machine's. */
        HOST,
        /** Its own, with nothing but loopback. */
        NONE
    }

    /** Which variables the command gets; those that the step sets itself in any case. */
    public enum Environment {
        /** Those that the launching process has; with the row {@code environment}, its own secrets are dropped. */
        INHERIT,
        /** Only those that are named: the harmless few of every build, and what is asked for. */
        NAMED
    }

    public Profile {
        primitives = List.copyOf(primitives);
        syscalls = List.copyOf(syscalls);
        allowedSyscalls = List.copyOf(allowedSyscalls);
        deniedSyscalls = List.copyOf(deniedSyscalls);
    }

    /**
     * Finds a built-in profile.
     *
     * @param name one of {@link #BUILT_IN}, or {@link #AGENT}
     * @return the profile
     * @throws SandboxException when there is none of that name
     */
    public static Profile named(String name) throws SandboxException {
        return ProfileReader.builtIn(name);
    }

    /**
     * Reads a profile from a file. Its name is the file's without the suffix {@code .properties}.
     *
     * @param file at most 64 KiB of UTF-8
     * @return the profile
     * @throws SandboxException when the file cannot be read or is not a profile
     */
    public static Profile load(Path file) throws SandboxException {
        return ProfileReader.load(file);
    }

    /**
     * Reads a profile from text.
     *
     * @param name its name, {@code [a-z0-9-]{1,32}} and none of {@link #BUILT_IN}
     * @param text the lines of the file, at most 64 KiB
     * @return the profile
     * @throws SandboxException when it is not a profile; the message names the line
     */
    public static Profile parse(String name, String text) throws SandboxException {
        return ProfileReader.parse(name, text, false);
    }

    /**
     * @return which system calls this profile allows; empty without the row {@code seccomp}
     */
    public Optional<SeccompPolicy> syscallPolicy() {
        if (syscalls.isEmpty()) {
            return Optional.empty();
        }
        SeccompPolicy.Builder builder = SeccompPolicy.builder()
                .groups(syscalls.stream().filter(g -> !g.startsWith("-")).toList());
        syscalls.stream().filter(g -> g.startsWith("-")).forEach(g -> builder.exclude(g.substring(1)));
        allowedSyscalls.forEach(builder::allow);
        deniedSyscalls.forEach(name -> builder.deny(name, Errno.EPERM));
        if (executesNamedFilesOnly()) {
            builder.sealMemoryFiles();
        }
        return Optional.of(builder.build());
    }

    /**
     * @param newName {@code [a-z0-9-]{1,32}} and none of {@link #BUILT_IN}
     * @return the same profile under another name
     * @throws SandboxException when it cannot have that name
     */
    public Profile withName(String newName) throws SandboxException {
        ProfileReader.checkName(newName);
        return with(newName, primitives, home, network, environment, limits, syscalls, deniedSyscalls);
    }

    /**
     * @param groups groups of system calls that are allowed as well, and with a {@code -} before it those that are taken away
     * @return the same profile with another filter
     * @throws SandboxException when there is no such group, or this profile has no filter
     */
    public Profile withSyscalls(Collection<String> groups) throws SandboxException {
        if (!primitives.contains(Primitive.SECCOMP)) {
            throw new SandboxException("Profile '" + name + "' has no filter on system calls: use profile 'strict'.");
        }
        Set<String> all = new LinkedHashSet<>(syscalls);
        all.addAll(groups);
        Profile changed = with(name, primitives, home, network, environment, limits, List.copyOf(all), deniedSyscalls);
        try {
            changed.syscallPolicy();
        } catch (IllegalArgumentException e) {
            throw new SandboxException("Profile '" + name + "': " + e.getMessage() + ".", e);
        }
        return changed;
    }

    /**
     * @param newLimits the limits of all of its launches, in the place of those that it has
     * @return the same profile with other limits
     */
    public Profile withLimits(Limits newLimits) {
        return with(name, primitives, home, network, environment, newLimits, syscalls, deniedSyscalls);
    }

    /**
     * @param newHome what the home directory is
     * @return the same profile with another home directory
     */
    public Profile withHome(Home newHome) {
        return with(primitives, newHome, network, environment);
    }

    /**
     * @param newGit what becomes of the repositories in the workspace
     * @return the same profile with another treatment of them
     */
    public Profile withGit(Git newGit) {
        return new Profile(
                name,
                description,
                primitives,
                root,
                temporary,
                devices,
                home,
                newGit,
                network,
                environment,
                limits,
                syscalls,
                allowedSyscalls,
                deniedSyscalls);
    }

    /**
     * @param newNetwork which network the command sees
     * @return the same profile with another network, and the rows that go with it
     * @throws SandboxException when this profile lacks what a network of its own needs
     */
    public Profile withNetwork(Network newNetwork) throws SandboxException {
        Set<Primitive> rows = EnumSet.noneOf(Primitive.class);
        rows.addAll(primitives);
        if (newNetwork == Network.NONE) {
            if (!rows.contains(Primitive.USER_NAMESPACE)) {
                throw new SandboxException(
                        "Profile '" + name + "' has no user namespace, which a network of its own needs:"
                                + " use profile 'strict' or 'offline'.");
            }
            rows.addAll(NETWORK_ROWS);
        } else {
            NETWORK_ROWS.forEach(rows::remove);
        }
        return with(List.copyOf(rows), home, newNetwork, environment);
    }

    /**
     * @return the same profile without the row {@code environment}: every variable is passed on
     */
    public Profile withAllVariables() {
        List<Primitive> rows =
                primitives.stream().filter(p -> p != Primitive.ENVIRONMENT).toList();
        return with(rows, home, network, Environment.INHERIT);
    }

    /**
     * @param row a row
     * @return the same profile with this row as well
     */
    public Profile with(Primitive row) {
        Set<Primitive> rows = EnumSet.of(row);
        rows.addAll(primitives);
        return with(List.copyOf(rows), home, network, environment);
    }

    /**
     * @param name of a system call
     * @return the same profile without this call, where it filters any
     */
    public Profile withoutSyscall(String name) {
        if (syscalls.isEmpty() || deniedSyscalls.contains(name)) {
            return this;
        }
        List<String> denied = new ArrayList<>(deniedSyscalls);
        denied.add(name);
        return with(this.name, primitives, home, network, environment, limits, syscalls, denied);
    }

    private Profile with(List<Primitive> rows, Home newHome, Network newNetwork, Environment newEnvironment) {
        return with(name, rows, newHome, newNetwork, newEnvironment, limits, syscalls, deniedSyscalls);
    }

    private Profile with(
            String newName,
            List<Primitive> rows,
            Home newHome,
            Network newNetwork,
            Environment newEnvironment,
            Limits newLimits,
            List<String> newSyscalls,
            List<String> denied) {
        return new Profile(
                newName,
                description,
                rows,
                root,
                temporary,
                devices,
                newHome,
                git,
                newNetwork,
                newEnvironment,
                newLimits,
                newSyscalls,
                allowedSyscalls,
                denied);
    }

    /**
     * @return whether nothing can be executed but what is named for it, so files in memory neither
     */
    public boolean executesNamedFilesOnly() {
        return root == Root.NAMED;
    }

    /**
     * @return whether this is the built-in profile {@code standard}, which alone can reach the level BASELINE
     */
    public boolean isStandard() {
        return name.equals("standard");
    }
}
