package io.jenkins.plugins.sandbox.outcome;

import java.util.Locale;

/** Times and sizes as people read them. */
final class Amounts {
    private Amounts() {}

    /** @param millis in milliseconds */
    static String duration(long millis) {
        if (millis < 1000) {
            return millis + " ms";
        }
        if (millis < 60_000) {
            return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
        }
        long seconds = millis / 1000;
        return seconds < 3600
                ? seconds / 60 + " min " + seconds % 60 + " s"
                : seconds / 3600 + " h " + seconds % 3600 / 60 + " min";
    }

    /**
     * @param kib in KiB
     * @return empty for 0, which means that it is not known
     */
    static String memory(long kib) {
        if (kib <= 0) {
            return "";
        }
        if (kib < 1024) {
            return kib + " KiB";
        }
        return kib < 1024 * 1024
                ? String.format(Locale.ROOT, "%.1f MiB", kib / 1024.0)
                : String.format(Locale.ROOT, "%.1f GiB", kib / 1024.0 / 1024.0);
    }
}
