package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.model.InitProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * The loop of a durable task's wrapper that shows that it lives. It looks every three seconds whether its command has ended, and
 * then ends too.
 */
final class Heartbeat {
    private static final Pattern PAUSE = Pattern.compile("(?:[^\\x00]*/)?sleep\\x003\\x00");

    private Heartbeat() {}

    /**
     * Whether the command of a sandbox has ended and left nothing behind that is not its wrapper. A build can make its own
     * processes look like that, and gets them ended.
     *
     * @param init the sandbox' first process
     * @param control the control directory of its durable task
     */
    static boolean isAllThatIsLeft(InitProcess init, Path control) {
        String name = control.getFileName() + "/jenkins-result.txt";
        return hasCommandEnded(control)
                && ProcessHandle.of(init.pid()).stream()
                        .flatMap(ProcessHandle::descendants)
                        .allMatch(p -> isWrapper(p.pid(), name));
    }

    /** The step is over when it has been told, upon which Jenkins removes the directory. */
    static boolean hasCommandEnded(Path control) {
        return Files.notExists(control) || Files.exists(control.resolve("jenkins-result.txt"));
    }

    private static boolean isWrapper(long pid, String name) {
        try {
            String command =
                    Files.readString(Path.of("/proc", String.valueOf(pid), "cmdline"), StandardCharsets.ISO_8859_1);
            // A zombie has none.
            return command.isEmpty()
                    || command.contains(name)
                    || PAUSE.matcher(command).matches();
        } catch (IOException x) {
            return true; // gone meanwhile
        }
    }
}
