package io.jenkins.plugins.sandbox.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ArchitectureTest {

    @Test
    void theTwoThatHaveATableAreRecognised() {
        assertThat(Architecture.of("Linux", "amd64")).contains(Architecture.X86_64);
        assertThat(Architecture.of("Linux", "x86_64")).contains(Architecture.X86_64);
        assertThat(Architecture.of("Linux", "aarch64")).contains(Architecture.AARCH64);
    }

    @Test
    void anotherProcessorOrSystemHasNone() {
        assertThat(Architecture.of("Linux", "riscv64")).isEmpty();
        assertThat(Architecture.of("Linux", "ppc64le")).isEmpty();
        assertThat(Architecture.of("Windows 11", "amd64")).isEmpty();
        assertThat(Architecture.of("Mac OS X", "aarch64")).isEmpty();
    }

    @Test
    void a32BitJvmHasNoneSinceItsOwnCallsWouldBeRefused() {
        assertThat(Architecture.of("Linux", "i386")).isEmpty();
        assertThat(Architecture.of("Linux", "arm")).isEmpty();
    }

    /** EM_X86_64 62, EM_AARCH64 183, with __AUDIT_ARCH_64BIT and __AUDIT_ARCH_LE, as linux/audit.h puts them together. */
    @Test
    void auditArchitecturesAreTheKernels() {
        assertThat(Architecture.X86_64.auditArch()).isEqualTo(62 | 0x80000000 | 0x40000000);
        assertThat(Architecture.AARCH64.auditArch()).isEqualTo(183 | 0x80000000 | 0x40000000);
    }
}
