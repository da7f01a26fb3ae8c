package io.jenkins.plugins.sandbox.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.sandbox.conformance.NativeLaunch.Result;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Status;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Agents that really run as root, so not among the tests of the unprivileged user; run where the build is root's, as in CI. */
class RootAgentTest {
    private static final Path TARGET = Path.of(System.getProperty("sandbox.native.target", "../native/target"));

    private static final List<String> NAMESPACES = List.of(
            "pid_namespace",
            "mount_namespace",
            "ipc_namespace",
            "uts_namespace",
            "cgroup_namespace",
            "network_namespace");

    /** What root might try; each line that it writes is one that worked. */
    private static final String ATTEMPTS =
            "grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status | grep -qv 0000000000000000 && echo capable\n"
                    + "echo x > $HOST/stray && echo wrote\n"
                    + "chown 1:1 inside && echo chowned\n"
                    + "mknod device b 7 0 && echo device\n"
                    + "mount -t tmpfs t $HOST && echo mounted\n"
                    + "unshare --user true && echo namespace\n"
                    + "kill -0 $JVM && echo signalled\n"
                    + "grep -q . /proc/$JVM/environ && echo environment\n"
                    + "echo 1 > /proc/sys/kernel/printk && echo knob\n"
                    + "hostname other && echo hostname\n";

    @TempDir
    private Path directory;

    private Path workspace;
    private Path host;
    private NativeLaunch launch;

    @BeforeEach
    void beRoot() throws Exception {
        boolean root = (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
        if (!root) {
            System.err.println("NOTE: not run here: RootAgentTest, since this build is not root's");
        }
        assumeTrue(root, "root");
        if (System.getProperty("sandbox.launcher") == null) {
            String machine = System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
            Path launcher = TARGET.resolve("launcher/linux-" + machine + "/sandbox-launcher")
                    .toRealPath();
            Path copy = Files.copy(launcher, directory.resolve("sandbox-launcher"));
            assertThat(copy.toFile().setExecutable(true)).isTrue();
            launch = new NativeLaunch(directory, copy);
        } else {
            launch = new NativeLaunch(directory);
        }
        workspace = Files.createDirectory(directory.resolve("workspace"));
        host = Files.createDirectory(directory.resolve("host"));
        Files.writeString(host.resolve("file"), "original\n");
    }

    private Result run(List<String> behind) throws Exception {
        launch.behind(behind.toArray(String[]::new));
        return launch.strict(workspace)
                .primitives(List.of("network_namespace", "landlock_fs", "landlock_scope"))
                .run("HOST=" + host + "; JVM=" + ProcessHandle.current().pid() + "\necho x > inside && echo fine\n"
                        + ATTEMPTS);
    }

    private static List<String> tryHost(String... options) {
        List<String> words = new ArrayList<>(
                List.of(TARGET.resolve("test/try_host").toAbsolutePath().toString()));
        words.addAll(List.of(options));
        words.add("--");
        return words;
    }

    @Test
    void anOrdinaryOneHasEveryRow() throws Exception {
        Result result = run(List.of());
        assertThat(result.parsed().shortfalls()).isEmpty();
        assertThat(result.parsed().level()).isEqualTo(Level.FULL);
        assertThat(result.out()).isEqualTo("fine\n");
    }

    /** With the capabilities that it has, all of which are gone before the command starts. */
    @Test
    void withoutUserNamespacesItHasTheOthers() throws Exception {
        Result result = run(tryHost("--no-user-namespaces", "EPERM"));
        assertThat(result.parsed().shortfalls())
                .singleElement()
                .extracting(o -> o.primitive().wireName(), Outcome::describe)
                .containsExactly("user_namespace", "failed: EPERM, unshare");
        assertThat(result.out()).isEqualTo("fine\n");
        assertThat(result.parsed().level()).isEqualTo(Level.PARTIAL);
    }

    /** Docker's default for root: some capabilities, and a filter that refuses namespaces. */
    @Test
    void inAContainerItHasTheRowsThatNeedNone() throws Exception {
        List<String> behind = new ArrayList<>(List.of(
                "setpriv",
                "--bounding-set=-all,+chown,+dac_override,+fowner,+kill,+setpcap,+setuid,+setgid",
                "--inh-caps=-all"));
        behind.addAll(tryHost("--container"));
        Result result = run(behind);
        assertThat(result.outcome("user_namespace").describe()).isEqualTo("failed: EPERM, unshare");
        for (String namespace : NAMESPACES) {
            assertThat(result.outcome(namespace).status()).as(namespace).isEqualTo(Status.UNAVAILABLE);
        }
        for (String row : List.of("capabilities", "no_new_privs", "landlock_fs", "landlock_scope", "landlock_net")) {
            assertThat(result.applied(row)).as(row + result.report()).isTrue();
        }
        // A file of its own it may give away only with a capability, and knobs and files outside are Landlock's.
        assertThat(result.out()).isEqualTo("fine\n");
        assertThat(host.resolve("stray")).doesNotExist();
    }

    /** `capabilities: drop: [ALL]` of a pod, as root. */
    @Test
    void withoutAnyCapabilityTheyCannotComeBack() throws Exception {
        List<String> behind = new ArrayList<>(List.of("setpriv", "--bounding-set=-all", "--inh-caps=-all"));
        behind.addAll(tryHost("--container"));
        Result result = run(behind);
        assertThat(result.applied("capabilities")).isTrue();
        assertThat(result.out()).isEqualTo("fine\n");
    }

    /** CAP_SETPCAP lost and others kept: the bounding set cannot be emptied, and nothing comes back all the same. */
    @Test
    void withoutTheRightToReduceTheBoundingSetTheyCannotComeBackEither() throws Exception {
        List<String> behind = new ArrayList<>(List.of("setpriv", "--bounding-set=-setpcap", "--inh-caps=-all"));
        behind.addAll(tryHost("--container"));
        Result result = run(behind);
        assertThat(result.applied("capabilities")).isTrue();
        assertThat(result.out()).isEqualTo("fine\n");
    }

    @Test
    void theAttemptsSucceedWithoutASandbox() throws Exception {
        Result plain = launch.in(workspace)
                .control(
                        "HOST=" + host + "; JVM=" + ProcessHandle.current().pid()
                                + "\necho x > inside; echo x > $HOST/stray && echo wrote; chown 1:1 inside && echo chowned; rm $HOST/stray; "
                                + "kill -0 $JVM && echo signalled; grep -q . /proc/$JVM/environ && echo environment; unshare --user true && echo namespace; "
                                + "unshare --uts hostname other && echo hostname; unshare --mount mount -t tmpfs t $HOST && echo mounted");
        assertThat(plain.out()).isEqualTo("wrote\nchowned\nsignalled\nenvironment\nnamespace\nhostname\nmounted\n");
    }
}
