package io.jenkins.plugins.sandbox.policy;

import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.regex.Pattern;

/**
 * The format of profiles: lines {@code key = value}, comments after {@code #} at the start of a line, lists separated by
 * blanks. Every mistake is an error with its line number, since a key that is silently ignored is a wall that is not there.
 */
final class ProfileReader {
    private static final int MAX_BYTES = 65_536;
    private static final Pattern NAME = Pattern.compile("[a-z0-9-]{1,32}");
    private static final Pattern WORD = Pattern.compile("[@a-z0-9_-]{1,64}");
    /** Rows that a limit asks for: by themselves they would not know to what. */
    private static final Set<Primitive> OF_LIMITS = EnumSet.of(
            Primitive.CGROUP,
            Primitive.WORKSPACE_SIZE,
            Primitive.RLIMIT_CPU,
            Primitive.RLIMIT_AS,
            Primitive.RLIMIT_DATA,
            Primitive.RLIMIT_NPROC,
            Primitive.RLIMIT_FSIZE,
            Primitive.RLIMIT_STACK,
            Primitive.RLIMIT_MEMLOCK,
            Primitive.CPU_AFFINITY);

    private static final List<String> KEYS = List.of(
            "description",
            "primitives",
            "root",
            "tmp",
            "dev",
            "home",
            "git",
            "network",
            "environment",
            "memory",
            "address-space",
            "pids",
            "cpu-time",
            "wall-time",
            "open-files",
            "file-size",
            "workspace-size",
            "stack",
            "locked-memory",
            "cpus",
            "cpu-quota",
            "syscalls",
            "syscalls-allow",
            "syscalls-deny");

    /** Those that were asked for: the controller looks at all of them for each launch. */
    private static final Map<String, Profile> READ = new ConcurrentHashMap<>();

    private final String profile;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private record Entry(int line, String value) {}

    private ProfileReader(String profile) {
        this.profile = profile;
    }

    static Profile builtIn(String name) throws SandboxException {
        if (!isBuiltIn(name)) {
            throw new SandboxException("Unknown profile " + Quoted.of(name) + ": use one of "
                    + Quoted.list(Profile.BUILT_IN) + ", or the path of a profile file.");
        }
        Profile read = READ.get(name);
        if (read != null) {
            return read;
        }
        try (InputStream in = ProfileReader.class.getResourceAsStream("/profiles/" + name + ".properties")) {
            if (in == null) {
                throw new SandboxException("Profile '" + name + "' is missing in this build: build it anew.");
            }
            Profile found = parse(name, new String(in.readAllBytes(), StandardCharsets.UTF_8), true);
            READ.put(name, found);
            return found;
        } catch (SandboxException e) {
            throw e;
        } catch (IOException e) {
            throw new SandboxException("Profile '" + name + "' cannot be read: " + e.getMessage() + ".", e);
        }
    }

    private static boolean isBuiltIn(String name) {
        return Profile.BUILT_IN.contains(name) || name.equals(Profile.AGENT);
    }

