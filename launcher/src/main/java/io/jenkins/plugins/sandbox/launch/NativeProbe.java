package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.plan.Host;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.TimeUnit;

/**
 * What the launcher finds out when it tries every row on this machine.
 *
 * @param report one row for each primitive; {@code SKIPPED} means that this version does not have it
 * @param transport how the launcher was handed over: {@code memfd} or {@code file}
 * @param launcher a pattern for the paths of the launcher's file, as AppArmor has them; a memory file has none that a profile
 *     could name
 */
public record NativeProbe(Report report, String transport, String launcher) {
    private static final long SECONDS = 20;

    /**
     * Tries everything, and leaves nothing behind.
     *
     * @param choice how to hand the launcher over
     * @return what holds here
     * @throws SandboxException when the launcher cannot be run at all
     * @throws InterruptedException when this thread was interrupted
     */
    public static NativeProbe run(TransportChoice choice) throws SandboxException, InterruptedException {
        Transport transport = Transports.choose(choice, Host.current());
        try (Transport.Wire wire =
                transport.open("probe-" + ProcessHandle.current().pid())) {
            Process process = new ProcessBuilder(wire.launcher(), "--probe")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                process.getOutputStream().close();
                if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                    throw new SandboxException("The launcher did not finish its probe within " + SECONDS
                            + " s: check that the machine is not overloaded.");
                }
                // A report fits into the pipe, so that the launcher never waited for this.
                byte[] bytes = readUpTo(process.getInputStream(), ReportParser.MAX_PART + 1);
                return new NativeProbe(
                        ReportParser.parse(bytes, false), transport.name(), pattern(transport, wire.launcher()));
            } finally {
                process.destroyForcibly();
            }
        } catch (SandboxException e) {
            throw e;
        } catch (IOException e) {
            throw new SandboxException("The launcher cannot be started: " + Quoted.of(e.getMessage()) + ".", e);
        }
    }

    /** Any version of the launcher: its file is named after its content. */
    private static String pattern(Transport transport, String launcher) {
        return transport instanceof FileTransport
                ? launcher.replaceFirst("launcher-[0-9a-f]+$", "launcher-*")
                : "/ANY/DIRECTORY/process-sandbox/launcher-*";
    }

    private static byte[] readUpTo(InputStream in, int max) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] buffer = new byte[max];
        // Not to the end: a process that the launcher left behind must not hold us up.
        while (in.available() > 0 && out.size() < max) {
            out.write(buffer, 0, in.read(buffer, 0, Math.min(in.available(), max - out.size())));
        }
        return out.toByteArray();
    }
}
