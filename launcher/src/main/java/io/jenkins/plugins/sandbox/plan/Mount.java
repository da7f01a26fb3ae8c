package io.jenkins.plugins.sandbox.plan;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One operation of the view. They are applied in order, and later ones cover earlier ones.
 *
 * @param kind what is done
 * @param target where it is done
 * @param arguments what the launcher gets besides the target, in its order; paths as {@link PathBytes} has them
 * @param execute whether programs there can be executed; only for kinds that know the difference
 */
record Mount(Kind kind, Path target, List<String> arguments, boolean execute) {
    enum Kind {
        BIND("--bind", "writable"),
        /** As BIND; the agent reads afterwards what the command leaves there, so Landlock lets it make no links in it. */
        CONTROL("--bind-control", "writable"),
        READ_ONLY("--ro-bind", "read-only"),
        TMPFS("--tmpfs", "empty"),
        OVERLAY("--overlay", "overlay"),
        /** As OVERLAY, and what is written there survives a crash of the machine, as far as the build asked for that. */
        DURABLE_OVERLAY("--overlay-durable", "overlay"),
        /** As OVERLAY, and READ_ONLY where the kernel makes none. */
        OVERLAY_OR_READ_ONLY("--overlay-or-ro", "overlay"),
        DEVICES("--dev", "minimal"),
        HIDE("--hide", "hidden"),
        SYMLINK("--symlink", "link");

        private final String option;
        private final String text;

        Kind(String option, String text) {
            this.option = option;
            this.text = text;
        }

        private boolean targetIsLast() {
            return this == BIND || this == CONTROL || this == READ_ONLY || this == SYMLINK;
        }

        private boolean canForbidExecution() {
            return this == BIND || this == READ_ONLY || this == TMPFS || this == OVERLAY_OR_READ_ONLY;
        }
    }

    Mount {
        arguments = List.copyOf(arguments);
    }

    static Mount bind(Path source, Path target) {
        return new Mount(Kind.BIND, target, List.of(PathBytes.word(source)), true);
    }

    static Mount readOnly(Path source, Path target) {
        return new Mount(Kind.READ_ONLY, target, List.of(PathBytes.word(source)), true);
    }

    static Mount control(Path source, Path target) {
        return new Mount(Kind.CONTROL, target, List.of(PathBytes.word(source)), true);
    }

    /** @param bytes 0 for the kernel's default, half of the memory */
    static Mount tmpfs(Path target, long bytes) {
        return new Mount(Kind.TMPFS, target, List.of(String.valueOf(bytes)), true);
    }

    static Mount overlay(Path target, Path upper, Path work) {
        return new Mount(Kind.OVERLAY, target, List.of(PathBytes.word(upper), PathBytes.word(work)), true);
    }

    static Mount durableOverlay(Path target, Path upper, Path work) {
        return new Mount(Kind.DURABLE_OVERLAY, target, List.of(PathBytes.word(upper), PathBytes.word(work)), true);
    }

    static Mount overlayOrReadOnly(Path target, Path upper, Path work) {
        return new Mount(Kind.OVERLAY_OR_READ_ONLY, target, List.of(PathBytes.word(upper), PathBytes.word(work)), true);
    }

    static Mount devices(Path target) {
        return new Mount(Kind.DEVICES, target, List.of(), true);
    }

    static Mount hide(Path target) {
        return new Mount(Kind.HIDE, target, List.of(), true);
    }

    static Mount symlink(Path text, Path target) {
        return new Mount(Kind.SYMLINK, target, List.of(PathBytes.word(text)), true);
    }

    Mount withExecute(boolean newExecute) {
        return new Mount(kind, target, arguments, newExecute);
    }

    /** The same by another name. Layers cannot be those of two overlays at once, so of one that is the machine's, read-only. */
    Mount again(Path name) {
        return switch (kind) {
            case OVERLAY, DURABLE_OVERLAY, OVERLAY_OR_READ_ONLY ->
                readOnly(target, name).withExecute(execute);
            default -> new Mount(kind, name, arguments, execute);
        };
    }

    /** Whether what is seen there is what the machine has there. */
    boolean showsTheMachine() {
        return switch (kind) {
            case OVERLAY, DURABLE_OVERLAY, OVERLAY_OR_READ_ONLY, SYMLINK -> true;
            case BIND, CONTROL, READ_ONLY -> arguments.get(0).equals(PathBytes.word(target));
            case TMPFS, DEVICES, HIDE -> false;
        };
    }

    /** What is mounted, for kinds that have it; else the target. */
    Path source() {
        return kind.targetIsLast() && kind != Kind.SYMLINK ? PathBytes.path(arguments.get(0)) : target;
    }

    /** What a symbolic link says. */
    Path linkText() {
        return PathBytes.path(arguments.get(0));
    }

    /** Whether it is mounted on a directory. */
    boolean isDirectory() {
        return switch (kind) {
            case BIND, CONTROL, READ_ONLY -> Files.isDirectory(source());
            case TMPFS, OVERLAY, DURABLE_OVERLAY, OVERLAY_OR_READ_ONLY, DEVICES -> true;
            case HIDE, SYMLINK -> false;
        };
    }

    /** Whether what is written there stays on the machine. */
    boolean writesToTheMachine() {
        return (kind == Kind.BIND || kind == Kind.CONTROL) && showsTheMachine();
    }

    List<String> words() {
        List<String> words = new ArrayList<>();
        words.add(kind.option + (!execute && kind.canForbidExecution() ? "-noexec" : ""));
        if (!kind.targetIsLast()) {
            words.add(PathBytes.word(target));
        }
        words.addAll(arguments);
        if (kind.targetIsLast()) {
            words.add(PathBytes.word(target));
        }
        return words;
    }

    /** For people. */
    String describe() {
        String more =
                switch (kind) {
                    case BIND, CONTROL, READ_ONLY -> showsTheMachine() ? "" : " (is " + arguments.get(0) + ")";
                    case OVERLAY, DURABLE_OVERLAY, OVERLAY_OR_READ_ONLY -> " (changes go to " + arguments.get(0) + ")";
                    case SYMLINK -> " (to " + arguments.get(0) + ")";
                    case TMPFS -> arguments.get(0).equals("0") ? "" : " (at most " + arguments.get(0) + " bytes)";
                    case DEVICES, HIDE -> "";
                };
        String noexec = !execute && kind.canForbidExecution() ? ", noexec" : "";
        return String.format("%-9s %s%s%s", kind.text, target, more, noexec);
    }
}
