package io.jenkins.plugins.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.cli.Main;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A command takes the view of the file system from none of the launches that follow, under {@code strict} with the lowest
 * minimum. Each attempt is made in a first launch; the second one writes a marker into a directory of the machine, which
 * {@code standard} allows, as the control.
 */
@Tag("kernel")
class KeptViewTest {
    private Path directory;
    private Path workspace;
    private Path home;
    private Path scratch;
    private Path marker;
    private boolean endsAtOnce = true;

    @BeforeEach
    void directories() throws IOException {
        directory = Files.createTempDirectory(Path.of(System.getProperty("sandbox.test.outside")), "kept")
                .toRealPath();
        workspace = Files.createDirectories(directory.resolve("agent/workspace/job"));
        home = Files.createDirectory(directory.resolve("home"));
        scratch = Files.createDirectory(directory.resolve("scratch"));
        marker = Files.createDirectory(directory.resolve("machine")).resolve("marker");
    }

    @AfterEach
    void removeDirectories() throws Exception {
        remove(directory);
    }

    private static void remove(Path tree) throws Exception {
        String script = "chmod -R u+rwx \"$0\" 2>/dev/null; rm -rf \"$0\"";
        assertThat(new ProcessBuilder("sh", "-c", script, tree.toString())
                        .start()
                        .waitFor())
                .isZero();
    }

    private Policy.Builder policy(String profile) throws SandboxException {
        return Policy.builder(Profile.named(profile), workspace.toString())
                .home(home.toString())
                .scratch(scratch.toString())
                .minimumLevel(Level.NONE);
    }

    /** What a launch came to. */
    private record Launch(Level level, String output) {}

    private Launch launch(String profile, String script) throws Exception {
        return launch(policy(profile), script);
    }

    private Launch launch(Policy.Builder policy, String script) throws Exception {
        SandboxedProcess process = Sandbox.of(policy.build())
                .process(b -> {
                    b.redirectErrorStream(true);
                    b.environment().put("HOME", home.toString());
                    b.environment().put("D", directory.toString());
                    b.environment().put("MARKER", marker.toString());
                })
                .start(List.of("sh", "-c", script));
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        if (endsAtOnce) {
            // So that the next launch gets the same home.
            assertThat(process.awaitEnding(Duration.ofSeconds(60))).isPresent();
        }
        return new Launch(process.report().level(), output);
    }

    private static final String MARK = "echo x 2>/dev/null > \"$MARKER\"; echo here > made && cat made";

    /** @return what became of the second launch: its level, or the message by which it was refused */
    private String second() throws Exception {
        try {
            Launch launch = launch("strict", MARK);
            assertThat(launch.output()).isEqualTo("here\n");
            return launch.level().name();
        } catch (SandboxException e) {
            return e.getMessage();
        } finally {
            assertThat(marker).doesNotExist();
        }
    }

