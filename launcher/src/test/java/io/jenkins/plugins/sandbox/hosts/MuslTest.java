package io.jenkins.plugins.sandbox.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.launch.PreparedLaunch;
import io.jenkins.plugins.sandbox.launch.TransportChoice;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A root directory as of Alpine Linux: BusyBox, musl and nothing else. The driver stays outside, as for a command in a
 * container; so the launcher comes as a file.
 */
@Tag("kernel")
class MuslTest {
    /** Linked with musl as a shared library, which must load in there. */
    private static final String PROGRAM = "#include <stdio.h>\n#include <unistd.h>\n"
            + "int main(void) { printf(\"musl %s\\n\", access(\"/etc/passwd\", F_OK) == 0 ? \"glibc?\" : \"alone\"); return 0; }\n";

    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    private Path directory;

    private Path root;
    private Path workspace;
    private Path launcherDirectory;

    @BeforeEach
    void makeRoot() throws Exception {
        Programs.require("bwrap", "musl-gcc", "busybox");
        root = directory.resolve("root");
        Files.createDirectories(root.resolve("bin"));
        Files.createDirectories(root.resolve("lib"));
        for (String empty :
                List.of("tmp", "var/tmp", "home", "proc", "dev", "sys", "run", "mnt", "media", "srv", "opt")) {
            Files.createDirectories(root.resolve(empty));
        }
        Files.copy(Path.of("/bin/busybox"), root.resolve("bin/busybox"));
        for (String applet : List.of("sh", "ls", "cat", "mv", "mkdir", "mkfifo", "grep", "test", "id")) {
            Files.createSymbolicLink(root.resolve("bin").resolve(applet), Path.of("busybox"));
        }
        Path source = Files.writeString(directory.resolve("program.c"), PROGRAM);
        assertThat(run(List.of("musl-gcc", "-o", root.resolve("bin/program").toString(), source.toString())))
                .isEmpty();
        Path loader = Path.of("/lib/ld-musl-" + machine() + ".so.1");
        Files.copy(loader, root.resolve("lib").resolve(loader.getFileName()));
        workspace = Files.createDirectory(directory.resolve("workspace"));
        Files.createDirectory(directory.resolve("home"));
        Files.createDirectory(directory.resolve("scratch"));
        launcherDirectory = directory.resolve("workspace@tmp");
    }

    private static String machine() {
        return System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
    }

    private List<String> inside(String... words) {
        List<String> all = new ArrayList<>(List.of(
                "bwrap",
                "--bind",
                root.toString(),
                "/",
                "--proc",
                "/proc",
                "--dev",
                "/dev",
                "--bind",
                directory.toString(),
                directory.toString(),
                "--chdir",
                workspace.toString(),
                "--"));
        all.addAll(Arrays.asList(words));
        return all;
    }

    private String run(List<String> words) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return out;
    }

    @Test
    void theLauncherNeedsNothingOfTheRootDirectory() throws Exception {
        Files.createDirectory(launcherDirectory);
        Path launcher = Files.copy(Path.of(Hosts.tool("launcher")), launcherDirectory.resolve("launcher"));
        String out = run(inside(launcher.toString(), "--probe"));
        assertThat(out).contains("level FULL\n").endsWith("ready\n");
    }

    @Test
    void theFileFallbackWorks() throws Exception {
        Policy policy = Policy.builder(Profile.named("strict"), workspace.toString())
                .home(directory.resolve("home").toString())
                .scratch(directory.resolve("scratch").toString())
                .minimumLevel(Level.FULL)
                .build();
        try (PreparedLaunch launch =
                PreparedLaunch.prepare(policy, TransportChoice.file(launcherDirectory.toString()))) {
            List<String> words = new ArrayList<>(launch.prefix());
            words.addAll(List.of(
                    "sh",
                    "-c",
                    "program; echo x > made; mkdir d; mv made d/moved; cat d/moved; echo x > /bin/stray; ls /home"));
            Path out = directory.resolve("out");
            Process process = new ProcessBuilder(inside(words.toArray(String[]::new)))
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile())
                    .start();
            Report report = ReportParser.parse(launch.awaitReport(LONG, process::isAlive), false, policy.primitives());
            assertThat(report.shortfalls()).isEmpty();
            assertThat(report.level()).isEqualTo(Level.FULL);
            launch.openGate();
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(Files.readString(out))
                    .isEqualTo("musl alone\nx\nsh: can't create /bin/stray: Read-only file system\n");
        }
    }
}
