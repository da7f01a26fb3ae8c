package io.jenkins.plugins.sandbox.policy;

import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.Serializable;

/**
 * The limits that one launch asks for on top of its profile. {@code null} leaves a limit alone.
 *
 * @param cpuSeconds the time that the command may take; each process gets twice as much CPU time, and at least 2 s
 *     (RLIMIT_CPU, getrlimit(2)). 1 to 31536000
 * @param memoryBytes the memory that the command is meant to use; each process gets eight times as much address space, and
 *     at least 4 GiB (RLIMIT_AS), since runtimes reserve far more than they use. 1 MiB to 1 TiB
 * @param openFiles open files of each process (RLIMIT_NOFILE), 16 to 1048576; {@code null} takes the profile's number
 */
public record Limits(Integer cpuSeconds, Long memoryBytes, Integer openFiles) implements Serializable {
    /** No limit but the profile's own. */
    public static final Limits NONE = new Limits(null, null, null);

    static final int DEFAULT_OPEN_FILES = 65_536;

    private static final long MIB = 1L << 20;
    private static final long GIB = 1L << 30;
    private static final long TIB = 1L << 40;

    void check() throws SandboxException {
        if (cpuSeconds != null && (cpuSeconds < 1 || cpuSeconds > 31_536_000)) {
            throw new SandboxException("CPU time of " + cpuSeconds + " s is out of range: use 1 to 31536000 seconds.");
        }
        if (memoryBytes != null && (memoryBytes < MIB || memoryBytes > TIB)) {
            throw new SandboxException("Memory of " + memoryBytes + " bytes is out of range: use 1 MiB to 1 TiB.");
        }
        if (openFiles != null) {
            checkOpenFiles(openFiles);
        }
    }

    static int checkOpenFiles(int openFiles) throws SandboxException {
        if (openFiles < 16 || openFiles > 1_048_576) {
            throw new SandboxException("A limit of " + openFiles + " open files is out of range: use 16 to 1048576.");
        }
        return openFiles;
    }

    /**
     * @return RLIMIT_CPU in seconds, or {@code null} when it is left alone
     */
    public Long rlimitCpu() {
        return cpuSeconds == null ? null : Math.max(2L * cpuSeconds, 2);
    }

    /**
     * @return RLIMIT_AS in bytes, or {@code null} when it is left alone
     */
    public Long rlimitAs() {
        return memoryBytes == null ? null : Math.max(8 * memoryBytes, 4 * GIB);
    }
}
