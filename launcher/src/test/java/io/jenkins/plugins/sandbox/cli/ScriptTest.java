package io.jenkins.plugins.sandbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code sandbox}, in a checkout of its own with a Java and a Maven that only say what they were asked for. */
class ScriptTest {
    private Path checkout;
    private Path tools;

    @BeforeEach
    void makeACheckout(@TempDir Path directory) throws IOException {
        checkout = Files.createDirectories(directory.resolve("a check out"));
        tools = Files.createDirectories(directory.resolve("tools/bin"));
        Path script = Path.of(System.getProperty("sandbox.test.directory"), "../../sandbox");
        executable(checkout.resolve("sandbox"), Files.readString(script));
        for (String name : List.of("native/src/main", "launcher/src/main", "launcher/target")) {
            Files.createDirectories(checkout.resolve(name));
        }
        for (String name : List.of("pom.xml", "native/pom.xml", "native/Makefile", "launcher/pom.xml")) {
            Files.writeString(checkout.resolve(name), "");
        }
        java("17.0.1");
        executable(
                tools.resolve("mvn"),
                "#!/bin/sh\necho \"mvn in $PWD: $*\"\n[ -z \"$FAIL\" ] || exit 1\ntouch launcher/target/process-sandbox.jar\n");
        executable(tools.resolve("cc"), "#!/bin/sh\n");
    }

    private void java(String version) throws IOException {
        executable(tools.resolve("java"), "#!/bin/sh\nfor last; do :; done; echo \"java $last\"\n");
        Files.writeString(tools.resolve("../release"), "JAVA_VERSION=\"" + version + "\"\n");
    }

    private static void executable(Path path, String text) throws IOException {
        Files.writeString(path, text);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private void built() throws IOException {
        Path jar = Files.writeString(checkout.resolve("launcher/target/process-sandbox.jar"), "");
        Files.setLastModifiedTime(jar, FileTime.fromMillis(System.currentTimeMillis() + 10_000));
    }

    private record Result(int status, String out, String err) {}

    private Result run(Path script, String... environment) throws Exception {
        List<String> words = new ArrayList<>(List.of("/usr/bin/env", "-u", "JAVA_HOME", "-u", "CC"));
        words.add("PATH=" + tools + ":/usr/bin:/bin");
        words.addAll(List.of(environment));
        words.addAll(List.of(script.toString(), "probe"));
        Path out = Files.createTempFile(tools, "out", "");
        Path err = Files.createTempFile(tools, "err", "");
        Process process = new ProcessBuilder(words)
                .directory(tools.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    @Test
    void buildsWhatIsMissingAndSaysSoOnStderrOnly() throws Exception {
        Result result = run(checkout.resolve("sandbox"));
        assertThat(result.out()).isEqualTo("java probe\n");
        assertThat(result.err())
                .contains("sandbox: building")
                .contains("mvn in " + checkout + ": ")
                .contains("package");
        assertThat(run(checkout.resolve("sandbox")).err()).isEmpty();
    }

    @Test
    void buildsWhatIsStale() throws Exception {
        built();
        assertThat(run(checkout.resolve("sandbox")).err()).isEmpty();
        Path source = Files.writeString(checkout.resolve("launcher/src/main/New.java"), "");
        Files.setLastModifiedTime(source, FileTime.fromMillis(System.currentTimeMillis() + 60_000));
        assertThat(run(checkout.resolve("sandbox")).err()).contains("sandbox: building");
    }

    @Test
    void worksThroughLinks() throws Exception {
        built();
        Path link = Files.createSymbolicLink(tools.resolve("link"), checkout.resolve("sandbox"));
        Path relative = Files.createSymbolicLink(tools.resolve("relative"), Path.of("link"));
        assertThat(run(link)).isEqualTo(new Result(0, "java probe\n", ""));
        assertThat(run(relative)).isEqualTo(new Result(0, "java probe\n", ""));
    }

    @Test
    void whatIsMissingIsNamedInOneLine() throws Exception {
        java("11.0.2");
        assertOneLine(run(checkout.resolve("sandbox")), "Java 11 is too old");
        java("17.0.1");
        Files.delete(tools.resolve("cc"));
        assertOneLine(run(checkout.resolve("sandbox"), "CC=no-such-cc"), "no C compiler: install gcc");
        assertOneLine(run(checkout.resolve("sandbox"), "JAVA_HOME=/nonexistent"), "no Java: install a JDK");
    }

    @Test
    void aBuildThatFailsRunsNothing() throws Exception {
        Result result = run(checkout.resolve("sandbox"), "FAIL=1");
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).endsWith("sandbox: the build failed, see above\n");
    }

    private static void assertOneLine(Result result, String message) {
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).startsWith("sandbox: " + message).hasLineCount(1);
    }
}
