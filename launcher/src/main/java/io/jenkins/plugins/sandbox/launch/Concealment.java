package io.jenkins.plugins.sandbox.launch;

import java.io.Serializable;
import java.util.List;

/**
 * Whether other processes can still read the credentials that this process was started with.
 *
 * @param commandLine those in /proc/PID/cmdline and in the JVM's performance data
 * @param environment those in /proc/PID/environ
 * @param problem why something is still visible; {@code null} when nothing is
 * @param elsewhere other processes that show the connection secret, as {@code PID (NAME)}; at most 20
 */
public record Concealment(State commandLine, State environment, String problem, List<String> elsewhere)
        implements Serializable {
    /** What became of the credentials in one place. */
    public enum State {
        /** There is none. */
        NONE,
        /** Each is overwritten, and read back. */
        OVERWRITTEN,
        /** At least one is still there. */
        VISIBLE
    }

    public Concealment {
        elsewhere = List.copyOf(elsewhere);
    }
}
