package io.jenkins.plugins.sandbox;

import java.util.List;

/**
 * The machine's processes, to find some that a test has started. Other JVMs run tests at the same time, some of them the very
 * same ones, so the words to look for have to be this JVM's own.
 */
public final class Processes {
    private static final long OWN = ProcessHandle.current().pid();

    private Processes() {}

    /** @return {@code name} and something that no other JVM has, to be put among a command's words */
    public static String own(String name) {
        return name + "-of-" + OWN;
    }

    /** @return a command that outlasts all tests, and that no other JVM uses */
    public static String sleep() {
        return "sleep " + (1_000_000_000 + OWN);
    }

    /** @return those whose command has these words in it */
    public static List<ProcessHandle> with(String words) {
        return ProcessHandle.allProcesses()
                .filter(p -> p.info().commandLine().orElse("").contains(words))
                .toList();
    }

    /** @return whether there is any */
    public static boolean exist(String words) {
        return !with(words).isEmpty();
    }

    /** Waits until there is none. */
    public static void awaitNone(String words) throws InterruptedException {
        while (exist(words)) {
            Thread.sleep(100);
        }
    }
}
