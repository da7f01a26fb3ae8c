package io.jenkins.plugins.sandbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line as its users have it: a JVM of its own, with the launcher that the build packed. */
@Tag("kernel")
class CommandLineTest {
    private Path workspace;
    private Path temporary;
    private Path home;

    @BeforeEach
    void directories(@TempDir Path directory) throws IOException {
        Path real = directory.toRealPath();
        workspace = Files.createDirectory(real.resolve("ws"));
        temporary = Files.createDirectory(real.resolve("tmp"));
        home = Files.createDirectory(real.resolve("home"));
    }

    /** Whatever became of a run, its scratch directory is gone. */
    @AfterEach
    void nothingIsLeft() throws IOException {
        try (Stream<Path> left = Files.list(temporary)) {
            assertThat(left.filter(f -> !f.getFileName().toString().startsWith("hsperf")))
                    .isEmpty();
        }
    }

    private record Result(int status, String out, String err) {}

    private ProcessBuilder builder(String... arguments) {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + temporary,
                "-Djna.tmpdir=" + System.getProperty("java.io.tmpdir"),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        words.addAll(Arrays.asList(arguments));
        ProcessBuilder builder = new ProcessBuilder(words).directory(workspace.toFile());
        builder.environment().put("HOME", home.toString());
        return builder;
    }

    private Result execute(String... arguments) throws Exception {
        return result(builder(arguments), "");
    }

