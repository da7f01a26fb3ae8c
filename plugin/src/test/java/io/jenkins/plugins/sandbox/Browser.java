package io.jenkins.plugins.sandbox;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A browser that people use, as HtmlUnit knows no content security policy. */
final class Browser {
    private static final List<String> NAMES = List.of("chromium", "chromium-browser", "google-chrome");

    private final Path program;

    private Browser(Path program) {
        this.program = program;
    }

    /** @return the one of this machine, if it has one */
    static Optional<Browser> find() {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .flatMap(directory -> NAMES.stream().map(name -> Path.of(directory, name)))
                .filter(Files::isExecutable)
                .map(Browser::new)
                .findFirst();
    }

    /**
     * Opens a page, waits until it has loaded all that it asks for, and closes it.
     *
     * @param home for what the browser writes
     */
    Page open(URL page, Path home) throws IOException, InterruptedException {
        Path out = home.resolve("page.html");
        Path log = home.resolve("browser.log");
        // Its own sandbox does not work for root, nor in most containers; and all that it gets to see is ours.
        ProcessBuilder builder = new ProcessBuilder(
                program.toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--user-data-dir=" + home.resolve("profile"),
                "--enable-logging=stderr",
                "--virtual-time-budget=10000",
                "--dump-dom",
                page.toString());
        builder.environment().put("HOME", home.toString());
        Process process =
                builder.redirectOutput(out.toFile()).redirectError(log.toFile()).start();
        if (!process.waitFor(2, TimeUnit.MINUTES)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
            throw new IOException("the browser did not come back from " + page);
        }
        return new Page(
                Files.readString(out, StandardCharsets.UTF_8),
                Files.readAllLines(log, StandardCharsets.ISO_8859_1).stream()
                        .filter(line -> line.contains("CONSOLE") && line.contains("Content Security Policy"))
                        .toList());
    }

    /**
     * What became of a page.
     *
     * @param content after its scripts have run
     * @param violations of its content security policy, as the browser reports them on its console. It sends them to the server as
     *     well, but up to a minute later, and would have to be kept open until then.
     */
    record Page(String content, List<String> violations) {}
}
