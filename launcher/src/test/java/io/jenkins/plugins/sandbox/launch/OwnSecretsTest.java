package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.jenkins.plugins.sandbox.Sandbox;
import io.jenkins.plugins.sandbox.SandboxedProcess;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher's half of an agent that was started with credentials in its command line. */
@Tag("kernel")
class OwnSecretsTest {
    private static final String SECRET = "0123456789abcdef".repeat(4);
    private static final String PASSWORD = "user:pass";
    private static final String KEY = "key-of-the-agent";
    private static final String FILLER = "*".repeat(64);

    private final List<Process> processes = new ArrayList<>();
    private Process holder;
    private BufferedReader answers;
    private Path directory;

    @BeforeEach
    void makeDirectory(@TempDir Path temporary) throws IOException {
        directory = temporary.toRealPath();
    }

    @AfterEach
    void end() throws Exception {
        for (Process process : processes) {
            process.destroyForcibly().waitFor();
        }
    }

    private void start(Map<String, String> environment, String... words) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-Dsandbox.launcher=" + System.getProperty("sandbox.launcher"),
                "-cp",
                System.getProperty("java.class.path"),
                SecretHolder.class.getName()));
        command.addAll(List.of(words));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        // Of the variables of this machine, other processes have copies.
        builder.environment().keySet().retainAll(List.of("PATH", "HOME", "LC_ALL"));
        builder.environment().putAll(environment);
        holder = builder.start();
        processes.add(holder);
        answers = new BufferedReader(new InputStreamReader(holder.getInputStream(), StandardCharsets.UTF_8));
    }

    private String tell(String command) throws IOException {
        holder.getOutputStream().write((command + "\n").getBytes(StandardCharsets.UTF_8));
        holder.getOutputStream().flush();
        return answers.readLine();
    }

    /** What a build reads where it has the machine's processes: `standard` has no namespace. */
    private String build(String script) throws Exception {
        Policy policy =
                Policy.builder(Profile.named("standard"), directory.toString()).build();
        SandboxedProcess process = Sandbox.of(policy)
                .process(b -> {
                    b.redirectErrorStream(true);
                    b.environment().put("PID", String.valueOf(holder.pid()));
                })
                .start(List.of("sh", "-c", script));
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return output;
    }

    private String words() throws Exception {
        return build("tr '\\0' ' ' < /proc/$PID/cmdline");
    }

    private String variables() throws Exception {
        return build("tr '\\0' '\\n' < /proc/$PID/environ");
    }

    private String performanceData() throws Exception {
        return build(
                "strings -a /tmp/hsperfdata_*/$PID 2>/dev/null || tr -c '[:print:]' '\\n' < $(ls /tmp/hsperfdata_*/$PID)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"conceal", "calls", "file"})
    void aBuildReadsNoCredentialInTheCommandLine(String way) throws Exception {
        start(
                Map.of(),
                "-url",
                "http://controller/",
                "-secret",
                SECRET,
                "-name",
                "agent1",
                "-proxyCredentials=" + PASSWORD,
                "-Dx.keyStorePassword=" + KEY);
        assertThat(tell("arguments")).contains(SECRET);
        assertThat(words()).contains("-secret " + SECRET + " ", "=" + PASSWORD, "=" + KEY);
        assertThat(performanceData()).contains(SECRET);

        assertThat(tell(way))
                .startsWith("Concealment[commandLine=OVERWRITTEN, ")
                .contains("problem=null");
        assertThat(words())
                .doesNotContain(SECRET)
                .doesNotContain(PASSWORD)
                .doesNotContain(KEY)
                .endsWith(" -url http://controller/ -secret " + FILLER
                        + " -name agent1 -proxyCredentials=********* -Dx.keyStorePassword=**************** ");
        assertThat(performanceData()).doesNotContain(SECRET).doesNotContain(KEY).contains("-name agent1");
        // What the program was started with, it still has.
        assertThat(tell("arguments"))
                .isEqualTo("-url http://controller/ -secret " + SECRET + " -name agent1 -proxyCredentials=" + PASSWORD
                        + " -Dx.keyStorePassword=" + KEY);

        assertThat(tell(way))
                .startsWith("Concealment[commandLine=OVERWRITTEN, ")
                .contains("problem=null");
        assertThat(tell("restore")).isEqualTo("true");
        assertThat(words()).contains("-secret " + SECRET + " ", "=" + PASSWORD, "=" + KEY);
    }

    @Test
    void aBuildReadsNoCredentialInTheEnvironment() throws Exception {
        start(
                Map.of(
                        "JENKINS_SECRET", SECRET,
                        "AWS_SECRET_ACCESS_KEY", KEY,
                        "JAVA_OPTS", "-Xmx64m -secret short -Dx=y",
                        "OTHER", "stays",
                        "EMPTY_TOKEN", ""),
                "-name",
                "agent1");
        assertThat(variables()).contains("JENKINS_SECRET=" + SECRET, "=" + KEY, "-secret short");
        assertThat(tell("conceal")).contains("commandLine=NONE, environment=OVERWRITTEN", "problem=null");
        assertThat(variables().lines())
                .contains(
                        "JENKINS_SECRET=" + FILLER,
                        "AWS_SECRET_ACCESS_KEY=****************",
                        "JAVA_OPTS=-Xmx64m -secret ***** -Dx=y",
                        "OTHER=stays",
                        "EMPTY_TOKEN=");
        assertThat(tell("variable JENKINS_SECRET")).isEqualTo(SECRET);
        assertThat(tell("variable AWS_SECRET_ACCESS_KEY")).isEqualTo(KEY);
        assertThat(tell("restore")).isEqualTo("true");
        assertThat(variables()).contains("JENKINS_SECRET=" + SECRET, "=" + KEY, "-secret short");
    }

    @Test
    void anAgentWithoutCredentialsKeepsItsCommandLine() throws Exception {
        start(Map.of(), "-name", "agent1", "-secret", "@file");
        String before = words();
        assertThat(tell("conceal")).contains("commandLine=NONE, environment=NONE, problem=null, elsewhere=[]");
        assertThat(words()).isEqualTo(before);
    }

    @Test
    void nothingIsWrittenWhereTheMemoryHoldsSomethingElse() throws Exception {
        start(Map.of(), "-secret", SECRET);
        assertThat(tell("other")).contains("commandLine=VISIBLE", "problem=The memory does not hold", "written=false");
        assertThat(words()).contains(SECRET);
    }

    @Test
    void aCredentialThatIsStillThereIsReported() throws Exception {
        start(Map.of(), "-secret", SECRET);
        assertThat(tell("read-only")).contains("commandLine=VISIBLE", "shows something else afterwards");
    }

    @Test
    void aStarterThatStillShowsItIsNamed() throws Exception {
        // As docker-init, which gets all words of the command.
        Process starter = new ProcessBuilder("sh", "-c", "read line; exit 0", "starter", SECRET).start();
        processes.add(starter);
        start(Map.of(), "-secret", SECRET);
        assertThat(tell("conceal")).contains("commandLine=OVERWRITTEN", "elsewhere=[" + starter.pid() + " (sh)]");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aWrongAddressIsAnError(int index) throws Exception {
        OwnMemory way = OwnMemory.WAYS[index];
        for (long address : new long[] {0, 4096, 0x7fff_ffff_f000L, -4096}) {
            assertThatThrownBy(() -> way.read(address, 16)).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> way.write(address, new byte[16])).isInstanceOf(IOException.class);
        }
        try (Memory memory = new Memory(16)) {
            memory.setString(0, "before");
            way.write(Pointer.nativeValue(memory), "after".getBytes(StandardCharsets.US_ASCII));
            assertThat(memory.getString(0)).isEqualTo("aftere");
            assertThat(way.read(Pointer.nativeValue(memory), 6))
                    .isEqualTo("aftere".getBytes(StandardCharsets.US_ASCII));
        }
    }

    @Test
    void aBuildReadsNoFileThatTheAgentsCommandLineNames() throws Exception {
        Path base = Files.createTempDirectory(Path.of(System.getProperty("sandbox.test.outside")), "agent-files");
        Path root = Files.createDirectories(base.resolve("agent"));
        Path workspace = Files.createDirectories(root.resolve("workspace/job"));
        Path scratch = Files.createDirectory(base.resolve("scratch"));
        Path secret = Files.writeString(base.resolve("secret-file-of-the-agent"), SECRET + "\n");
        Path store = Files.writeString(base.resolve("store.p12"), SECRET + "\n");
        Files.setPosixFilePermissions(store, PosixFilePermissions.fromString("rw-------"));
        Path nested = Files.writeString(base.resolve("nested"), SECRET + "\n");
        Path arguments = Files.writeString(base.resolve("arguments"), "-loggingConfig\n" + nested + "\n");
        Path benign = Files.writeString(base.resolve("benign"), "readable\n");
        String place = " " + root + " " + workspace + " " + scratch + " ";
        try {
            start(Map.of(), "-name", "agent1");
            for (Path file : List.of(secret, store, nested)) {
                assertThat(tell("sandboxed" + place + file))
                        .as("control: %s", file)
                        .isEqualTo("FULL " + SECRET);
            }
            start(Map.of(), "-secret", "@" + secret, "-Dstore=" + store, "@" + arguments, "-x=" + benign);
            for (Path file : List.of(secret, store, nested, arguments)) {
                assertThat(tell("sandboxed" + place + file)).as("%s", file).isEqualTo("FULL GONE");
            }
            assertThat(tell("sandboxed" + place + benign)).isEqualTo("FULL readable");
        } finally {
            new ProcessBuilder("rm", "-rf", base.toString()).start().waitFor();
        }
    }
}
