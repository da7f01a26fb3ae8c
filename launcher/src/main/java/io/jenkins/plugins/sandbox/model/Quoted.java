package io.jenkins.plugins.sandbox.model;

import java.util.Collection;
import java.util.stream.Collectors;

/**
 * Text of other people, made fit for a log line: one line, bounded, nothing invisible, no terminal escapes.
 */
public final class Quoted {
    private static final int MAX_LENGTH = 200;

    private Quoted() {}

    /**
     * Quotes something that a message names.
     *
     * @param text anything; {@code null} is written as {@code 'null'}
     * @return the text in single quotes, at most 200 characters of it, every invisible character replaced
     */
    public static String of(Object text) {
        return "'" + visible(String.valueOf(text), MAX_LENGTH) + "'";
    }

    /**
     * Joins names for a message.
     *
     * @param names what there is to choose from
     * @return the names with commas between them
     */
    public static String list(Collection<?> names) {
        return names.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    /**
     * Replaces control, format (bidirectional overrides among them), separator and unpaired surrogate characters by
     * U+FFFD, and cuts what is too long.
     *
     * @param text the text
     * @param maxLength in UTF-16 units, at least 1
     * @return the text, at most {@code maxLength} units of it, ending in {@code …} where it was cut
     */
    public static String visible(String text, int maxLength) {
        StringBuilder out = new StringBuilder(Math.min(text.length(), maxLength));
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            int shown = isInvisible(c) ? '\uFFFD' : c;
            boolean more = i < text.length();
            if (out.length() + Character.charCount(shown) > maxLength - (more ? 1 : 0)) {
                return out.append('…').toString();
            }
            out.appendCodePoint(shown);
        }
        return out.toString();
    }

    private static boolean isInvisible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED -> true;
            default -> false;
        };
    }
}
