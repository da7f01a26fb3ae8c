package io.jenkins.plugins.sandbox.config;

import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Size;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Amounts as people write them. What is in range is for {@link io.jenkins.plugins.sandbox.policy.Limits} to say. */
final class Amount {
    private static final Pattern SIZE = Pattern.compile("\\d{1,13} ?([kmgt]?)(i?b)?", Pattern.CASE_INSENSITIVE);
    private static final Pattern TIME = Pattern.compile("(\\d{1,9}) *(s|m|min|h|d|)");
    private static final Pattern NUMBER = Pattern.compile("\\d{1,9}");

    private Amount() {}

    /** @param text {@code 512m}, {@code 2G}, {@code 2GiB} or plain bytes */
    static long bytes(String what, String text) throws SandboxException {
        if (!SIZE.matcher(text).matches()) {
            throw new SandboxException(what + " '" + text + "' is no size: write for example 512m or 2g.");
        }
        return Size.parse(what, text.toUpperCase(Locale.ROOT).replace("IB", "B").replace(" ", ""));
    }

    /** @param text {@code 90}, {@code 90s}, {@code 10m}, {@code 2h} or {@code 1d} */
    static int seconds(String what, String text) throws SandboxException {
        Matcher m = TIME.matcher(text.toLowerCase(Locale.ROOT));
        if (!m.matches()) {
            throw new SandboxException(what + " '" + text + "' is no time: write for example 90, 10m or 2h.");
        }
        long unit =
                switch (m.group(2)) {
                    case "m", "min" -> 60;
                    case "h" -> 3600;
                    case "d" -> 86_400;
                    default -> 1;
                };
        // What is too much for an int is out of any range.
        return (int) Math.min(Integer.MAX_VALUE, Long.parseLong(m.group(1)) * unit);
    }

    static int number(String what, String text) throws SandboxException {
        if (!NUMBER.matcher(text).matches()) {
            throw new SandboxException(what + " '" + text + "' is no whole number: write for example 256.");
        }
        return Integer.parseInt(text);
    }

    /** @param text {@code 150} or {@code 150%}, of one processor */
    static int percent(String what, String text) throws SandboxException {
        return number(
                what, text.endsWith("%") ? text.substring(0, text.length() - 1).strip() : text);
    }
}
