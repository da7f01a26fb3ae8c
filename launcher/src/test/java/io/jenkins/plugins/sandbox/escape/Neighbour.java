package io.jenkins.plugins.sandbox.escape;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Another process of the agent's user, with one of everything that a process can have: what a build must not reach. */
final class Neighbour implements AutoCloseable {
    static final List<String> VARIABLES = List.of(
            "NEIGHBOUR", "ADDRESS", "TCP", "UDP", "SEGMENT", "SEMAPHORE", "MESSAGES", "QUEUE", "TERMINAL", "ABSTRACT");

    private final Process process;
    private final String assignments;

    /**
     * @param directory for its socket and its named pipe
     * @param name of its abstract socket and its message queue
     */
    Neighbour(Path program, Path directory, String name) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(program.toString(), "neighbour", directory.toString(), name)
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put("NEIGHBOURS_SECRET", "of-the-neighbour");
        process = builder.start();
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line = out.readLine();
        if (line == null) {
            throw new IOException("the neighbour did not start");
        }
        assignments = line.replace(' ', '\n') + "\nABSTRACT=" + name + "\n";
    }

    String assignments() {
        return assignments;
    }

    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("the neighbour does not end");
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
