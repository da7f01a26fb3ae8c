package io.jenkins.plugins.sandbox.outcome;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Errno;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Remedies;
import io.jenkins.plugins.sandbox.model.Status;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * One row of a report as it is stored with the build. Immutable. Words and not enums, so that a build record can still be
 * read when a name is new or gone.
 */
@ExportedBean
public final class Row {
    private final String primitive;
    private final String status;
    private final int errno;

    @CheckForNull
    private final String detail;

    /** What the agent's machine says stands in its way; {@code null} when it says nothing. */
    @CheckForNull
    private final String cause;

    private Row(String primitive, String status, int errno, @CheckForNull String detail, @CheckForNull String cause) {
        this.primitive = primitive;
        this.status = status;
        this.errno = errno;
        this.detail = detail == null || detail.isEmpty() ? null : detail;
        this.cause = cause;
    }

    static Row of(Outcome outcome) {
        return new Row(
                outcome.primitive().wireName(),
                outcome.status().wireName(),
                outcome.errno(),
                outcome.detail(),
                outcome.cause() == null ? null : outcome.cause().name());
    }

    /** @return the row but for its detail in one word: the name alone when it was applied, else with status, error number, cause */
    String stored() {
        if (isApplied()) {
            return primitive;
        }
        return primitive + "=" + status + (errno == 0 && cause == null ? "" : "/" + errno)
                + (cause == null ? "" : "/" + cause);
    }

    /**
     * @param word as {@link #stored} has it
     * @param details by primitive
     */
    static Row restored(String word, Map<String, String> details) {
        String[] parts = word.split("[=/]", 4);
        return new Row(
                parts[0],
                parts.length > 1 ? parts[1] : Status.APPLIED.wireName(),
                parts.length > 2 && parts[2].matches("[0-9]{1,4}") ? Integer.parseInt(parts[2]) : 0,
                details.get(parts[0]),
                parts.length > 3 ? Cause.named(parts[3]).map(Cause::name).orElse(null) : null);
    }

    @Exported
    public String getPrimitive() {
        return primitive;
    }

    /** @return what the measure does, in half a sentence; empty when this version does not know it */
    public String getSummary() {
        return Primitive.named(primitive).map(Primitive::summary).orElse("");
    }

    @Exported
    public String getStatus() {
        return status;
    }

    /** @return the error by its name, for example {@code EPERM}; {@code null} when there was none */
    @Exported
    @CheckForNull
    public String getError() {
        return errno == 0 ? null : Errno.name(errno);
    }

    /** @return what the agent said, unescaped; {@code null} when it said nothing */
    @Exported
    @CheckForNull
    public String getDetail() {
        return detail;
    }

    /**
     * @return what stands in its way, by the name of it in the documentation, for example {@code SECCOMP_FILTER}; {@code null} when
     *     the agent could not say
     */
    @Exported
    @CheckForNull
    public String getCause() {
        return cause;
    }

    /** @return what to do about it; empty for a row that was applied or not asked for */
    public String getRemedy() {
        return isShortfall() ? outcome().map(Remedies::of).orElse("") : "";
    }

    public boolean isApplied() {
        return is(Status.APPLIED);
    }

    public boolean isSkipped() {
        return is(Status.SKIPPED);
    }

    public boolean isShortfall() {
        return !isApplied() && !isSkipped();
    }

    private boolean is(Status which) {
        return which.wireName().equals(status);
    }

    private Optional<Outcome> outcome() {
        try {
            Status said = Status.valueOf(status.toUpperCase(Locale.ROOT));
            Cause known = cause == null ? null : Cause.named(cause).orElse(null);
            return Primitive.named(primitive)
                    .map(p -> new Outcome(p, said, errno, detail == null ? "" : detail, known));
        } catch (IllegalArgumentException x) {
            return Optional.empty();
        }
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Row other
                && primitive.equals(other.primitive)
                && status.equals(other.status)
                && errno == other.errno
                && Objects.equals(detail, other.detail)
                && Objects.equals(cause, other.cause);
    }

    @Override
    public int hashCode() {
        return Objects.hash(primitive, status, errno, detail, cause);
    }
}
