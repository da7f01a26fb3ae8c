package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.ReportException;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.model.Status;
import io.jenkins.plugins.sandbox.plan.Host;
import io.jenkins.plugins.sandbox.plan.KnownRepositories;
import io.jenkins.plugins.sandbox.plan.Plan;
import io.jenkins.plugins.sandbox.plan.Scratch;
import io.jenkins.plugins.sandbox.plan.WorkspaceRights;
import io.jenkins.plugins.sandbox.policy.Policy;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;

/**
 * One launch, on the machine that launches, from its plan to its end:
 *
 * <ol>
 *   <li>{@link #prepare} makes the launcher, the plan, the report and the gate available;
 *   <li>somebody starts {@link #prefix} and, behind it, the command;
 *   <li>{@link #awaitReport} has what was applied, while the command does not run yet;
 *   <li>{@link #openGate} lets it start, {@link #abort} does not;
 *   <li>{@link #awaitEnding} has how it ended.
 * </ol>
 *
 * <p>{@link #close} may come at any time: before the gate is open it aborts the launch; after that it gives up the ending, and
 * the command goes on. As long as the launch is not closed, no other launch of this JVM gets its overlay of the home
 * directory. All methods may be called from any thread.
 *
 * <p>What was applied cannot be forged by the command, since it is read before the command starts. How it ended can, under a
 * profile that leaves the command this user's rights over this process, as {@code standard} does.
 */
public final class PreparedLaunch implements AutoCloseable {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final Pattern SAFE_WORD = Pattern.compile("[A-Za-z0-9_./=:,@+-]+");
    private static final long LONGEST_PAUSE_MILLIS = 100;
    private static final int LONGEST_COMPLAINT = 1024;

    private final String id;
    private final String transport;
    private final Transport.Wire wire;
    private final Scratch scratch;
    private final List<String> prefix;
    private final Policy policy;
    private final Host host;
    private final boolean keepsAllRepositories;
    /** All of the report so far. Only touched by {@link #await}, under its lock. */
    private byte[] report = new byte[0];

    private boolean gateUsed;
    private boolean homeReleased;

    private PreparedLaunch(
            String id,
            String transport,
            Transport.Wire wire,
            Scratch scratch,
            List<String> prefix,
            Policy policy,
            Host host,
            boolean keepsAllRepositories) {
        this.id = id;
        this.transport = transport;
        this.wire = wire;
        this.scratch = scratch;
        this.prefix = prefix;
        this.policy = policy;
        this.host = host;
        this.keepsAllRepositories = keepsAllRepositories;
    }

    /**
     * Plans a launch and makes everything available that it needs. Nothing stays behind when this fails.
     *
     * @param policy what is asked for
     * @param choice how to hand it over
     * @return to be closed
     * @throws SandboxException when the policy cannot be planned here, or the transport does not work; an
     *     {@link io.jenkins.plugins.sandbox.model.UnsupportedHostException} when no launch can ever work on this machine
     */
    public static PreparedLaunch prepare(Policy policy, TransportChoice choice) throws SandboxException {
        Host host =
                choice.kind() == TransportChoice.Kind.CONTAINER ? Host.current().inContainer() : Host.current();
        Transport transport = Transports.choose(choice, host);
        Scratch scratch = Scratch.of(policy, host);
        Transport.Wire wire = null;
        boolean done = false;
        try {
            String id = newId();
            wire = transport.open(id);
            restoreRights(policy, host, wire);
            KnownRepositories.remember(policy, host);
            Plan plan = Plan.of(policy, host, scratch);
            plan.makeMountPoints();
            Optional<byte[]> filter = plan.filter();
            String filterFile = filter.isPresent() ? wire.put("filter", filter.get()) : null;
            // The processes of a container have no numbers here by which the end of the block could end them.
            Path block = choice.kind() == TransportChoice.Kind.CONTAINER && policy.scratch() != null
                    ? BlockFile.make(Path.of(policy.scratch()))
                    : null;
            String planFile = wire.put("plan", plan.encode(plan.words(wire.report(), wire.gate(), filterFile, block)));
            List<String> prefix = List.of(wire.launcher(), "--args", planFile, "--");
            checkWords(prefix);
            PreparedLaunch launch = new PreparedLaunch(
                    id, transport.name(), wire, scratch, prefix, policy, host, plan.keepsAllRepositories());
            done = true;
            return launch;
        } finally {
            if (!done) {
                if (wire != null) {
                    wire.close();
                }
                if (scratch != null) {
                    scratch.close();
                }
            }
        }
    }

