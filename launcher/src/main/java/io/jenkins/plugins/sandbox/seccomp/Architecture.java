package io.jenkins.plugins.sandbox.seccomp;

import java.util.Locale;
import java.util.Optional;

/** An architecture that filters can be compiled for. Both are 64-bit and little-endian. */
public enum Architecture {
    /** AMD64. Its kernels may also take 32-bit (i386) and x32 calls, which the filter refuses. */
    X86_64("x86_64", 0xC000003E),
    /** 64-bit ARM. */
    AARCH64("aarch64", 0xC00000B7);

    private final String kernelName;
    private final int auditArch;

    Architecture(String kernelName, int auditArch) {
        this.kernelName = kernelName;
        this.auditArch = auditArch;
    }

    /**
     * The architecture that this JVM runs on.
     *
     * @return empty where there is no filter to be had: not Linux, another processor, or a 32-bit JVM
     */
    public static Optional<Architecture> current() {
        return of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
    }

    /** As {@link #current()}, from the values of the system properties {@code os.name} and {@code os.arch}. */
    static Optional<Architecture> of(String osName, String osArch) {
        if (!osName.equals("Linux")) {
            return Optional.empty();
        }
        return switch (osArch.toLowerCase(Locale.ROOT)) {
            case "amd64", "x86_64" -> Optional.of(X86_64);
            case "aarch64" -> Optional.of(AARCH64);
            default -> Optional.empty();
        };
    }

    /** The {@code AUDIT_ARCH_*} value that the kernel shows to filters, from {@code linux/audit.h}. */
    public int auditArch() {
        return auditArch;
    }

    /** The name that {@code uname -m} has for it. */
    public String kernelName() {
        return kernelName;
    }
}
