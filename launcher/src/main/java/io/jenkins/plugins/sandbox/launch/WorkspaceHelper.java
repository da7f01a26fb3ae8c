package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.plan.Host;
import io.jenkins.plugins.sandbox.seccomp.Architecture;
import io.jenkins.plugins.sandbox.seccomp.SeccompPolicy;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * Runs the launcher's helper: the only code outside of a command's sandbox that looks at what builds have made. The helper is a
 * launch of its own, in which the launcher does the work itself instead of starting a command: it has no network, no files
 * except the directories of its job, and a filter that allows neither a program nor a socket.
 *
 * <p>Where the host does not allow a part of that sandbox, the helper works with the rest of it, and each result has the level.
 *
 * <p>No method stops for an interrupt, since an aborted build has to be cleaned up as well; the interrupt is kept for the
 * caller. A {@link SandboxException} means that nothing is known about what was done, and that the job has to be done again.
 */
public final class WorkspaceHelper {
    private static final Duration LONGEST = Duration.ofHours(1);
    private static final Duration END = Duration.ofSeconds(60);
    private static final long ADDRESS_SPACE = 256 << 20;
    private static final long LONGEST_FILE = 64 << 20;

    private static final List<Primitive> PRIMITIVES = List.of(
            Primitive.SESSION,
            Primitive.CLOSE_FDS,
            Primitive.USER_NAMESPACE,
            Primitive.PID_NAMESPACE,
            Primitive.MOUNT_NAMESPACE,
            Primitive.IPC_NAMESPACE,
            Primitive.UTS_NAMESPACE,
            Primitive.NETWORK_NAMESPACE,
            Primitive.FILESYSTEM,
            Primitive.PROC,
            Primitive.RLIMIT_AS,
            Primitive.RLIMIT_FSIZE,
            Primitive.RLIMIT_CORE,
            Primitive.NO_NEW_PRIVS,
            Primitive.CAPABILITIES,
            Primitive.LANDLOCK_FS,
            Primitive.SECCOMP);

    private final TransportChoice choice;
    private final Duration longest;

    /** What an entry is, by the tool that obeys it. */
    public enum Kind {
        /** A directory {@code .git}. */
        GIT_DIRECTORY,
        /** Anything else that is called {@code .git}: a file that leads git elsewhere, a link. */
        GIT_FILE,
        /** A directory that git takes for a repository although it is not called {@code .git}. */
        BARE,
        /** {@code .hg} */
        HG,
        /** {@code .bzr} */
        BZR,
        /** {@code .svn} */
        SVN,
        /** A directory that the helper could not look into. */
        DIRECTORY
    }

    /** Why an entry went into quarantine. */
    public enum Reason {
        /** It was not there when the block began. */
        NEW,
        /** What its tool obeys is not as it was. */
        CHANGED,
        /** Another one is in its place. */
        REPLACED,
        /** Directories are nested too deep to be looked at. */
        TOO_DEEP,
        /** It cannot be read. */
        UNREADABLE
    }

    /**
     * @param complete whether nothing is left
     * @param problems what could not be removed, at most a hundred lines
     * @param level what held of the helper's own sandbox
     */
    public record Removal(boolean complete, List<String> problems, Level level) {}

    /**
     * @param complete whether the block may begin. False when an unfinished block could not be completed, or the record could
     *     not be written
     * @param known the repositories that tools outside may go on obeying
     * @param restored how many entries came back from quarantine; these are not known
     * @param problems what went wrong, at most a hundred lines
     * @param unfinished what the end of a block before would have said that had none
     * @param level what held of the helper's own sandbox
     */
    public record Opening(
            boolean complete,
            List<Known> known,
            int restored,
            List<String> problems,
            Optional<Closing> unfinished,
            Level level) {}

    /**
     * @param kind what it is
     * @param path where it is below the workspace, for people
     * @param exact the same for programs; empty when this JVM has no name for these bytes
     */
    public record Known(Kind kind, String path, Optional<Path> exact) {
        static Known of(Kind kind, byte[] bytes) {
            return new Known(kind, HelperOutput.visible(bytes), HelperPaths.decode(bytes));
        }
    }

    /**
     * @param complete whether nothing is left that tools outside would obey and that was not known when the block began
     * @param quarantined what is in quarantine now, the first {@value HelperOutput#MOST_QUARANTINED}
     * @param more how many more there are
     * @param problems what could not be looked at or moved, at most a hundred lines
     * @param level what held of the helper's own sandbox
     */
    public record Closing(
            boolean complete, List<Quarantined> quarantined, int more, List<String> problems, Level level) {}

    /**
     * @param kind what it is
     * @param reason why it is in quarantine
     * @param path where it was below the workspace, for people
     */
    public record Quarantined(Kind kind, Reason reason, String path) {}

    private record Result(List<HelperOutput.Section> sections, Level level) {}

    /**
     * @param choice how to hand the launcher over. The helper runs on this machine also when launches run in containers
     */
    public WorkspaceHelper(TransportChoice choice) {
        this(choice, LONGEST);
    }

