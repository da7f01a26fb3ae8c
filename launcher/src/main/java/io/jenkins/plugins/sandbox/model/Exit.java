package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;

/**
 * How the command ended.
 *
 * @param code the exit status, 0 to 255; 0 when a signal ended it
 * @param signal the number of the signal that ended it, 0 when it exited
 * @param cause why it was killed: {@code memory}, {@code wall_time}, {@code cpu_time}, {@code terminated}; {@code null}
 *     when it was none of these, or is not known
 */
public record Exit(int code, int signal, String cause) implements Serializable {
    /**
     * @return the exit status as a shell reports it: the command's own, or 128 and the signal
     */
    public int status() {
        return signal == 0 ? code : 128 + signal;
    }
}
