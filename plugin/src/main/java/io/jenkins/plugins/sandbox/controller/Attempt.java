package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.AbortException;
import hudson.FilePath;
import hudson.Proc;
import hudson.model.Computer;
import hudson.model.Node;
import hudson.model.Result;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.remoting.VirtualChannel;
import io.jenkins.plugins.sandbox.agent.AbortCall;
import io.jenkins.plugins.sandbox.agent.ConfirmCall;
import io.jenkins.plugins.sandbox.agent.Confirmed;
import io.jenkins.plugins.sandbox.agent.LaunchRequest;
import io.jenkins.plugins.sandbox.agent.LaunchTerms;
import io.jenkins.plugins.sandbox.agent.PrepareCall;
import io.jenkins.plugins.sandbox.agent.Prepared;
import io.jenkins.plugins.sandbox.config.EffectivePolicy;
import io.jenkins.plugins.sandbox.config.OnShortfall;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Minimum;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.Remedies;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportException;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.outcome.Finding;
import io.jenkins.plugins.sandbox.outcome.Finding.Verdict;
import io.jenkins.plugins.sandbox.outcome.Launch;
import io.jenkins.plugins.sandbox.outcome.Origin;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import io.jenkins.plugins.sandbox.outcome.Scratch;
import io.jenkins.plugins.sandbox.policy.Policy;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jenkins.util.SystemProperties;

/** One launch, from the policy that holds for it to the record of what was applied. */
final class Attempt {
    private static final Logger LOGGER = Logger.getLogger(Attempt.class.getName());

    /** In seconds. The first launch on an agent loads classes, and sends the native launcher with them. */
    private static final int PREPARE_SECONDS =
            SystemProperties.getInteger("io.jenkins.plugins.sandbox.PREPARE_SECONDS", 60);

    /** In seconds, for the launcher to apply everything and report. Below the 60 s that it waits at its gate. */
    private static final int REPORT_SECONDS =
            SystemProperties.getInteger("io.jenkins.plugins.sandbox.REPORT_SECONDS", 30);

    /** In seconds, on top of that, for the way to the agent and back. */
    private static final int TRIP_SECONDS = 15;

    /**
     * The first call takes less where the agent is near, and a trip of its own for the second one costs next to nothing. To
     * send it beforehand would cost more there: the agent would write two small answers with no word of ours between, and
     * the client of a WebSocket holds the second one back until the first is acknowledged, which TCP takes 40 ms for.
     */
    private static final Duration NEAR = Duration.ofMillis(25);

    /** The script of a freestyle job's shell step, and durable tasks' other wrapper; the agent looks closer. */
    private static final Pattern PROGRAM = Pattern.compile(
            "/.*/(?:jenkins|hudson)[0-9]+\\.[A-Za-z0-9]+|/.*/caches/durable-task/[^/]+", Pattern.DOTALL);

    private static final int MAX_PREFIX = 16;
    private static final int MAX_WORD = 4096;
    private static final int MAX_MESSAGE = 1000;

    private final Run<?, ?> run;
    private final LaunchOwner owner;
    private final Node node;
    private final String block;
    private final EffectivePolicy policy;
    private final List<Primitive> asked;

    @CheckForNull
    private final Origin origin;

    /** Whether the command runs in a container, in which the agent's processes and files are not seen. */
    private final boolean container;

    private final TaskListener listener;

    private Prepared.Ready prepared;

    /** The second call to the agent, once it is on its way. */
    @CheckForNull
    private AgentCalls.Pending<Confirmed> confirmation;

    @CheckForNull
    private String cookie;

    private boolean detached;
    private boolean near;

    Attempt(
            Run<?, ?> run,
            LaunchOwner owner,
            Node node,
            String block,
            EffectivePolicy policy,
            @CheckForNull Origin origin,
            boolean container,
            TaskListener listener) {
        this.run = run;
        this.owner = owner;
        this.node = node;
        this.block = block;
        this.policy = policy;
        this.origin = origin;
        this.container = container;
        this.listener = listener;
        this.asked = Policy.primitives(policy.definition(), policy.definition().limits());
    }

