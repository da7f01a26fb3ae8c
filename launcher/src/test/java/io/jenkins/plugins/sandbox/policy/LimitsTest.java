package io.jenkins.plugins.sandbox.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.model.SetLimit;
import io.jenkins.plugins.sandbox.model.Status;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class LimitsTest {
    private static final Limits ALL = all();

    private static Limits all() {
        return new Limits(1L << 30, true, 100, 10, 20, 512, 1L << 20, 1L << 30, 1L << 19, 0L, "0-3", 150);
    }

    @Test
    void theBuilderKeepsEverything() throws Exception {
        assertThat(ALL.toBuilder().build()).isEqualTo(ALL);
        assertThat(Limits.NONE.isEmpty()).isTrue();
        assertThat(ALL.isEmpty()).isFalse();
    }

    @Test
    void whatIsSetIsSaidWithWhatBecameOfIt() {
        List<Outcome> nothing = List.of();
        assertThat(Limits.NONE.set(nothing)).isEmpty();
        // What init does itself needs no row.
        assertThat(ALL.set(nothing))
                .extracting(SetLimit::describe)
                .containsExactly(
                        "memory 1 GiB (not in force)",
                        "address space, 8 x memory (not in force)",
                        "processes and threads 100 (not in force)",
                        "CPU time 10 s",
                        "wall time 20 s",
                        "open files 512 (not in force)",
                        "the size of a file 1 MiB (not in force)",
                        "the size of the workspace 1 GiB (not in force)",
                        "the stack 512 KiB (not in force)",
                        "locked memory 0 bytes (not in force)",
                        "processors 0-3 (not in force)",
                        "CPU time for each second 150 % (not in force)");
        List<Outcome> everything = Stream.of(Primitive.values())
                .map(p -> new Outcome(p, Status.APPLIED, 0, ""))
                .toList();
        assertThat(ALL.set(everything))
                .extracting(SetLimit::describe)
                .contains(
                        "memory 1 GiB", "processes and threads 100", "open files 512 (each process)", "processors 0-3")
                .noneMatch(d -> d.contains("not in force"));
        List<Outcome> withoutGroup = List.of(
                new Outcome(Primitive.CGROUP, Status.UNAVAILABLE, 0, ""),
                new Outcome(Primitive.RLIMIT_DATA, Status.APPLIED, 0, ""),
                new Outcome(Primitive.RLIMIT_NPROC, Status.APPLIED, 0, ""));
        assertThat(ALL.set(withoutGroup))
                .extracting(SetLimit::describe)
                .contains(
                        "memory 1 GiB (each process)",
                        "processes and threads 100",
                        "CPU time for each second 150 % (not in force)");
    }

    @Test
    void ofEachTheStricterHolds() throws Exception {
        Limits other = new Limits(1L << 29, false, 200, 5, 30, 600, 1L << 19, 1L << 31, 1L << 20, 4096L, "3,5", 50);
        Limits both = new Limits(1L << 29, true, 100, 5, 20, 512, 1L << 19, 1L << 30, 1L << 19, 0L, "3", 50);
        assertThat(ALL.stricter(other)).isEqualTo(both);
        assertThat(other.stricter(ALL)).isEqualTo(both);
        assertThat(ALL.stricter(Limits.NONE)).isEqualTo(ALL);
        assertThat(Limits.NONE.stricter(ALL)).isEqualTo(ALL);
    }

    @ParameterizedTest
    @CsvSource({"16, 4096", "256, 4096", "512, 4096", "513, 4104", "1024, 8192"})
    void addressSpaceIsEightTimesTheMemoryAndAtLeastFourGiB(long mebibytes, long limit) throws Exception {
        Limits limits =
                Limits.builder().memory(mebibytes << 20).addressSpace(true).build();
        assertThat(limits.rlimitAs()).isEqualTo(limit << 20);
        assertThat(limits.toBuilder().addressSpace(false).build().rlimitAs()).isNull();
    }

    @Test
    void aProgramHearsOfItsCpuLimitASecondBeforeItIsKilled() throws Exception {
        assertThat(Limits.builder().cpuTime(7).build().rlimitCpu()).isEqualTo(8);
        assertThat(Limits.NONE.rlimitCpu()).isNull();
    }

    static Stream<Arguments> outOfRange() {
        return Stream.of(
                row("Memory of 1048576 bytes is out of range: use 16M to 16T.", b -> b.memory(1L << 20)),
                row("Memory of 17592186044417 bytes is out of range", b -> b.memory((16L << 40) + 1)),
                row("A limit of 0 processes is out of range: use 1 to 4194304.", b -> b.pids(0)),
                row("CPU time of 0 s is out of range: use 1 to 31536000 seconds.", b -> b.cpuTime(0)),
                row("CPU time of 31536001 s is out of range", b -> b.cpuTime(31_536_001)),
                row("Wall time of -1 s is out of range", b -> b.wallTime(-1)),
                row("A limit of 15 open files is out of range: use 16 to 1048576.", b -> b.openFiles(15)),
                row("A limit of 1048577 open files is out of range", b -> b.openFiles(1_048_577)),
                row("File size of 0 bytes is out of range: use 4K to 16T.", b -> b.fileSize(0L)),
                row("Stack of 65536 bytes is out of range: use 256K to 1T.", b -> b.stack(65_536L)),
                row("Locked memory of -1 bytes is out of range: use 0 to 1T.", b -> b.lockedMemory(-1L)),
                row("A CPU quota of 0 % is out of range", b -> b.cpuQuota(0)),
                row("A CPU quota of 102401 % is out of range", b -> b.cpuQuota(102_401)));
    }

    private static Arguments row(String message, UnaryOperator<Limits.Builder> change) {
        return Arguments.of(message, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("outOfRange")
    void limitsOutOfRangeAreErrors(String message, UnaryOperator<Limits.Builder> change) {
        assertThatThrownBy(() -> change.apply(Limits.builder()).build())
                .isInstanceOf(SandboxException.class)
                .hasMessageStartingWith(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"0|0", "0-3,8|0-3,8", "3,2,1|1-3", "5,5|5", "0-1023|0-1023", "7-7|7"})
    void listsOfProcessors(String text, String normal) throws Exception {
        assertThat(CpuList.format(CpuList.parse(text))).isEqualTo(normal);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ",", "1,", "-1", "1-", "3-1", "1024", "0-1024", "a", " 1", "1 ", "0x1", "99999"})
    void whatIsNoListIsAnError(String text) {
        assertThatThrownBy(() -> Limits.builder().cpus(text).build())
                .isInstanceOf(SandboxException.class)
                .hasMessageStartingWith("CPUs '" + text + "' are no list of processors")
                .hasMessageContaining("write for example 0-3,8");
    }
}
