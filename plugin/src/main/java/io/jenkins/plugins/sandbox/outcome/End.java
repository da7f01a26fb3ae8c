package io.jenkins.plugins.sandbox.outcome;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.Exit;
import io.jenkins.plugins.sandbox.model.Usage;
import java.util.Objects;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * How a launch ended and what it used, as its agent says; a hostile agent, and under the profile {@code standard} the command
 * itself, can say anything here. Immutable.
 */
@ExportedBean
public final class End {
    @CheckForNull
    private final Integer code;

    private final int signal;

    @CheckForNull
    private final String limit;

    @CheckForNull
    private final String error;

    private final long wallMillis;
    private final long cpuMillis;
    private final long peakKiB;

    /**
     * @param code the exit status; {@code null} when there is none, or none that means anything
     * @param signal the number of the signal that ended the command; 0 when none did
     * @param limit what was exceeded; {@code null} when nothing was
     * @param error why the command was never started; {@code null} when it was
     * @param wallMillis in milliseconds
     * @param cpuMillis in milliseconds
     * @param peakKiB in KiB
     */
    End(
            @CheckForNull Integer code,
            int signal,
            @CheckForNull String limit,
            @CheckForNull String error,
            long wallMillis,
            long cpuMillis,
            long peakKiB) {
        this.code = code;
        this.signal = signal;
        this.limit = limit;
        this.error = error;
        this.wallMillis = wallMillis;
        this.cpuMillis = cpuMillis;
        this.peakKiB = peakKiB;
    }

    /**
     * @param ending what the launcher said
     * @param detached whether the launched process leaves the work to others and ends at once, as durable tasks do: its own
     *     exit status says nothing then
     */
    public static End of(Ending ending, boolean detached) {
        Exit exit = ending.exit();
        Usage usage = ending.usage();
        String cause = exit == null ? null : exit.cause();
        boolean limited = cause != null && !cause.equals("terminated");
        boolean says = exit != null && exit.signal() == 0 && !(detached && exit.code() == 0);
        return new End(
                says ? exit.code() : null,
                exit == null ? 0 : exit.signal(),
                limited ? cause : null,
                ending.execError() != null ? ending.execError() : ending.refusal(),
                usage == null ? 0 : usage.wallMillis(),
                usage == null ? 0 : usage.userMillis() + usage.systemMillis(),
                usage == null ? 0 : usage.maxRssKiB());
    }

    /** @return the exit status; {@code null} when a signal ended it, or when it is not known */
    @Exported
    @CheckForNull
    public Integer getCode() {
        return code;
    }

    /** @return the number of the signal that ended the command, 0 when none did */
    @Exported
    public int getSignal() {
        return signal;
    }

    /** @return which limit ended it, for example {@code memory} or {@code wall_time}; {@code null} when none did */
    @Exported
    @CheckForNull
    public String getLimit() {
        return limit;
    }

    /** @return why the command could not be started; {@code null} when it was */
    @Exported
    @CheckForNull
    public String getError() {
        return error;
    }

    /** @return from the start of the command to the end of its sandbox, in milliseconds */
    @Exported
    public long getWallMillis() {
        return wallMillis;
    }

    /** @return in user mode and in the kernel, in milliseconds */
    @Exported
    public long getCpuMillis() {
        return cpuMillis;
    }

    /** @return the most memory, in KiB; 0 when it is not known */
    @Exported
    public long getPeakKiB() {
        return peakKiB;
    }

    /** @return how it ended in a few words, for people */
    @NonNull
    public String getSummary() {
        if (error != null) {
            return Messages.End_NotStarted(error);
        }
        if (limit != null) {
            return Messages.End_Limit(limitName());
        }
        if (signal != 0) {
            return Messages.End_Signal(signal);
        }
        return code == null ? "" : Messages.End_Code(code);
    }

    private String limitName() {
        return Objects.requireNonNull(limit).replace('_', ' ');
    }

    public String getWall() {
        return Amounts.duration(wallMillis);
    }

    public String getCpu() {
        return Amounts.duration(cpuMillis);
    }

    public String getPeak() {
        return Amounts.memory(peakKiB);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof End other
                && Objects.equals(code, other.code)
                && signal == other.signal
                && Objects.equals(limit, other.limit)
                && Objects.equals(error, other.error)
                && wallMillis == other.wallMillis
                && cpuMillis == other.cpuMillis
                && peakKiB == other.peakKiB;
    }

    @Override
    public int hashCode() {
        return Objects.hash(code, signal, limit, error, wallMillis, cpuMillis, peakKiB);
    }
}
