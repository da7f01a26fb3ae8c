package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Errno;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Reads what the launcher's helper wrote, as hostile input: the helper has looked at trees that builds made. The grammar is in
 * {@code helper_job.h}. Everything is counted and bounded; nothing but {@link SandboxException} is ever thrown.
 */
final class HelperOutput {
    /** Most bytes that are read at all. The helper's own bounds are below it. */
    static final int MAX_BYTES = 64 << 20;

    static final int MOST_QUARANTINED = 200;
    static final int MOST_PROBLEMS = 101;

    private static final int MOST_KNOWN = 20_000;
    private static final int LONGEST_PATH = 1 << 17;
    private static final int LONGEST_SHOWN = 1000;

    /**
     * One section, which is one job's result.
     *
     * @param name {@code removal}, {@code closing} or {@code opening}
     */
    record Section(
            String name,
            boolean complete,
            List<WorkspaceHelper.Known> known,
            List<WorkspaceHelper.Quarantined> quarantined,
            int more,
            int restored,
            List<String> problems) {}

    private final byte[] bytes;
    private int at;

    private HelperOutput(byte[] bytes) {
        this.bytes = bytes;
    }

    /** @return the sections, one or two of them */
    static List<Section> parse(byte[] bytes) throws SandboxException {
        HelperOutput output = new HelperOutput(bytes);
        if (!output.text().equals("process-sandbox-helper") || !output.text().equals("1")) {
            throw new SandboxException(
                    "The helper's output is not of this version: use a launcher and a driver of the" + " same build.");
        }
        List<Section> sections = new ArrayList<>();
        for (String word = output.text(); !word.equals("end"); word = output.text()) {
            if (!word.equals("section") || sections.size() == 2) {
                throw unexpected(word);
            }
            sections.add(output.section());
        }
        if (output.at != bytes.length || sections.isEmpty()) {
            throw unexpected("end");
        }
        return sections;
    }

    private Section section() throws SandboxException {
        String name = text();
        List<WorkspaceHelper.Known> known = new ArrayList<>();
        List<WorkspaceHelper.Quarantined> quarantined = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        int more = 0;
        int restored = 0;
        if (!List.of("removal", "closing", "opening").contains(name)) {
            throw unexpected(name);
        }
        while (true) {
            String word = text();
            switch (word) {
                case "known" -> {
                    check(known.size() < MOST_KNOWN);
                    WorkspaceHelper.Kind kind = constant(WorkspaceHelper.Kind.class, text());
                    known.add(WorkspaceHelper.Known.of(kind, path()));
                }
                case "quarantined" -> {
                    check(quarantined.size() < MOST_QUARANTINED);
                    WorkspaceHelper.Kind kind = constant(WorkspaceHelper.Kind.class, text());
                    WorkspaceHelper.Reason reason = constant(WorkspaceHelper.Reason.class, text());
                    quarantined.add(new WorkspaceHelper.Quarantined(kind, reason, visible(path())));
                }
                case "more" -> more = number();
                case "restored" -> restored = number();
                case "purged" ->
                    problems.add(number() + " repositories that had been in quarantine for longest were"
                            + " removed, since it held more than it may.");
                case "problem" -> {
                    check(problems.size() < MOST_PROBLEMS);
                    problems.add(problem());
                }
                case "problems" -> problems.add(number() + " problems in all.");
                case "complete", "incomplete" -> {
                    return new Section(
                            name,
                            word.equals("complete"),
                            List.copyOf(known),
                            List.copyOf(quarantined),
                            more,
                            restored,
                            List.copyOf(problems));
                }
                default -> throw unexpected(word);
            }
        }
    }

    private String problem() throws SandboxException {
        String what = Quoted.visible(text(), 100);
        int errno = number();
        String where = visible(path());
        return (where.isEmpty() ? "" : where + ": ") + what + (errno == 0 ? "" : ": " + Errno.name(errno));
    }

    private byte[] word(int longest) throws SandboxException {
        int end = at;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        if (end == bytes.length) {
            throw new SandboxException("The helper's output is cut: the helper was ended before it had finished. The"
                    + " next launch tries again.");
        }
        check(end - at <= longest);
        byte[] word = Arrays.copyOfRange(bytes, at, end);
        at = end + 1;
        return word;
    }

    private String text() throws SandboxException {
        return new String(word(LONGEST_SHOWN), StandardCharsets.UTF_8);
    }

    private byte[] path() throws SandboxException {
        return word(LONGEST_PATH);
    }

    private int number() throws SandboxException {
        String text = text();
        if (!text.matches("[0-9]{1,13}")) {
            throw unexpected(text);
        }
        return (int) Math.min(Long.parseLong(text), Integer.MAX_VALUE);
    }

    static String visible(byte[] path) {
        return Quoted.visible(new String(path, StandardCharsets.UTF_8), LONGEST_SHOWN);
    }

    private static <E extends Enum<E>> E constant(Class<E> type, String word) throws SandboxException {
        for (E constant : type.getEnumConstants()) {
            if (wireName(constant).equals(word)) {
                return constant;
            }
        }
        throw unexpected(word);
    }

    static String wireName(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static void check(boolean condition) throws SandboxException {
        if (!condition) {
            throw new SandboxException("The helper's output is longer than it may be.");
        }
    }

    private static SandboxException unexpected(String word) {
        return new SandboxException("The helper's output has a word that does not belong there: " + Quoted.of(word)
                + ". Use a launcher and a driver of the same build.");
    }
}
