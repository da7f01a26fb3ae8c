package io.jenkins.plugins.sandbox.hosts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The setting {@code vm.memfd_noexec}, which only the machine's root can change, for a namespace of processes. Run where the build
 * is root's, as in continuous integration.
 */
class MemoryFilesForbiddenTest {
    @TempDir
    private Path directory;

    private String probe(int setting) throws Exception {
        Process process = new ProcessBuilder(List.of(
                        "unshare",
                        "--mount",
                        "--pid",
                        "--fork",
                        "--",
                        "sh",
                        "-ec",
                        "mount -t proc p /proc\necho \"$0\" > /proc/sys/vm/memfd_noexec\nexec \"$@\"",
                        Integer.toString(setting),
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        FilesInPlaceOfMemoryTest.Prober.class.getName(),
                        directory + "/process-sandbox",
                        directory.toString(),
                        directory.toString()))
                .redirectErrorStream(true)
                .start();
        String out = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return out;
    }

    @Test
    void filesInTheirPlace() throws Exception {
        boolean possible = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0)
                && Files.exists(Path.of("/proc/sys/vm/memfd_noexec"));
        if (!possible) {
            System.err.println("NOTE: not run here: MemoryFilesForbiddenTest, which needs root and Linux 6.3");
        }
        assumeTrue(possible, "root and Linux 6.3");
        assertThat(probe(1)).as("control: executable where it is asked for").startsWith("transport memfd; ");
        assertThat(probe(2)).startsWith("transport file; ").contains("; problem null\n");
    }
}