    private Result result(ProcessBuilder builder, String input) throws Exception {
        Path out = Files.createTempFile("out", "");
        Path err = Files.createTempFile("err", "");
        Path in = Files.writeString(Files.createTempFile("in", ""), input);
        Process process = builder.redirectInput(in.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    @Test
    void streamsAndStatusAreTheCommands() throws Exception {
        Result result = result(builder("run", "--", "sh", "-c", "cat; echo err >&2; exit 9"), "in");
        assertThat(result.status()).isEqualTo(9);
        assertThat(result.out()).isEqualTo("in");
        assertThat(result.err())
                .startsWith("sandbox: profile strict, level FULL\n")
                .contains("  ✓  user_namespace\n")
                .contains("\nerr\n")
                .containsPattern("sandbox: exit status 9 after \\d+\\.\\d s, CPU \\d+\\.\\d s, peak memory \\d+ MiB"
                        + " \\((all processes|largest process)\\), \\d+ process(es and threads)?\n$")
                .doesNotContain("✗", "cgroup\n");
    }

    @Test
    void aFailureNamesTheLimitsThatOnlyTheProgramHearsOf() throws Exception {
        Path report = workspace.resolve("report.json");
        String[] run = {
            "run", "--report", report.toString(), "--files", "64", "--wall-time", "60", "--", "sh", "-c", "exit $0", "1"
        };
        assertThat(execute(run).err())
                .contains("sandbox: limits: wall time 60 s, open files 64 (each process)\n")
                .contains("\"Too many open files\": openFiles (--files) 64. Raise it");
        assertThat(flat(report))
                .containsEntry("/limits/1/name", "openFiles")
                .containsEntry("/limits/1/value", "64")
                .containsEntry("/limits/1/holds", "each");
        run[run.length - 1] = "0";
        assertThat(execute(run).err()).contains("sandbox: limits: ").doesNotContain("Too many open files");
    }

    @Test
    void quietMeansQuiet() throws Exception {
        assertThat(execute("run", "--quiet", "--", "sh", "-c", "exit 3")).isEqualTo(new Result(3, "", ""));
        assertThat(execute("run", "--quiet", "echo", "--help", "@x")).isEqualTo(new Result(0, "--help @x\n", ""));
        assertThat(execute("run", "--quiet", "--", "sh", "-c", "kill -9 $$").status())
                .isEqualTo(137);
        assertThat(execute("run", "--quiet", "no-such-command").status()).isEqualTo(127);
        assertThat(execute("run", "--quiet", "/etc/passwd").status()).isEqualTo(126);
    }

    @Test
    void marksAreAsciiWhereTheTerminalIs() throws Exception {
        ProcessBuilder builder = builder("run", "true");
        builder.environment().put("LC_ALL", "C");
        assertThat(result(builder, "").err()).contains("  ok user_namespace\n").isASCII();
    }

    @Test
    void aPathThatTheLocaleCannotSayIsAnErrorWithItsRemedy() throws Exception {
        Path odd = Files.createDirectory(workspace.resolve("ä"));
        ProcessBuilder builder = builder("run", "true").directory(odd.toFile());
        builder.environment().put("LC_ALL", "C");
        Result result = result(builder, "");
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.err()).contains("LANG=C.UTF-8");
        assertThat(result(builder("run", "--quiet", "touch", "x").directory(odd.toFile()), "")
                        .status())
                .isZero();
        assertThat(odd.resolve("x")).exists();
    }

    @Test
    void writesTheReportAsJson() throws Exception {
        Path report = workspace.resolve("report.json");
        execute("run", "--report", report.toString(), "--", "sh", "-c", "exit 7");
        Map<String, String> json = flat(report);
        assertThat(json)
                .containsEntry("/version", "1")
                .containsEntry("/profile", "strict")
                .containsEntry("/level", "FULL")
                .containsEntry("/refused", "null")
                .containsEntry("/primitives/0/name", "session")
                .containsEntry("/primitives/0/status", "applied")
                .containsEntry("/primitives/0/errno", "0")
                .containsEntry("/primitives/0/error", "null")
                .containsEntry("/exit/code", "7")
                .containsEntry("/exit/cause", "null")
                .containsKeys("/usage/wallMillis", "/usage/userMillis", "/usage/systemMillis", "/usage/maxRssKiB");
    }

    /** Touches a file, with a limit that no machine keeps: its file system has more than that for the workspace. */
    private ProcessBuilder unkept(String... options) {
        List<String> words = new ArrayList<>(List.of("run", "--workspace-size", "1M", "--min-level", "FULL"));
        words.addAll(List.of(options));
        words.addAll(List.of("--", "touch", "marker"));
        return builder(words.toArray(String[]::new));
    }

    @Test
    void belowTheMinimumItRefusesWith125AndSaysWhy() throws Exception {
        Path report = workspace.resolve("report.json");
        Result result = result(unkept("--report", report.toString()), "");
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.err())
                .contains("level PARTIAL")
                .containsPattern("✗  workspace_size +unavailable: .* MiB")
                .contains("sandbox: The level is PARTIAL, the minimum is FULL. workspace_size unavailable: ");
        assertThat(workspace.resolve("marker")).doesNotExist();
        assertThat(flat(report)).containsEntry("/level", "PARTIAL").hasEntrySatisfying("/refused", r -> assertThat(r)
                .contains("the minimum is FULL"));
    }

    @Test
    void warnRunsAndSaysSo() throws Exception {
        Result result = result(unkept("--quiet", "--on-shortfall", "warn"), "");
        assertThat(result.status()).isZero();
        assertThat(result.err()).startsWith("sandbox: warning: The level is PARTIAL, the minimum is FULL.");
        assertThat(workspace.resolve("marker")).exists();
    }

    @Test
    void aReportThatCannotBeWrittenIsFoundOutBeforeTheCommandRuns() throws Exception {
        Result result = execute("run", "--report", "/nonexistent/r.json", "--", "touch", "marker");
        assertThat(result.status()).isEqualTo(125);
        assertThat(workspace.resolve("marker")).doesNotExist();
    }

    @Test
    void optionsReachTheCommand() throws Exception {
        Path more = Files.createDirectory(home.resolveSibling("more"));
        Result result = execute(
                "run",
                "--quiet",
                "--profile",
                "standard",
                "--cpu-time",
                "100",
                "--memory",
                "1G",
                "--limit-address-space",
                "--files",
                "99",
                "--env",
                "A=b c",
                "--",
                "sh",
                "-c",
                "ulimit -Ht; ulimit -Hv; ulimit -Hn; echo \"$A\"");
        assertThat(result.out()).isEqualTo("101\n8388608\n99\nb c\n");
        assertThat(execute("run", "--quiet", "--write", more.toString(), "--", "touch", more + "/x")
                        .status())
                .isZero();
        assertThat(more.resolve("x")).exists();
    }

