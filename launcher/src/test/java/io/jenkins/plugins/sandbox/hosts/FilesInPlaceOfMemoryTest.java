package io.jenkins.plugins.sandbox.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.cli.Main;
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
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Agents on which the launcher cannot be kept in memory, directories in which it cannot be kept either, and the directories that
 * a launch needs, where they are missing, full or read-only: it does without, or says which and what to do.
 */
@Tag("kernel")
class FilesInPlaceOfMemoryTest {
    private static final String MEMORY = "transport memfd; level FULL; problem null";
    private static final String FILES = "transport file; level FULL; problem null";

    /** Mounts need capabilities of a namespace's maker, which are given up again. */
    private static final List<String> NAMESPACE =
            List.of("unshare", "--user", "--map-current-user", "--keep-caps", "--mount", "--", "sh", "-ec");

    private static final String START =
            "\nexec setpriv --ambient-caps=-all --inh-caps=-all --bounding-set=-all -- \"$@\"";

    private static final String ELSEWHERE = "/elsewhere";

    @TempDir
    private Path directory;

    private Path temporary;
    private Path caches;
    private Path scratches;
    private Path home;
    private UnaryOperator<String> seen = UnaryOperator.identity();
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
        home = Files.createDirectory(directory.resolve("home"));
    }

    private String probe(String script) throws IOException, InterruptedException {
        return probe(inNamespace(script));
    }

    private String probe(List<String> before) throws IOException, InterruptedException {
        return java(before, Prober.class, caches + "/process-sandbox", directory.toString(), scratches.toString());
    }

    /** The command line's {@code run}, quiet but for the script's own words. */
    private String run(List<String> before, String profile, String script) throws IOException, InterruptedException {
        return java(
                before,
                Main.class,
                "run",
                "--quiet",
                "--min-level",
                "FULL",
                "--profile",
                profile,
                "--",
                "sh",
                "-c",
                script);
    }

    private static List<String> inNamespace(String script) {
        List<String> words = new ArrayList<>();
        if (!script.isEmpty()) {
            words.addAll(NAMESPACE);
            words.addAll(List.of(script + START, "sh"));
        }
        return words;
    }

    private String java(List<String> before, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        Path err = directory.resolve("err");
        Path workspace = Files.createDirectories(directory.resolve("workspace"));
        List<String> words = new ArrayList<>(List.of(
                "env",
                "-C",
                workspace.toString(),
                "HOME=" + home,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + temporary,
                "-Djna.tmpdir=" + temporary,
                "-Dsandbox.launcher=" + Hosts.tool("launcher")));
        words.addAll(options);
        words.addAll(List.of("-cp", classPath, main.getName()));
        words.addAll(List.of(arguments));
        words.replaceAll(seen);
        words.addAll(0, before);
        Process process = new ProcessBuilder(words).redirectError(err.toFile()).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return out.isEmpty() ? Files.readString(err) : out.strip();
    }

    /** An AppArmor profile can name a file, and cannot name a memory file. */
    @Test
    void whereAppArmorWantsAProfileTheLauncherIsAFile() throws Exception {
        String settings = "mkdir -p " + directory + "/kernel; echo VALUE > " + directory
                + "/kernel/apparmor_restrict_unprivileged_userns; mount --bind " + directory
                + "/kernel /proc/sys/kernel";
        assertThat(probe(settings.replace("VALUE", "0"))).as("control").startsWith("transport memfd; ");
        assertThat(probe(settings.replace("VALUE", "1"))).startsWith("transport file; ");
    }

    private void withoutJna() {
        classPath = Arrays.stream(classPath.split(File.pathSeparator))
                .filter(entry -> !Path.of(entry).getFileName().toString().matches("(.*-)?jna-[0-9.]+\\.jar"))
                .collect(Collectors.joining(File.pathSeparator));
        assertThat(classPath).isNotEqualTo(System.getProperty("java.class.path"));
    }

    @Test
    void anOrdinaryAgentNeedsNoFiles() throws Exception {
        assertThat(probe("")).isEqualTo(MEMORY);
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

    /** What {@code vm.memfd_noexec = 2} answers; the real thing is {@link MemoryFilesForbiddenTest}'s. */
    @Test
    void withAFilterThatRefusesMemoryFilesAsTheKernelDoes() throws Exception {
        assertThat(probe("exec " + Hosts.tool("try_host")
                        + " --refuse memfd_create=EACCES -- setpriv --ambient-caps=-all -- \"$@\""))
                .isEqualTo(FILES);
    }

    @Test
    void aProcThatHidesTheProcessesOfOthersHidesNoMemoryFile() throws Exception {
        assertThat(probe(inProcessNamespace("mount -t proc -o hidepid=2 p /proc")))
                .isEqualTo(MEMORY);
    }

    /** Numbers in it are others', as in a container that was given the machine's. */
    @Test
    void withAProcThatIsAnothers() throws Exception {
        assertThat(probe(inProcessNamespace(""))).isEqualTo(FILES);
    }

    private static List<String> inProcessNamespace(String script) {
        List<String> words = new ArrayList<>(inNamespace(script + "\n"));
        words.addAll(words.indexOf("--mount"), List.of("--pid", "--fork"));
        return words;
    }

    @Test
    void aReadOnlyHomeIsWrittenToInTheSandboxAlone() throws Exception {
        Files.writeString(home.resolve("settings"), "kept\n");
        List<String> readOnly = inNamespace("mount --bind " + home + " " + home + "\nmount -o remount,bind,ro " + home);
        assertThat(run(readOnly, "standard", "true"))
                .as("control, where the minimum is asked for")
                .contains("the minimum is FULL");
        for (String profile : List.of("strict", "offline")) {
            assertThat(run(readOnly, profile, "echo made > ~/new && cat ~/settings ~/new"))
                    .isEqualTo("kept\nmade");
        }
        assertThat(run(readOnly, "locked", "echo made > ~/new && cat ~/new")).isEqualTo("made");
        assertThat(home).isDirectoryNotContaining("glob:**/new");
    }

    @Test
    void aMachineWithoutTmpNeedsNone() throws Exception {
        Programs.require("bwrap");
        List<String> without =
                new ArrayList<>(List.of("bwrap", "--dev", "/dev", "--proc", "/proc", "--bind", "/tmp", ELSEWHERE));
        try (Stream<Path> entries = Files.list(Path.of("/"))) {
            for (Path entry : (Iterable<Path>) entries::iterator) {
                if (Files.isSymbolicLink(entry)) {
                    without.addAll(
                            List.of("--symlink", Files.readSymbolicLink(entry).toString(), entry.toString()));
                } else if (Files.isDirectory(entry)
                        && !List.of("/tmp", "/dev", "/proc").contains(entry.toString())) {
                    without.addAll(List.of("--bind", entry.toString(), entry.toString()));
                }
            }
        }
        // What these tests have in the machine's own /tmp is elsewhere there.
        seen = word -> word.replaceAll("(^|[:=])/tmp/", "$1" + ELSEWHERE + "/");
        assertThat(run(without, "strict", "test ! -e /tmp && echo x > made && echo without"))
                .isEqualTo("without");
        assertThat(run(without, "locked", "echo x > /tmp/made && cat /tmp/made"))
                .isEqualTo("x");
    }

    @Test
    void aFullTemporaryDirectoryIsNamed() throws Exception {
        assertThat(run(
                        inNamespace("mount -t tmpfs -o size=64k t " + temporary + "; head -c 65536 /dev/zero > "
                                + temporary + "/full || :"),
                        "strict",
                        "echo ran"))
                .contains("sandbox: Directory '" + temporary + "/process-sandbox-")
                .contains("No space left on device")
                .contains("check its owner and rights and the room on its disk")
                .doesNotContain("ran\n", "\tat ");
    }

    @Test
    void aTemporaryDirectoryWithoutRoomForNamesIsNamed() throws Exception {
        assertThat(run(inNamespace("mount -t tmpfs -o nr_inodes=1 t " + temporary), "strict", "echo ran"))
                .contains("No scratch directory in '" + temporary + "' (")
                .contains("No space left on device")
                .contains("-Djava.io.tmpdir=DIR")
                .doesNotContain("ran", "\tat ");
    }

    @Test
    void aReadOnlyTemporaryDirectoryIsNamed() throws Exception {
        assertThat(run(inNamespace("mount -t tmpfs -o ro t " + temporary), "strict", "echo ran"))
                .contains("No scratch directory in '" + temporary + "' (")
                .contains("Read-only file system")
                .doesNotContain("ran", "\tat ");
    }

    @Test
    void aMissingTemporaryDirectoryIsNamed() throws Exception {
        Files.delete(temporary);
        assertThat(run(List.of(), "strict", "echo ran"))
                .contains("No scratch directory in '" + temporary + "' (")
                .contains("it has to exist")
                .doesNotContain("ran", "\tat ");
    }

    @Test
    void nothingIsLeftBehind() throws Exception {
        probe("");
        assertThat(scratches).isEmptyDirectory();
        assertThat(directory.toFile().list())
                .containsExactlyInAnyOrder("tmp", "caches", "scratches", "home", "workspace", "err");
    }

    /** Everything else is tried all the same. */
    @Test
    void withoutRoomForALaunchsDirectoriesTheProbeSaysWhatItDidNotTry() throws Exception {
        // Which transport is left depends on where JNA finds a place for its library.
        String start = "; level PARTIAL; problem null\nfilesystem DIRECTORIES unavailable: ";
        assertThat(probe("mount -t tmpfs -o ro t " + scratches))
                .contains(start + "No directory can be made in '" + scratches + "' (")
                .contains("Read-only file system");
        assertThat(probe("mount -t tmpfs -o size=4k t " + scratches + "; head -c 4096 /dev/zero > " + scratches
                        + "/full"))
                .contains(start)
                .contains("No space left on device");
        Files.delete(scratches);
        assertThat(probe("")).contains(start + "No directory can be made in '" + scratches + "' (");
        assertThat(directory.toFile().list()).containsExactlyInAnyOrder("tmp", "caches", "home", "workspace", "err");
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
