package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("kernel")
class MemfdTransportTest extends TransportContract {
    @Override
    TransportChoice choice() {
        return TransportChoice.memfd();
    }

    @Test
    void nobodyCanChangeTheLauncherOrThePlan() throws Exception {
        try (PreparedLaunch launch = prepare()) {
            assertThat(launch.transport()).isEqualTo("memfd");
            for (int word : new int[] {0, 2}) {
                Path path = Path.of(launch.prefix().get(word));
                byte[] content = Files.readAllBytes(path);
                assertThatThrownBy(() -> Files.write(path, new byte[] {1}, StandardOpenOption.WRITE))
                        .isInstanceOf(IOException.class);
                assertThatThrownBy(() -> Files.write(path, new byte[] {1}, StandardOpenOption.APPEND))
                        .isInstanceOf(IOException.class);
                assertThatThrownBy(() -> Files.write(
                                path, new byte[0], StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE))
                        .isInstanceOf(IOException.class);
                assertThat(Files.readAllBytes(path)).isEqualTo(content);
            }
        }
    }

    @Test
    void theLauncherIsOneForAllLaunches() throws Exception {
        try (PreparedLaunch first = prepare();
                PreparedLaunch second = prepare()) {
            assertThat(first.prefix().get(0)).isEqualTo(second.prefix().get(0));
            assertThat(first.prefix().get(2)).isNotEqualTo(second.prefix().get(2));
        }
    }

    @Test
    void itIsTheFirstChoiceWhereItWorks() throws Exception {
        Path unused = directory.resolve("unused");
        try (PreparedLaunch launch =
                PreparedLaunch.prepare(policy().build(), TransportChoice.auto(unused.toString()))) {
            assertThat(launch.transport()).isEqualTo("memfd");
        }
        assertThat(unused).doesNotExist();
    }

    /** Everything of a launch hangs on this JVM: when it goes, the gate closes, and the command never starts. */
    @Test
    void aLaunchWhoseJvmDiesAborts() throws Exception {
        Path marker = workspace.resolve("marker");
        Process jvm = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Dsandbox.launcher=" + System.getProperty("sandbox.launcher"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        DyingJvm.class.getName(),
                        workspace.toString(),
                        marker.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        long front = Long.parseLong(new String(jvm.getInputStream().readAllBytes()).strip());
        assertThat(jvm.waitFor(60, TimeUnit.SECONDS)).isTrue();
        Optional<ProcessHandle> left = ProcessHandle.of(front);
        if (left.isPresent()) {
            left.get().onExit().get(30, TimeUnit.SECONDS);
        }
        assertThat(marker).doesNotExist();
    }
}
