package io.jenkins.plugins.sandbox.model;

import java.util.Locale;

/** What became of one row of the hardening sequence. */
public enum Status {
    /** Done, and read back from the kernel. */
    APPLIED,
    /** Tried, and refused by the kernel or not confirmed by it. */
    FAILED,
    /** Not tried: the kernel lacks it, or a row that it needs failed. */
    UNAVAILABLE,
    /** The profile did not ask for it. */
    SKIPPED;

    /**
     * @return the word for it in a report, lower case
     */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
