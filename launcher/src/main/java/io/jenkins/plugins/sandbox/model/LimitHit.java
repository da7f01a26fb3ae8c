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
        MEMORY(Limit.MEMORY),
        /** A number. A fork was refused by the control group. */
        PIDS(Limit.PIDS),
        /** Seconds. */
        CPU_TIME(Limit.CPU_TIME),
        /** Seconds. */
        WALL_TIME(Limit.WALL_TIME),
        /** Bytes. A process was sent SIGXFSZ. */
        FILE_SIZE(Limit.FILE_SIZE),
        /** Bytes. A temporary file system of the launch's own was full at the end. */
        SCRATCH(null);

        private final Limit set;

        /** @param set by which it is set; {@code null} when nothing sets it */
        Kind(Limit set) {
            this.set = set;
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
        return limit.set == null
                ? "Use a profile that keeps temporary files on disk, or write to the workspace."
                : limit.set.remedy();
    }

    private String bytes() {
        long mebibytes = value >> 20;
        return mebibytes > 0 && value == mebibytes << 20 ? mebibytes + " MiB" : value + " bytes";
    }
}
