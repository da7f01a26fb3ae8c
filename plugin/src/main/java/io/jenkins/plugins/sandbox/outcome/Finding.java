package io.jenkins.plugins.sandbox.outcome;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.config.EffectivePolicy;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Report;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
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

    /** As it was stored. */
    Finding(
            String node,
            String profile,
            String level,
            String minimumLevel,
            Verdict verdict,
            @CheckForNull String reason,
            List<Row> rows) {
        this.node = node;
        this.profile = profile;
        this.level = level;
        this.minimumLevel = minimumLevel;
        this.verdict = verdict;
        this.reason = reason;
        this.rows = List.copyOf(rows);
    }

    private Finding(
            String node,
            EffectivePolicy policy,
            Level level,
            Verdict verdict,
            @CheckForNull String reason,
            List<Row> rows) {
        this(node, policy.profile(), level.name(), policy.minimumLevel().name(), verdict, reason, rows);
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
        return new Finding(
                node,
                policy,
                report.level(),
                verdict,
                shortfall,
                report.outcomes().stream().map(Row::of).toList());
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
                && rows.equals(other.rows);
    }

    @Override
    public int hashCode() {
        return Objects.hash(node, profile, level, minimumLevel, verdict, reason, rows);
    }
}
