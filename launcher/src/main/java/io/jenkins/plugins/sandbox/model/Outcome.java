package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;
import java.util.Objects;

/**
 * What became of one row.
 *
 * @param primitive the row
 * @param status what became of it
 * @param errno the kernel's error number, 0 when there is none
 * @param detail the step that failed and its object, for example {@code mount_setattr /home/x}; empty, never
 *     {@code null}, when there is nothing to say
 * @param cause what stands in its way, as far as somebody has asked the machine; {@code null} when nobody has, and then
 *     {@link Remedies#cause} has the likely one
 */
public record Outcome(Primitive primitive, Status status, int errno, String detail, Cause cause)
        implements Serializable {
    public Outcome {
        Objects.requireNonNull(primitive);
        Objects.requireNonNull(status);
        Objects.requireNonNull(detail);
    }

    /** As the launcher reports it, without a cause. */
    public Outcome(Primitive primitive, Status status, int errno, String detail) {
        this(primitive, status, errno, detail, null);
    }

    /**
     * @param newCause what the machine says
     * @return the same with it
     */
    public Outcome because(Cause newCause) {
        return new Outcome(primitive, status, errno, detail, newCause);
    }

    static Outcome of(Primitive primitive, Status status) {
        return new Outcome(primitive, status, 0, "");
    }

    /**
     * @return whether it was asked for and does not hold
     */
    public boolean isShortfall() {
        return status == Status.FAILED || status == Status.UNAVAILABLE;
    }

    /**
     * @return status, error and detail in one line, for example {@code failed: EPERM, mount_setattr /home/x}
     */
    public String describe() {
        StringBuilder text = new StringBuilder(status.wireName());
        if (errno != 0) {
            text.append(": ").append(Errno.name(errno));
        }
        if (!detail.isEmpty()) {
            text.append(errno != 0 ? ", " : ": ").append(detail);
        }
        return text.toString();
    }
}
