package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Limits;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import io.jenkins.plugins.sandbox.seccomp.SeccompPolicy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What the native launcher is told about one launch, but for the places of the report, the gate and the filter, which the
 * transport chooses.
 */
public final class Plan {
    /** Most bytes of an encoded plan. */
    public static final int MAX_BYTES = 1 << 20;

    private static final int MAX_WORDS = 8192;

    private final Policy policy;
    private final Host host;
    private final Variables variables;
    private final Exceptions exceptions;
    private final List<Mount> mounts;
    private final Mounts.View view;
    private final byte[] filter;
    private final List<String> task;
    private final Path workspace;

    private Plan(
            Policy policy,
            Host host,
            Variables variables,
            Exceptions exceptions,
            Mounts.View view,
            byte[] filter,
            List<String> task,
            Path workspace) {
        this.policy = policy;
        this.host = host;
        this.variables = variables;
        this.exceptions = exceptions;
        this.mounts = view.mounts();
        this.view = view;
        this.filter = filter;
        this.task = task;
        this.workspace = workspace;
    }

    /**
     * Makes a plan for a launch. Looks at the file system, and changes nothing.
     *
     * @param policy what is asked for
     * @param host the machine
     * @param scratch the directories of {@link Policy#scratch}; {@code null} when the policy has none
     * @return the plan
     * @throws SandboxException when a path of the policy cannot be used; the message says which, and why
     */
    public static Plan of(Policy policy, Host host, Scratch scratch) throws SandboxException {
        Path workspace = workspace(policy, host);
        boolean view = policy.profile().primitives().contains(Primitive.FILESYSTEM);
        if (!view && !policy.hidePaths().isEmpty()) {
            throw new SandboxException("Profile '" + policy.profile().name() + "' hides nothing, and path "
                    + Quoted.of(policy.hidePaths().get(0)) + " is to be hidden: use profile 'strict'.");
        }
        // Looked at under every profile: a path that is not there is a mistake in any case.
        Exceptions exceptions = Exceptions.of(policy, host);
        Mounts.View mounts = view ? Mounts.of(policy, host, scratch, workspace, exceptions) : Mounts.View.NONE;
        Variables variables = Variables.of(policy, host.variables());
        return new Plan(
                policy,
                host,
                variables,
                exceptions,
                mounts,
                filter(policy, host),
                task(policy, host, mounts),
                workspace);
    }

    /**
     * As {@link #of}, for a plan that is looked at and never launched: scratch directories need not be there.
     *
     * @param policy what is asked for
     * @param host the machine
     * @return the plan
     * @throws SandboxException when a path of the policy cannot be used
     */
    public static Plan imagined(Policy policy, Host host) throws SandboxException {
        return of(policy, host, Scratch.imagined(policy));
    }

    /**
     * Makes what the launcher mounts on and is not there yet: in the scratch directory, and in repositories what keeps git from
     * looking elsewhere.
     *
     * @throws SandboxException when it cannot be made
     */
    public void makeMountPoints() throws SandboxException {
        try {
            for (Map.Entry<Path, Boolean> point : view.points().entrySet()) {
                if (point.getValue()) {
                    Files.createDirectories(point.getKey());
                } else if (Files.notExists(point.getKey())) {
                    Files.createDirectories(point.getKey().getParent());
                    Files.createFile(point.getKey());
                }
            }
            for (Map.Entry<Path, Path> link : view.links().entrySet()) {
                Files.createDirectories(link.getKey().getParent());
                if (Files.isSymbolicLink(link.getKey())) {
                    // Of an earlier launch, and changed by its command, for all that is known.
                    Files.delete(link.getKey());
                }
                Files.createSymbolicLink(link.getKey(), link.getValue());
            }
        } catch (IOException e) {
            throw new SandboxException(
                    "Scratch directory " + Quoted.of(policy.scratch()) + " cannot be filled (" + e
                            + "): check its rights and the room on its disk.",
                    e);
        }
        if (!mounts.isEmpty()) {
            GitFiles.makeCommonDirectories(host.canonicalDirectory("Workspace", policy.workspace()), mounts);
        }
    }

    /**
     * @return whether a command of this plan can write to no repository that was in the workspace when the block began
     */
    public boolean keepsAllRepositories() {
        return view.allRepositories();
    }

    private static byte[] filter(Policy policy, Host host) {
        Profile profile = policy.profile();
        if (policy.limits().cpus() != null) {
            // Or the command would give itself all processors again.
            profile = profile.withoutSyscall("sched_setaffinity");
        }
        return Filters.of(profile, host.architecture());
    }

    static Path workspace(Policy policy, Host host) throws SandboxException {
        Path workspace = host.canonicalDirectory("Workspace", policy.workspace());
        if (workspace.getNameCount() == 0) {
            throw new SandboxException("Workspace '/' would make the whole machine writable: name a directory in it.");
        }
        return workspace;
    }

