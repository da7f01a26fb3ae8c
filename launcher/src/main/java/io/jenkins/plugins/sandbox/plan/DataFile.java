package io.jenkins.plugins.sandbox.plan;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Lists of names that come with this build, as data, so that they can be read and judged without reading code: sections
 * {@code [NAME]}, below them lines of words, comments from {@code #} at the start of a line, and after {@code " # "} the
 * reason of a line.
 */
final class DataFile {
    private DataFile() {}

    /**
     * @param words at least one
     * @param reason why they are there; empty where the file does not say
     */
    record Line(List<String> words, String reason) {
        Line {
            words = List.copyOf(words);
        }
    }

    /** The words of each section, in the file's order. Every mistake is a defect of the build, and an unchecked exception. */
    static Map<String, List<String>> read(String name) {
        return words(lines(name));
    }

    /** The lines of each section, as {@link #read}. */
    static Map<String, List<Line>> lines(String name) {
        try (InputStream in = DataFile.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is missing in this build");
            }
            return parseLines(name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Map<String, List<String>> parse(String name, String text) {
        return words(parseLines(name, text));
    }

    private static Map<String, List<String>> words(Map<String, List<Line>> lines) {
        Map<String, List<String>> sections = new LinkedHashMap<>();
        lines.forEach((section, all) -> sections.put(
                section, all.stream().flatMap(l -> l.words().stream()).toList()));
        return Collections.unmodifiableMap(sections);
    }

    private static Map<String, List<Line>> parseLines(String name, String text) {
        Map<String, List<Line>> sections = new LinkedHashMap<>();
        List<Line> section = null;
        for (String raw : text.lines().toList()) {
            String line = raw.strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            if (line.startsWith("[")) {
                section = new ArrayList<>();
                if (!line.matches("\\[[a-z-]+]")
                        || sections.put(line.substring(1, line.length() - 1), section) != null) {
                    throw new IllegalArgumentException(name + ": not a new section: " + line);
                }
            } else if (section == null) {
                throw new IllegalArgumentException(name + ": stands before the first section: " + line);
            } else {
                String[] parts = line.split(" # ", 2);
                section.add(
                        new Line(List.of(parts[0].strip().split("\\s+")), parts.length == 1 ? "" : parts[1].strip()));
            }
        }
        return Collections.unmodifiableMap(sections);
    }
}
