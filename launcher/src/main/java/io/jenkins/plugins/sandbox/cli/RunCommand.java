package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.RefusedException;
import io.jenkins.plugins.sandbox.Sandbox;
import io.jenkins.plugins.sandbox.SandboxedProcess;
import io.jenkins.plugins.sandbox.launch.RepositorySweep;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.model.SetLimit;
import io.jenkins.plugins.sandbox.policy.Policy;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs a command. Its stdin, stdout, stderr and exit status are the command's; see {@link Main#REFUSED} for the one exception. */
@Command(
        name = "run",
        description = "Runs a command behind a profile, and says on stderr what was applied.",
        footer = {
            "",
            "The exit status is the command's, 128+n when signal n ended it, 126 when it cannot be executed, 127 when there is"
                    + " none of that name, and 125 when it was refused or could not be set up."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class RunCommand implements Callable<Integer> {
    /** For what the command left behind to end (the grace), and the launcher to write down how. */
    private static final Duration ENDING_TIME = Duration.ofSeconds(15);

    private final Console console;

    @Mixin
    private PolicyOptions options = new PolicyOptions();

    @Option(names = "--report", paramLabel = "FILE", description = "writes the report there as JSON")
    private String reportFile;

    @Mixin
    private TransportOption transport;

    @Option(names = "--quiet", description = "says nothing on stderr unless something is wrong")
    private boolean quiet;

    @Parameters(paramLabel = "COMMAND", arity = "0..*", description = "the command and its arguments")
    private List<String> command = new ArrayList<>();

    RunCommand(Console console) {
        this.console = console;
    }

    /** The same with options that were read already. */
    RunCommand(Console console, PolicyOptions options, TransportOption transport, boolean quiet, List<String> command) {
        this(console);
        this.options = options;
        this.transport = transport;
        this.quiet = quiet;
        this.command = command;
    }

    @Override
    public Integer call() throws SandboxException, InterruptedException, IOException {
        if (command.isEmpty()) {
            throw new SandboxException("There is no command: write sandbox run [OPTIONS] -- COMMAND [ARG...].");
        }
        Policy.Builder builder = options.policy();
        Map<String, String> environment = options.environment();
        // Opened first: a report that cannot be written must not be found out after the command has run.
        try (OutputStream json = openReport();
                TemporaryDirectory scratch = TemporaryDirectory.create(console)) {
            Run run = new Run(scratch);
            Runtime.getRuntime().addShutdownHook(run.hook);
            try {
                return run(run, builder, environment, json);
            } finally {
                sweep(scratch);
                run.over();
            }
        }
    }

    private int run(Run run, Policy.Builder builder, Map<String, String> environment, OutputStream json)
            throws SandboxException, InterruptedException {
        String profile = options.profile().name();
        SandboxedProcess process;
        Policy policy;
        try {
            policy = builder.scratch(run.scratch.path().toString()).build();
            process = Sandbox.of(policy)
                    .transport(transport.choice(run.scratch))
                    .process(settings -> settings.inheritIO().environment().putAll(environment))
                    .onReport(report -> summary(profile, report))
                    .start(command);
        } catch (SandboxException e) {
            report(
                    json,
                    profile,
                    e instanceof RefusedException refused ? refused.report() : null,
                    e.getMessage(),
                    null,
                    List.of());
            throw e;
        }
        run.process = process;
        process.shortfall().ifPresent(s -> console.error("warning: " + s));
        int status = process.waitFor();
        Optional<Ending> ending = process.awaitEnding(ENDING_TIME);
        if (ending.isEmpty()) {
            process.destroyForcibly();
        }
        List<SetLimit> limits = policy.limits().set(process.report().outcomes());
        if (!quiet) {
            ending.ifPresent(e -> Summary.print(console.errWriter(), e, limits));
        }
        report(json, profile, process.report(), null, ending.orElse(null), limits);
        return status;
    }

    private static void sweep(TemporaryDirectory scratch) {
        try {
            RepositorySweep.run(scratch.path()).forEach(n -> scratch.console().error("note: " + n));
        } catch (IOException e) {
            scratch.console()
                    .error("warning: what the command left for git to obey could not be removed (" + e
                            + "): do not run git in the workspace before you have removed the new .git directories.");
        }
    }

    /** What SIGINT and SIGTERM have to clean up, wherever the main thread is then. */
    private static final class Run {
        private final TemporaryDirectory scratch;
        private final CountDownLatch over = new CountDownLatch(1);
        private final Thread hook = new Thread(this::stop, "process-sandbox-stop");
        private volatile SandboxedProcess process;

        Run(TemporaryDirectory scratch) {
            this.scratch = scratch;
        }

        private void stop() {
            try {
                SandboxedProcess running = process;
                if (running != null) {
                    running.stop();
                    // For the main thread to write its report; it cannot be waited for any longer than this.
                    if (!over.await(2, TimeUnit.SECONDS)) {
                        sweep(scratch);
                    }
                }
            } catch (InterruptedException e) {
                // Nobody interrupts a shutdown hook.
                Thread.currentThread().interrupt();
            }
            scratch.close();
        }

        void over() {
            over.countDown();
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // Shutting down already: the hook does the rest.
                return;
            }
        }
    }

    private void summary(String profile, Report report) {
        if (!quiet) {
            Summary.print(console, console.errWriter(), "profile " + profile, report);
        }
    }

    private OutputStream openReport() throws SandboxException {
        if (reportFile == null) {
            return null;
        }
        try {
            return Files.newOutputStream(Path.of(reportFile));
        } catch (IOException | InvalidPathException e) {
            throw new SandboxException(
                    "Report file " + Quoted.of(reportFile) + " cannot be written (" + e
                            + "): name a file in a directory that is" + " there and may be written to.",
                    e);
        }
    }

    private void report(
            OutputStream json, String profile, Report report, String refused, Ending ending, List<SetLimit> limits)
            throws SandboxException {
        if (json == null) {
            return;
        }
        try {
            JsonReport.run(new BufferedOutputStream(json), profile, report, refused, ending, limits);
        } catch (IOException e) {
            throw new SandboxException(
                    "Report file " + Quoted.of(reportFile) + " could not be finished (" + e.getMessage()
                            + "): make room on its disk. The command itself has ended.",
                    e);
        }
    }
}
