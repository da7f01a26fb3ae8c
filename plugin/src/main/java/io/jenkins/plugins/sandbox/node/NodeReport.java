package io.jenkins.plugins.sandbox.node;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.agent.LauncherCache;
import io.jenkins.plugins.sandbox.launch.HostProbe;
import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.Status;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What one node can do, tried there when it connected or when somebody asked for it. Immutable. Made from what the agent said,
 * of which nothing is believed: known names, bounded lengths, nothing invisible.
 *
 * @param rows those that were tried, in the order of the sequence; empty with a problem
 * @param facts settings of the machine by name
 * @param problem why nothing could be tried; {@code null} when it could
 * @param time when it was tried
 */
public record NodeReport(
        List<NodeRow> rows,
        Map<String, String> facts,
        @CheckForNull String problem,
        Instant time) {
    private static final int MAX_FACTS = 50;
    private static final int MAX_TEXT = 300;
    private static final int MAX_ERRNO = 4095;

    /** What can be pasted into a shell as it is. */
    private static final Pattern PATH = Pattern.compile("/[A-Za-z0-9_./@-]+");

    /** For a node that did not answer. */
    static NodeReport failed(String problem, Instant time) {
        return new NodeReport(List.of(), Map.of(), problem, time);
    }

    /**
     * @param probe what the agent said
     * @param nodeRoot the root directory of the node
     * @throws RuntimeException when it is no answer at all
     */
    static NodeReport of(HostProbe probe, String nodeRoot, Instant time) {
        if (probe.problem() != null) {
            return failed(Quoted.visible(probe.problem(), MAX_TEXT), time);
        }
        String root = PATH.matcher(nodeRoot).matches() ? nodeRoot : "/ROOT/OF/THE/NODE";
        String launcher = LauncherCache.of(root) + "/launcher-*";
        Map<Primitive, NodeRow> rows = new EnumMap<>(Primitive.class);
        Set<String> told = new HashSet<>();
        for (Object each : (Collection<?>) probe.rows()) {
            if (each instanceof HostProbe.Row row && row.outcome() != null) {
                Cause cause = row.cause() == null ? Cause.UNKNOWN : row.cause();
                Primitive primitive = row.outcome().primitive();
                String paste = cause.paste(primitive, launcher);
                boolean first = row.outcome().status() != Status.APPLIED && told.add(paste);
                rows.putIfAbsent(primitive, new NodeRow(clean(row.outcome()), cause, first ? paste : ""));
            }
        }
        Map<String, String> facts = new TreeMap<>();
        for (Map.Entry<?, ?> fact : ((Map<?, ?>) probe.facts()).entrySet()) {
            if (facts.size() < MAX_FACTS) {
                facts.put(
                        Quoted.visible(String.valueOf(fact.getKey()), MAX_TEXT),
                        Quoted.visible(String.valueOf(fact.getValue()), MAX_TEXT));
            }
        }
        return new NodeReport(List.copyOf(rows.values()), facts, null, time);
    }

    private static Outcome clean(Outcome outcome) {
        boolean known = outcome.errno() > 0 && outcome.errno() <= MAX_ERRNO;
        return new Outcome(
                outcome.primitive(),
                outcome.status(),
                known ? outcome.errno() : 0,
                Quoted.visible(outcome.detail(), MAX_TEXT));
    }

    /** What a launch would report here, as far as a probe can know. */
    private Report report(Profile profile) {
        List<Outcome> asked = new ArrayList<>();
        for (Primitive primitive : profile.primitives()) {
            asked.add(rows.stream()
                    .filter(row -> row.outcome().primitive() == primitive)
                    .findFirst()
                    .map(row -> row.outcome().because(row.cause()))
                    .orElseGet(() -> untried(primitive)));
        }
        return new Report(asked, Level.of(profile.isStandard(), asked), true, null, null, null);
    }

    private Outcome untried(Primitive primitive) {
        return new Outcome(primitive, Status.UNAVAILABLE, 0, Objects.requireNonNullElse(problem, "not tried"));
    }

    /** @return the level that launches can reach here */
    Level level(FloorPolicy policy) {
        return report(policy.profile()).level();
    }

    /** @return what is missing for the minimum, in sentences; empty when it can be reached here */
    Optional<String> unmet(FloorPolicy policy) {
        if (problem != null && level(policy).compareTo(policy.minimum().level()) < 0) {
            return Optional.of(problem);
        }
        return policy.minimum().unmetBy(report(policy.profile()));
    }
}