    private static void restoreRights(Policy policy, Host host, Transport.Wire wire) throws SandboxException {
        Optional<byte[]> rights = WorkspaceRights.plan(policy, host);
        if (rights.isEmpty()) {
            return;
        }
        try {
            Process process = new ProcessBuilder(wire.launcher(), "--args", wire.put("rights", rights.get()))
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            String text = new String(process.getInputStream().readNBytes(LONGEST_COMPLAINT));
            if (process.waitFor() != 0) {
                throw new SandboxException("The rights of workspace " + Quoted.of(policy.workspace())
                        + " cannot be restored (" + text.strip() + "): give its owner all rights to it.");
            }
        } catch (SandboxException e) {
            throw e;
        } catch (IOException e) {
            throw new SandboxException(
                    "The launcher cannot be started to restore the rights of workspace "
                            + Quoted.of(policy.workspace()) + " (" + e
                            + "): check that there is memory left, or give its owner all rights to it.",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SandboxException("Interrupted while the rights of the workspace were restored.", e);
        }
    }

    private static String newId() {
        byte[] bytes = new byte[8];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** The words pass through launchers that expand variables and shells that quote badly. */
    private static void checkWords(List<String> words) throws SandboxException {
        for (String word : words) {
            if (!SAFE_WORD.matcher(word).matches()) {
                throw new SandboxException("The launcher would be at " + Quoted.of(word)
                        + ", which not every way to start a command leaves as it is: name a directory for it whose path has"
                        + " only letters, digits and _ . / = : , @ + - in it.");
            }
        }
    }

    /**
     * @return 16 hexadecimal digits that no other launch has
     */
    public String id() {
        return id;
    }

    /**
     * @return {@code memfd} or {@code file}
     */
    public String transport() {
        return transport;
    }

    /**
     * @return the words to put before the command, each of {@code [A-Za-z0-9_./=:,@+-]}
     */
    public List<String> prefix() {
        return prefix;
    }

    /**
     * Waits for the first part of the report.
     *
     * @param max the longest time to wait
     * @return the first part, at most {@value ReportParser#MAX_PART} bytes, its last line complete; not parsed
     * @throws SandboxException when it did not come in time, or is longer than it may be
     * @throws InterruptedException when this thread was interrupted
     */
    public byte[] awaitReport(Duration max) throws SandboxException, InterruptedException {
        return awaitReport(max, () -> true);
    }

    /**
     * As {@link #awaitReport(Duration)}, for somebody who knows whether the launcher still runs.
     *
     * @param max the longest time to wait
     * @param running asked again and again; once it says no, what is there is all that there will be
     * @return the first part, at most {@value ReportParser#MAX_PART} bytes
     * @throws SandboxException when it did not come in time or before the end, or is longer than it may be
     * @throws InterruptedException when this thread was interrupted
     */
    public byte[] awaitReport(Duration max, BooleanSupplier running) throws SandboxException, InterruptedException {
        int end = await(max, running, () -> ReportParser.endOfFirstPart(report), ReportParser.MAX_PART);
        if (end < 0) {
            throw new SandboxException(
                    report.length >= ReportParser.MAX_PART
                            ? "The launcher's report is longer than " + ReportParser.MAX_PART
                                    + " bytes: the launcher and this driver are not of the same build."
                            : "The launcher did not report within " + max.toMillis()
                                    + " ms: check that " + Quoted.of(prefix.get(0))
                                    + " can be executed where the command"
                                    + " runs, and that the machine is not overloaded.");
        }
        wire.reportBegun();
        return Arrays.copyOf(report, end);
    }

    /**
     * Lets the command start. To be called once, after {@link #awaitReport}.
     *
     * @throws SandboxException when the launch was aborted or closed before, or what it means for the workspace cannot be
     *     written down
     */
    public synchronized void openGate() throws SandboxException {
        if (gateUsed) {
            throw new SandboxException("The gate of launch " + id + " was used already.");
        }
        if (!keepsAllRepositories || !hasView()) {
            KnownRepositories.expose(policy, host);
        }
        gateUsed = true;
        wire.gate('o');
    }

    /** Nothing of the report is changed any more: the launcher waits at the gate. */
    private boolean hasView() {
        synchronized (wire) {
            try {
                return ReportParser.parse(report, false, policy.primitives()).outcomes().stream()
                        .anyMatch(o -> o.primitive() == Primitive.FILESYSTEM && o.status() == Status.APPLIED);
            } catch (ReportException e) {
                return false;
            }
        }
    }

    /** Makes sure that the command does not start, unless the gate was opened before. Never throws. */
    public synchronized void abort() {
        if (gateUsed) {
            return;
        }
        gateUsed = true;
        try {
            wire.gate('x');
        } catch (SandboxException e) {
            // There is nobody to tell: whoever waits there sees the gate closed, or its time-out.
            return;
        }
    }

    /**
     * Waits for the second part of the report.
     *
     * @param max the longest time to wait; zero looks once
     * @return everything that followed the first part, its last line complete, at most {@value ReportParser#MAX_PART} bytes;
     *     not parsed. Empty when it did not come in time or will never come
     * @throws InterruptedException when this thread was interrupted
     */
    public Optional<byte[]> awaitEnding(Duration max) throws InterruptedException {
        return awaitEnding(max, () -> true);
    }

    /**
     * As {@link #awaitEnding(Duration)}, for somebody who knows whether anything of the launch still runs.
     *
     * @param max the longest time to wait
     * @param running asked again and again; once it says no, what is there is all that there will be
     * @return everything that followed the first part
     * @throws InterruptedException when this thread was interrupted
     */
    public Optional<byte[]> awaitEnding(Duration max, BooleanSupplier running) throws InterruptedException {
        int end;
        try {
            end = await(max, running, this::endOfEnding, 2 * ReportParser.MAX_PART);
        } catch (SandboxException e) {
            return Optional.empty();
        }
        int begin = ReportParser.endOfFirstPart(report);
        return end < 0 ? Optional.empty() : Optional.of(Arrays.copyOfRange(report, begin, end));
    }

    private int endOfEnding() {
        int begin = ReportParser.endOfFirstPart(report);
        if (begin < 0) {
            return -1;
        }
        int end = ReportParser.endOfEnding(Arrays.copyOfRange(report, begin, report.length));
        return end < 0 ? -1 : begin + end;
    }

    private interface End {
        int find();
    }

    /** Reads on until an end is found. -1 when there is none in time, within the size, or ever. */
    private int await(Duration max, BooleanSupplier running, End end, int size)
            throws SandboxException, InterruptedException {
        long deadline = System.nanoTime() + max.toNanos();
        long pause = 1;
        boolean over = false;
        while (true) {
            // Asked before reading: what was written before the end is read after it.
            boolean last = over || !running.getAsBoolean();
            synchronized (wire) {
                int found = end.find();
                while (found < 0 && report.length < size) {
                    byte[] more = wire.read(size - report.length);
                    if (more == null) {
                        over = true;
                        last = true;
                        break;
                    }
                    if (more.length == 0) {
                        break;
                    }
                    int had = report.length;
                    report = Arrays.copyOf(report, had + more.length);
                    System.arraycopy(more, 0, report, had, more.length);
                    found = end.find();
                }
                if (found >= 0 || report.length >= size || last) {
                    return found;
                }
            }
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return -1;
            }
            wire.await((int) Math.min(pause, left));
            pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
        }
    }

    /**
     * Lets another launch have this one's overlay of the home directory, for somebody who knows that nothing of this launch
     * uses it any more although it has not ended.
     */
    public synchronized void releaseHome() {
        if (scratch != null && !homeReleased) {
            homeReleased = true; // once: after this it may be another launch's
            scratch.close();
        }
    }

    /** Aborts a launch whose gate is still shut, and removes everything but the scratch directory. Never throws. */
    @Override
    public void close() {
        abort();
        wire.close();
        releaseHome();
    }
}
