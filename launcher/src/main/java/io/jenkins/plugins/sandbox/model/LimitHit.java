package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * A limit that was reached while a launch ran, by whichever of its processes. Only what the launcher or the kernel has seen: a
 * process that was refused a file or memory hears of it alone (EMFILE, ENOMEM), and nobody here does.
 *
 * @param limit which one
 * @param value the limit, in the unit that {@link Kind} says
 */
public record LimitHit(Kind limit, long value) implements Serializable {
    /** The limits that can be seen to be reached. */
    public enum Kind {
        /** Bytes. The kernel killed a process of the control group for want of memory. */
        MEMORY("memory", "--memory"),
        /** A number. A fork was refused by the control group. */
        PIDS("pids", "--pids"),
        /** Seconds. */
        CPU_TIME("cpuTime", "--cpu-time"),
        /** Seconds. */
        WALL_TIME("wallTime", "--wall-time"),
        /** Bytes. A process was sent SIGXFSZ. */
        FILE_SIZE("fileSize", "--file-size"),
        /** Bytes. A temporary file system of the launch's own was full at the end. */
        SCRATCH(null, null);

        private final String parameter;
        private final String option;

        Kind(String parameter, String option) {
            this.parameter = parameter;
            this.option = option;
        }

        /**
         * @return the word for it in a report, {@code [a-z_]}
         */
        public String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }

        static Optional<Kind> named(String wireName) {
            return Arrays.stream(values())
                    .filter(k -> k.wireName().equals(wireName))
                    .findFirst();
        }
    }

    /**
     * @return what happened, as half a sentence, for example {@code the limit on wall time, 10 s, was reached}
     */
    public String describe() {
        return switch (limit) {
            case MEMORY -> "the limit on memory, " + bytes() + ", was reached and the kernel killed for it";
            case PIDS -> "the limit on processes and threads, " + value + ", was reached";
            case CPU_TIME -> "the limit on CPU time, " + value + " s, was reached";
            case WALL_TIME -> "the limit on wall time, " + value + " s, was reached";
            case FILE_SIZE -> "the limit on the size of a file, " + bytes() + ", was reached";
            case SCRATCH -> "a temporary directory in memory was full at the end, " + bytes();
        };
    }

    /**
     * @return how to raise it, one sentence
     */
    public String remedy() {
        return limit.parameter == null
                ? "Use a profile that keeps temporary files on disk, or write to the workspace."
                : "Raise it with " + limit.parameter + " in the step or the administrator's settings, or "
                        + limit.option + " on the command line.";
    }

    private String bytes() {
        long mebibytes = value >> 20;
        return mebibytes > 0 && value == mebibytes << 20 ? mebibytes + " MiB" : value + " bytes";
    }
}
