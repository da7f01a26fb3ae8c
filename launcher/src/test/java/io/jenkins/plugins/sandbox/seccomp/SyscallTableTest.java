package io.jenkins.plugins.sandbox.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SyscallTableTest {

    /** From syscalls(2) and the kernel's tables, not from the generated files. */
    @ParameterizedTest
    @CsvSource({
        "read, 0, 63",
        "write, 1, 64",
        "close, 3, 57",
        "mmap, 9, 222",
        "ioctl, 16, 29",
        "socket, 41, 198",
        "socketpair, 53, 199",
        "clone, 56, 220",
        "execve, 59, 221",
        "fcntl, 72, 25",
        "ptrace, 101, 117",
        "personality, 135, 92",
        "prctl, 157, 167",
        "mount, 165, 40",
        "umount2, 166, 39",
        "openat, 257, 56",
        "newfstatat, 262, 79",
        "seccomp, 317, 277",
        "rseq, 334, 293",
        "clone3, 435, 435",
        "faccessat2, 439, 439",
        "memfd_secret, 447, 447",
        "fchmodat2, 452, 452",
        "mseal, 462, 462",
        "file_setattr, 469, 469"
    })
    void numbersAreTheKernels(String name, int x86, int arm) {
        assertThat(SyscallTable.of(Architecture.X86_64).number(name)).hasValue(x86);
        assertThat(SyscallTable.of(Architecture.AARCH64).number(name)).hasValue(arm);
        assertThat(SyscallTable.of(Architecture.X86_64).name(x86)).contains(name);
        assertThat(SyscallTable.of(Architecture.AARCH64).name(arm)).contains(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"open", "fork", "poll", "arch_prctl", "dup2"})
    void oldCallsAreMissingOnTheYoungerArchitecture(String name) {
        assertThat(SyscallTable.of(Architecture.X86_64).number(name)).isPresent();
        assertThat(SyscallTable.of(Architecture.AARCH64).number(name)).isEqualTo(OptionalInt.empty());
        assertThat(SyscallTable.anyHas(name)).isTrue();
    }

    /** Linux 5.1 and later give new calls one number everywhere. */
    @Test
    void youngCallsHaveTheSameNumberOnBoth() {
        var x86 = SyscallTable.of(Architecture.X86_64).byNumber().tailMap(424);
        var arm = SyscallTable.of(Architecture.AARCH64).byNumber().tailMap(424);
        assertThat(x86).hasSizeGreaterThanOrEqualTo(46).isEqualTo(arm);
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void whatIsNotThereIsEmpty(Architecture architecture) {
        assertThat(SyscallTable.of(architecture).number("no_such_call")).isEmpty();
        assertThat(SyscallTable.of(architecture).name(1023)).isEmpty();
        assertThat(SyscallTable.of(architecture).name(-1)).isEmpty();
        assertThat(SyscallTable.anyHas("no_such_call")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"read", "read 0", "read\t-1", "read\t0x10", "read\t0\t1", "Read\t0", "\t0", "read\t10000"})
    void aBadLineIsNamed(String line) {
        assertThatThrownBy(() -> SyscallTable.parse("table", "# head\nopen\t2\n" + line + "\n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("table:3: ")
                .hasMessageContaining(line);
    }

    @ParameterizedTest
    @ValueSource(strings = {"open\t3", "creat\t2"})
    void twoOfANameOrNumberAreAnError(String line) {
        assertThatThrownBy(() -> SyscallTable.parse("table", "open\t2\n" + line + "\n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("table:2: ")
                .hasMessageContaining("twice");
    }
}