    /**
     * The first call to the agent.
     *
     * @param channel to the agent; {@code null} when it is offline
     * @param words the command
     * @param directory where it starts
     * @param environment what it gets from its step
     * @return whether there is a sandbox to launch in; if not, the command may be launched without one
     * @throws IOException when the launch must not go on
     */
    boolean prepare(
            @CheckForNull VirtualChannel channel, List<String> words, FilePath directory, StepEnvironment environment)
            throws IOException, InterruptedException {
        if (channel == null) {
            throw new AbortException(Messages.AgentCalls_Gone(Messages.SandboxLauncher_Preparing(), name()));
        }
        // What has none is not ended by us: a process id of a container is somebody else's on the agent.
        cookie = container ? null : Cookie.of(block, node.getNodeName(), words, environment.variables());
        detached = Cookie.isInCommand(words);
        Set<String> running = owner.runningLaunches();
        List<InitProcess> inits = container ? List.of() : SandboxAction.initsOn(run, name());
        Prepared answer;
        long start = System.nanoTime();
        try {
            answer = AgentCalls.limited(Messages.SandboxLauncher_Preparing(), name(), PREPARE_SECONDS, () -> {
                JobWorkspace workspace =
                        JobWorkspace.containing(JobWorkspace.own(node, run).getRemote(), directory.getRemote());
                FilePath root = node.getRootPath();
                Computer computer = node.toComputer();
                if (root == null || computer == null) {
                    throw new AbortException(Messages.AgentCalls_Gone(Messages.SandboxLauncher_Preparing(), name()));
                }
                return channel.call(new PrepareCall(new LaunchRequest(
                        root.getRemote(),
                        workspace.path(),
                        workspace.temporary(),
                        directory.getRemote(),
                        workspace.current(),
                        workspace.controlDirectory(words),
                        block,
                        running,
                        inits,
                        environment.meant(computer.getEnvironment()),
                        environment.filesBelow(List.of(workspace.temporary(), workspace.current())),
                        programs(words),
                        JobHome.id(run.getParent().getFullName(), node.getNodeName()),
                        terms(),
                        container)));
            });
        } catch (SandboxException x) {
            throw new AbortException(told(x.getMessage()));
        }
        if (answer instanceof Prepared.Unsupported unsupported) {
            nothing(told(unsupported.reason()));
            return false;
        }
        if (!(answer instanceof Prepared.Ready ready) || !isGood(ready)) {
            throw untrusted();
        }
        prepared = ready;
        near = System.nanoTime() - start < NEAR.toNanos();
        Endings.note(run, name(), ready.endings(), listener);
        SandboxAction.expect(run, new Scratch(block, node.getNodeName(), ready.scratch()));
        return true;
    }

    /** Not all of the command: it may hold what is masked. */
    private static Set<String> programs(List<String> words) {
        return words.stream().filter(w -> PROGRAM.matcher(w).matches()).collect(Collectors.toSet());
    }

    /** Nothing that an agent says is believed. */
    private boolean isGood(Prepared.Ready answer) {
        return answer.id() != null
                && answer.id().matches("[0-9a-f]{1,64}")
                && answer.scratch() != null
                && answer.scratch().startsWith("/")
                && answer.scratch().length() <= MAX_WORD
                && answer.scratch().endsWith("/process-sandbox-" + block)
                && answer.prefix() != null
                && !answer.prefix().isEmpty()
                && answer.prefix().size() <= MAX_PREFIX
                && answer.prefix().stream()
                        .allMatch(w -> w != null && !w.isEmpty() && w.length() <= MAX_WORD && w.indexOf('\0') < 0);
    }

    private AbortException untrusted() {
        return new AbortException(Messages.SandboxLauncher_BadAnswer(name()));
    }

