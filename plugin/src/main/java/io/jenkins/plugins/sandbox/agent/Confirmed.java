package io.jenkins.plugins.sandbox.agent;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Primitive;
import java.io.Serializable;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What the agent says to a {@link ConfirmCall}. It comes from the agent: every part of it is to be checked.
 *
 * @param report the launcher's, not parsed; {@code null} is no answer
 * @param causes what the agent's machine says stands in the way of rows that did not hold, as {@code row=CAUSE} with blanks between;
 *     the words that people get to read are the controller's
 */
public record Confirmed(
        @CheckForNull byte[] report, @CheckForNull String causes) implements Serializable {
    private static final int MAX_CAUSES = 4096;

    static Confirmed of(byte[] report, Map<Primitive, Cause> causes) {
        return new Confirmed(
                report,
                causes.entrySet().stream()
                        .map(e -> e.getKey().wireName() + "=" + e.getValue().name())
                        .collect(Collectors.joining(" ")));
    }

    /** @return those of a known name; whatever else the agent said is not there */
    public Map<Primitive, Cause> known() {
        Map<Primitive, Cause> known = new EnumMap<>(Primitive.class);
        if (causes != null && causes.length() <= MAX_CAUSES) {
            for (String word : causes.split(" ")) {
                String[] parts = word.split("=", 2);
                Optional<Primitive> row = Primitive.named(parts[0]);
                Optional<Cause> cause = Cause.named(parts.length > 1 ? parts[1] : "");
                if (row.isPresent() && cause.isPresent()) {
                    known.put(row.get(), cause.get());
                }
            }
        }
        return known;
    }
}
