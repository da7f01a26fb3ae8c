package io.jenkins.plugins.sandbox.config;

import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Limits;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Everything that a step, a job or a profile can say about a sandbox, and what each of them may be. */
public enum Setting {
    PROFILE("profile", Profiles::checkName),
    MINIMUM_LEVEL("minimumLevel", v -> Levels.parse(v).name()),
    ON_SHORTFALL("onShortfall", v -> OnShortfall.parse(v).word()),
    REQUIRED_PRIMITIVES("requiredPrimitives", Setting::checkPrimitive),
    NETWORK("network", v -> word(choice("network", v, Profile.Network.class))),
    HOME("home", v -> word(choice("home", v, Profile.Home.class))),
    GIT("git", v -> word(choice("git", v, Profile.Git.class))),
    MEMORY("memory", limit((limits, v) -> limits.memory(Amount.bytes("memory", v)))),
    ADDRESS_SPACE("addressSpace", limit((limits, v) -> limits.addressSpace(yes(v)))),
    PIDS("pids", limit((limits, v) -> limits.pids(Amount.number("pids", v)))),
    CPU_TIME("cpuTime", limit((limits, v) -> limits.cpuTime(Amount.seconds("cpuTime", v)))),
    WALL_TIME("wallTime", limit((limits, v) -> limits.wallTime(Amount.seconds("wallTime", v)))),
    CPUS("cpus", limit(Limits.Builder::cpus)),
    CPU_QUOTA("cpuQuota", limit((limits, v) -> limits.cpuQuota(Amount.percent("cpuQuota", v)))),
    OPEN_FILES("openFiles", limit((limits, v) -> limits.openFiles(Amount.number("openFiles", v)))),
    FILE_SIZE("fileSize", limit((limits, v) -> limits.fileSize(Amount.bytes("fileSize", v)))),
    WORKSPACE_SIZE("workspaceSize", limit((limits, v) -> limits.workspaceSize(Amount.bytes("workspaceSize", v)))),
    STACK("stack", limit((limits, v) -> limits.stack(Amount.bytes("stack", v)))),
    LOCKED_MEMORY("lockedMemory", limit((limits, v) -> limits.lockedMemory(Amount.bytes("lockedMemory", v)))),
    READ_PATHS("readPaths", Setting::checkPath),
    WRITE_PATHS("writePaths", Setting::checkGivenPath),
    EXEC_PATHS("execPaths", Setting::checkPath),
    HIDE_PATHS("hidePaths", Setting::checkGivenPath),
    ENVIRONMENT("environment", Setting::checkVariable);

    /** Brings a value into its usual form, or says what is wrong with it. */
    @FunctionalInterface
    private interface Check {
        String apply(String value);
    }

    /** A check that can also set a limit. */
    private record LimitCheck(LimitSetter setter) implements Check {
        @Override
        public String apply(String value) {
            try {
                setter.set(Limits.builder(), value).build();
                return value;
            } catch (SandboxException x) {
                throw new IllegalArgumentException(x.getMessage(), x);
            }
        }
    }

    @FunctionalInterface
    private interface LimitSetter {
        Limits.Builder set(Limits.Builder limits, String value) throws SandboxException;
    }

    private static final String VARIABLE = "[A-Za-z_][A-Za-z0-9_]{0,255}";

    private final String key;
    private final Check check;

    Setting(String key, Check check) {
        this.key = key;
        this.check = check;
    }

    /** @return the name of its parameter in a Jenkinsfile, and of its property in Configuration as Code */
    public String key() {
        return key;
    }

    static Optional<Setting> of(String key) {
        return Arrays.stream(values()).filter(s -> s.key.equals(key)).findFirst();
    }

    /** @return those that are limits */
    static List<Setting> limits() {
        return Arrays.stream(values())
                .filter(s -> s.check instanceof LimitCheck)
                .toList();
    }

    /**
     * Checks one value.
     *
     * @return the same in its usual form
     * @throws IllegalArgumentException when it cannot be that; the message names the setting
     */
    public String check(String value) {
        return check.apply(value.strip());
    }

    /** Sets this limit. */
    void set(Limits.Builder limits, String value) {
        try {
            ((LimitCheck) check).setter.set(limits, value);
        } catch (SandboxException x) {
            throw new IllegalArgumentException(x.getMessage(), x);
        }
    }

    private static Check limit(LimitSetter setter) {
        return new LimitCheck(setter);
    }

    private static boolean yes(String value) throws SandboxException {
        if (!value.equals("true")) {
            throw new SandboxException("addressSpace cannot be '" + value + "': use true, or leave it out.");
        }
        return true;
    }

    private static String checkPrimitive(String name) {
        return Primitive.named(name)
                .map(Primitive::wireName)
                .orElseThrow(() -> new IllegalArgumentException("requiredPrimitives: there is no primitive '" + name
                        + "': use some of "
                        + Arrays.stream(Primitive.values())
                                .map(Primitive::wireName)
                                .collect(Collectors.joining(", "))
                        + "."));
    }

    private static String checkPath(String path) {
        return SandboxPath.parse(path).text();
    }

    private static String checkGivenPath(String path) {
        SandboxPath parsed = SandboxPath.parse(path);
        if (parsed.isRoot()) {
            throw new IllegalArgumentException("The path '/' is the whole machine: name a directory in it.");
        }
        return parsed.text();
    }

    private static String checkVariable(String name) {
        if (!name.matches(VARIABLE)) {
            throw new IllegalArgumentException("environment: '" + name
                    + "' is no name of a variable: write names only, with letters, digits and '_'.");
        }
        return name;
    }

    static <E extends Enum<E>> E choice(String key, String value, Class<E> type) {
        return Arrays.stream(type.getEnumConstants())
                .filter(c -> word(c).equalsIgnoreCase(value.strip()))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(key + " cannot be '" + value + "': use one of "
                        + Arrays.stream(type.getEnumConstants())
                                .map(Setting::word)
                                .collect(Collectors.joining(", "))
                        + "."));
    }

    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
