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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PolicyTest {
    private static Policy.Builder builder(String profile) throws SandboxException {
        return Policy.builder(Profile.named(profile), "/ws");
    }

    @Test
    void limitsBringTheirRows() throws Exception {
        assertThat(builder("standard").build().primitives())
                .containsExactly(Primitive.ENVIRONMENT, Primitive.RLIMIT_NOFILE, Primitive.NO_NEW_PRIVS);
        Policy limited =
                builder("standard").limits(new Limits(10, 1L << 30, 512)).build();
        assertThat(limited.primitives())
                .containsExactly(
                        Primitive.ENVIRONMENT,
                        Primitive.RLIMIT_CPU,
                        Primitive.RLIMIT_NOFILE,
                        Primitive.RLIMIT_AS,
                        Primitive.NO_NEW_PRIVS);
        assertThat(limited.openFiles()).isEqualTo(512);
        assertThat(builder("standard").build().openFiles()).isEqualTo(65_536);
    }

    @ParameterizedTest
    @CsvSource({"1, 2", "2, 4", "30, 60"})
    void cpuTimeIsTwiceTheTimeLimitAndAtLeastTwoSeconds(int seconds, long limit) {
        assertThat(new Limits(seconds, null, null).rlimitCpu()).isEqualTo(limit);
    }

    @ParameterizedTest
    @CsvSource({"1, 4096", "256, 4096", "512, 4096", "513, 4104", "1024, 8192"})
    void addressSpaceIsEightTimesTheMemoryAndAtLeastFourGiB(long mebibytes, long limit) {
        assertThat(new Limits(null, mebibytes << 20, null).rlimitAs()).isEqualTo(limit << 20);
    }

    @ParameterizedTest
    @CsvSource({"0,,", "-1,,", "31536001,,", ",1000,", ",-1,", ",9999999999999,", ",,15", ",,1048577"})
    void limitsOutOfRangeAreErrors(Integer cpu, Long memory, Integer files) {
        assertThatThrownBy(() ->
                        builder("strict").limits(new Limits(cpu, memory, files)).build())
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("out of range: use ");
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
                .limits(new Limits(1, null, null))
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
