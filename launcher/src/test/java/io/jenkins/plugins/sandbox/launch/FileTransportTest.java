package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.model.SandboxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("kernel")
class FileTransportTest extends TransportContract {
    private Path files() {
        return directory.resolve("caches/process-sandbox");
    }

    @Override
    TransportChoice choice() {
        return TransportChoice.file(files().toString());
    }

    private static String mode(Path path) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    @Test
    void filesAreThisUsersAlone() throws Exception {
        try (PreparedLaunch launch = prepare()) {
            assertThat(launch.transport()).isEqualTo("file");
            Path launcher = Path.of(launch.prefix().get(0));
            assertThat(launcher.getParent()).isEqualTo(files());
            assertThat(launcher.getFileName().toString())
                    .isEqualTo("launcher-" + LauncherBinary.sha256(Files.readAllBytes(launcher)));
            assertThat(mode(launcher)).isEqualTo("r-xr-xr-x");
            assertThat(mode(files())).isEqualTo("rwx------");
            Path plan = Path.of(launch.prefix().get(2));
            assertThat(mode(plan)).isEqualTo("r--------");
            assertThat(mode(plan.getParent())).isEqualTo("rwx------");
        }
        try (Stream<Path> left = Files.list(files())) {
            assertThat(left).singleElement().asString().contains("launcher-");
        }
    }

    @Test
    void aLauncherThatSomebodyChangedIsReplacedBeforeItRuns() throws Exception {
        PreparedLaunch first = prepare();
        Path launcher = Path.of(first.prefix().get(0));
        byte[] right = Files.readAllBytes(launcher);
        first.close();
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
        byte[] wrong = right.clone();
        wrong[wrong.length / 2] ^= 1;
        Files.write(launcher, wrong);
        prepare().close();
        assertThat(Files.readAllBytes(launcher)).isEqualTo(right);
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rw-r--r--"));
        prepare().close();
        assertThat(mode(launcher)).isEqualTo("r-xr-xr-x");
        Files.delete(launcher);
        Files.createSymbolicLink(launcher, Path.of("/bin/true"));
        prepare().close();
        assertThat(Files.isSymbolicLink(launcher)).isFalse();
    }

    /** Writing the file in place would fail with ETXTBSY here. */
    @Test
    void aRunningLauncherIsInNobodysWay() throws Exception {
        try (PreparedLaunch running = prepare()) {
            Process process = start(running, "sleep", "100");
            running.awaitReport(LONG);
            running.openGate();
            Files.setPosixFilePermissions(
                    Path.of(running.prefix().get(0)), PosixFilePermissions.fromString("rw-------"));
            prepare().close();
            process.destroy();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void directoriesThatCannotBeUsedAreErrors() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "");
        for (String bad : new String[] {file.toString(), file + "/below", "/proc/x", "/sys/x"}) {
            assertThatThrownBy(() -> PreparedLaunch.prepare(policy().build(), TransportChoice.file(bad)))
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContaining("Directory '" + bad + "' for the launcher cannot be used");
        }
        Path link = Files.createSymbolicLink(directory.resolve("link"), workspace);
        assertThatThrownBy(() -> PreparedLaunch.prepare(policy().build(), TransportChoice.file(link.toString())))
                .isInstanceOf(SandboxException.class);
        assertThatThrownBy(() -> PreparedLaunch.prepare(policy().build(), TransportChoice.file("relative")))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("not an absolute path");
    }

    /** The words go through other launchers, which expand variables and quote badly. */
    @Test
    void directoriesWhoseNamesWouldNotSurviveAreErrors() {
        for (String name : new String[] {"a b", "$HOME", "ä", "a'b"}) {
            String bad = directory.resolve(name).toString();
            assertThatThrownBy(() -> PreparedLaunch.prepare(policy().build(), TransportChoice.file(bad)))
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContaining("name a directory for it");
        }
    }

    @Test
    void workspaceStyleNamesDo() throws Exception {
        String name = directory.resolve("job@tmp").toString();
        try (PreparedLaunch launch = PreparedLaunch.prepare(policy().build(), TransportChoice.file(name))) {
            Process process = start(launch, "true");
            launch.awaitReport(LONG);
            launch.openGate();
            assertThat(process.waitFor()).isZero();
        }
    }
}