    private void control() throws Exception {
        launch("standard", MARK);
        assertThat(marker).exists();
        Files.delete(marker);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mkdir twin && chmod 755 twin",
                "mkdir \"$(printf 'x\\377')\" && chmod 0 \"$(printf 'x\\377')\"",
                "mkdir shut && chmod 0 shut",
                "mkdir -p \"$(printf 'x\\377/y\\376')\" && chmod 0 \"$(printf 'x\\377')\"",
                "mkdir \"$(printf 'a\\nb')\" \"$(printf '\\033[m')\" && chmod 0 *",
                "seq -f u%g 700 | xargs mkdir && chmod 0 u*",
                "seq -f r%g/.git 700 | xargs mkdir -p && chmod 0 r*",
            })
    void namesAndRightsInAWorkspaceTakeNothingFromTheNextLaunch(String first) throws Exception {
        assertThat(launch("strict", first)).isEqualTo(new Launch(Level.FULL, ""));
        assertThat(second()).isEqualTo("FULL");
        control();
    }

    /** Left by an earlier build, so that the block's first launch finds them. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "mkdir -p sub/.git && echo kept > sub/.git/config | sub",
                "mkdir -p \"$(printf 'x\\377/.git')\" && echo kept > \"$(printf 'x\\377/.git/config')\" | x?",
                "mkdir -p \"$(printf 'x\\377/y\\376/.git')\" && echo kept > \"$(printf 'x\\377/y\\376/.git/config')\" | x?/y?",
            })
    void aRepositoryInADirectoryOfAnyNameIsKept(String make, String place) throws Exception {
        assertThat(launch("standard", make).output()).isEmpty();
        assertThat(second()).isEqualTo("FULL");
        String attack = "cd " + place + " && echo evil > .git/config && cat .git/config; mv .git g 2>/dev/null";
        assertThat(launch("strict", attack)).isEqualTo(new Launch(Level.FULL, "evil\n"));
        assertThat(launch("standard", "cat " + place + "/.git/config").output()).isEqualTo("kept\n");
        launch("standard", attack);
        assertThat(launch("standard", "cat " + place + "/g/config").output())
                .as("control")
                .isEqualTo("evil\n");
    }

    @Test
    void aProcessThatChangesDirectoriesWhileTheNextLaunchIsPreparedTakesNothing() throws Exception {
        endsAtOnce = false;
        String change =
                "mkdir a; cd a; (while test -d ../a && ! test -e ../stop; do mkdir s; chmod 0 s; mv s t; mkdir -p r/.git;"
                        + " mv r q; rmdir t q/.git q; sleep 0.01; done) > /dev/null 2>&1 &";
        assertThat(launch("strict", change).level()).isEqualTo(Level.FULL);
        try {
            for (int i = 0; i < 12; i++) {
                assertThat(second()).isEqualTo("FULL");
            }
        } finally {
            Files.createFile(workspace.resolve("stop"));
        }
        control();
    }

    @Test
    void anyNumberOfRepositoriesLetsALaunchStart() throws Exception {
        String make = "seq -f d%g/.git/hooks 700 | xargs mkdir -p";
        assertThat(launch("standard", make).output()).isEmpty();
        for (String git : List.of("overlay", "protected", "read-only")) {
            Profile profile = Profile.parse(
                    "view",
                    "primitives = session close_fds user_namespace pid_namespace mount_namespace filesystem proc"
                            + " no_new_privs capabilities\nroot = ro\ndev = minimal\nhome = overlay\ngit = " + git
                            + "\n");
            Path own = Files.createDirectory(directory.resolve("scratch-" + git));
            Policy.Builder policy = Policy.builder(profile, workspace.toString())
                    .home(home.toString())
                    .scratch(own.toString());
            assertThat(launch(policy.minimumLevel(Level.FULL), MARK)).isEqualTo(new Launch(Level.FULL, "here\n"));
            assertThat(marker).doesNotExist();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"755", "0100", "0300", "0500", "0"})
    void rightsOfTheWorkspaceAreRestored(String mode) throws Exception {
        assertThat(launch("strict", "chmod " + mode + " .")).isEqualTo(new Launch(Level.FULL, ""));
        assertThat(second()).isEqualTo("FULL");
        control();
    }

    /** A link that leads to the agent's file is not followed, wherever it lies. */
    @Test
    void rightsAreRestoredOfTheDirectoryAlone() throws Exception {
        Path secret = Files.writeString(directory.resolve("secret"), "");
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), secret);
        for (Path path : List.of(link, secret)) {
            Process process = new ProcessBuilder(
                            System.getProperty("sandbox.launcher"), "--restore-rights", path.toString())
                    .redirectErrorStream(true)
                    .start();
            assertThat(new String(process.getInputStream().readAllBytes())).contains(path.toString());
            assertThat(process.waitFor()).isEqualTo(125);
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(secret)))
                .isEqualTo("rw-------");
    }

    @Test
    void aFileInTheWayOfAHiddenPathNeedsNoCover() throws Exception {
        assertThat(launch("strict", "echo mine > ~/.config && cat ~/.config"))
                .isEqualTo(new Launch(Level.FULL, "mine\n"));
        Path secret = Files.createDirectories(home.resolve(".config/gh")).resolve("hosts.yml");
        Files.writeString(secret, "secret\n");
        String script = "cat ~/.config ~/.config/gh/hosts.yml 2>/dev/null; rm -f ~/.config; cat ~/.config/gh/hosts.yml"
                + " 2>/dev/null; mkdir ~/.config && ls -A ~/.config";
        assertThat(second()).isEqualTo("FULL");
        assertThat(launch("strict", script)).isEqualTo(new Launch(Level.FULL, "mine\n"));
        assertThat(secret).hasContent("secret");
        assertThat(launch("standard", "cat ~/.config/gh/hosts.yml").output())
                .as("control")
                .isEqualTo("secret\n");
    }

    /** In a JVM that cannot say these names at all. */
    @Test
    void aJvmWithoutUtf8SeesTheSameWorkspace() throws Exception {
        assertThat(launch(
                                "standard",
                                "mkdir -p 'b\u00fc/.git' \"$(printf 'x\\377')/.git\" && for d in b* x*; do echo kept > \"$d/.git/config\"; done")
                        .output())
                .isEmpty();
        String attack = "for d in b* x*; do echo evil > \"$d/.git/config\"; done; " + MARK;
        assertThat(commandLine("-Xmx64m", "run", "--quiet", "--min-level", "NONE", "--", "sh", "-c", attack))
                .isEqualTo("here\n");
        assertThat(marker).doesNotExist();
        assertThat(launch("standard", "cat b*/.git/config x*/.git/config").output())
                .isEqualTo("kept\nkept\n");
    }

    @Test
    void manyDirectoriesAtTheTopTakeNoMemoryInProportion() throws Exception {
        // In memory: on a disk this takes minutes.
        Path memory = Files.createTempDirectory(Path.of("/dev/shm"), "kept");
        try {
            workspace = memory;
            String make = "yes \"$(printf %0200d 0)\" | head -n 150000 | cat -n | tr -d ' \t' | xargs mkdir";
            assertThat(launch("standard", make).output()).isEmpty();
            assertThat(commandLine("-Xmx48m", "explain")).contains("file system, later lines cover earlier ones");
        } finally {
            remove(memory);
        }
    }

    private String commandLine(String jvm, String... arguments) throws Exception {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                jvm,
                "-Djava.io.tmpdir=" + scratch,
                "-Djna.tmpdir=" + System.getProperty("java.io.tmpdir"),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        words.addAll(Arrays.asList(arguments));
        Path out = directory.resolve("out");
        ProcessBuilder builder = new ProcessBuilder(words)
                .directory(workspace.toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile());
        builder.environment().put("HOME", home.toString());
        builder.environment().put("MARKER", marker.toString());
        builder.environment().put("LANG", "C");
        builder.environment().put("LC_ALL", "C");
        Process process = builder.start();
        assertThat(process.waitFor(Duration.ofMinutes(5).toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        return Files.readString(out);
    }
}
