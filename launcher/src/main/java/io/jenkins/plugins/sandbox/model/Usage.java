package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;
import java.util.Locale;

/**
 * What the launch used, with every process in it. CPU time is that of all processes that were waited for, and of the control
 * group where there is one: one whose parent ignored its end (SIGCHLD) is only in the latter.
 *
 * @param wallMillis from the start of the command to the end of the last process, in milliseconds
 * @param userMillis CPU time in user mode, in milliseconds
 * @param systemMillis CPU time in the kernel, in milliseconds
 * @param maxRssKiB the largest resident set of any one process, in KiB (getrusage(2), RUSAGE_CHILDREN of the init)
 * @param peakKiB the most memory at any time, in KiB, of what {@code peakSource} says
 * @param peakSource what {@code peakKiB} is the peak of
 * @param tasks processes and threads that were started, the command's first one included; 0 when that is not known, which is
 *     the case without a pid namespace
 */
public record Usage(
        long wallMillis,
        long userMillis,
        long systemMillis,
        long maxRssKiB,
        long peakKiB,
        PeakSource peakSource,
        long tasks)
        implements Serializable {

    /** Whose memory was measured. */
    public enum PeakSource {
        /** All processes together, with the files that they had cached and what they wrote to memory file systems. */
        CGROUP,
        /** The largest single process. */
        PROCESS;

        /**
         * @return the word for it in a report, lower case
         */
        public String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * @return CPU time in user mode and in the kernel, in milliseconds
     */
    public long cpuMillis() {
        return userMillis + systemMillis;
    }

    /**
     * @return for example {@code 12.3 s, CPU 4.0 s, peak memory 120 MiB (all processes), 37 processes and threads}
     */
    public String describe() {
        String peak = String.format(
                Locale.ROOT,
                "%.1f s, CPU %.1f s, peak memory %d MiB (%s)",
                wallMillis / 1000.0,
                cpuMillis() / 1000.0,
                peakKiB / 1024,
                peakSource == PeakSource.CGROUP ? "all processes" : "largest process");
        return tasks == 0 ? peak : peak + ", " + tasks + (tasks == 1 ? " process" : " processes and threads");
    }
}
