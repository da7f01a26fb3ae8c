package io.jenkins.plugins.sandbox;

import io.jenkins.plugins.sandbox.launch.LiveInit;
import io.jenkins.plugins.sandbox.launch.PreparedLaunch;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportException;
import io.jenkins.plugins.sandbox.model.ReportParser;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * A command in a sandbox. As a {@link Process} it is the launcher's front process: its streams and its exit status are the
 * command's. The sandbox itself may outlive it, as long as processes that the command left behind do.
 */
public final class SandboxedProcess extends Process {
    /** A launch has no longest time of its own. */
    private static final Duration NO_LIMIT = Duration.ofDays(365);

    private static final int INIT_GONE_MILLIS = 5_000;

    private final Process front;
    private final Report report;
    private final int graceSeconds;
    private final String shortfall;
    private final CompletableFuture<Optional<Ending>> ending = new CompletableFuture<>();

    SandboxedProcess(Process front, PreparedLaunch launch, Report report, int graceSeconds, String shortfall) {
        this.front = front;
        this.report = report;
        this.graceSeconds = graceSeconds;
        this.shortfall = shortfall;
        Thread reader = new Thread(() -> readEnding(launch), "process-sandbox-ending-" + launch.id());
        reader.setDaemon(true);
        reader.start();
    }

    private void readEnding(PreparedLaunch launch) {
        Ending read = null;
        try (launch) {
            Optional<byte[]> bytes = launch.awaitEnding(NO_LIMIT, this::isAnythingAlive);
            if (bytes.isPresent()) {
                read = ReportParser.parseEnding(bytes.get());
            }
            // Its last words, or the end of its pipe, come a moment before init itself is gone.
            for (int i = 0; i < INIT_GONE_MILLIS && isInitAlive(); i++) {
                Thread.sleep(1);
            }
        } catch (ReportException | InterruptedException e) {
            // As if it had said nothing; nobody interrupts this thread.
            read = null;
        } finally {
            ending.complete(Optional.ofNullable(read));
        }
    }

    private boolean isAnythingAlive() {
        return front.isAlive() || isInitAlive();
    }

    private boolean isInitAlive() {
        InitProcess init = report.init();
        return init != null && LiveInit.isAlive(init);
    }

    /**
     * @return what was applied, and how it ended as soon as that is known
     */
    public Report report() {
        return report.withEnding(ending.getNow(Optional.empty()).orElse(null));
    }

    /**
     * @return why the launch should not have been allowed to run, where the policy says to warn only
     */
    public Optional<String> shortfall() {
        return Optional.ofNullable(shortfall);
    }

    /**
     * Waits until the sandbox is gone, with every process in it.
     *
     * @param max the longest time to wait
     * @return how it ended; empty when that took longer, or nobody was left to say so
     * @throws InterruptedException when this thread was interrupted
     */
    public Optional<Ending> awaitEnding(Duration max) throws InterruptedException {
        try {
            return ending.get(max.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            return Optional.empty();
        }
    }

    @Override
    public OutputStream getOutputStream() {
        return front.getOutputStream();
    }

    @Override
    public InputStream getInputStream() {
        return front.getInputStream();
    }

    @Override
    public InputStream getErrorStream() {
        return front.getErrorStream();
    }

    @Override
    public int waitFor() throws InterruptedException {
        return front.waitFor();
    }

    @Override
    public boolean waitFor(long timeout, TimeUnit unit) throws InterruptedException {
        return front.waitFor(timeout, unit);
    }

    @Override
    public int exitValue() {
        return front.exitValue();
    }

    /** Sends SIGTERM to the command; the launcher sends SIGKILL to all that is left after the policy's grace. */
    @Override
    public void destroy() {
        front.destroy();
    }

    /** Ends everything in the sandbox at once. */
    @Override
    public Process destroyForcibly() {
        if (report.init() != null) {
            LiveInit.kill(report.init());
        }
        front.destroyForcibly();
        return this;
    }

    /**
     * Ends everything in the sandbox: politely, and by force when that did not help within the grace and two seconds more.
     *
     * @throws InterruptedException when this thread was interrupted
     */
    public void stop() throws InterruptedException {
        destroy();
        if (awaitEnding(Duration.ofSeconds(graceSeconds + 2L)).isEmpty() && isAnythingAlive()) {
            destroyForcibly();
        }
    }

    @Override
    public boolean supportsNormalTermination() {
        return true;
    }

    @Override
    public boolean isAlive() {
        return front.isAlive();
    }

    @Override
    public long pid() {
        return front.pid();
    }

    @Override
    public ProcessHandle toHandle() {
        return front.toHandle();
    }

    @Override
    public CompletableFuture<Process> onExit() {
        return front.onExit().thenApply(ignored -> this);
    }

    @Override
    public Stream<ProcessHandle> children() {
        return front.children();
    }

    @Override
    public Stream<ProcessHandle> descendants() {
        return front.descendants();
    }

    @Override
    public ProcessHandle.Info info() {
        return front.info();
    }
}