    /** @return the words to put in front of the command; the agent expands variables in every word, but for a doubled dollar */
    List<String> prefix() {
        return prepared.prefix().stream().map(w -> w.replace("$", "$$")).toList();
    }

    /**
     * Sends the second call to the agent on its way: what was applied, and whether that is enough. Before the command is
     * launched, so that both go to the agent one behind the other and take the time of one trip. Not where the agent is near,
     * nor where a container may take its time to start.
     */
    void awaitReport(@CheckForNull VirtualChannel channel) {
        if (!container && !near) {
            confirmation = confirmation(channel);
        }
    }

    private AgentCalls.Pending<Confirmed> confirmation(@CheckForNull VirtualChannel channel) {
        ConfirmCall call = new ConfirmCall(
                prepared.id(),
                policy.definition().isStandard(),
                asked,
                enforcedMinimum(),
                REPORT_SECONDS + (container ? 0 : TRIP_SECONDS));
        return AgentCalls.start(Messages.SandboxLauncher_Confirming(), name(), () -> Objects.requireNonNull(channel)
                .call(call));
    }

    /**
     * Waits for the answer to the second call.
     *
     * @param proc the launcher, waiting for leave
     * @throws IOException when it is not enough, or is not known; the command has not been started then
     */
    void confirm(@CheckForNull VirtualChannel channel, Proc proc) throws IOException {
        boolean confirmed = false;
        try {
            confirm(confirmation == null ? confirmation(channel) : confirmation);
            confirmed = true;
        } finally {
            if (!confirmed) {
                abort(channel);
                discard(proc);
            }
        }
    }

    private void confirm(AgentCalls.Pending<Confirmed> pending) throws IOException {
        Report report;
        try {
            Confirmed answer = pending.get(REPORT_SECONDS + 2 * TRIP_SECONDS);
            if (answer == null || answer.report() == null) {
                throw untrusted();
            }
            report = ReportParser.parse(answer.report(), policy.definition().isStandard(), asked)
                    .because(answer.known());
        } catch (ReportException x) {
            throw new AbortException(Messages.SandboxLauncher_BadReport(name(), told(x.getMessage())));
        } catch (SandboxException x) {
            throw new AbortException(told(x.getMessage()));
        } catch (AbortException x) {
            throw new AbortException(Messages.SandboxLauncher_NotStarted(x.getMessage()));
        }
        judge(report);
    }

    private void judge(Report report) throws AbortException {
        Optional<String> unmet = minimum().unmetBy(report);
        boolean refused = !report.ready() || (unmet.isPresent() && policy.onShortfall() == OnShortfall.FAIL);
        String shortfall = unmet.orElseGet(() -> beyondTheMinimum(report));
        Verdict verdict = refused ? Verdict.REFUSED : shortfall == null ? Verdict.STARTED : Verdict.WARNED;
        Finding finding = Finding.of(name(), policy, report, verdict, shortfall);
        record(finding, report.init());
        String line = policy.profile() + ": " + report.level() + ", " + finding.getApplied() + " of "
                + finding.getAsked() + " applied";
        finish(verdict, line, shortfall, unmet.isPresent());
    }

    /** @return what is to be told although the minimum is reached; {@code null} when there is nothing */
    @CheckForNull
    private static String beyondTheMinimum(Report report) {
        if (!report.ready()) {
            return Messages.SandboxLauncher_Refused(report.refusal());
        }
        if (report.level() != Level.NONE) {
            return null;
        }
        return Messages.SandboxLauncher_Nothing(report.shortfalls().stream()
                .findFirst()
                .map(o -> o.primitive().wireName() + " " + o.describe() + ". " + Remedies.of(o))
                .orElse(""));
    }