    /**
     * @return the compiled filter, in the launcher's byte order; empty when the profile asks for none or there is none for
     *     this architecture, which the launcher then reports
     */
    public Optional<byte[]> filter() {
        return Optional.ofNullable(filter).map(byte[]::clone);
    }

    /**
     * Writes the plan down.
     *
     * @param report where the launcher appends its report
     * @param gate where it waits for leave, or {@code null} to start at once
     * @param filterFile where {@link #filter} is; not looked at when there is none
     * @return the words, the first two and the last as the format demands
     */
    public List<String> words(String report, String gate, String filterFile) {
        return words(report, gate, filterFile, null);
    }

    /**
     * As {@link #words(String, String, String)}, for a launch that ends with its block by itself.
     *
     * @param report where the launcher appends its report
     * @param gate where it waits for leave, or {@code null} to start at once
     * @param filterFile where {@link #filter} is; not looked at when there is none
     * @param blockFile the file whose removal ends the launch; {@code null} for none
     * @return the words, the first two and the last as the format demands
     */
    public List<String> words(String report, String gate, String filterFile, Path blockFile) {
        Profile profile = policy.profile();
        List<String> words = new ArrayList<>(List.of("process-sandbox-plan", "1", "--report", encoded(report)));
        if (gate != null) {
            words.addAll(List.of("--gate", encoded(gate), "--gate-timeout", String.valueOf(policy.gateSeconds())));
        }
        words.addAll(List.of("--profile", profile.name()));
        List<Primitive> asked = policy.primitives();
        asked.forEach(p -> words.addAll(List.of("--primitive", p.wireName())));
        if (policy.onShortfall() == Policy.OnShortfall.FAIL) {
            policy.minimum().required().forEach(p -> words.addAll(List.of("--require", p.wireName())));
            words.addAll(List.of("--min-level", policy.minimum().level().name()));
        } else {
            words.addAll(List.of("--min-level", Level.NONE.name()));
        }
        variables.words().forEach(w -> words.add(encoded(w)));
        if (asked.contains(Primitive.FILESYSTEM)) {
            words.addAll(List.of("--root", profile.root() == Profile.Root.NAMED ? "empty" : word(profile.root())));
            mounts.forEach(m -> words.addAll(m.words()));
        }
        rlimits().forEach(l -> words.addAll(List.of("--rlimit", l)));
        words.addAll(launchLimits());
        words.addAll(task);
        if (filter != null) {
            words.addAll(List.of("--seccomp", encoded(filterFile)));
        }
        if (blockFile != null) {
            words.addAll(List.of("--block", PathBytes.word(blockFile)));
        }
        words.addAll(List.of("--background", word(policy.background())));
        words.addAll(List.of("--grace", String.valueOf(policy.graceSeconds())));
        words.add("end");
        return words;
    }