    @Test
    void theLimitThatEndedTheCommandIsNamedWithItsRemedy() throws Exception {
        Path report = home.resolveSibling("limit.json");
        Result result = execute(
                "run", "--wall-time", "1", "--pids", "50", "--report", report.toString(), "--", "sleep", "1000");
        assertThat(result.status()).isEqualTo(137);
        assertThat(result.err())
                .contains("sandbox: killed by SIGKILL (wall_time) after ")
                .endsWith("sandbox: the limit on wall time, 1 s, was reached. Raise it with wallTime in the step or the"
                        + " administrator's settings, or --wall-time on the command line.\n");
        assertThat(Files.readString(report))
                .contains("\"signalName\" : \"SIGKILL\"", "\"cause\" : \"wall_time\"", "\"name\" : \"wall_time\"");
    }

    @Test
    void variablesAreDroppedKeptAndAllPassedOn() throws Exception {
        String script = "echo $SANDBOX_TEST_TOKEN";
        assertThat(execute("run", "--quiet", "--", "sh", "-c", script).out()).isEqualTo("\n");
        assertThat(execute("run", "--quiet", "--env", "SANDBOX_TEST_TOKEN", "--", "sh", "-c", script)
                        .out())
                .isEqualTo("the agent's\n");
        assertThat(execute("run", "--quiet", "--env-all", "--", "sh", "-c", script)
                        .out())
                .isEqualTo("the agent's\n");
    }

    @Test
    void offlineIsFullHere() throws Exception {
        for (List<String> options : List.of(List.of("--profile", "offline"), List.of("--network", "none"))) {
            List<String> words = new ArrayList<>(List.of("run", "--quiet", "--min-level", "FULL"));
            words.addAll(options);
            words.addAll(List.of("--", "sh", "-c", "wc -l < /proc/net/route"));
            assertThat(execute(words.toArray(String[]::new))).isEqualTo(new Result(0, "1\n", ""));
        }
    }

    @Test
    void backgroundProcessesEndWithTheCommandAndUnreadableOnesGoWithTheScratchDirectory() throws Exception {
        Result result = execute(
                "run",
                "--quiet",
                "--",
                "sh",
                "-c",
                "sleep 1000 & mkdir -p ~/a/b /tmp/c; chmod 000 ~/a /tmp/c; echo $!");
        assertThat(result.status()).isZero();
        assertThat(result.err()).isEmpty();
    }

    @Test
    void sigtermReachesTheCommand() throws Exception {
        Process process = builder(
                        "run",
                        "--",
                        "sh",
                        "-c",
                        "trap 'echo got it > term; exit 0' TERM; echo on > on; while :; do sleep 0.1; done")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        for (int i = 0; i < 300 && Files.notExists(workspace.resolve("on")); i++) {
            Thread.sleep(100);
        }
        process.destroy();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(143);
        assertThat(workspace.resolve("term")).hasContent("got it");
    }

    @Test
    void probeSaysWhatHolds() throws Exception {
        Result text = execute("probe");
        assertThat(text.status()).isZero();
        assertThat(text.out())
                .contains("kernel: Linux", "transport: memfd", "probe, level FULL", "✓  seccomp", "✓  rlimit_cpu")
                .containsPattern("[✓-]  cgroup")
                .doesNotContain("✗", "no overlay");
        Result json = execute("probe", "--json");
        Path file = Files.writeString(workspace.resolve("probe.json"), json.out());
        assertThat(flat(file))
                .containsEntry("/level", "FULL")
                .containsEntry("/transport", "memfd")
                .containsEntry("/primitives/0/name", "session")
                .containsEntry("/primitives/0/ofLevel", "true")
                .containsKey("/host/kernel");
    }

