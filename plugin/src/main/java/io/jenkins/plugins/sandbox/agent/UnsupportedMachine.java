package io.jenkins.plugins.sandbox.agent;

import edu.umd.cs.findbugs.annotations.CheckForNull;

/** Finds out whether a sandbox is possible on this machine at all. */
final class UnsupportedMachine {
    private UnsupportedMachine() {}

    /** @return why it is not, in a sentence; {@code null} when it is */
    @CheckForNull
    static String reason() {
        return reason(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
    }

    @CheckForNull
    static String reason(String system, String architecture) {
        if (!system.equals("Linux")) {
            return "The agent runs on " + system + ", and the sandbox needs Linux.";
        }
        return switch (architecture) {
            case "amd64", "x86_64", "aarch64", "arm64" -> null;
            default -> "There is no launcher for the architecture " + architecture + ".";
        };
    }
}
