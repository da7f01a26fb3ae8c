package io.jenkins.plugins.sandbox.config;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.AbortException;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Limits;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What holds for one launch. The administrator's settings are a floor: whoever writes a Jenkinsfile or configures a job can
 * tighten them, and loosen only what the administrator lets jobs loosen. A block in a block can only tighten.
 *
 * @param definition the profile to apply, with the limits, the home directory and the network that were asked for
 * @param minimumLevel the lowest level with which the command may start
 * @param requiredPrimitives what must be applied whatever the level is
 * @param onShortfall what happens below that
 * @param profilePaths the paths of the profile, which the administrator named
 * @param paths the paths of the job
 * @param allowedPaths where {@code paths} may lie; on the agent, as they lie there without symbolic links
 * @param environment the variables that are passed on by name
 * @param raised one sentence for each thing that was asked for and is weaker than what holds
 */
public record EffectivePolicy(
        Profile definition,
        Level minimumLevel,
        Set<Primitive> requiredPrimitives,
        OnShortfall onShortfall,
        NamedPaths profilePaths,
        NamedPaths paths,
        List<SandboxPath> allowedPaths,
        Set<String> environment,
        List<String> raised) {
    public EffectivePolicy {
        requiredPrimitives = Set.copyOf(requiredPrimitives);
        allowedPaths = List.copyOf(allowedPaths);
        environment = Set.copyOf(environment);
        raised = List.copyOf(raised);
    }

    /** @return the name of the profile */
    public String profile() {
        return definition.name();
    }

    /**
     * @param floor the administrator's settings
     * @param asked what the step asks for, and what is asked for around it
     * @throws AbortException when that goes below the floor in a way that cannot be mended by raising it, or cannot be
     *     understood; the message says what to do about it
     */
    public static EffectivePolicy of(Floor floor, SandboxSettings asked) throws AbortException {
        try {
            return tightened(floor, asked).finish();
        } catch (IllegalArgumentException x) {
            throw new AbortException(Messages.EffectivePolicy_NotAllowed(x.getMessage()));
        } catch (SandboxException x) {
            throw new AbortException(x.getMessage());
        }
    }

    private static Draft tightened(Floor floor, SandboxSettings asked) throws SandboxException {
        asked.check();
        SandboxSettings around = asked.around();
        Draft draft = around == null ? new Draft(floor) : tightened(floor, around);
        draft.apply(asked, around == null);
        return draft;
    }

    /** A policy in the making: the floor first, then each block from the outermost to the innermost. */
    private static final class Draft {
        private static final String WHERE = "Manage Jenkins > Security > Process Sandbox";

        private final Floor floor;
        private final List<String> raised = new ArrayList<>();
        private final Set<Primitive> required;
        private KnownProfile profile;
        private Profile.Home home;
        private Profile.Git git;
        private Profile.Network network;
        private Limits limits;
        private Level minimum;
        private OnShortfall onShortfall;
        private NamedPaths paths = NamedPaths.NONE;
        private List<SandboxPath> hidden;
        private Set<String> environment;
        private boolean outermost;

        Draft(Floor floor) {
            this.floor = floor;
            required = new TreeSet<>(floor.requiredPrimitives());
            profile = floor.profile();
            home = profile.definition().home();
            git = profile.definition().git();
            network = profile.definition().network();
            limits = profile.definition().limits();
            minimum = floor.minimumLevel();
            onShortfall = floor.onShortfall();
            hidden = profile.paths().hide();
            environment = profile.environment();
        }

        EffectivePolicy finish() throws SandboxException {
            return new EffectivePolicy(
                    profile.definition()
                            .withHome(home)
                            .withGit(git)
                            .withNetwork(network)
                            .withLimits(limits),
                    minimum,
                    required,
                    onShortfall,
                    profile.paths().hiding(hidden),
                    paths,
                    floor.allowedPaths(),
                    environment,
                    raised);
        }

        /** @param first whether this is the outermost block, in which jobs may loosen what the administrator lets them */
        void apply(SandboxSettings asked, boolean first) throws SandboxException {
            outermost = first;
            raised.clear();
            profile(asked.profile());
            home(asked.home());
            git(asked.git());
            network(asked.network());
            limits(asked);
            NamedPaths named = asked.paths();
            if (outermost) {
                paths = allowed(named);
                environment(asked.environment());
            } else {
                paths = both(asked, named);
                bothEnvironments(asked);
            }
            paths = paths.hiding(named.hide());
            required.addAll(asked.requiredPrimitives());
            minimum = stricter("minimumLevel", minimum, asked.minimumLevel(), Level::name);
            onShortfall = stricter("onShortfall", onShortfall, asked.onShortfall(), OnShortfall::word);
        }

        private void profile(@CheckForNull String name) throws SandboxException {
            if (name == null || name.equals(profile.definition().name())) {
                return;
            }
            KnownProfile asked = floor.profiles().get(name);
            if (outermost && asked.choosable()) {
                profile = asked;
                home = asked.definition().home();
                git = asked.definition().git();
                network = asked.definition().network();
                limits = asked.definition().limits();
                hidden = asked.paths().hide();
                environment = asked.environment();
            } else if (asked.givesNoMoreThan(profile)) {
                profile = asked;
                if (Strictness.isAtLeast(asked.definition().home(), home)) {
                    home = asked.definition().home();
                }
                if (asked.definition().git().compareTo(git) >= 0) {
                    git = asked.definition().git();
                }
                if (asked.definition().network().compareTo(network) >= 0) {
                    network = asked.definition().network();
                }
                limits = limits.stricter(asked.definition().limits());
                hidden = asked.paths().hiding(hidden).hide();
                environment = common(environment, asked.environment());
            } else {
                raise("profile", name, profile.definition().name());
            }
        }

        private void home(@CheckForNull Profile.Home asked) {
            if (asked == null || asked == home) {
                return;
            }
            if (!profile.definition().primitives().contains(Primitive.FILESYSTEM)) {
                throw new IllegalArgumentException("home: '" + Setting.word(asked)
                        + "' needs a view of the file system of"
                        + " its own, which profile '" + profile.definition().name()
                        + "' does not have. Use profile 'strict', or leave it out.");
            }
            if (Strictness.isAtLeast(asked, home) || mayRelax(Relaxation.HOME)) {
                home = asked;
            } else if (outermost) {
                throw below("home", Setting.word(asked), Setting.word(home), Relaxation.HOME);
            } else {
                raise("home", Setting.word(asked), Setting.word(home));
            }
        }

        private void git(@CheckForNull Profile.Git asked) {
            if (asked == null || asked == git) {
                return;
            }
            if (!profile.definition().primitives().contains(Primitive.FILESYSTEM)) {
                throw new IllegalArgumentException("git: '" + Setting.word(asked)
                        + "' needs a view of the file system of its own, which profile '"
                        + profile.definition().name() + "' does not have. Use profile 'strict', or leave it out.");
            }
            if (asked.compareTo(git) > 0 || mayRelax(Relaxation.GIT)) {
                git = asked;
            } else if (outermost) {
                throw below("git", Setting.word(asked), Setting.word(git), Relaxation.GIT);
            } else {
                raise("git", Setting.word(asked), Setting.word(git));
            }
        }

        private void network(@CheckForNull Profile.Network asked) {
            if (asked == null || asked == network) {
                return;
            }
            if (asked.compareTo(network) > 0 || mayRelax(Relaxation.NETWORK)) {
                network = asked;
            } else if (outermost) {
                throw below("network", Setting.word(asked), Setting.word(network), Relaxation.NETWORK);
            } else {
                raise("network", Setting.word(asked), Setting.word(network));
            }
        }

        private void limits(SandboxSettings asked) throws SandboxException {
            for (Setting setting : Setting.limits()) {
                String word = asked.word(setting);
                if (word == null) {
                    continue;
                }
                SandboxSettings one = SandboxSettings.NOTHING.with(setting, word);
                Limits holds = setting == Setting.OPEN_FILES ? withOpenFiles() : limits;
                Limits wanted = alike(one.limits(holds.toBuilder()));
                Limits both = alike(holds.stricter(one.limits()));
                if (both.equals(wanted) || mayRelax(Relaxation.LIMITS)) {
                    limits = wanted;
                } else if (outermost) {
                    throw below(setting.key(), word, "less", Relaxation.LIMITS);
                } else {
                    limits = both;
                    raised.add(setting.key() + ": " + word + " lowered to what the block around this one has");
                }
            }
        }

        /** Lists of processors can be written in more than one way. */
        private static Limits alike(Limits limits) throws SandboxException {
            return limits.stricter(limits);
        }

        /** Where no number is given, a profile with that row has the launcher's. */
        private Limits withOpenFiles() throws SandboxException {
            return limits.openFiles() == null
                            && profile.definition().primitives().contains(Primitive.RLIMIT_NOFILE)
                    ? limits.toBuilder().openFiles(Limits.DEFAULT_OPEN_FILES).build()
                    : limits;
        }

        private NamedPaths allowed(NamedPaths named) {
            allowed("readPaths", named.read());
            allowed("writePaths", named.write());
            allowed("execPaths", named.execute());
            return named;
        }

        private void allowed(String key, List<SandboxPath> named) {
            for (SandboxPath path : named) {
                if (NamedPaths.isIn(path, hidden)) {
                    throw new IllegalArgumentException(key + ": '" + path + "' is hidden by profile '"
                            + profile.definition().name() + "'. Leave it out, or use another profile.");
                }
                if (!NamedPaths.isIn(path, floor.allowedPaths())) {
                    String where = floor.allowedPaths().isEmpty()
                            ? "none"
                            : "those in "
                                    + floor.allowedPaths().stream()
                                            .map(SandboxPath::text)
                                            .collect(Collectors.joining(", "));
                    throw new IllegalArgumentException(
                            key + ": '" + path + "' is no path that jobs may add: they may add "
                                    + where + ". Leave it out, or have an administrator allow it under " + WHERE
                                    + " (Paths that jobs may add).");
                }
            }
        }

        private NamedPaths both(SandboxSettings asked, NamedPaths named) {
            return new NamedPaths(
                    both(asked, Setting.READ_PATHS, named.read(), paths.read()),
                    both(asked, Setting.WRITE_PATHS, named.write(), paths.write()),
                    both(asked, Setting.EXEC_PATHS, named.execute(), paths.execute()),
                    paths.hide());
        }

        /** Who says nothing about paths leaves those of the block around as they are. */
        private List<SandboxPath> both(
                SandboxSettings asked, Setting setting, List<SandboxPath> inner, List<SandboxPath> outer) {
            if (asked.word(setting) == null) {
                return outer;
            }
            for (SandboxPath path : inner) {
                if (NamedPaths.both(List.of(path), outer).isEmpty()) {
                    raised.add(setting.key() + ": " + path + " left out: the block around this one does not have it");
                }
            }
            return NamedPaths.both(inner, outer);
        }

        private void environment(Set<String> asked) {
            if (!environment.containsAll(asked) && !mayRelax(Relaxation.ENVIRONMENT)) {
                Set<String> more = new TreeSet<>(asked);
                more.removeAll(environment);
                throw below("environment", String.join(", ", more), "none of it", Relaxation.ENVIRONMENT);
            }
            Set<String> all = new TreeSet<>(environment);
            all.addAll(asked);
            environment = all;
        }

        private void bothEnvironments(SandboxSettings asked) {
            if (asked.word(Setting.ENVIRONMENT) == null) {
                return;
            }
            Set<String> missing = new TreeSet<>(asked.environment());
            missing.removeAll(environment);
            if (!missing.isEmpty()) {
                raised.add("environment: " + String.join(", ", missing)
                        + " left out: the block around this one does not have it");
            }
            environment = common(environment, asked.environment());
        }

        private static Set<String> common(Set<String> a, Set<String> b) {
            Set<String> both = new TreeSet<>(a);
            both.retainAll(b);
            return both;
        }

        private <T extends Enum<T>> T stricter(String what, T holds, @CheckForNull T asked, Function<T, String> word) {
            if (asked == null || asked.compareTo(holds) >= 0) {
                return asked == null ? holds : asked;
            }
            raise(what, word.apply(asked), word.apply(holds));
            return holds;
        }

        private boolean mayRelax(Relaxation relaxation) {
            return outermost && floor.relaxations().contains(relaxation);
        }

        private void raise(String what, String from, String to) {
            raised.add(what + " raised from " + from + " to " + to
                    + (outermost
                            ? ": the administrator's settings are a floor"
                            : ": a block can only tighten the one around it"));
        }

        private static IllegalArgumentException below(String what, String asked, String holds, Relaxation relaxation) {
            return new IllegalArgumentException(
                    what + ": '" + asked + "' is below the administrator's settings, which have "
                            + holds + ". Leave it out, or have an administrator let jobs relax '" + relaxation.word()
                            + "' under " + WHERE + ".");
        }
    }
}
