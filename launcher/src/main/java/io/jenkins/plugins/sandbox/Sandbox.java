package io.jenkins.plugins.sandbox;

import io.jenkins.plugins.sandbox.launch.Diagnosis;
import io.jenkins.plugins.sandbox.launch.PreparedLaunch;
import io.jenkins.plugins.sandbox.launch.TransportChoice;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportException;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Starts processes in a sandbox, without Jenkins.
 *
 * <pre>{@code
 * Policy policy = Policy.builder(Profile.named("strict"), "/home/me/project")
 *         .scratch("/tmp/my-scratch")
 *         .minimumLevel(Level.FULL)
 *         .build();
 * SandboxedProcess make = Sandbox.of(policy).process(ProcessBuilder::inheritIO).start(List.of("make", "test"));
 * int status = make.waitFor();
 * }</pre>
 */
public final class Sandbox {
    private static final Duration REPORT_TIME = Duration.ofSeconds(60);

    private final Policy policy;
    private TransportChoice transport = TransportChoice.auto(
            new File(System.getProperty("java.io.tmpdir"), "process-sandbox-" + System.getProperty("user.name"))
                    .getAbsolutePath());
    private Consumer<ProcessBuilder> settings = builder -> {};
    private Consumer<Report> onReport = report -> {};

    private Sandbox(Policy policy) {
        this.policy = Objects.requireNonNull(policy);
    }

    /**
     * @param policy what every process that this object starts is to get
     * @return a sandbox with default settings
     */
    public static Sandbox of(Policy policy) {
        return new Sandbox(policy);
    }

    /**
     * @param choice how to hand the launcher over; the default is memory files where they work, else files in the temporary
     *     directory
     * @return this
     */
    public Sandbox transport(TransportChoice choice) {
        transport = Objects.requireNonNull(choice);
        return this;
    }

    /**
     * @param newSettings sets environment, redirections and working directory (default: the workspace); what it does to the
     *     command is overwritten. The command gets the variables that it sets, whatever the profile drops
     * @return this
     */
    public Sandbox process(Consumer<ProcessBuilder> newSettings) {
        settings = Objects.requireNonNull(newSettings);
        return this;
    }

    /**
     * @param listener gets the report before the command may start, and before it is known whether it may
     * @return this
     */
    public Sandbox onReport(Consumer<Report> listener) {
        onReport = Objects.requireNonNull(listener);
        return this;
    }

    /**
     * Starts a command, and returns when it may run.
     *
     * @param command a program and its arguments, at least the program
     * @return the process
     * @throws RefusedException when it may not run; the message says why and what to do
     * @throws SandboxException when it cannot be prepared
     * @throws InterruptedException when this thread was interrupted; nothing is left running then
     */
    public SandboxedProcess start(List<String> command) throws SandboxException, InterruptedException {
        if (command.isEmpty()) {
            throw new SandboxException("There is no command: name a program to run.");
        }
        ProcessBuilder builder = new ProcessBuilder().directory(new File(policy.workspace()));
        settings.accept(builder);
        PreparedLaunch launch = PreparedLaunch.prepare(policy.keepingVariables(setIn(builder)), transport);
        Process front = null;
        try {
            front = startFront(launch, builder, command);
            Report report = report(launch, front);
            onReport.accept(report);
            Optional<String> unmet = policy.minimum().unmetBy(report);
            boolean fail = policy.onShortfall() == Policy.OnShortfall.FAIL;
            if (unmet.isPresent() && fail && !report.outcomes().isEmpty()) {
                throw new RefusedException(unmet.get(), report);
            }
            if (!report.ready()) {
                throw new RefusedException(
                        "The launcher refused: " + (report.refusal().isEmpty() ? "no reason given" : report.refusal())
                                + ".",
                        report);
            }
            launch.openGate();
            SandboxedProcess process =
                    new SandboxedProcess(front, launch, report, policy.graceSeconds(), unmet.orElse(null));
            front = null;
            launch = null;
            return process;
        } finally {
            if (launch != null) {
                launch.close();
            }
            if (front != null) {
                // Closing the launch shut its gate: the launcher ends by itself, and this only makes it quick.
                front.destroy();
            }
        }
    }

    /** The variables that are not as this process has them: somebody meant the command to have them. */
    private static List<String> setIn(ProcessBuilder builder) {
        return builder.environment().entrySet().stream()
                .filter(e -> !e.getValue().equals(System.getenv(e.getKey())))
                .map(Map.Entry::getKey)
                .toList();
    }

    private static Process startFront(PreparedLaunch launch, ProcessBuilder builder, List<String> command)
            throws SandboxException {
        List<String> words = new ArrayList<>(launch.prefix());
        words.addAll(command);
        try {
            return builder.command(words).start();
        } catch (IOException e) {
            throw new SandboxException(
                    "The launcher cannot be started (" + e.getMessage() + "): check that the directory "
                            + Quoted.of(builder.directory()) + " can be entered and that there is memory left.",
                    e);
        }
    }

    private Report report(PreparedLaunch launch, Process front) throws SandboxException, InterruptedException {
        byte[] bytes;
        try {
            bytes = launch.awaitReport(REPORT_TIME, front::isAlive);
        } catch (SandboxException e) {
            if (front.isAlive()) {
                throw e;
            }
            throw new RefusedException(
                    "The launcher ended with status " + front.exitValue()
                            + " before it had reported: check that its machine has memory and processes left.",
                    null);
        }
        try {
            Report report = ReportParser.parse(bytes, policy.profile().isStandard(), policy.primitives());
            // A container is another machine than the one that can be asked here.
            boolean here = transport.kind() != TransportChoice.Kind.CONTAINER;
            return here ? report.because(Diagnosis.causes(report)) : report;
        } catch (ReportException e) {
            throw new RefusedException(e.getMessage(), null);
        }
    }
}