    static Profile load(Path file) throws SandboxException {
        String name = String.valueOf(file.getFileName());
        name = name.endsWith(".properties") ? name.substring(0, name.length() - ".properties".length()) : name;
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new SandboxException(
                        "Profile file " + Quoted.of(file) + " is larger than 64 KiB: is it a profile?");
            }
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return parse(name, text, false);
        } catch (SandboxException e) {
            throw e;
        } catch (NoSuchFileException e) {
            throw new SandboxException(
                    "Profile file " + Quoted.of(file) + " does not exist: use one of " + Quoted.list(Profile.BUILT_IN)
                            + ", or the path of a profile file.",
                    e);
        } catch (CharacterCodingException e) {
            throw new SandboxException("Profile file " + Quoted.of(file) + " is not UTF-8: save it as UTF-8.", e);
        } catch (IOException e) {
            throw new SandboxException("Profile file " + Quoted.of(file) + " cannot be read: " + e + ".", e);
        }
    }

    static Profile parse(String name, String text, boolean builtIn) throws SandboxException {
        if (!builtIn) {
            checkName(name);
        }
        if (text.length() > MAX_BYTES) {
            throw new SandboxException("Profile '" + name + "' is larger than 64 KiB: is it a profile?");
        }
        ProfileReader reader = new ProfileReader(name);
        reader.readLines(text);
        return reader.profile();
    }

    static void checkName(String name) throws SandboxException {
        if (!NAME.matcher(name).matches()) {
            throw new SandboxException("Profile name " + Quoted.of(name)
                    + " does not do: use 1 to 32 of a-z, 0-9 and '-', and call the file NAME.properties.");
        }
        if (isBuiltIn(name)) {
            throw new SandboxException("Profile name '" + name + "' is taken by a built-in profile: choose another.");
        }
    }

    private void readLines(String text) throws SandboxException {
        int number = 0;
        for (String raw : text.split("\n", -1)) {
            number++;
            String line = raw.strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            int equals = line.indexOf('=');
            if (equals < 0) {
                throw error(number, "expected 'key = value', found " + Quoted.of(line));
            }
            String key = line.substring(0, equals).strip();
            if (!KEYS.contains(key)) {
                throw error(number, "unknown key " + Quoted.of(key) + ": use one of " + Quoted.list(KEYS));
            }
            Entry earlier = entries.put(
                    key, new Entry(number, line.substring(equals + 1).strip()));
            if (earlier != null) {
                throw error(number, "key '" + key + "' was given in line " + earlier.line() + " already");
            }
        }
    }

    private Profile profile() throws SandboxException {
        List<Primitive> primitives = primitives();
        Profile read = new Profile(
                profile,
                entries.containsKey("description")
                        ? Quoted.visible(entries.get("description").value(), 200)
                        : "",
                primitives,
                choice("root", Profile.Root.class, Profile.Root.HOST),
                choice("tmp", Profile.Temporary.class, Profile.Temporary.HOST),
                choice("dev", Profile.Devices.class, Profile.Devices.HOST),
                choice("home", Profile.Home.class, Profile.Home.HOST),
                choice(
                        "git",
                        Profile.Git.class,
                        primitives.contains(Primitive.FILESYSTEM) ? Profile.Git.OVERLAY : Profile.Git.PROTECTED),
                choice("network", Profile.Network.class, Profile.Network.HOST),
                choice("environment", Profile.Environment.class, Profile.Environment.INHERIT),
                limits(),
                words("syscalls"),
                words("syscalls-allow"),
                words("syscalls-deny"));
        checkPrerequisites(read);
        return read;
    }

    /** A setting whose row is not asked for would be silently without effect. */
    private void checkPrerequisites(Profile read) throws SandboxException {
        boolean filesystem = read.primitives().contains(Primitive.FILESYSTEM);
        for (String key : List.of("root", "tmp", "dev", "home")) {
            Entry entry = entries.get(key);
            if (!filesystem && entry != null && !entry.value().equals("host")) {
                throw error(entry.line(), "'" + key + "' needs the primitive filesystem");
            }
        }
        Entry git = entries.get("git");
        if (!filesystem && git != null) {
            throw error(git.line(), "'git' needs the primitive filesystem");
        }
        boolean network = read.primitives().contains(Primitive.NETWORK_NAMESPACE);
        if (network != (read.network() == Profile.Network.NONE)) {
            throw error(lineOf("network"), "'network = none' and the primitive network_namespace go together");
        }
        if (read.environment() == Profile.Environment.NAMED
                && !read.primitives().contains(Primitive.ENVIRONMENT)) {
            throw error(lineOf("environment"), "'environment = named' needs the primitive environment");
        }
        boolean seccomp = read.primitives().contains(Primitive.SECCOMP);
        if (seccomp == read.syscalls().stream().allMatch(g -> g.startsWith("-"))) {
            throw error(lineOf("syscalls"), "'syscalls' and the primitive seccomp go together");
        }
        if (!seccomp
                && !(read.allowedSyscalls().isEmpty() && read.deniedSyscalls().isEmpty())) {
            throw error(
                    Math.max(lineOf("syscalls-allow"), lineOf("syscalls-deny")),
                    "'syscalls-allow' and 'syscalls-deny' need the primitive seccomp");
        }
        try {
            read.syscallPolicy();
        } catch (IllegalArgumentException e) {
            throw error(lineOf("syscalls"), e.getMessage());
        }
        // Below a Landlock rule for files the kernel refuses mount(2), and uid_map is one of the files that cannot be
        // written
        // (Documentation/userspace-api/landlock.rst, "Current limitations"). The other two rows are layers too: the
        // kernel
        // lets nothing be renamed between directories (EXDEV) where a launch inside adds its own layer for files to
        // them.
        if (read.syscalls().contains("nested-sandbox")
                && (read.primitives().contains(Primitive.LANDLOCK_FS)
                        || read.primitives().contains(Primitive.LANDLOCK_NET)
                        || read.primitives().contains(Primitive.LANDLOCK_SCOPE))) {
            throw error(
                    lineOf("syscalls"),
                    "the group nested-sandbox is of no use with landlock_fs, landlock_net or landlock_scope, under which"
                            + " nothing can be mounted: leave these primitives out");
        }
        needs(read, Primitive.FILESYSTEM, Primitive.MOUNT_NAMESPACE);
        needs(read, Primitive.MOUNT_NAMESPACE, Primitive.USER_NAMESPACE);
        needs(read, Primitive.PID_NAMESPACE, Primitive.USER_NAMESPACE);
        needs(read, Primitive.NETWORK_NAMESPACE, Primitive.USER_NAMESPACE);
        needs(read, Primitive.PROC, Primitive.PID_NAMESPACE);
        needs(read, Primitive.PROC, Primitive.MOUNT_NAMESPACE);
        needs(read, Primitive.SECCOMP, Primitive.NO_NEW_PRIVS);
    }

    private void needs(Profile read, Primitive row, Primitive prerequisite) throws SandboxException {
        if (read.primitives().contains(row) && !read.primitives().contains(prerequisite)) {
            throw error(
                    lineOf("primitives"),
                    "primitive " + row.wireName() + " needs primitive " + prerequisite.wireName());
        }
    }

    private List<Primitive> primitives() throws SandboxException {
        List<Primitive> primitives = new ArrayList<>();
        for (String word : words("primitives")) {
            Primitive primitive;
            try {
                primitive = Primitive.parse(word);
            } catch (SandboxException e) {
                throw error(lineOf("primitives"), e.getMessage());
            }
            if (OF_LIMITS.contains(primitive)) {
                throw error(
                        lineOf("primitives"),
                        "primitive " + word
                                + " cannot be listed: it comes with its limit, of the profile or the launch");
            }
            primitives.add(primitive);
        }
        return primitives.stream().sorted().toList();
    }

    private Limits limits() throws SandboxException {
        Limits.Builder limits = Limits.builder()
                .memory(limit("memory", size("memory"), Limits.Builder::memory))
                .pids(limit("pids", number("pids"), Limits.Builder::pids))
                .cpuTime(limit("cpu-time", number("cpu-time"), Limits.Builder::cpuTime))
                .wallTime(limit("wall-time", number("wall-time"), Limits.Builder::wallTime))
                .openFiles(limit("open-files", number("open-files"), Limits.Builder::openFiles))
                .fileSize(limit("file-size", size("file-size"), Limits.Builder::fileSize))
                .workspaceSize(limit("workspace-size", size("workspace-size"), Limits.Builder::workspaceSize))
                .stack(limit("stack", size("stack"), Limits.Builder::stack))
                .lockedMemory(limit("locked-memory", size("locked-memory"), Limits.Builder::lockedMemory))
                .cpus(limit("cpus", text("cpus"), Limits.Builder::cpus))
                .cpuQuota(limit("cpu-quota", number("cpu-quota"), Limits.Builder::cpuQuota))
                .addressSpace(choice("address-space", AddressSpace.class, AddressSpace.NO) == AddressSpace.YES);
        try {
            Limits all = limits.build();
            all.checkAddressSpace();
            return all;
        } catch (SandboxException e) {
            throw error(lineOf("address-space"), e.getMessage());
        }
    }

    /** Checked alone, so that the error has its line. */
    private <T> T limit(String key, T value, BiFunction<Limits.Builder, T, Limits.Builder> set)
            throws SandboxException {
        try {
            set.apply(Limits.builder(), value).build();
            return value;
        } catch (SandboxException e) {
            throw error(lineOf(key), e.getMessage());
        }
    }

    private String text(String key) {
        return entries.containsKey(key) ? entries.get(key).value() : null;
    }

    private enum AddressSpace {
        NO,
        YES
    }

    private Integer number(String key) throws SandboxException {
        Entry entry = entries.get(key);
        if (entry == null) {
            return null;
        }
        if (!entry.value().matches("\\d{1,9}")) {
            throw error(entry.line(), "'" + key + "' must be a number, found " + Quoted.of(entry.value()));
        }
        return Integer.valueOf(entry.value());
    }

    private Long size(String key) throws SandboxException {
        Entry entry = entries.get(key);
        if (entry == null) {
            return null;
        }
        try {
            return Size.parse("'" + key + "'", entry.value());
        } catch (SandboxException e) {
            throw error(entry.line(), e.getMessage());
        }
    }

    private List<String> words(String key) throws SandboxException {
        Entry entry = entries.get(key);
        if (entry == null || entry.value().isEmpty()) {
            return List.of();
        }
        List<String> words = new ArrayList<>();
        for (String word : entry.value().split("\\s+")) {
            if (!WORD.matcher(word).matches()) {
                throw error(entry.line(), "'" + key + "' has a word that is no name: " + Quoted.of(word));
            }
            if (words.contains(word)) {
                throw error(entry.line(), "'" + key + "' names " + word + " twice");
            }
            words.add(word);
        }
        return words;
    }

    private <E extends Enum<E>> E choice(String key, Class<E> type, E otherwise) throws SandboxException {
        Entry entry = entries.get(key);
        if (entry == null) {
            return otherwise;
        }
        for (E constant : type.getEnumConstants()) {
            if (word(constant).equals(entry.value())) {
                return constant;
            }
        }
        throw error(
                entry.line(),
                "'" + key + "' cannot be " + Quoted.of(entry.value()) + ": use one of "
                        + Quoted.list(Arrays.stream(type.getEnumConstants())
                                .map(ProfileReader::word)
                                .toList()));
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private int lineOf(String key) {
        Entry entry = entries.get(key);
        return entry == null ? 0 : entry.line();
    }

    private SandboxException error(int line, String what) {
        String where = line == 0 ? "" : ", line " + line;
        return new SandboxException(
                "Profile '" + profile + "'" + where + ": " + what + (what.endsWith(".") ? "" : "."));
    }
}
