package io.jenkins.plugins.sandbox.bench;

import io.jenkins.plugins.sandbox.launch.PreparedLaunch;
import io.jenkins.plugins.sandbox.launch.TransportChoice;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportException;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.plan.Host;
import io.jenkins.plugins.sandbox.plan.Plan;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import io.jenkins.plugins.sandbox.seccomp.Architecture;
import io.jenkins.plugins.sandbox.seccomp.BpfProgram;
import io.jenkins.plugins.sandbox.seccomp.SeccompPolicy;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the driver does for each launch under {@code strict}. The workspace is the system property {@code bench.workspace},
 * the scratch directory {@code bench.scratch}; both exist and belong to this user.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class LaunchBenchmark {
    private final Host host = Host.current();
    private final Architecture architecture = host.architecture().orElseThrow();
    private final String workspace = System.getProperty("bench.workspace");
    private final String scratch = System.getProperty("bench.scratch");
    private Profile profile;
    private SeccompPolicy syscalls;
    private Policy policy;
    private byte[] report;

    /** What does not belong to a launch. */
    @Setup
    public void prepareOnce() throws SandboxException {
        profile = Profile.named("strict");
        syscalls = profile.syscallPolicy().orElseThrow();
        policy = policy();
        StringBuilder text = new StringBuilder("process-sandbox-report 1\n");
        policy.primitives().forEach(row -> text.append(row.wireName()).append(" applied\n"));
        text.append("level FULL\ninit 4711 184467\nready\n");
        report = text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** The controller's part: settings to a policy. */
    @Benchmark
    public Policy policy() throws SandboxException {
        return Policy.builder(profile, workspace).scratch(scratch).build();
    }

    /** A profile file, read and checked. */
    @Benchmark
    public Profile profile() throws SandboxException {
        return Profile.named("strict");
    }

    /** The seccomp groups to a BPF program. */
    @Benchmark
    public BpfProgram filter() {
        return syscalls.compile(architecture);
    }

    /** The policy to words for the launcher, with every look at the file system that this takes. */
    @Benchmark
    public byte[] plan() throws SandboxException {
        Plan plan = Plan.imagined(policy, host);
        return plan.encode(plan.words("/report", "/gate", "/filter"));
    }

    /** The controller's reading of the report. */
    @Benchmark
    public Report report() throws ReportException {
        return ReportParser.parse(report, false);
    }

    /** All that the first of the two calls to an agent does there, and taking it down again. */
    @Benchmark
    public void prepareAndClose() throws SandboxException {
        PreparedLaunch.prepare(policy, TransportChoice.memfd()).close();
    }
}
