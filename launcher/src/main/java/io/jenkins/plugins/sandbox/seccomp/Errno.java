package io.jenkins.plugins.sandbox.seccomp;

import java.util.Map;
import java.util.OptionalInt;

/** The few errors that filters use. The numbers are the same on both architectures ({@code asm-generic/errno.h}). */
final class Errno {
    static final int EPERM = 1;
    static final int EACCES = 13;
    static final int EINVAL = 22;
    static final int ENOSYS = 38;
    static final int EPROTONOSUPPORT = 93;
    static final int EAFNOSUPPORT = 97;

    private static final Map<String, Integer> NUMBERS = Map.of(
            "EPERM",
            EPERM,
            "EACCES",
            EACCES,
            "EINVAL",
            EINVAL,
            "ENOSYS",
            ENOSYS,
            "EPROTONOSUPPORT",
            EPROTONOSUPPORT,
            "EAFNOSUPPORT",
            EAFNOSUPPORT);

    private Errno() {}

    static OptionalInt number(String name) {
        Integer number = NUMBERS.get(name);
        return number == null ? OptionalInt.empty() : OptionalInt.of(number);
    }

    static String name(int number) {
        for (Map.Entry<String, Integer> entry : NUMBERS.entrySet()) {
            if (entry.getValue() == number) {
                return entry.getKey();
            }
        }
        return "errno " + number;
    }
}