    private WorkspaceHelper(TransportChoice choice, Duration longest) {
        this.choice =
                choice.kind() == TransportChoice.Kind.CONTAINER ? TransportChoice.auto(choice.directory()) : choice;
        this.longest = longest;
    }

    /**
     * @param max how long a job may take; then it is ended, and not complete
     * @return a helper with that limit
     */
    public WorkspaceHelper withTime(Duration max) {
        return new WorkspaceHelper(choice, max);
    }

    /**
     * Removes a directory with everything in it. Nothing happens when it is not there; anything else in its place is unlinked.
     *
     * @param directory its parent is not writable to builds
     * @return whether that worked
     * @throws SandboxException when the helper could not be run
     */
    public Removal remove(Path directory) throws SandboxException {
        Path path;
        try {
            path = HelperPaths.withoutLinksAbove(directory);
            if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                Files.deleteIfExists(path);
                return new Removal(true, List.of(), Level.NONE);
            }
        } catch (NoSuchFileException e) {
            return new Removal(true, List.of(), Level.NONE);
        } catch (IOException e) {
            throw new SandboxException(
                    "Directory " + Quoted.of(directory) + " cannot be reached (" + e
                            + "): check the rights of its parents.",
                    e);
        }
        Result result = run("remove", List.of("--job-directory"), List.of(path));
        HelperOutput.Section section = only(result.sections(), "removal");
        List<String> problems = new ArrayList<>(section.problems());
        boolean complete = section.complete();
        if (complete) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                complete = false;
                problems.add("The empty directory cannot be removed: " + Quoted.visible(e.toString(), 500));
            }
        }
        return new Removal(complete, List.copyOf(problems), result.level());
    }

    /**
     * Before the first launch of a block in a workspace: completes an unfinished block before it, records the repositories that
     * are there, and puts those back that are in quarantine.
     *
     * @param store of the workspace, in which no other block may be open
     * @return whether the block may begin
     * @throws SandboxException when the helper could not be run; the block may not begin
     */
    public Opening begin(WorkspaceStore store) throws SandboxException {
        Result result = run("begin", store);
        List<HelperOutput.Section> sections = result.sections();
        HelperOutput.Section first = sections.get(0);
        if (first.name().equals("opening")) {
            return opening(only(sections, "opening"), Optional.empty(), result.level());
        }
        if (sections.size() == 1) {
            Closing closing = closing(only(sections, "closing"), result.level());
            return new Opening(false, List.of(), 0, List.of(), Optional.of(closing), result.level());
        }
        Closing unfinished = closing(only(sections.subList(0, 1), "closing"), result.level());
        return opening(only(sections.subList(1, 2), "opening"), Optional.of(unfinished), result.level());
    }

    /**
     * Before a checkout outside of the sandbox while the block is open: takes out what the record does not know. Nothing of the
     * block may run meanwhile, nor before {@link #adopt}.
     *
     * @param store of the workspace
     * @return whether the checkout may begin
     * @throws SandboxException when the helper could not be run; the checkout may not begin
     */
    public Closing check(WorkspaceStore store) throws SandboxException {
        Result result = run("check", store);
        return closing(only(result.sections(), "closing"), result.level());
    }

    /**
     * After that checkout: records what is there now, which is what was known and what the checkout made, and puts back what
     * {@link #check} took out.
     *
     * @param store of the workspace
     * @return whether the block may go on
     * @throws SandboxException when the helper could not be run; the block may not go on
     */
    public Opening adopt(WorkspaceStore store) throws SandboxException {
        Result result = run("adopt", store);
        return opening(only(result.sections(), "opening"), Optional.empty(), result.level());
    }

    /**
     * At the end of a block, when nothing of it runs: takes out what the record does not know, then removes the record. Without
     * a record nothing is known, and everything is taken out.
     *
     * @param store of the workspace
     * @return whether nothing is left that tools outside obey and that was not known
     * @throws SandboxException when the helper could not be run; the record stays
     */
    public Closing end(WorkspaceStore store) throws SandboxException {
        Result result = run("end", store);
        return closing(only(result.sections(), "closing"), result.level());
    }

    private static Opening opening(HelperOutput.Section section, Optional<Closing> unfinished, Level level) {
        return new Opening(
                section.complete(), section.known(), section.restored(), section.problems(), unfinished, level);
    }

    private static Closing closing(HelperOutput.Section section, Level level) {
        return new Closing(section.complete(), section.quarantined(), section.more(), section.problems(), level);
    }

    private Result run(String job, WorkspaceStore store) throws SandboxException {
        List<String> options = new ArrayList<>(List.of("--job-directory", "--job-records"));
        List<Path> paths = new ArrayList<>(List.of(store.workspace(), store.records()));
        if (store.store() != null) {
            options.add("--job-store");
            paths.add(store.store());
        }
        return run(job, options, paths);
    }

    private static HelperOutput.Section only(List<HelperOutput.Section> sections, String name) throws SandboxException {
        HelperOutput.Section last = sections.get(sections.size() - 1);
        if (sections.size() != 1 || !last.name().equals(name)) {
            throw new SandboxException("The helper's output does not belong to its job: use a launcher and a driver of"
                    + " the same build.");
        }
        return last;
    }

    private Result run(String job, List<String> options, List<Path> paths) throws SandboxException {
        boolean interrupted = Thread.interrupted();
        try {
            return runUninterrupted(job, options, paths);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private Result runUninterrupted(String job, List<String> options, List<Path> paths) throws SandboxException {
        Host host = Host.current();
        Transport transport = Transports.choose(choice, host);
        try (Transport.Wire wire =
                transport.open("helper-" + UUID.randomUUID().toString().substring(0, 18))) {
            ByteArrayOutputStream plan = new ByteArrayOutputStream();
            for (String word : words(wire, host, job)) {
                write(plan, word.getBytes(StandardCharsets.UTF_8));
            }
            for (int i = 0; i < options.size(); i++) {
                write(plan, options.get(i).getBytes(StandardCharsets.UTF_8));
                write(plan, HelperPaths.encode(paths.get(i)));
            }
            write(plan, "end".getBytes(StandardCharsets.UTF_8));
            return run(wire, wire.put("plan", plan.toByteArray()));
        }
    }

    private static void write(ByteArrayOutputStream plan, byte[] word) {
        plan.writeBytes(word);
        plan.write(0);
    }

    private List<String> words(Transport.Wire wire, Host host, String job) throws SandboxException {
        List<String> words = new ArrayList<>(List.of("process-sandbox-plan", "1", "--report", wire.report()));
        words.addAll(List.of("--profile", "helper", "--min-level", Level.NONE.name(), "--root", "empty"));
        PRIMITIVES.forEach(p -> words.addAll(List.of("--primitive", p.wireName())));
        words.addAll(List.of("--rlimit", "as=" + ADDRESS_SPACE, "--rlimit", "fsize=" + LONGEST_FILE));
        words.addAll(List.of("--rlimit", "core=0"));
        words.addAll(List.of("--wall-time", String.valueOf(Math.max(1, longest.toSeconds())), "--grace", "0"));
        Optional<Architecture> architecture = host.architecture();
        if (architecture.isPresent()) {
            byte[] filter = SeccompPolicy.helper().compile(architecture.get()).bytes();
            words.addAll(List.of("--seccomp", wire.put("filter", filter)));
        }
        words.addAll(List.of("--job", job));
        return words;
    }

    private Result run(Transport.Wire wire, String planFile) throws SandboxException {
        boolean interrupted = false;
        Process process = start(List.of(wire.launcher(), "--args", planFile));
        try {
            byte[] output = read(process.getInputStream());
            long end = System.nanoTime() + longest.plus(END).toNanos();
            boolean ended = false;
            while (!ended && System.nanoTime() < end) {
                try {
                    ended = process.waitFor(Math.max(1, end - System.nanoTime()), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            Level level = level(wire);
            if (!ended || process.exitValue() > 1) {
                throw new SandboxException("The helper did not finish ("
                        + (ended ? "status " + process.exitValue() : "it was still running") + "). It has "
                        + longest.toSeconds() + " s for a job: check that the machine is not overloaded.");
            }
            return new Result(HelperOutput.parse(output), level);
        } catch (IOException e) {
            throw e instanceof SandboxException known
                    ? known
                    : new SandboxException("The helper's output cannot be read (" + e + ").", e);
        } finally {
            process.destroyForcibly();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static Process start(List<String> words) throws SandboxException {
        try {
            ProcessBuilder builder = new ProcessBuilder(words)
                    .directory(new File("/"))
                    .redirectInput(new File("/dev/null"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD);
            builder.environment().clear();
            return builder.start();
        } catch (IOException e) {
            throw new SandboxException("The helper cannot be started: " + Quoted.of(e.getMessage()) + ".", e);
        }
    }

    /** The helper's init ends it when its time is over, so this ends as well. */
    private static byte[] read(InputStream in) throws IOException {
        byte[] bytes = in.readNBytes(HelperOutput.MAX_BYTES + 1);
        if (bytes.length > HelperOutput.MAX_BYTES) {
            throw new SandboxException("The helper's output is longer than it may be.");
        }
        return bytes;
    }

    private static Level level(Transport.Wire wire) throws SandboxException {
        wire.reportBegun();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] more = wire.read(ReportParser.MAX_PART);
        while (more != null && more.length > 0 && bytes.size() <= 2 * ReportParser.MAX_PART) {
            bytes.writeBytes(more);
            more = wire.read(ReportParser.MAX_PART);
        }
        Report report = ReportParser.parse(bytes.toByteArray(), false, PRIMITIVES);
        if (!report.ready()) {
            throw new SandboxException("The helper cannot run: " + report.refusal() + ".");
        }
        return report.level();
    }
}