    /** A word that is no path of this class's own: in the encoding that this process has it in. */
    private String encoded(String text) {
        return host.encoding().newEncoder().canEncode(text) ? PathBytes.word(text.getBytes(host.encoding())) : text;
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** RLIMITs, as {@code --rlimit} takes them. */
    private List<String> rlimits() {
        Limits limits = policy.limits();
        List<String> words = new ArrayList<>();
        rlimit(words, Primitive.RLIMIT_CPU, limits.rlimitCpu());
        rlimit(words, Primitive.RLIMIT_NOFILE, policy.openFiles());
        rlimit(words, Primitive.RLIMIT_AS, limits.rlimitAs());
        rlimit(words, Primitive.RLIMIT_NPROC, limits.pids());
        rlimit(words, Primitive.RLIMIT_FSIZE, limits.fileSize());
        // Not 0: with a limit of 1 the kernel writes no file either, and starts no program of a core_pattern that is a
        // pipe, which would run as root and outside of the sandbox (fs/coredump.c, do_coredump).
        rlimit(words, Primitive.RLIMIT_CORE, 1);
        rlimit(words, Primitive.RLIMIT_STACK, limits.stack());
        rlimit(words, Primitive.RLIMIT_MEMLOCK, limits.lockedMemory());
        return words;
    }

    private void rlimit(List<String> words, Primitive row, Number value) {
        if (policy.primitives().contains(row)) {
            words.add(row.wireName().substring("rlimit_".length()) + "=" + value);
        }
    }

    /** The limits of the launch as a whole, as options of the launcher: a name, a value. */
    private List<String> launchLimits() {
        Limits limits = policy.limits();
        List<String> words = new ArrayList<>();
        launchLimit(words, "--memory", limits.memory());
        launchLimit(words, "--pids", limits.pids());
        launchLimit(words, "--cpu-quota", limits.cpuQuota());
        launchLimit(words, "--cpu-time", limits.cpuTime());
        launchLimit(words, "--wall-time", limits.wallTime());
        launchLimit(words, "--cpus", limits.cpus());
        if (limits.workspaceSize() != null) {
            words.addAll(List.of(
                    "--workspace-size",
                    PathBytes.word(workspace),
                    limits.workspaceSize().toString()));
        }
        return words;
    }

    /**
     * Where init finds the status of a durable task, whose names these are. A limit or an abort that ends everybody ends the
     * wrapper too that would have written the status; the agent would wait for that file for minutes, so init writes it. It sees
     * what the command sees, and follows no link: the paths are those of the view.
     */
    private static List<String> task(Policy policy, Host host, Mounts.View mounts) throws SandboxException {
        if (policy.controlDirectory() == null) {
            return List.of();
        }
        Path directory = host.canonicalDirectory("Control directory", policy.controlDirectory());
        Path control = mounts.mounts().stream()
                .filter(m -> m.kind() == Mount.Kind.CONTROL)
                .map(Mount::target)
                .findFirst()
                .orElse(directory);
        return List.of(
                "--task",
                PathBytes.word(control.resolve("jenkins-result.txt")),
                PathBytes.word(control.resolve("jenkins-log.txt")));
    }

    private static void launchLimit(List<String> words, String option, Object value) {
        if (value != null) {
            words.addAll(List.of(option, value.toString()));
        }
    }

    /**
     * Encodes words for the launcher's option {@code --args}: the bytes of each word, then a NUL.
     *
     * @param words the words
     * @return at most {@link #MAX_BYTES}
     * @throws SandboxException when there are too many words or they are too long
     */
    public byte[] encode(List<String> words) throws SandboxException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String word : words) {
            // What this process' encoding did not have when it read a variable's name is lost already.
            boolean lost =
                    word.indexOf('\uFFFD') >= 0 && !host.encoding().newEncoder().canEncode("\uFFFD");
            if (word.indexOf('\0') >= 0 || lost) {
                throw new SandboxException(
                        "The plan has a word that cannot be written in this process' encoding " + host.encoding() + ": "
                                + Quoted.of(word) + ". Start it with LANG=C.UTF-8 in its environment.");
            }
            bytes.writeBytes(PathBytes.bytes(word));
            bytes.write(0);
        }
        if (words.size() > MAX_WORDS || bytes.size() > MAX_BYTES) {
            throw new SandboxException("The plan is too long: " + words.size() + " words and " + bytes.size()
                    + " bytes, " + MAX_WORDS + " and " + MAX_BYTES + " are allowed. Name fewer write paths.");
        }
        return bytes.toByteArray();
    }

    /**
     * @return the plan for people: rows, mounts in order, limits, groups of system calls
     */
    public String explain() {
        Profile profile = policy.profile();
        StringBuilder text = new StringBuilder();
        text.append("profile  ").append(profile.name());
        if (!profile.description().isEmpty()) {
            text.append(": ").append(profile.description());
        }
        text.append("\n\nrows, in order\n");
        policy.primitives().forEach(p -> text.append(String.format("  %-18s %s%n", p.wireName(), p.summary())));
        if (policy.primitives().contains(Primitive.ENVIRONMENT)) {
            text.append("\nenvironment, of this process' own variables\n").append(variables.describe());
        }
        if (!mounts.isEmpty()) {
            text.append("\nfile system, later lines cover earlier ones\n");
            text.append(
                    switch (profile.root()) {
                        case RO -> "  read-only /\n";
                        case HOST -> "  as it is  /\n";
                        case NAMED -> "  empty     /\n";
                    });
            mounts.forEach(m -> text.append("  ").append(m.describe()).append('\n'));
        }
        if (!mounts.isEmpty() && !exceptions.all().isEmpty()) {
            text.append("\npaths that this launch names\n");
            exceptions.all().forEach(e -> text.append("  ").append(e.describe()).append('\n'));
        }
        List<String> ofLaunch = launchLimits();
        if (!rlimits().isEmpty() || !ofLaunch.isEmpty()) {
            text.append("\nlimits\n");
            rlimits().forEach(l -> text.append("  each process ")
                    .append(l.replace("=", " "))
                    .append('\n'));
            for (int i = 0; i < ofLaunch.size(); i += 2) {
                text.append("  the launch   ")
                        .append(ofLaunch.get(i).substring(2))
                        .append(' ')
                        .append(ofLaunch.get(i + 1))
                        .append('\n');
            }
        }
        if (!profile.syscalls().isEmpty()) {
            text.append("\nsystem calls\n");
            Map<String, String> summaries = SeccompPolicy.availableGroups();
            for (String group : profile.syscalls()) {
                boolean taken = group.startsWith("-");
                String name = taken ? group.substring(1) : group;
                text.append(taken ? "  without group " : "  group ")
                        .append(name)
                        .append(": ")
                        .append(summaries.get(name))
                        .append('\n');
            }
            profile.allowedSyscalls()
                    .forEach(c -> text.append("  also    ").append(c).append('\n'));
            profile.deniedSyscalls()
                    .forEach(c -> text.append("  without ").append(c).append('\n'));
            if (profile.executesNamedFilesOnly()) {
                text.append("  memfd_create only with MFD_NOEXEC_SEAL: no file in memory is executed\n");
            }
            if (filter == null) {
                text.append("  no filter for this processor: the row will not hold\n");
            }
        }
        return text.toString();
    }
}
