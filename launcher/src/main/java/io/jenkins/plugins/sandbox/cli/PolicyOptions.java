package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say what to ask for, the same for every command that has any. */
final class PolicyOptions {
    @Option(
            names = "--profile",
            paramLabel = "NAME|FILE",
            description =
                    "standard, strict, offline, locked, or a profile file. Default: strict, of sandbox agent: agent")
    private String profile;

    @Option(
            names = "--workspace",
            paramLabel = "DIR",
            description = "the directory that the command works in and may write to. Default: the current one")
    private String workspace;

    @Option(names = "--min-level", paramLabel = "LEVEL", description = "NONE, BASELINE, PARTIAL or FULL. Default: NONE")
    private String minimumLevel;

    @Option(
            names = "--require",
            paramLabel = "PRIMITIVE",
            split = ",",
            description = "these rows must be applied, whatever the level is")
    private List<String> required = new ArrayList<>();

    @Option(
            names = "--on-shortfall",
            paramLabel = "fail|warn",
            defaultValue = "fail",
            description = "what becomes of a launch below its minimum. Default: fail")
    private String onShortfall;

    @Option(
            names = "--home",
            paramLabel = "host|overlay|scratch",
            description = "the home directory. Default: the profile's")
    private String home;

    @Option(
            names = "--git",
            paramLabel = "host|protected|overlay|read-only",
            description = "the git repositories in the workspace. Default: the profile's")
    private String git;

    @Option(names = "--network", paramLabel = "host|none", description = "which network the command sees")
    private String network;

    @Option(names = "--read", paramLabel = "PATH", description = "a path that must be readable")
    private List<String> read = new ArrayList<>();

    @Option(names = "--write", paramLabel = "PATH", description = "a further path that may be written to")
    private List<String> write = new ArrayList<>();

    @Option(names = "--exec", paramLabel = "PATH", description = "a path that must be there to be executed")
    private List<String> exec = new ArrayList<>();

    @Option(names = "--hide", paramLabel = "PATH", description = "a path that must not be seen")
    private List<String> hide = new ArrayList<>();

    @Option(
            names = "--env",
            paramLabel = "NAME[=VALUE]",
            description = "sets a variable; without a value, passes one on that the profile would drop")
    private List<String> environment = new ArrayList<>();

    @Option(names = "--env-all", description = "passes all variables on, without the row environment")
    private boolean environmentAll;

    @Mixin
    private LimitOptions limits;

    PolicyOptions() {
        this("strict");
    }

    /** @param defaultProfile the profile when none is named */
    PolicyOptions(String defaultProfile) {
        profile = defaultProfile;
    }

    /** Applies defaults of a command; an option that was given stays. */
    void useDefaults(Path defaultWorkspace, String defaultMinimumLevel) {
        workspace = workspace == null ? defaultWorkspace.toString() : workspace;
        minimumLevel = minimumLevel == null ? defaultMinimumLevel : minimumLevel;
    }

    /** Adds a path that must be readable. */
    void addRead(Path path) {
        read.add(path.toString());
    }

    /** Adds a path that must not be seen. */
    void addHide(Path path) {
        hide.add(path.toString());
    }

    /** The profile with the options that change it. */
    Profile profile() throws SandboxException {
        Profile read = readProfile();
        if (home != null) {
            read = read.withHome(choice("--home", home, Profile.Home.class));
        }
        if (git != null) {
            if (!read.primitives().contains(Primitive.FILESYSTEM)) {
                throw new SandboxException("--git needs the primitive filesystem, which profile '" + read.name()
                        + "' does not ask for: use profile 'strict', or leave it out.");
            }
            read = read.withGit(choice("--git", git, Profile.Git.class));
        }
        if (network != null) {
            read = read.withNetwork(choice("--network", network, Profile.Network.class));
        }
        return environmentAll ? read.withAllVariables() : read;
    }

    private Profile readProfile() throws SandboxException {
        if (Profile.BUILT_IN.contains(profile) || profile.equals(Profile.AGENT)) {
            return Profile.named(profile);
        }
        boolean file = profile.contains("/") || profile.endsWith(".properties");
        try {
            return file || Files.exists(Path.of(profile)) ? Profile.load(Path.of(profile)) : Profile.named(profile);
        } catch (InvalidPathException e) {
            return Profile.named(profile);
        }
    }

    /** A builder with everything but the scratch directory. */
    Policy.Builder policy() throws SandboxException {
        Policy.Builder builder = Policy.builder(profile(), absolute(workspace == null ? "" : workspace))
                .limits(limits.limits())
                .onShortfall(choice("--on-shortfall", onShortfall, Policy.OnShortfall.class))
                .background(Policy.Background.KILL);
        if (minimumLevel != null) {
            builder.minimumLevel(Level.parse(minimumLevel));
        }
        builder.keepVariables(environment.stream().map(PolicyOptions::variable).toList());
        for (String name : required) {
            builder.require(Primitive.parse(name));
        }
        for (String path : write) {
            builder.write(absolute(path));
        }
        for (String path : read) {
            builder.read(absolute(path));
        }
        for (String path : exec) {
            builder.execute(absolute(path));
        }
        for (String path : hide) {
            builder.hide(absolute(path));
        }
        return builder;
    }

    /** The variables to set, by name. */
    Map<String, String> environment() throws SandboxException {
        Map<String, String> set = new LinkedHashMap<>();
        for (String entry : environment) {
            int equals = entry.indexOf('=');
            String name = variable(entry);
            if (name.isEmpty()) {
                throw new SandboxException("--env " + Quoted.of(entry) + " has no name: write NAME=VALUE or NAME.");
            }
            if (equals >= 0) {
                set.put(name, entry.substring(equals + 1));
            } else if (System.getenv(name) == null) {
                throw new SandboxException(
                        "--env " + Quoted.of(name) + ": there is no such variable; write NAME=VALUE.");
            }
        }
        return set;
    }

    private static String variable(String entry) {
        int equals = entry.indexOf('=');
        return equals < 0 ? entry : entry.substring(0, equals);
    }

    private static String absolute(String path) throws SandboxException {
        try {
            return Path.of(path).toAbsolutePath().toString();
        } catch (InvalidPathException e) {
            throw new SandboxException(
                    "Path " + Quoted.of(path)
                            + " cannot be written in this process' encoding: start it with LANG=C.UTF-8 in its"
                            + " environment.",
                    e);
        }
    }

    private static <E extends Enum<E>> E choice(String option, String text, Class<E> type) throws SandboxException {
        List<String> words = new ArrayList<>();
        for (E constant : type.getEnumConstants()) {
            String word = constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
            if (word.equals(text)) {
                return constant;
            }
            words.add(word);
        }
        throw new SandboxException(
                option + " cannot be " + Quoted.of(text) + ": use one of " + Quoted.list(words) + ".");
    }
}
