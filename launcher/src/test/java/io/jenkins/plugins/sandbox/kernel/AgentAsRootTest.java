package io.jenkins.plugins.sandbox.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What only root of the machine can show; root of a user namespace, which stands in for it elsewhere, cannot have
 * supplementary groups. Run where the build is root's, as in continuous integration.
 */
class AgentAsRootTest {
    private static final int STRANGER = 65534;
    private static final int GROUP = 65533;

    @TempDir
    private Path directory;

    private Path secret;

    @BeforeEach
    void make() throws IOException {
        boolean root = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        if (!root) {
            // Whoever could install the programs that tests need is root.
            assertThat(System.getenv("PROCESS_SANDBOX_CI"))
                    .as("the user id of a build in continuous integration is not 0")
                    .isNull();
            System.err.println("NOTE: not run here: AgentAsRootTest, since this build is not root's");
        }
        assumeTrue(root, "root");
        secret = Files.writeString(directory.resolve("secret"), "secret\n");
        Files.setAttribute(secret, "unix:uid", STRANGER);
        Files.setAttribute(secret, "unix:gid", GROUP);
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("---r-----"));
    }

    private String run(String... primitives) throws Exception {
        Path target = Path.of(System.getProperty("sandbox.native.target", "../native/target"));
        String machine = System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
        Path report = Files.createTempFile(directory, "report", "");
        List<String> words = new ArrayList<>(List.of("setpriv", "--groups=" + GROUP + ",65532", "--"));
        words.add(target.resolve("launcher/linux-" + machine + "/sandbox-launcher")
                .toRealPath()
                .toString());
        words.addAll(List.of("--report", report.toString()));
        for (String primitive : primitives) {
            words.addAll(List.of("--primitive", primitive, "--require", primitive));
        }
        words.addAll(List.of("--", "sh", "-c", "grep -w Groups: /proc/self/status; cat \"$0\"", secret.toString()));
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return output.replaceAll("\\h+", " ");
    }

    /** As a group docker would open its socket. */
    @Test
    void itsSupplementaryGroupsOpenNothing() throws Exception {
        assertThat(run("no_new_privs", "capabilities"))
                .as("control: the group opens the file, and no capability does")
                .isEqualTo("Groups: 65532 65533 \nsecret\n");
        assertThat(run("session", "no_new_privs", "capabilities"))
                .startsWith("Groups: \n")
                .doesNotContain("secret\n");
        assertThat(run("session", "user_namespace", "no_new_privs", "capabilities"))
                .startsWith("Groups: \n")
                .doesNotContain("secret\n");
    }
}