    @Test
    void withoutATemporaryDirectoryTheProbeSaysWhatItDidNotTry() throws Exception {
        ProcessBuilder builder = builder("probe");
        builder.command().set(2, "-Djava.io.tmpdir=/nonexistent");
        Result result = result(builder, "");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.err()).isEmpty();
        assertThat(result.out())
                .contains("probe, level PARTIAL", "✓  seccomp")
                .containsPattern("✗  filesystem +unavailable: No directory can be made in '/nonexistent'")
                .contains("because the directories of a launch cannot be made. Do what the detail says");
    }

    @Test
    void aPlanCanBeRunByHand() throws Exception {
        Path output = home.resolveSibling("plan");
        Result plan = execute("plan", "--output", output.toString());
        assertThat(plan.status()).isZero();
        assertThat(plan.out()).isEqualTo(output + "/sandbox-launcher --args " + output + "/args -- COMMAND\n");
        Process process = new ProcessBuilder(
                        output + "/sandbox-launcher", "--args", output + "/args", "--", "touch", "made")
                .directory(workspace.toFile())
                .redirectErrorStream(true)
                .start();
        assertThat(new String(process.getInputStream().readAllBytes())).isEmpty();
        assertThat(process.waitFor()).isZero();
        assertThat(workspace.resolve("made")).exists();
        assertThat(output.resolve("report")).content().contains("level FULL\n").contains("ready\n");
        assertThat(execute("plan", "--output", output.toString()).status())
                .as("once more")
                .isZero();
    }

    /** JNA's library cannot be loaded from there: the launch goes by files, and works. */
    @Test
    void worksWithoutJna() throws Exception {
        ProcessBuilder builder = builder("probe");
        builder.command().add(1, "-Djna.nosys=true");
        builder.command().add(1, "-Djna.nounpack=true");
        Result result = result(builder, "");
        assertThat(result.status()).isZero();
        assertThat(result.out()).contains("transport: file", "probe, level FULL");
        ProcessBuilder run = builder("run", "--quiet", "--min-level", "FULL", "touch", "made");
        run.command().add(1, "-Djna.nosys=true");
        run.command().add(1, "-Djna.nounpack=true");
        assertThat(result(run, "")).isEqualTo(new Result(0, "", ""));
        assertThat(workspace.resolve("made")).exists();
    }

    /** A sandbox in a sandbox: the filter of the outer one refuses the namespaces of the inner one. */
    @Test
    void insideAnotherSandboxItSaysWhatIsMissing() throws Exception {
        List<String> inner = new ArrayList<>(
                builder("run", "--min-level", "FULL", "touch", "marker").command());
        inner.set(2, "-Djava.io.tmpdir=/tmp");
        // The class path of this test lies in /tmp, which is another one in there.
        String classes = Path.of(System.getProperty("java.class.path").split(":")[0])
                .getParent()
                .toString();
        List<String> outer = new ArrayList<>(List.of("run", "--quiet", "--read", classes, "--"));
        outer.addAll(inner);
        Result result = execute(outer.toArray(String[]::new));
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.err())
                .containsPattern("✗  user_namespace +failed: EPERM")
                .containsPattern("✗  pid_namespace +unavailable")
                .doesNotContain("Another row is missing")
                // In the probe's words.
                .contains(
                        "sandbox: The level is PARTIAL, the minimum is FULL. user_namespace failed: EPERM, unshare. A seccomp"
                                + " filter around the agent refuses the call. Start the agent's container or service with");
        assertThat(workspace.resolve("marker")).doesNotExist();
    }

    /** All values of a JSON file by their paths. */
    private static Map<String, String> flat(Path file) throws IOException {
        Map<String, String> values = new TreeMap<>();
        try (JsonParser parser = new JsonFactory().createParser(file.toFile())) {
            parser.nextToken();
            flat(parser, "", values);
            assertThat(parser.nextToken()).isNull();
        }
        return values;
    }

    private static void flat(JsonParser parser, String path, Map<String, String> values) throws IOException {
        switch (parser.currentToken()) {
            case START_OBJECT -> {
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    parser.nextToken();
                    flat(parser, path + "/" + name, values);
                }
            }
            case START_ARRAY -> {
                for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
                    flat(parser, path + "/" + i, values);
                }
            }
            default -> values.put(path, parser.getText());
        }
    }
}
