package io.jenkins.plugins.sandbox.policy;

import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Minimum;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Everything that one launch asks for. Immutable; made where the decision is made, sent to where the command runs. Paths are
 * those of the machine that launches, as text, and are only looked at there.
 *
 * @param profile the profile
 * @param workspace absolute path of the directory that the command works in and may write to
 * @param writePaths absolute paths of further files and directories that may be written to
 * @param readPaths absolute paths that must be readable
 * @param executePaths absolute paths that must be readable and executable
 * @param hidePaths absolute paths that must not be seen
 * @param variables names of environment variables that stay whatever the profile says: those that the step sets itself, and
 *     those that are asked for by name
 * @param agentRoot absolute path of the Jenkins agent's root directory, of which a command sees its workspace and
 *     {@code tools}; {@code null} without Jenkins
 * @param controlDirectory absolute path of the directory in which Jenkins and the command meet, writable; {@code null} when
 *     there is none outside of the workspace
 * @param shielded control directories of other launches that lie in what this one may write to; it neither sees nor replaces
 *     them
 * @param limits all limits, the profile's own included
 * @param minimum what the launch has to reach
 * @param onShortfall what becomes of a launch that does not
 * @param background what becomes of processes that outlive the command
 * @param graceSeconds from SIGTERM to SIGKILL, 0 to 600
 * @param gateSeconds how long the launcher waits for leave to start the command, 1 to 3600
 * @param home absolute path of the home directory; {@code null} takes the launching process' own
 * @param scratch absolute path of an existing directory for {@code /tmp} and the changed home; launches that are given the
 *     same one share them. {@code null} when there is none
 * @param jobScratch absolute path of an existing directory that stays for the job's next build, for {@code home = job};
 *     {@code null} when there is none
 */
