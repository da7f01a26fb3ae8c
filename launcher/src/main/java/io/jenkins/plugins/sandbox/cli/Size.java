package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Amounts of memory as people write them. */
final class Size {
    private static final Pattern FORM = Pattern.compile("(\\d{1,13})([KMGT]?)(?:i?B)?");

    private Size() {}

    /** Bytes, from {@code 512M}, {@code 2G}, {@code 2GiB} or plain bytes; the suffixes are powers of 1024. */
    static long parse(String option, String text) throws SandboxException {
        Matcher m = FORM.matcher(text);
        if (!m.matches()) {
            throw new SandboxException(option + " " + Quoted.of(text) + " is no size: write for example 512M or 2G.");
        }
        int shift = m.group(2).isEmpty() ? 0 : 10 * (1 + "KMGT".indexOf(m.group(2)));
        try {
            return Math.multiplyExact(Long.parseLong(m.group(1)), 1L << shift);
        } catch (ArithmeticException e) {
            throw new SandboxException(option + " " + Quoted.of(text) + " is too much: write for example 2G.", e);
        }
    }
}
