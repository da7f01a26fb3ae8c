package io.jenkins.plugins.sandbox.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.launch.HostProbe;
import io.jenkins.plugins.sandbox.launch.ProbePlace;
import io.jenkins.plugins.sandbox.launch.TransportChoice;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Agents on which the launcher cannot be kept in memory, and directories in which it cannot be kept either. */
@Tag("kernel")
class FilesInPlaceOfMemoryTest {
    private static final String FILES = "transport file; level FULL; problem null";

    /** Mounts need capabilities of a namespace's maker, which are given up again. */
    private static final List<String> NAMESPACE =
            List.of("unshare", "--user", "--map-current-user", "--keep-caps", "--mount", "--", "sh", "-ec");

    private static final String START =
            "\nexec setpriv --ambient-caps=-all --inh-caps=-all --bounding-set=-all -- \"$@\"";

    @TempDir
    private Path directory;

    private Path temporary;
    private Path caches;
    private Path scratches;
    private String classPath = System.getProperty("java.class.path");
    private final List<String> options = new ArrayList<>();

    /** An agent that says what it found. */
    static final class Prober {
        private Prober() {}

        public static void main(String[] arguments) throws Exception {
            HostProbe probe =
                    HostProbe.run(TransportChoice.auto(arguments[0]), new ProbePlace(arguments[1], arguments[2], null));
            System.out.println(
                    "transport " + probe.transport() + "; level " + probe.level() + "; problem " + probe.problem());
            probe.rows().stream()
                    .filter(row -> !row.isApplied() && row.isOfLevel())
                    .forEach(row -> System.out.println(row.outcome().primitive().wireName() + " " + row.cause() + " "
                            + row.outcome().describe()));
        }
    }

    @BeforeEach
    void makeDirectories() throws Exception {
        temporary = Files.createDirectory(directory.resolve("tmp"));
        caches = Files.createDirectory(directory.resolve("caches"));
        scratches = Files.createDirectory(directory.resolve("scratches"));
    }

    private String probe(String script) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>();
        if (!script.isEmpty()) {
            words.addAll(NAMESPACE);
            words.addAll(List.of(script + START, "sh"));
        }
        words.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + temporary,
                "-Djna.tmpdir=" + temporary,
                "-Dsandbox.launcher=" + Hosts.tool("launcher")));
        words.addAll(options);
        words.addAll(List.of("-cp", classPath, Prober.class.getName(), caches + "/process-sandbox"));
        words.addAll(List.of(directory.toString(), scratches.toString()));
        Path err = directory.resolve("err");
        Process process = new ProcessBuilder(words)
                .directory(directory.toFile())
                .redirectError(err.toFile())
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return out.isEmpty() ? Files.readString(err) : out.strip();
    }

    private void withoutJna() {
        classPath = Arrays.stream(classPath.split(File.pathSeparator))
                .filter(entry -> !Path.of(entry).getFileName().toString().matches("(.*-)?jna-[0-9.]+\\.jar"))
                .collect(Collectors.joining(File.pathSeparator));
        assertThat(classPath).isNotEqualTo(System.getProperty("java.class.path"));
    }

    @Test
    void anOrdinaryAgentNeedsNoFiles() throws Exception {
        assertThat(probe("")).isEqualTo("transport memfd; level FULL; problem null");
        assertThat(caches).isEmptyDirectory();
    }

    @Test
    void withoutJnaOnTheClassPath() throws Exception {
        withoutJna();
        assertThat(probe("")).isEqualTo(FILES);
    }

    @Test
    void withAJnaThatDoesNotLoad() throws Exception {
        options.addAll(List.of("-Djna.nosys=true", "-Djna.nounpack=true"));
        assertThat(probe("")).isEqualTo(FILES);
    }

    @Test
    void withATemporaryDirectoryThatIsNoexec() throws Exception {
        assertThat(probe("mount -t tmpfs -o noexec t " + temporary)).isEqualTo(FILES);
    }

    @Test
    void withAFullTemporaryDirectory() throws Exception {
        assertThat(probe("mount -t tmpfs -o size=4k t " + temporary + "; head -c 4096 /dev/zero > " + temporary
                        + "/full"))
                .isEqualTo(FILES);
    }

    @Test
    void withoutATemporaryDirectory() throws Exception {
        Files.delete(temporary);
        Files.createFile(temporary);
        assertThat(probe("")).isEqualTo(FILES);
    }

    @Test
    void withAFilterThatRefusesMemoryFiles() throws Exception {
        assertThat(probe("exec " + Hosts.tool("try_host")
                        + " --refuse memfd_create=EPERM -- setpriv --ambient-caps=-all -- \"$@\""))
                .isEqualTo(FILES);
    }

    @Test
    void nothingIsLeftBehind() throws Exception {
        probe("");
        assertThat(scratches).isEmptyDirectory();
        assertThat(directory.toFile().list()).containsExactlyInAnyOrder("tmp", "caches", "scratches", "err");
    }

    /** Everything else is tried all the same. */
    @Test
    void withoutRoomForALaunchsDirectoriesTheProbeSaysWhatItDidNotTry() throws Exception {
        String start = "transport memfd; level PARTIAL; problem null\nfilesystem DIRECTORIES unavailable: ";
        assertThat(probe("mount -t tmpfs -o ro t " + scratches))
                .startsWith(start + "No directory can be made in '" + scratches + "' (")
                .contains("Read-only file system");
        assertThat(probe("mount -t tmpfs -o size=4k t " + scratches + "; head -c 4096 /dev/zero > " + scratches
                        + "/full"))
                .startsWith(start)
                .contains("No space left on device");
        Files.delete(scratches);
        assertThat(probe("")).startsWith(start + "No directory can be made in '" + scratches + "' (");
        assertThat(directory.toFile().list()).containsExactlyInAnyOrder("tmp", "caches", "err");
    }

    @Test
    void aReadOnlyDirectoryIsNamed() throws Exception {
        withoutJna();
        assertThat(probe("mount --bind " + caches + " " + caches + "; mount -o remount,bind,ro " + caches))
                .startsWith("transport null; level NONE; problem Directory '" + caches
                        + "/process-sandbox' for the launcher cannot be used (")
                .contains("check its owner and rights");
    }

    @Test
    void aFullDirectoryIsNamed() throws Exception {
        withoutJna();
        assertThat(probe("mount -t tmpfs -o size=64k t " + caches))
                .contains("problem Directory '" + caches + "/process-sandbox' for the launcher cannot be used (")
                .contains("No space left on device")
                .contains("the room on its disk");
    }

    @Test
    void aNoexecDirectoryIsNamed() throws Exception {
        withoutJna();
        assertThat(probe("mount -t tmpfs -o noexec t " + caches))
                .isEqualTo("transport null; level NONE; problem The launcher in '" + caches
                        + "/process-sandbox' cannot be executed, since its file system is mounted noexec: mount it without"
                        + " noexec, or name a directory on another.");
    }
}
