package io.jenkins.plugins.sandbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.launch.AgentWallTest;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The outer wall around an agent's JVM. A shell takes the place of the agent: it does what a step in that JVM could do. */
@Tag("kernel")
class AgentCommandTest {
    private static final String JAVA =
            Path.of(System.getProperty("java.home"), "bin", "java").toString();

    private Path home;
    private Path root;
    private Path secret;

    @BeforeEach
    void directories() throws IOException {
        // Not in /tmp, which is a private one inside.
        Path outside = Path.of(System.getProperty("sandbox.test.outside")).toRealPath();
        home = Files.createTempDirectory(outside, "home");
        root = home.resolve("agent");
        Files.createDirectories(home.resolve(".ssh"));
        Files.writeString(home.resolve(".ssh/id_rsa"), "KEY\n");
        Files.writeString(home.resolve("notes"), "NOTES\n");
        secret = Files.writeString(home.resolve("secret-file"), "SECRET\n");
    }

    private record Result(int status, String out, String err) {}

    private static Result execute(ProcessBuilder builder, Path directory) throws Exception {
        Path out = Files.createTempFile(directory, "out", "");
        Path err = Files.createTempFile(directory, "err", "");
        Process process = builder.redirectInput(new File("/dev/null"))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    /** The command line of this build, as words. */
    private static List<String> sandbox(String... arguments) {
        List<String> words = new ArrayList<>(List.of(
                JAVA,
                "-XX:TieredStopAtLevel=1",
                "-Djna.tmpdir=" + System.getProperty("java.io.tmpdir"),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        words.addAll(Arrays.asList(arguments));
        return words;
    }

    private Result run(Path directory, List<String> words) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(words).directory(home.toFile());
        builder.environment().put("HOME", home.toString());
        return execute(builder, directory);
    }

    private static List<String> with(List<String> words, String... more) {
        List<String> all = new ArrayList<>(words);
        all.addAll(Arrays.asList(more));
        return all;
    }

    /** Each JAR of the class path may lie in /tmp, where the agent's JVM sees a private directory. */
    private static Set<String> readable() {
        Set<String> readable = new LinkedHashSet<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            readable.add(Path.of(entry).toAbsolutePath().getParent().toString());
        }
        readable.add(System.getProperty("java.io.tmpdir"));
        return readable;
    }

    private static String step(Path home) {
        return "echo reached; cat " + home + "/.ssh/id_rsa " + home + "/notes; echo x > " + home + "/planted; cat "
                + home + "/secret-file; echo x > " + home + "/agent/f && echo kept";
    }

    @Test
    void aStepInTheAgentsJvmReachesTheRootDirectoryOnly(@TempDir Path directory) throws Exception {
        List<String> step = List.of("sh", "-c", step(home), "-workDir", root.toString(), "-secret", "@" + secret);
        Files.createDirectory(root);
        Result control = run(directory, step);
        assertThat(control.out()).isEqualTo("reached\nKEY\nNOTES\nSECRET\nkept\n");
        Files.delete(home.resolve("planted"));
        Files.delete(root.resolve("f"));
        Files.delete(root);

        Result result = run(directory, with(sandbox("agent", "--"), step.toArray(String[]::new)));
        assertThat(result.out()).as(result.err()).isEqualTo("reached\nSECRET\nkept\n");
        assertThat(home.resolve("planted")).doesNotExist();
        assertThat(root.resolve("f")).hasContent("x");
    }

    @Test
    void launchesNestAndAreFull(@TempDir Path directory) throws Exception {
        Path workspace = Files.createDirectories(root.resolve("workspace/job"));
        List<String> words = new ArrayList<>(sandbox("agent"));
        readable().forEach(r -> words.addAll(List.of("--read", r)));
        String inner = String.join(" ", sandbox("run"));
        String build = "mkdir -p a b; echo text > a/f; mv a/f b/f; cat b/f; echo x > ~/planted; ls ~/.ssh";
        words.addAll(List.of(
                "--root",
                root.toString(),
                "--",
                "sh",
                "-c",
                "cd " + workspace + "; for p in strict offline; do " + inner
                        + " --quiet --min-level FULL --profile $p -- sh -c '" + build + "'; done; ls ~"));
        Result result = run(directory, words);
        assertThat(result.out()).as(result.err()).isEqualTo("text\ntext\nagent\n");
        assertThat(workspace.resolve("b/f")).hasContent("text");
        assertThat(home.resolve("planted")).doesNotExist();
    }

    /** The agent's JVM itself reports the wall to the controller. */
    @Test
    void theJvmInsideSeesTheWall(@TempDir Path directory) throws Exception {
        List<String> words = new ArrayList<>(sandbox("agent", "--root", root.toString()));
        readable().forEach(r -> words.addAll(List.of("--read", r)));
        List<String> show =
                List.of(JAVA, "-cp", System.getProperty("java.class.path"), AgentWallTest.Show.class.getName());
        assertThat(run(directory, show).out()).startsWith("missing [no_new_privs, ");
        words.add("--");
        words.addAll(show);
        Result result = run(directory, words);
        assertThat(result.out()).as(result.err()).isEqualTo("missing []\n");
    }

    @Test
    void theAgentDoesNotStartBelowItsMinimum(@TempDir Path directory) throws Exception {
        Files.createDirectory(root);
        Path profile = Files.writeString(
                directory.resolve("weak.properties"), "primitives = session no_new_privs cgroup_namespace\n");
        String[] command = {"--root", root.toString(), "--", "sh", "-c", "echo started"};
        Result refused = run(
                directory, with(sandbox("agent", "--require", "seccomp", "--profile", profile.toString()), command));
        assertThat(refused.status()).isEqualTo(Main.REFUSED);
        assertThat(refused.out()).isEmpty();
        assertThat(refused.err()).contains("seccomp");
        assertThat(run(directory, with(sandbox("agent"), command)).out()).isEqualTo("started\n");
    }

    @Test
    void mistakesAreNamed(@TempDir Path directory) throws Exception {
        assertThat(run(directory, sandbox("agent")).err())
                .isEqualTo("sandbox: There is no command: write sandbox agent [OPTIONS] -- java -jar agent.jar ...\n");
        assertThat(run(directory, sandbox("agent", "--root", "/", "--", "true")).err())
                .isEqualTo("sandbox: The agent's root directory is '/': name another with --root.\n");
        assertThat(run(directory, sandbox("agent", "--root", "/proc/x", "--", "true"))
                        .err())
                .contains("root directory '/proc/x' cannot be created")
                .contains("name another with --root");
        assertThat(run(directory, sandbox("run", "--profile", "agent", "--help"))
                        .status())
                .isZero();
    }
}
