package io.jenkins.plugins.sandbox.outcome;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.config.EffectivePolicy;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Limit;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.SetLimit;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * What was found out about a launch: everything that two launches may have in common, and nothing that tells them apart.
 * Immutable; stored with the build.
 */
@ExportedBean
public final class Finding {
    /** What became of the command. */
    public enum Verdict {
        /** The minimum was reached, and it was started. */
        STARTED,
        /** The minimum was not reached, and it was started with a warning. */
        WARNED,
        /** The minimum was not reached, and it was not started. */
        REFUSED;

        /** One of another version counts as a shortfall: better looked at once too often. */
        static Verdict restored(String name) {
            return Arrays.stream(values())
                    .filter(v -> v.name().equals(name))
                    .findFirst()
                    .orElse(REFUSED);
        }
    }

    private final String node;
    private final String profile;
    private final String level;
    private final String minimumLevel;
    private final Verdict verdict;

    @CheckForNull
    private final String reason;

    private final List<Row> rows;
    private final List<SetLimit> limits;

    /** As it was stored. */
    Finding(
            String node,
            String profile,
            String level,
            String minimumLevel,
            Verdict verdict,
            @CheckForNull String reason,
            List<Row> rows,
            List<SetLimit> limits) {
        this.node = node;
        this.profile = profile;
        this.level = level;
        this.minimumLevel = minimumLevel;
        this.verdict = verdict;
        this.reason = reason;
        this.rows = List.copyOf(rows);
        this.limits = List.copyOf(limits);
    }

    private Finding(
            String node,
            EffectivePolicy policy,
            Level level,
            Verdict verdict,
            @CheckForNull String reason,
            List<Outcome> outcomes) {
        this(
                node,
                policy.profile(),
                level.name(),
                policy.minimumLevel().name(),
                verdict,
                reason,
                outcomes.stream().map(Row::of).toList(),
                policy.definition().limits().set(outcomes));
    }

    /**
     * @param node the display name of the node
     * @param policy what was to hold
     * @param report what held
     * @param verdict what became of the command
     * @param shortfall what was missing, in sentences; {@code null} when nothing was
     */
    public static Finding of(
            String node, EffectivePolicy policy, Report report, Verdict verdict, @CheckForNull String shortfall) {
        return new Finding(node, policy, report.level(), verdict, shortfall, report.outcomes());
    }

    /**
     * A launch to which nothing could be applied.
     *
     * @param reason why, in a sentence
     */
    public static Finding nothing(String node, EffectivePolicy policy, Verdict verdict, String reason) {
        return new Finding(node, policy, Level.NONE, verdict, reason, List.of());
    }

    @Exported
    public String getNode() {
        return node;
    }

    @Exported
    public String getProfile() {
        return profile;
    }

    @Exported
    public String getLevel() {
        return level;
    }

    @Exported
    public String getMinimumLevel() {
        return minimumLevel;
    }

    @Exported
    public Verdict getVerdict() {
        return verdict;
    }

    /** @return what was missing; {@code null} when the minimum was reached */
    @Exported
    @CheckForNull
    public String getReason() {
        return reason;
    }

    /** @return one for each row of the sequence, in its order */
    @Exported(inline = true)
    public List<Row> getRows() {
        return rows;
    }

    /** @return the limits that were asked for, and whether they hold */
    public List<SetLimit> limits() {
        return limits;
    }

    /** @return the same for people, for example {@code memory 512 MiB}, by the name of each in a Jenkinsfile */
    @Exported
    public Map<String, String> getLimits() {
        Map<String, String> byName = new LinkedHashMap<>();
        limits.forEach(l -> byName.put(l.limit().parameter(), l.describe()));
        return byName;
    }

    /** @return the limits in one line, for people; empty when there are none */
    public String getLimitText() {
        return limits.stream().map(SetLimit::describe).collect(Collectors.joining(", "));
    }

    /** @return the memory that such a launch used, and how much it might have used */
    public String compared(@CheckForNull End end) {
        if (end == null || !end.isPeakOfAll() || end.getPeak().isEmpty()) {
            return end == null ? "" : end.getPeak();
        }
        return limits.stream()
                .filter(l -> l.limit() == Limit.MEMORY && l.holds() == SetLimit.Holds.TOGETHER)
                .map(l -> Messages.End_Compared(end.getPeak(), l.limit().format(l.value())))
                .findFirst()
                .orElse(end.getPeak());
    }

    /** @return the rows that the profile asked for */
    public List<Row> getAskedRows() {
        return rows.stream().filter(r -> !r.isSkipped()).toList();
    }

    /** @return the names of the rows that the profile did not ask for, with commas */
    public String getSkipped() {
        return String.join(
                ", ",
                rows.stream().filter(Row::isSkipped).map(Row::getPrimitive).toList());
    }

    public int getAsked() {
        return getAskedRows().size();
    }

    public int getApplied() {
        return (int) rows.stream().filter(Row::isApplied).count();
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Finding other
                && node.equals(other.node)
                && profile.equals(other.profile)
                && level.equals(other.level)
                && minimumLevel.equals(other.minimumLevel)
                && verdict == other.verdict
                && Objects.equals(reason, other.reason)
                && rows.equals(other.rows)
                && limits.equals(other.limits);
    }

    @Override
    public int hashCode() {
        return Objects.hash(node, profile, level, minimumLevel, verdict, reason, rows, limits);
    }
}
