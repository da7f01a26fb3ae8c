package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.plan.Host;
import io.jenkins.plugins.sandbox.policy.Limits;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What the launcher finds out when it tries every row on this machine: by a launch as any other, of profile {@value #PROFILE} with
 * every limit, that is never let go. So it can fall short in nothing that a launch would not fall short in, and the other way
 * round.
 *
 * @param report one row for each primitive; {@code SKIPPED} means that it was not tried
 * @param transport how the launcher was handed over: {@code memfd} or {@code file}
 * @param launcher a pattern for the paths of the launcher's file, as AppArmor has them; a memory file has none that a profile
 *     could name
 * @param untried why no launch could be prepared, and only that was tried which needs no directories; {@code null} when one
 *     could
 */
record NativeProbe(Report report, String transport, String launcher, String untried) {
    /** All that strict has, and the network. */
    static final String PROFILE = "offline";

    private static final int SECONDS = 20;
    private static final long TIB = 1L << 40;

    /**
     * Tries everything, and leaves nothing behind.
     *
     * @param choice how to hand the launcher over
     * @param place where to make a launch's directories
     * @return what holds here
     * @throws SandboxException when the launcher cannot be run at all
     * @throws InterruptedException when this thread was interrupted
     */
    static NativeProbe run(TransportChoice choice, ProbePlace place) throws SandboxException, InterruptedException {
        ProbeDirectories directories;
        try {
            directories = ProbeDirectories.make(place);
        } catch (SandboxException e) {
            return withoutDirectories(choice, e.getMessage());
        }
        try (directories) {
            PreparedLaunch launch;
            Policy policy = policy(directories, place.agentRoot());
            try {
                launch = PreparedLaunch.prepare(policy, choice);
            } catch (SandboxException e) {
                return withoutDirectories(choice, e.getMessage());
            }
            try (launch) {
                return run(launch, policy);
            }
        }
    }

    private static Policy policy(ProbeDirectories directories, String agentRoot) throws SandboxException {
        Profile profile = Profile.named(PROFILE).with(Primitive.LANDLOCK_NET);
        return Policy.builder(profile, directories.workspace())
                .scratch(directories.scratch())
                .agentRoot(agentRoot)
                .limits(limits())
                .onShortfall(Policy.OnShortfall.WARN)
                .gateSeconds(SECONDS)
                .build();
    }

    /** Each as high as it can be, so that none of them is what makes another row fall short. */
    private static Limits limits() throws SandboxException {
        return Limits.builder()
                .memory(16 * TIB)
                .addressSpace(true)
                .pids(4_194_304)
                .cpuTime(31_536_000)
                .openFiles(1_048_576)
                .fileSize(16 * TIB)
                .stack(TIB)
                .lockedMemory(TIB)
                .cpus(HostFacts.processors())
                // More than the group above has is refused by version 1 (kernel documentation, sched-bwc).
                .cpuQuota(100)
                .build();
    }

    private static NativeProbe run(PreparedLaunch launch, Policy policy) throws SandboxException, InterruptedException {
        List<String> words = new ArrayList<>(launch.prefix());
        words.add("true"); // is never started
        Process front = start(words, new File(policy.workspace()));
        try {
            byte[] bytes = launch.awaitReport(Duration.ofSeconds(SECONDS), front::isAlive);
            Report report = ReportParser.parse(bytes, false, policy.primitives());
            launch.abort();
            if (!front.waitFor(SECONDS, TimeUnit.SECONDS)) {
                throw overloaded();
            }
            return new NativeProbe(report, launch.transport(), pattern(launch.transport(), words.get(0)), null);
        } finally {
            front.destroyForcibly();
        }
    }

    /** What the launcher can try by itself. */
    private static NativeProbe withoutDirectories(TransportChoice choice, String why)
            throws SandboxException, InterruptedException {
        Transport transport = Transports.choose(choice, Host.current());
        try (Transport.Wire wire =
                transport.open("probe-" + ProcessHandle.current().pid())) {
            Process process = start(List.of(wire.launcher(), "--probe"), new File("/"));
            try {
                if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                    throw overloaded();
                }
                // A report fits into the pipe, so that the launcher never waited for this.
                byte[] bytes = readUpTo(process.getInputStream(), ReportParser.MAX_PART + 1);
                return new NativeProbe(
                        ReportParser.parse(bytes, false),
                        transport.name(),
                        pattern(transport.name(), wire.launcher()),
                        why);
            } finally {
                process.destroyForcibly();
            }
        } catch (SandboxException e) {
            throw e;
        } catch (IOException e) {
            throw new SandboxException("The launcher cannot be started: " + Quoted.of(e.getMessage()) + ".", e);
        }
    }

    private static Process start(List<String> words, File directory) throws SandboxException {
        try {
            return new ProcessBuilder(words)
                    .directory(directory)
                    .redirectInput(new File("/dev/null"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            throw new SandboxException("The launcher cannot be started: " + Quoted.of(e.getMessage()) + ".", e);
        }
    }

    private static SandboxException overloaded() {
        return new SandboxException("The launcher did not finish its probe within " + SECONDS
                + " s: check that the machine is not overloaded.");
    }

    /** Any version of the launcher: its file is named after its content. */
    private static String pattern(String transport, String launcher) {
        return transport.equals(FileTransport.NAME)
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