    /**
     * A launch to which nothing can be applied.
     *
     * @param reason why, in a sentence
     * @throws AbortException when that is below the minimum, and so must not go on
     */
    void nothing(String reason) throws AbortException {
        boolean below = !minimum().equals(Minimum.ANYTHING);
        Verdict verdict = below && policy.onShortfall() == OnShortfall.FAIL ? Verdict.REFUSED : Verdict.WARNED;
        String shortfall = Messages.SandboxLauncher_Nothing(reason)
                + (policy.minimumLevel() == Level.NONE
                        ? ""
                        : " " + Messages.SandboxLauncher_Below(policy.minimumLevel()))
                + (policy.requiredPrimitives().isEmpty()
                        ? ""
                        : " " + Messages.SandboxLauncher_Required(requiredNames()));
        record(Finding.nothing(name(), policy, verdict, shortfall), null);
        finish(verdict, policy.profile() + ": " + Level.NONE, shortfall, below);
    }

    /** @param below whether the minimum was not reached; a warning may have another reason */
    private void finish(Verdict verdict, String line, @CheckForNull String shortfall, boolean below)
            throws AbortException {
        if (verdict == Verdict.STARTED) {
            listener.getLogger().println("[sandbox] " + line);
            return;
        }
        String whole = line + ". " + shortfall;
        if (origin != null) {
            owner.warn(origin, Messages.SandboxLauncher_Warning(whole));
        }
        if (verdict == Verdict.REFUSED) {
            throw new AbortException(Messages.SandboxLauncher_NotRun(whole));
        }
        listener.getLogger().println("[sandbox] " + whole);
        if (below && policy.onShortfall() == OnShortfall.UNSTABLE) {
            run.setResult(Result.UNSTABLE);
        }
    }

    private void record(Finding finding, @CheckForNull InitProcess init) {
        Launch.Running running = init == null || finding.getVerdict() == Verdict.REFUSED
                ? null
                : new Launch.Running(block, cookie, init, detached);
        try {
            SandboxAction.record(run, finding, new Launch(prepared == null ? null : prepared.id(), origin, running));
        } catch (IOException x) {
            // It is known in memory, and a full disk of the controller has more to say than this.
            listener.error(Messages.SandboxLauncher_Unrecorded(x.getMessage()));
        }
    }

    private Minimum minimum() {
        return new Minimum(policy.minimumLevel(), List.copyOf(policy.requiredPrimitives()));
    }

    /** What the launcher and the agent compare with; below it they stop the command on their own. */
    private Minimum enforcedMinimum() {
        return policy.onShortfall() == OnShortfall.FAIL ? minimum() : Minimum.ANYTHING;
    }

    private String requiredNames() {
        return minimum().required().stream().map(Primitive::wireName).collect(Collectors.joining(", "));
    }

    private LaunchTerms terms() {
        return new LaunchTerms(
                policy.definition(),
                enforcedMinimum(),
                policy.profilePaths(),
                policy.paths(),
                policy.allowedPaths(),
                policy.environment());
    }

    /** Gives up a launch, in the background. Should that fail, the gate closes all by itself. */
    void abort(@CheckForNull VirtualChannel channel) {
        if (channel != null && prepared != null) {
            try {
                channel.callAsync(new AbortCall(prepared.id()));
            } catch (IOException x) {
                LOGGER.fine(() -> "launch " + prepared.id() + " closes its gate by itself: " + x);
            }
        }
    }

    /** Whoever launches gets an exception and never sees this process: let go of what it holds on both sides. */
    private static void discard(Proc proc) {
        Computer.threadPoolForRemoting.execute(
                () -> Stream.<Closeable>of(proc.getStdout(), proc.getStderr(), proc.getStdin())
                        .filter(Objects::nonNull)
                        .forEach(Attempt::close));
    }

    private static void close(Closeable stream) {
        try {
            stream.close();
        } catch (IOException x) {
            LOGGER.fine(() -> "not closed: " + x);
        }
    }

    private String name() {
        return node.getDisplayName();
    }

    /** Text of the agent, made fit for a log. */
    private static String told(@CheckForNull String text) {
        return Quoted.visible(String.valueOf(text), MAX_MESSAGE);
    }
}
