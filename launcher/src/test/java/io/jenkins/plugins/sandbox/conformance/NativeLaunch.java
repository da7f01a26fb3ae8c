package io.jenkins.plugins.sandbox.conformance;

import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportException;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.model.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * The native launcher, driven by hand: options in, output, status and report out. What the driver makes of it is tested
 * elsewhere; here the launcher is held against the kernel.
 */
final class NativeLaunch {
    /** Everything but the limits and the filter, each of which needs a value. */
    static final List<String> NAMESPACES_AND_PRIVILEGES = List.of(
            "session",
            "close_fds",
            "user_namespace",
            "pid_namespace",
            "mount_namespace",
            "ipc_namespace",
            "uts_namespace",
            "cgroup_namespace",
            "filesystem",
            "proc",
            "no_new_privs",
            "capabilities");

    /** Only so that a broken launcher fails a test instead of hanging it; no test asserts a time. */
    private static final long HANGS_AFTER_SECONDS = 60;

    private final Path directory;
    private final Path report;
    private final Path program;
    private final List<String> before = new ArrayList<>();
    private final List<String> options = new ArrayList<>();
    private Path cwd;

    /** @param directory an empty directory of the test's own, for the report */
    NativeLaunch(Path directory) throws IOException {
        this(directory, launcher());
    }

    /** @param program the launcher, where a test has it from elsewhere */
    NativeLaunch(Path directory, Path program) throws IOException {
        this.directory = directory;
        this.program = program;
        this.report = Files.createTempFile(directory, "report", "");
        this.cwd = directory;
    }

    static Path launcher() {
        return Path.of(Objects.requireNonNull(System.getProperty("sandbox.launcher"), "sandbox.launcher is not set"));
    }

    NativeLaunch primitives(List<String> names) {
        names.forEach(name -> options("--primitive", name));
        return this;
    }

    /** The view of a strict launch without a home: the host read-only, a /dev, and this workspace. */
    NativeLaunch strict(Path workspace) {
        this.cwd = workspace;
        return primitives(NAMESPACES_AND_PRIVILEGES)
                .options("--dev", "/dev", "--bind", workspace.toString(), workspace.toString());
    }

    NativeLaunch options(String... words) {
        options.addAll(Arrays.asList(words));
        return this;
    }

    NativeLaunch in(Path workingDirectory) {
        this.cwd = workingDirectory;
        return this;
    }

    /** A command in front of the launcher, such as one that changes what the launcher inherits. */
    NativeLaunch behind(String... words) {
        before.addAll(Arrays.asList(words));
        return this;
    }

    Path report() {
        return report;
    }

    /** Starts {@code command} and does not wait. */
    Running start(String... command) throws IOException {
        List<String> words = new ArrayList<>(before);
        words.add(program.toString());
        words.add("--report");
        words.add(report.toString());
        words.addAll(options);
        words.add("--");
        words.addAll(Arrays.asList(command));
        return new Running(spawn(words), report);
    }

    /** Runs {@code script} with a shell, to the end of the front process. */
    Result run(String script) throws IOException, InterruptedException {
        return start("sh", "-c", script).result();
    }

    /** The same script, in the same place, without the launcher: the control of an attempt. */
    Result control(String script) throws IOException, InterruptedException {
        return new Running(spawn(List.of("sh", "-c", script)), null).result();
    }

    private Process spawn(List<String> words) throws IOException {
        Path out = Files.createTempFile(directory, "out", "");
        Path err = Files.createTempFile(directory, "err", "");
        ProcessBuilder builder = new ProcessBuilder(words).directory(cwd.toFile());
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.redirectOutput(out.toFile()).redirectError(err.toFile());
        return new Spawned(builder.start(), out, err).process(this);
    }

    private final List<Spawned> spawned = new ArrayList<>();

    private record Spawned(Process process, Path out, Path err) {
        Process process(NativeLaunch launch) {
            launch.spawned.add(this);
            return process;
        }
    }

    /** A launch that may still go on. */
    final class Running {
        private final Process process;
        private final Path reportFile;

        private Running(Process process, Path reportFile) {
            this.process = process;
            this.reportFile = reportFile;
        }

        Process process() {
            return process;
        }

        /** Waits until the report holds a line that starts with {@code start}. */
        Running await(String start) throws IOException, InterruptedException {
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(HANGS_AFTER_SECONDS);
            while (Files.readAllLines(reportFile).stream().noneMatch(line -> line.startsWith(start))) {
                if (System.nanoTime() > until) {
                    throw new AssertionError("no '" + start + "' in the report: " + Files.readString(reportFile));
                }
                TimeUnit.MILLISECONDS.sleep(5);
            }
            return this;
        }

        /** Waits for init's last words, which come when the last process of the sandbox is gone. */
        Report ended() throws IOException, InterruptedException, ReportException {
            await("usage");
            return parse();
        }

        Report parse() throws IOException, ReportException {
            return ReportParser.parse(Files.readAllBytes(reportFile), false);
        }

        long initPid() throws IOException, ReportException {
            return parse().init().pid();
        }

        Result result() throws IOException, InterruptedException {
            if (!process.waitFor(HANGS_AFTER_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("hangs; report: " + (reportFile == null ? "" : Files.readString(reportFile)));
            }
            Spawned files = spawned.stream()
                    .filter(s -> s.process() == process)
                    .findFirst()
                    .orElseThrow();
            return new Result(
                    process.exitValue(),
                    Files.readString(files.out()),
                    Files.readString(files.err()),
                    reportFile == null ? "" : Files.readString(reportFile, StandardCharsets.UTF_8));
        }
    }

    /** What one run left behind. */
    record Result(int status, String out, String err, String report) {
        Report parsed() throws ReportException {
            return ReportParser.parse(report.getBytes(StandardCharsets.UTF_8), false);
        }

        Outcome outcome(String primitive) throws ReportException {
            return parsed().outcome(Primitive.named(primitive).orElseThrow()).orElseThrow();
        }

        boolean applied(String primitive) throws ReportException {
            return outcome(primitive).status() == Status.APPLIED;
        }

        String line(String start) {
            return out.lines().filter(l -> l.startsWith(start)).findFirst().orElse("(no line " + start + " in) " + out);
        }
    }
}