public record Policy(
        Profile profile,
        String workspace,
        List<String> writePaths,
        List<String> readPaths,
        List<String> executePaths,
        List<String> hidePaths,
        List<String> variables,
        String agentRoot,
        String controlDirectory,
        List<String> shielded,
        Limits limits,
        Minimum minimum,
        OnShortfall onShortfall,
        Background background,
        int graceSeconds,
        int gateSeconds,
        String home,
        String scratch,
        String jobScratch)
        implements Serializable {

    /** What becomes of a launch that does not reach its minimum. */
    public enum OnShortfall {
        /** The command does not run. */
        FAIL,
        /** The command runs, and whoever started it is told. */
        WARN
    }

    /** What becomes of processes that are still there when the command itself has ended. */
    public enum Background {
        /** They go on; the sandbox stays until the last of them has ended. */
        KEEP,
        /** SIGTERM, the grace, SIGKILL. */
        KILL
    }

    public Policy {
        writePaths = List.copyOf(writePaths);
        readPaths = List.copyOf(readPaths);
        executePaths = List.copyOf(executePaths);
        hidePaths = List.copyOf(hidePaths);
        variables = List.copyOf(variables);
        shielded = List.copyOf(shielded);
    }

    /**
     * @param profile the profile
     * @param workspace absolute path of the directory that the command works in and may write to
     * @return a builder with every other setting at its default
     */
    public static Builder builder(Profile profile, String workspace) {
        return new Builder(profile, workspace);
    }

    /**
     * The rows that this launch asks for: the profile's, and one for each limit that the launch brings. A pure function, so
     * that the side that judges the report knows it without asking the side that wrote it.
     *
     * @return in the order of the sequence
     */
    public List<Primitive> primitives() {
        return primitives(profile, limits);
    }

    /**
     * @param profile the profile of a launch
     * @param limits its limits, those of the profile among them
     * @return the rows that the launch asks for, in the order of the sequence
     */
    public static List<Primitive> primitives(Profile profile, Limits limits) {
        Set<Primitive> asked = EnumSet.noneOf(Primitive.class);
        asked.addAll(profile.primitives());
        boolean ownUsers = asked.contains(Primitive.USER_NAMESPACE);
        ask(asked, Primitive.CGROUP, limits.memory(), limits.cpuQuota(), ownUsers ? null : limits.pids());
        ask(asked, Primitive.RLIMIT_NPROC, ownUsers ? limits.pids() : null);
        ask(asked, Primitive.RLIMIT_CPU, limits.cpuTime());
        ask(asked, Primitive.RLIMIT_NOFILE, limits.openFiles());
        ask(asked, Primitive.RLIMIT_AS, limits.rlimitAs());
        ask(asked, Primitive.RLIMIT_FSIZE, limits.fileSize());
        ask(asked, Primitive.WORKSPACE_SIZE, limits.workspaceSize());
        ask(asked, Primitive.RLIMIT_STACK, limits.stack());
        ask(asked, Primitive.RLIMIT_MEMLOCK, limits.lockedMemory());
        ask(asked, Primitive.CPU_AFFINITY, limits.cpus());
        return List.copyOf(asked);
    }

    private static void ask(Set<Primitive> asked, Primitive row, Object... ofLimits) {
        for (Object limit : ofLimits) {
            if (limit != null) {
                asked.add(row);
            }
        }
    }

    /**
     * @return RLIMIT_NOFILE of a launch that asks for that row
     */
    public int openFiles() {
        return limits.openFiles() != null ? limits.openFiles() : Limits.DEFAULT_OPEN_FILES;
    }

    /**
     * @param names environment variables that stay too
     * @return the same policy with more of them
     */
    public Policy keepingVariables(Collection<String> names) {
        List<String> more = new ArrayList<>(variables);
        more.addAll(names);
        return new Policy(
                profile,
                workspace,
                writePaths,
                readPaths,
                executePaths,
                hidePaths,
                more,
                agentRoot,
                controlDirectory,
                shielded,
                limits,
                minimum,
                onShortfall,
                background,
                graceSeconds,
                gateSeconds,
                home,
                scratch,
                jobScratch);
    }

    /** Collects the settings of a policy. Every method returns the builder itself. */
    public static final class Builder {
        private final Profile profile;
        private final String workspace;
        private final List<String> writePaths = new ArrayList<>();
        private final List<String> readPaths = new ArrayList<>();
        private final List<String> executePaths = new ArrayList<>();
        private final List<String> hidePaths = new ArrayList<>();
        private final List<String> variables = new ArrayList<>();
        private String agentRoot;
        private String controlDirectory;
        private final List<String> shielded = new ArrayList<>();
        private Limits limits = Limits.NONE;
        private Level minimumLevel = Level.NONE;
        private final Set<Primitive> required = EnumSet.noneOf(Primitive.class);
        private OnShortfall onShortfall = OnShortfall.FAIL;
        private Background background = Background.KEEP;
        private int graceSeconds = 5;
        private int gateSeconds = 60;
        private String home;
        private String scratch;
        private String jobScratch;

        private Builder(Profile profile, String workspace) {
            this.profile = profile;
            this.workspace = workspace;
        }

        /**
         * @param path absolute path of a file or directory that may be written to
         */
        public Builder write(String path) {
            writePaths.add(path);
            return this;
        }

        /**
         * @param path absolute path that must be readable
         */
        public Builder read(String path) {
            readPaths.add(path);
            return this;
        }

        /**
         * @param path absolute path that must be readable and executable
         */
        public Builder execute(String path) {
            executePaths.add(path);
            return this;
        }

        /**
         * @param path absolute path that must not be seen
         */
        public Builder hide(String path) {
            hidePaths.add(path);
            return this;
        }

        /**
         * @param path absolute path of the Jenkins agent's root directory, see {@link Policy#agentRoot}
         */
        public Builder agentRoot(String path) {
            agentRoot = path;
            return this;
        }

        /**
         * @param path absolute path, see {@link Policy#shielded}
         */
        public Builder shield(String path) {
            shielded.add(path);
            return this;
        }

        /**
         * @param path absolute path, see {@link Policy#controlDirectory}
         */
        public Builder controlDirectory(String path) {
            controlDirectory = path;
            return this;
        }

        /**
         * @param names environment variables that stay whatever the profile says, see {@link Policy#variables}
         */
        public Builder keepVariables(Collection<String> names) {
            variables.addAll(names);
            return this;
        }

        /**
         * @param newLimits the limits of this launch; the profile's own hold as well
         */
        public Builder limits(Limits newLimits) {
            limits = newLimits;
            return this;
        }

        /**
         * @param level the lowest level that will do; default {@link Level#NONE}
         */
        public Builder minimumLevel(Level level) {
            minimumLevel = level;
            return this;
        }

        /**
         * @param primitives rows that must be applied whatever the level is
         */
        public Builder require(Primitive... primitives) {
            required.addAll(List.of(primitives));
            return this;
        }

        /**
         * @param newOnShortfall default {@link OnShortfall#FAIL}
         */
        public Builder onShortfall(OnShortfall newOnShortfall) {
            onShortfall = newOnShortfall;
            return this;
        }

        /**
         * @param newBackground default {@link Background#KEEP}
         */
        public Builder background(Background newBackground) {
            background = newBackground;
            return this;
        }

        /**
         * @param seconds from SIGTERM to SIGKILL, 0 to 600; default 5
         */
        public Builder graceSeconds(int seconds) {
            graceSeconds = seconds;
            return this;
        }

        /**
         * @param seconds how long the launcher waits at the gate, 1 to 3600; default 60
         */
        public Builder gateSeconds(int seconds) {
            gateSeconds = seconds;
            return this;
        }

        /**
         * @param path absolute path of the home directory; default is the launching process' own
         */
        public Builder home(String path) {
            home = path;
            return this;
        }

        /**
         * @param path absolute path of an existing directory, see {@link Policy#scratch}
         */
        public Builder scratch(String path) {
            scratch = path;
            return this;
        }

        /**
         * @param path absolute path of an existing directory, see {@link Policy#jobScratch}
         */
        public Builder jobScratch(String path) {
            jobScratch = path;
            return this;
        }

        /**
         * @return the policy
         * @throws SandboxException when a number is out of range, or a required row is not asked for
         */
        public Policy build() throws SandboxException {
            limits.check();
            Limits effective = limits.stricter(profile.limits());
            effective.checkAddressSpace();
            checkRange("grace", graceSeconds, 0, 600);
            checkRange("gate time-out", gateSeconds, 1, 3600);
            if (profile.home() == Profile.Home.JOB && jobScratch == null) {
                throw new SandboxException("Home 'job' stays for the job's next build, and there is no job:"
                        + " use home = overlay or home = scratch.");
            }
            Policy policy = new Policy(
                    profile,
                    workspace,
                    writePaths,
                    readPaths,
                    executePaths,
                    hidePaths,
                    variables,
                    agentRoot,
                    controlDirectory,
                    shielded,
                    effective,
                    new Minimum(minimumLevel, List.copyOf(required)),
                    onShortfall,
                    background,
                    graceSeconds,
                    gateSeconds,
                    home,
                    scratch,
                    jobScratch);
            if (onShortfall == OnShortfall.FAIL) {
                checkReachable(policy);
            }
            return policy;
        }

        /** A minimum that the profile cannot reach on any machine is a mistake in the settings, not a finding of the launch. */
        private void checkReachable(Policy policy) throws SandboxException {
            List<Primitive> asked = policy.primitives();
            for (Primitive primitive : required) {
                if (!asked.contains(primitive)) {
                    throw new SandboxException(
                            "Required primitive " + primitive.wireName() + " is not part of profile '" + profile.name()
                                    + "': choose a profile that has it, or do not require it.");
                }
            }
            if (profile.isStandard() && minimumLevel.compareTo(Level.BASELINE) > 0) {
                throw new SandboxException("Profile 'standard' reaches the level BASELINE at most, the minimum is "
                        + minimumLevel + ": use profile 'strict'.");
            }
        }

        private static void checkRange(String name, int seconds, int min, int max) throws SandboxException {
            if (seconds < min || seconds > max) {
                throw new SandboxException(
                        "A " + name + " of " + seconds + " s is out of range: use " + min + " to " + max + " seconds.");
            }
        }
    }
}
