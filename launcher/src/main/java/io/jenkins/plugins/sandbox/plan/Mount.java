package io.jenkins.plugins.sandbox.plan;

import java.util.ArrayList;
import java.util.List;

/**
 * One mount operation of a plan. They are applied in order, and later ones cover earlier ones.
 *
 * @param option the launcher's option, for example {@code --bind}
 * @param arguments what follows it
 */
record Mount(String option, List<String> arguments) {
    Mount {
        arguments = List.copyOf(arguments);
    }

    static Mount bind(String source, String target) {
        return new Mount("--bind", List.of(source, target));
    }

    static Mount readOnly(String path) {
        return new Mount("--ro-bind", List.of(path, path));
    }

    static Mount tmpfs(String target) {
        return new Mount("--tmpfs", List.of(target, "0"));
    }

    static Mount overlay(String target, String upper, String work) {
        return new Mount("--overlay", List.of(target, upper, work));
    }

    static Mount devices(String target) {
        return new Mount("--dev", List.of(target));
    }

    /** Where it is mounted. */
    String target() {
        return option.endsWith("bind") ? arguments.get(1) : arguments.get(0);
    }

    boolean showsWhatItCovers() {
        return option.equals("--overlay");
    }

    List<String> words() {
        List<String> words = new ArrayList<>();
        words.add(option);
        words.addAll(arguments);
        return words;
    }

    /** For people. */
    String describe() {
        return switch (option) {
            case "--bind" ->
                arguments.get(0).equals(arguments.get(1))
                        ? "writable  " + arguments.get(0)
                        : "writable  " + arguments.get(1) + " (is " + arguments.get(0) + ")";
            case "--ro-bind" -> "read-only " + arguments.get(1);
            case "--tmpfs" -> "empty     " + arguments.get(0);
            case "--overlay" -> "overlay   " + arguments.get(0) + " (changes go to " + arguments.get(1) + ")";
            case "--dev" -> "minimal   " + arguments.get(0);
            default -> String.join(" ", words());
        };
    }
}
