package io.jenkins.plugins.sandbox.compulsory;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How a step is treated on a node where the sandbox is enforced, as {@code steps.txt} says.
 *
 * @param kind what the step does on the agent
 * @param parameters the names of the parameters that are looked at, at any depth
 */
record StepTreatment(Kind kind, List<String> parameters) {
    /** What a step does on the agent. */
    enum Kind {
        /** It starts processes, which are sandboxed. */
        LAUNCH,
        /** It works in the current directory. */
        INSIDE,
        /** Its parameters name files. */
        PATHS,
        /** Its parameters make the agent's JVM start a program. */
        REFUSE
    }

    private static final Map<String, StepTreatment> KNOWN = read();

    /** @return the treatment of a step by its function name or symbol; empty for an unknown one */
    static Optional<StepTreatment> of(String name) {
        return Optional.ofNullable(KNOWN.get(name));
    }

    /** @return all known steps by name */
    static Map<String, StepTreatment> known() {
        return KNOWN;
    }

    /**
     * @param arguments of the step: texts, numbers, lists, and maps of the same
     * @return why the step is refused; {@code null} when it is not
     */
    @CheckForNull
    String refusal(Map<String, ?> arguments) {
        return judgesArguments() ? refusal("", arguments) : null;
    }

    /** @return whether {@link #refusal} depends on the arguments */
    boolean judgesArguments() {
        return kind == Kind.PATHS || kind == Kind.REFUSE;
    }

    @CheckForNull
    private String refusal(String parameter, Object value) {
        if (value instanceof Map<?, ?> map) {
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                String name = String.valueOf(entry.getKey());
                // A map that is the value of a parameter (unarchive) has paths on both sides.
                String found = parameters.contains(parameter) ? judge(parameter, name) : null;
                String below = found != null
                        ? found
                        : refusal(parameters.contains(parameter) ? parameter : name, entry.getValue());
                if (below != null) {
                    return below;
                }
            }
            return null;
        }
        if (value instanceof Iterable<?> values) {
            for (Object each : values) {
                String found = refusal(parameter, each);
                if (found != null) {
                    return found;
                }
            }
            return null;
        }
        return value != null && parameters.contains(parameter) ? judge(parameter, String.valueOf(value)) : null;
    }

    @CheckForNull
    private String judge(String parameter, String value) {
        if (value.isBlank()) {
            return null;
        }
        return kind == Kind.REFUSE
                ? Messages.FileStepGuard_Program(parameter)
                : leaves(value) ? Messages.FileStepGuard_Leaves(parameter, value) : null;
    }

    /** Lists of patterns are separated by commas, or by blanks in old steps. Ant takes a backslash for a slash. */
    private static boolean leaves(String value) {
        for (String each : value.split("[,\\s]+")) {
            String path = each.replace('\\', '/');
            if (path.startsWith("/") || path.startsWith("~") || path.matches("[A-Za-z]:.*")) {
                return true;
            }
            if (("/" + path + "/").contains("/../")) {
                return true;
            }
        }
        // A name with blanks is one path for most steps.
        return value.strip().startsWith("/") || ("/" + value.strip() + "/").contains("/../");
    }

    private static Map<String, StepTreatment> read() {
        Map<String, StepTreatment> known = new TreeMap<>();
        try (InputStream in = StepTreatment.class.getResourceAsStream("steps.txt")) {
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
                String text = line.strip();
                if (!text.isEmpty() && !text.startsWith("#")) {
                    List<String> words = List.of(text.split("\\s+"));
                    Kind kind = Kind.valueOf(words.get(1).toUpperCase(Locale.ROOT));
                    known.put(words.get(0), new StepTreatment(kind, words.subList(2, words.size())));
                }
            }
        } catch (IOException x) {
            throw new UncheckedIOException(x);
        }
        return Collections.unmodifiableMap(known);
    }
}
