package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.ReportParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * A durable task, which looks into its control directory for what its wrapper writes there. A wrapper that cannot be executed
 * writes nothing, and a step waits for it for five minutes. So it is told, in the wrapper's place.
 *
 * @param control the control directory
 */
record DurableTask(Path control) {
    private static final Logger LOGGER = Logger.getLogger(DurableTask.class.getName());

    /** @param ending the second part of a report */
    void tell(byte[] ending) {
        try {
            Ending parsed = ReportParser.parseEnding(ending);
            if (parsed.execError() != null && parsed.exit() != null) {
                write(
                        "jenkins-log.txt",
                        "[sandbox] The command could not be started in the sandbox: " + parsed.execError() + "\n");
                write("jenkins-result.txt", parsed.exit().status() + "\n");
            }
        } catch (IOException x) {
            // It will be noticed in five minutes.
            LOGGER.log(Level.FINE, "the task in " + control + " is not told", x);
        }
    }

    /** Nothing that is there already is touched, nor followed: no command was started, but others run as the same user. */
    private void write(String name, String text) throws IOException {
        Files.write(
                control.resolve(name),
                text.getBytes(StandardCharsets.UTF_8),
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE);
    }
}
