package io.jenkins.plugins.sandbox.outcome;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongFunction;
import java.util.function.ToLongFunction;

/**
 * One amount of several builds as bars, oldest first: positions in a drawing of {@link #WIDTH} to {@link #HEIGHT} units, as
 * SVG wants them. Colours and fonts are the style sheet's.
 *
 * @param bars one for each build of which the amount is known, at the build's place
 * @param lines of the scale, from 0 upwards
 */
public record BarChart(List<Bar> bars, List<Line> lines) {
    /** In units of the drawing. */
    public static final int WIDTH = 1000;

    /** In units of the drawing. */
    public static final int HEIGHT = 240;

    private static final int LEFT = 100;
    private static final int TOP = 12;
    private static final int BASE = HEIGHT - 12;

    /** A single build is not to look like a wall. */
    private static final int FEWEST_PLACES = 20;

    /** What is there can be seen, and pointed at, however little it is beside the others. */
    private static final double LEAST_HEIGHT = 2;

    /** In milliseconds: where a scale of time may end. */
    private static final long[] TIMES = {
        10, 100, 1_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000
    };

    /** In KiB. */
    private static final long[] SIZES = {1024};

    /**
     * @param x of its left side
     * @param y of its upper side
     * @param width in units of the drawing
     * @param height in units of the drawing
     * @param build what it is the bar of
     * @param amount as people read it
     */
    public record Bar(String x, String y, String width, String height, BuildUsage build, String amount) {}

    /**
     * @param y where it is
     * @param label what it stands for
     */
    public record Line(String y, String label) {}

    static BarChart ofCpu(List<BuildUsage> builds) {
        return of(builds, b -> b.totals().cpuMillis(), TIMES, Amounts::duration);
    }

    static BarChart ofMemory(List<BuildUsage> builds) {
        return of(builds, b -> b.totals().peakKiB(), SIZES, Amounts::memory);
    }

    private static BarChart of(
            List<BuildUsage> builds, ToLongFunction<BuildUsage> value, long[] ends, LongFunction<String> text) {
        long most = builds.stream().mapToLong(value).max().orElse(0);
        long end = end(most, ends);
        double place = (double) (WIDTH - LEFT) / Math.max(builds.size(), FEWEST_PLACES);
        List<Bar> bars = new ArrayList<>();
        for (int i = 0; i < builds.size(); i++) {
            long amount = value.applyAsLong(builds.get(i));
            String label = text.apply(amount);
            if (label.isEmpty()) {
                continue;
            }
            double height = Math.max(LEAST_HEIGHT, Math.min(1, (double) amount / end) * (BASE - TOP));
            bars.add(new Bar(
                    units(LEFT + (i + 0.1) * place),
                    units(BASE - height),
                    units(0.8 * place),
                    units(height),
                    builds.get(i),
                    label));
        }
        return new BarChart(
                List.copyOf(bars),
                List.of(
                        new Line(units(BASE), "0"),
                        new Line(units((BASE + TOP) / 2.0), text.apply(end / 2)),
                        new Line(units(TOP), text.apply(end))));
    }

    /** Amounts are what agents say. */
    private static long end(long most, long[] ends) {
        for (long end : ends) {
            if (most <= end) {
                return end;
            }
        }
        long end = ends[ends.length - 1];
        while (end < most && end <= Long.MAX_VALUE / 2) {
            end *= 2;
        }
        return end;
    }

    private static String units(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
