package io.jenkins.plugins.sandbox.policy;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Amounts of memory as people write them. */
public final class Size {
    private static final Pattern FORM = Pattern.compile("(\\d{1,13})([KMGT]?)(?:i?B)?");

    private Size() {}

    /**
     * Reads an amount.
     *
     * @param what whose amount it is, for messages: an option or a field
     * @param text {@code 512M}, {@code 2G}, {@code 2GiB} or plain bytes; the suffixes are powers of 1024
     * @return bytes
     * @throws SandboxException when it is none
     */
    public static long parse(String what, String text) throws SandboxException {
        Matcher m = FORM.matcher(text);
        if (!m.matches()) {
            throw new SandboxException(what + " " + Quoted.of(text) + " is no size: write for example 512M or 2G.");
        }
        int shift = m.group(2).isEmpty() ? 0 : 10 * (1 + "KMGT".indexOf(m.group(2)));
        try {
            return Math.multiplyExact(Long.parseLong(m.group(1)), 1L << shift);
        } catch (ArithmeticException e) {
            throw new SandboxException(what + " " + Quoted.of(text) + " is too much: write for example 2G.", e);
        }
    }

    /**
     * @param bytes an amount, 0 or more
     * @return the form that {@link #parse} reads and a person likes best: {@code 512M}, {@code 2G}, {@code 4097}
     */
    public static String format(long bytes) {
        for (int i = 3; i >= 0; i--) {
            int shift = 10 * (i + 1);
            if (bytes != 0 && bytes % (1L << shift) == 0) {
                return (bytes >> shift) + "KMGT".substring(i, i + 1);
            }
        }
        return String.valueOf(bytes);
    }
}
