package io.jenkins.plugins.sandbox.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.List;
import org.junit.jupiter.api.Test;

class PolicyTest {
    private static Policy.Builder builder(String profile) throws SandboxException {
        return Policy.builder(Profile.named(profile), "/ws");
    }

    @Test
    void limitsBringTheirRows() throws Exception {
        assertThat(builder("standard").build().primitives())
                .containsExactly(Primitive.ENVIRONMENT, Primitive.RLIMIT_NOFILE, Primitive.NO_NEW_PRIVS);
        Limits limits = Limits.builder()
                .memory(1L << 30)
                .cpuTime(10)
                .openFiles(512)
                .fileSize(1L << 20)
                .stack(1L << 20)
                .lockedMemory(0L)
                .cpus("0")
                .wallTime(5)
                .pids(100)
                .build();
        Policy limited = builder("standard").limits(limits).build();
        assertThat(limited.primitives())
                .containsExactly(
                        Primitive.ENVIRONMENT,
                        Primitive.CGROUP,
                        Primitive.RLIMIT_CPU,
                        Primitive.RLIMIT_NOFILE,
                        Primitive.RLIMIT_FSIZE,
                        Primitive.RLIMIT_STACK,
                        Primitive.RLIMIT_MEMLOCK,
                        Primitive.CPU_AFFINITY,
                        Primitive.NO_NEW_PRIVS);
        assertThat(limited.openFiles()).isEqualTo(512);
        assertThat(builder("standard").build().openFiles()).isEqualTo(65_536);
    }

    /** A host without a delegated control group must not fall short for what needs none. */
    @Test
    void aNumberOfProcessesNeedsNoControlGroupWhereThereIsAUserNamespace() throws Exception {
        Limits pids = Limits.builder().pids(10).wallTime(3).build();
        assertThat(builder("strict").limits(pids).build().primitives())
                .contains(Primitive.RLIMIT_NPROC)
                .doesNotContain(Primitive.CGROUP);
        assertThat(builder("standard").limits(pids).build().primitives())
                .contains(Primitive.CGROUP)
                .doesNotContain(Primitive.RLIMIT_NPROC);
    }

    /** The one may come from the profile, and the other from the step. */
    @Test
    void aLimitOnAddressSpaceNeedsOneOnMemory() throws Exception {
        Limits addressSpace = Limits.builder().addressSpace(true).build();
        Profile profile = Profile.parse("mine", "primitives = rlimit_nofile\nmemory = 1G");
        assertThat(Policy.builder(profile, "/ws")
                        .limits(addressSpace)
                        .build()
                        .limits()
                        .rlimitAs())
                .isEqualTo(8L << 30);
        assertThatThrownBy(() -> builder("strict").limits(addressSpace).build())
                .isInstanceOf(SandboxException.class)
                .hasMessageStartingWith(
                        "A limit on address space is a multiple of the memory limit, and there is none");
    }

    @Test
    void aProfilesLimitsHoldForEveryLaunch() throws Exception {
        Profile profile =
                Profile.parse("mine", "primitives = rlimit_nofile\nmemory = 1G\ncpus = 0-2\nopen-files = 100");
        Limits limits = Limits.builder()
                .memory(1L << 31)
                .openFiles(50)
                .cpus("2-3")
                .wallTime(5)
                .build();
        Policy policy = Policy.builder(profile, "/ws").limits(limits).build();
        assertThat(policy.limits())
                .isEqualTo(Limits.builder()
                        .memory(1L << 30)
                        .openFiles(50)
                        .cpus("2")
                        .wallTime(5)
                        .build());
        assertThat(policy.primitives()).contains(Primitive.CGROUP, Primitive.CPU_AFFINITY);
        assertThatThrownBy(() -> Policy.builder(profile, "/ws")
                        .limits(Limits.builder().cpus("5").build())
                        .build())
                .isInstanceOf(SandboxException.class)
                .hasMessage("CPUs 5 and 0-2 have none in common: name some that both have.");
    }

    @Test
    void timesOutOfRangeAreErrors() {
        assertThatThrownBy(() -> builder("strict").graceSeconds(601).build()).hasMessageContaining("grace of 601 s");
        assertThatThrownBy(() -> builder("strict").gateSeconds(0).build()).hasMessageContaining("gate time-out of 0 s");
    }

    @Test
    void aMinimumThatTheProfileCanNeverReachIsAMistake() throws Exception {
        assertThatThrownBy(() -> builder("standard").minimumLevel(Level.FULL).build())
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("reaches the level BASELINE at most");
        assertThatThrownBy(() -> builder("standard").require(Primitive.SECCOMP).build())
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("seccomp is not part of profile 'standard'");
        assertThat(builder("standard")
                        .minimumLevel(Level.FULL)
                        .onShortfall(Policy.OnShortfall.WARN)
                        .build()
                        .minimum()
                        .level())
                .isEqualTo(Level.FULL);
    }

    @Test
    void aHomeOfTheJobNeedsAJob() throws Exception {
        Profile job = Profile.named("strict").withHome(Profile.Home.JOB);
        assertThatThrownBy(() -> Policy.builder(job, "/ws").build()).hasMessageContaining("there is no job");
        assertThat(Policy.builder(job, "/ws").jobScratch("/j").build().jobScratch())
                .isEqualTo("/j");
    }

    @Test
    void variablesAccumulate() throws Exception {
        Policy policy = builder("strict").keepVariables(List.of("A")).build();
        assertThat(policy.keepingVariables(List.of("B")).variables()).containsExactly("A", "B");
        assertThat(policy.keepingVariables(List.of())).isEqualTo(policy);
    }

    @Test
    void policiesTravel() throws Exception {
        Policy policy = builder("strict")
                .write("/a")
                .read("/b")
                .execute("/c")
                .hide("/d")
                .agentRoot("/e")
                .controlDirectory("/f")
                .jobScratch("/g")
                .keepVariables(List.of("A"))
                .limits(Limits.builder().cpuTime(1).build())
                .minimumLevel(Level.FULL)
                .require(Primitive.SECCOMP)
                .home("/home/x")
                .scratch("/s")
                .build();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(policy);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            assertThat(in.readObject()).isEqualTo(policy);
        }
    }
}
