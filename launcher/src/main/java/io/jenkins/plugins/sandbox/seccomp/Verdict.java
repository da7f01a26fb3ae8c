package io.jenkins.plugins.sandbox.seccomp;

/** What becomes of a system call. There is no verdict that kills: a refused call returns an error to its caller. */
public sealed interface Verdict {

    /** The call reaches the kernel. */
    Verdict ALLOW = new Allow();

    /** In a few words, for {@code explain}. */
    String describe();

    /** The call reaches the kernel, which still has its own say. */
    record Allow() implements Verdict {
        @Override
        public String describe() {
            return "allowed";
        }
    }

    /**
     * The call fails.
     *
     * @param errno the error that the caller sees, 1 to 4095 (the kernel's {@code MAX_ERRNO})
     */
    record Deny(int errno) implements Verdict {
        /** Checks the range: the kernel would turn 0 into success and cut off what is larger. */
        public Deny {
            if (errno < 1 || errno > 4095) {
                throw new IllegalArgumentException("errno out of range 1..4095: " + errno);
            }
        }

        @Override
        public String describe() {
            return "refused with " + Errno.name(errno);
        }
    }

    /**
     * It depends on the arguments.
     *
     * @param text when the call is refused, and how
     */
    record Conditional(String text) implements Verdict {
        @Override
        public String describe() {
            return text;
        }
    }
}
