package io.jenkins.plugins.sandbox.outcome;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.Exit;
import io.jenkins.plugins.sandbox.model.LimitHit;
import io.jenkins.plugins.sandbox.model.Usage;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
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

    private final List<LimitHit> limits;

    @CheckForNull
    private final String error;

    private final long wallMillis;
    private final long cpuMillis;
    private final long peakKiB;
    private final boolean peakOfAll;

    /**
     * @param code the exit status; {@code null} when there is none, or none that means anything
     * @param signal the number of the signal that ended the command; 0 when none did
     * @param limits those that were reached
     * @param error why the command was never started; {@code null} when it was
     * @param wallMillis in milliseconds
     * @param cpuMillis in milliseconds
     * @param peakKiB in KiB
     * @param peakOfAll whether that is of all processes together, and not of the largest one
     */
    End(
            @CheckForNull Integer code,
            int signal,
            List<LimitHit> limits,
            @CheckForNull String error,
            long wallMillis,
            long cpuMillis,
            long peakKiB,
            boolean peakOfAll) {
        this.code = code;
        this.signal = signal;
        this.limits = List.copyOf(limits);
        this.error = error;
        this.wallMillis = wallMillis;
        this.cpuMillis = cpuMillis;
        this.peakKiB = peakKiB;
        this.peakOfAll = peakOfAll;
    }

    /**
     * @param ending what the launcher said
     * @param detached whether the launched process leaves the work to others and ends at once, as durable tasks do: its own
     *     exit status says nothing then
     */
    public static End of(Ending ending, boolean detached) {
        Exit exit = ending.exit();
        Usage usage = ending.usage();
        boolean says = exit != null && exit.signal() == 0 && !(detached && exit.code() == 0);
        return new End(
                says ? exit.code() : null,
                exit == null ? 0 : exit.signal(),
                ending.limits(),
                ending.execError() != null ? ending.execError() : ending.refusal(),
                usage == null ? 0 : usage.wallMillis(),
                usage == null ? 0 : usage.cpuMillis(),
                usage == null ? 0 : usage.peakKiB(),
                usage != null && usage.peakSource() == Usage.PeakSource.CGROUP);
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

    /** @return the limits that were reached, for example {@code memory} or {@code wall_time} */
    @Exported
    public List<String> getLimits() {
        return limits.stream().map(l -> l.limit().wireName()).toList();
    }

    List<LimitHit> limits() {
        return limits;
    }

    public boolean isLimited() {
        return !limits.isEmpty();
    }

    /** @return what limits were reached and how to raise them, in sentences; empty when none was */
    @NonNull
    public String getLimitText() {
        return limits.stream()
                .map(l -> Character.toUpperCase(l.describe().charAt(0))
                        + l.describe().substring(1) + ". " + l.remedy())
                .collect(Collectors.joining(" "));
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

    /** @return whether {@link #getPeakKiB} is of all processes together, and not of the largest one */
    @Exported
    public boolean isPeakOfAll() {
        return peakOfAll;
    }

    /** @return how it ended in a few words, for people */
    @NonNull
    public String getSummary() {
        if (error != null) {
            return Messages.End_NotStarted(error);
        }
        if (signal != 0) {
            return Messages.End_Signal(new Exit(0, signal, null).signalName());
        }
        return code == null ? Messages.End_Over() : Messages.End_Code(code);
    }

    public String getWall() {
        return Amounts.duration(wallMillis);
    }

    public String getCpu() {
        return Amounts.duration(cpuMillis);
    }

    public String getPeak() {
        String amount = Amounts.memory(peakKiB);
        return amount.isEmpty() || peakOfAll ? amount : Messages.End_LargestProcess(amount);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof End other
                && Objects.equals(code, other.code)
                && signal == other.signal
                && limits.equals(other.limits)
                && Objects.equals(error, other.error)
                && wallMillis == other.wallMillis
                && cpuMillis == other.cpuMillis
                && peakKiB == other.peakKiB
                && peakOfAll == other.peakOfAll;
    }

    @Override
    public int hashCode() {
        return Objects.hash(code, signal, limits, error, wallMillis, cpuMillis, peakKiB, peakOfAll);
    }
}
