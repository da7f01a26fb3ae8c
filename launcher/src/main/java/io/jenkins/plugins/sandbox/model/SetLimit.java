package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A limit that a launch asked for, and whether it holds.
 *
 * @param limit which one
 * @param value in the unit of the limit: bytes, seconds, a number, a list of processors
 * @param holds for whom it holds
 */
public record SetLimit(Limit limit, String value, Holds holds) implements Serializable {
    /** For whom a limit holds. */
    public enum Holds {
        /** For all processes of the launch together, or for none in particular. */
        TOGETHER,
        /** For each process by itself. */
        EACH,
        /** For nobody: the row that sets it is not there. */
        NOT;

        /**
         * @return lower case
         */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public SetLimit {
        Objects.requireNonNull(limit);
        Objects.requireNonNull(value);
        Objects.requireNonNull(holds);
    }

    /**
     * @return for example {@code memory 512 MiB}, {@code open files 1024 (each process)}
     */
    public String describe() {
        return switch (holds) {
            case TOGETHER -> plain();
            case EACH -> plain() + " (each process)";
            case NOT -> plain() + " (not in force)";
        };
    }

    private String plain() {
        return limit == Limit.ADDRESS_SPACE ? "address space, 8 x memory" : limit.label() + " " + limit.format(value);
    }

    /**
     * What may have been behind a failure of which nobody but the failing program knows the reason: a program that is refused a
     * file or memory hears of it alone (EMFILE, ENOMEM, EAGAIN, EFBIG). Nothing here was measured but the exit status.
     *
     * @param status the exit status as a shell says it; {@code null} when it is not known
     * @param limits those that were asked for
     * @return one or two sentences; empty when no limit was in force that a program can run into unseen
     */
    public static Optional<String> hint(Integer status, List<SetLimit> limits) {
        List<SetLimit> candidates =
                limits.stream().filter(SetLimit::isReachedUnseen).toList();
        if (candidates.isEmpty()) {
            return Optional.empty();
        }
        String names = candidates.stream()
                .map(l -> "\"" + l.limit.words().replace(", ", "\", \"") + "\": " + l.limit.parameter() + " ("
                        + l.limit.option() + ") " + l.limit.format(l.value))
                .collect(Collectors.joining("; "));
        return Optional.of(likely(status, candidates)
                + "Limits were in force that only the program itself hears of when it reaches them; it may have reached one if"
                + " it said " + names
                + ". Raise it by that name in the step or the administrator's settings, or with the option on the"
                + " command line.");
    }

    /** Together, memory is the control group's, which counts whom it kills. */
    private boolean isReachedUnseen() {
        return limit.words() != null && holds != Holds.NOT && !(limit == Limit.MEMORY && holds == Holds.TOGETHER);
    }

    /** A shell that outlives a process says 128 and the number of the signal that ended it; so may anybody else. */
    private static String likely(Integer status, List<SetLimit> limits) {
        if (status == null || (status != 128 + XCPU && status != 128 + XFSZ)) {
            return "";
        }
        Limit limit = status == 128 + XCPU ? Limit.CPU_TIME : Limit.FILE_SIZE;
        return limits.stream()
                .filter(l -> l.limit == limit)
                .findFirst()
                .map(l -> "Exit status " + status + " is what a shell says of a process that "
                        + new Exit(0, status - 128, null).signalName()
                        + " ended, so a process likely reached the limit on "
                        + limit.label() + ", " + limit.format(l.value) + ". " + limit.remedy() + " ")
                .orElse("");
    }

    /** The same on x86_64 and aarch64 (signal(7)). */
    private static final int XCPU = 24;

    private static final int XFSZ = 25;
}
