package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a launch has to reach before its command may start.
 *
 * @param level the lowest level that will do
 * @param required the rows that must have been applied whatever the level is
 */
public record Minimum(Level level, List<Primitive> required) implements Serializable {
    /** Anything will do. */
    public static final Minimum ANYTHING = new Minimum(Level.NONE, List.of());

    public Minimum {
        required = required.stream().distinct().sorted().toList();
    }

    /**
     * Compares a report with this minimum.
     *
     * @param report what was applied
     * @return what is missing, the reason and the remedy, in sentences for a build log; empty when the minimum is reached
     */
    public Optional<String> unmetBy(Report report) {
        if (report.viewFailed()) {
            return Optional.of(report.refusal().substring(0, 1).toUpperCase(Locale.ROOT)
                    + report.refusal().substring(1)
                    + ". No minimum allows that. Remove or repair what lies at that path.");
        }
        List<Outcome> missing = required.stream()
                .map(p -> report.outcome(p).orElseGet(() -> Outcome.of(p, Status.SKIPPED)))
                .filter(o -> o.status() != Status.APPLIED)
                .toList();
        boolean low = report.level().compareTo(level) < 0;
        if (!low && missing.isEmpty()) {
            return Optional.empty();
        }
        StringBuilder text = new StringBuilder();
        if (low) {
            text.append("The level is ")
                    .append(report.level())
                    .append(", the minimum is ")
                    .append(level)
                    .append(".");
        }
        List<Outcome> blamed = missing.isEmpty() ? report.shortfalls() : missing;
        if (!missing.isEmpty()) {
            text.append(low ? " " : "")
                    .append("Required, but not applied: ")
                    .append(missing.stream().map(o -> o.primitive().wireName()).collect(Collectors.joining(", ")))
                    .append(".");
        }
        blamed.stream().findFirst().ifPresent(o -> {
            text.append(" ").append(o.primitive().wireName()).append(" ").append(o.describe());
            text.append(text.charAt(text.length() - 1) == '.' ? " " : ". ").append(Remedies.of(o));
        });
        return Optional.of(text.toString().strip());
    }
}
