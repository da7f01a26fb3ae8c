package io.jenkins.plugins.sandbox.model;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A limit that can be set: what it is called, and what programs say that reach it. */
public enum Limit {
    /** Bytes. */
    MEMORY("memory", "--memory", "memory", Unit.BYTES, "Cannot allocate memory"),
    /** Whether there is one, as {@code true}. */
    ADDRESS_SPACE(
            "addressSpace",
            "--limit-address-space",
            "address space",
            Unit.NONE,
            "Cannot allocate memory, out of memory"),
    /** A number. */
    PIDS("pids", "--pids", "processes and threads", Unit.NONE, "Resource temporarily unavailable, Cannot fork"),
    /** Seconds. */
    CPU_TIME("cpuTime", "--cpu-time", "CPU time", Unit.SECONDS, "CPU time limit exceeded"),
    /** Seconds. */
    WALL_TIME("wallTime", "--wall-time", "wall time", Unit.SECONDS, null),
    /** A number. */
    OPEN_FILES("openFiles", "--files", "open files", Unit.NONE, "Too many open files"),
    /** Bytes. */
    FILE_SIZE("fileSize", "--file-size", "the size of a file", Unit.BYTES, "File too large, File size limit exceeded"),
    /** Bytes. */
    WORKSPACE_SIZE(
            "workspaceSize",
            "--workspace-size",
            "the size of the workspace",
            Unit.BYTES,
            "No space left on device, Disk quota exceeded"),
    /** Bytes. */
    STACK("stack", "--stack", "the stack", Unit.BYTES, "Segmentation fault, stack overflow"),
    /** Bytes. */
    LOCKED_MEMORY("lockedMemory", "--locked-memory", "locked memory", Unit.BYTES, "Cannot allocate memory on mlock"),
    /** A list of processors. */
    CPUS("cpus", "--cpus", "processors", Unit.NONE, null),
    /** Per cent of one processor. */
    CPU_QUOTA("cpuQuota", "--cpu-quota", "CPU time for each second", Unit.PERCENT, null);

    private enum Unit {
        NONE,
        BYTES,
        SECONDS,
        PERCENT
    }

    private final String parameter;
    private final String option;
    private final String label;
    private final Unit unit;
    private final String words;

    Limit(String parameter, String option, String label, Unit unit, String words) {
        this.parameter = parameter;
        this.option = option;
        this.label = label;
        this.unit = unit;
        this.words = words;
    }

    /**
     * @param parameter a name as in a Jenkinsfile, for example {@code openFiles}
     * @return the limit of that name, if there is one
     */
    public static Optional<Limit> named(String parameter) {
        return Arrays.stream(values())
                .filter(l -> l.parameter.equals(parameter))
                .findFirst();
    }

    /**
     * @return its name in a Jenkinsfile
     */
    public String parameter() {
        return parameter;
    }

    /**
     * @return its option of the command line
     */
    public String option() {
        return option;
    }

    /**
     * @return what it limits, in a few words
     */
    public String label() {
        return label;
    }

    /**
     * @return what programs say who are refused more, in the words of the C library; {@code null} where they need not say
     *     anything, since it is known or nobody is refused
     */
    String words() {
        return words;
    }

    /**
     * @param value as it is stored: bytes, seconds, a number, a list
     * @return the same as people read it, for example {@code 512 MiB}
     */
    public String format(String value) {
        return switch (unit) {
            case NONE -> value;
            case SECONDS -> value + " s";
            case PERCENT -> value + " %";
            case BYTES -> bytes(value);
        };
    }

    private static String bytes(String value) {
        if (!value.matches("[0-9]{1,18}")) {
            return value;
        }
        long bytes = Long.parseLong(value);
        List<String> units = List.of("GiB", "MiB", "KiB");
        for (int i = 0; i < units.size(); i++) {
            int shift = 30 - 10 * i;
            if (bytes >= 1L << shift && bytes % (1L << shift) == 0) {
                return String.format(Locale.ROOT, "%d %s", bytes >> shift, units.get(i));
            }
        }
        return bytes + " bytes";
    }

    /**
     * @return how to raise it, one sentence
     */
    public String remedy() {
        return "Raise it with " + parameter + " in the step or the administrator's settings, or " + option
                + " on the command line.";
    }
}
