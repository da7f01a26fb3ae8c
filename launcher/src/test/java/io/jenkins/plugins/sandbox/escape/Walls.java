package io.jenkins.plugins.sandbox.escape;

import io.jenkins.plugins.sandbox.model.Primitive;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which rows stop an attempt: each of these sets by itself, when all of its rows are applied.
 *
 * @param alternatives empty for what nothing stops
 */
record Walls(List<Set<Primitive>> alternatives) {
    /** Each of these rows is enough. */
    static Walls either(Primitive... rows) {
        List<Set<Primitive>> alternatives = new ArrayList<>();
        for (Primitive row : rows) {
            alternatives.add(Set.of(row));
        }
        return new Walls(alternatives);
    }

    /** Only all of these rows together are enough. */
    static Walls both(Primitive... rows) {
        return new Walls(List.of(Set.of(rows)));
    }

    /** Init stops it, or what cleans up after a block: on every machine. */
    static Walls whateverHolds() {
        return new Walls(List.of(EnumSet.noneOf(Primitive.class)));
    }

    boolean hold(Set<Primitive> applied) {
        return alternatives.stream().anyMatch(applied::containsAll);
    }

    @Override
    public String toString() {
        return alternatives.stream()
                .map(all -> all.isEmpty()
                        ? "init, or the clean-up at the end"
                        : all.stream()
                                .sorted()
                                .map(p -> "`" + p.wireName() + "`")
                                .collect(Collectors.joining(" and ")))
                .collect(Collectors.joining(" or "));
    }
}
