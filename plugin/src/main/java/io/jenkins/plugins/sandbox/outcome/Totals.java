package io.jenkins.plugins.sandbox.outcome;

import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * What launches used together, as far as they have said so. Immutable.
 *
 * @param launches how many there were
 * @param ended how many of them have said how they ended; only those are in the sums
 * @param limited how many of these reached a limit
 * @param wallMillis from the start of each command to the end of its sandbox, in milliseconds
 * @param cpuMillis CPU time in user mode and in the kernel, in milliseconds
 * @param peakKiB the most memory that one of them used, in KiB; 0 when it is not known
 */
@ExportedBean
public record Totals(int launches, int ended, int limited, long wallMillis, long cpuMillis, long peakKiB) {
    static final Totals NONE = new Totals(0, 0, 0, 0, 0, 0);

    Totals launched() {
        return new Totals(launches + 1, ended, limited, wallMillis, cpuMillis, peakKiB);
    }

    Totals ended(End end) {
        return new Totals(
                launches,
                ended + 1,
                limited + (end.isLimited() ? 1 : 0),
                sum(wallMillis, end.getWallMillis()),
                sum(cpuMillis, end.getCpuMillis()),
                Math.max(peakKiB, end.getPeakKiB()));
    }

    Totals and(Totals other) {
        return new Totals(
                launches + other.launches,
                ended + other.ended,
                limited + other.limited,
                sum(wallMillis, other.wallMillis),
                sum(cpuMillis, other.cpuMillis),
                Math.max(peakKiB, other.peakKiB));
    }

    /** The summands come from agents. */
    private static long sum(long a, long b) {
        return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
    }

    @Exported
    public int getLaunches() {
        return launches;
    }

    @Exported
    public int getEnded() {
        return ended;
    }

    @Exported
    public int getLimited() {
        return limited;
    }

    @Exported
    public long getWallMillis() {
        return wallMillis;
    }

    @Exported
    public long getCpuMillis() {
        return cpuMillis;
    }

    @Exported
    public long getPeakKiB() {
        return peakKiB;
    }
}
