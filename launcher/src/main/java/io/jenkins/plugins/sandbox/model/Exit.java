package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;
import java.util.List;

/**
 * How the command ended.
 *
 * @param code the exit status, 0 to 255; 0 when a signal ended it
 * @param signal the number of the signal that ended it, 0 when it exited
 * @param cause why it was killed: {@code memory}, {@code wall_time}, {@code cpu_time}, {@code file_size},
 *     {@code terminated}; {@code null} when it was none of these, or is not known. A command that exits by itself has no
 *     cause, whatever its status
 */
public record Exit(int code, int signal, String cause) implements Serializable {
    /** By number from 1, the same on x86_64 and aarch64 (signal(7)). */
    private static final List<String> SIGNALS = List.of(
            ("HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG"
                            + " XCPU XFSZ VTALRM PROF WINCH IO PWR SYS")
                    .split(" "));

    /**
     * @return the exit status as a shell reports it: the command's own, or 128 and the signal
     */
    public int status() {
        return signal == 0 ? code : 128 + signal;
    }

    /**
     * @return for example {@code SIGKILL}, {@code signal 40} for one without a name, empty when it exited
     */
    public String signalName() {
        if (signal == 0) {
            return "";
        }
        return signal <= SIGNALS.size() ? "SIG" + SIGNALS.get(signal - 1) : "signal " + signal;
    }

    /**
     * @return for example {@code exit status 7} or {@code killed by SIGKILL (wall_time)}
     */
    public String describe() {
        String how = signal == 0 ? "exit status " + code : "killed by " + signalName();
        return cause == null ? how : how + " (" + cause + ")";
    }
}
