package io.jenkins.plugins.sandbox.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.conformance.NativeLaunch.Result;
import io.jenkins.plugins.sandbox.model.Status;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The older way of every newer call, and each version of Landlock, held against what it does. */
@Tag("kernel")
class OlderKernelsTest {
    @TempDir
    private Path directory;

    private Path workspace;
    private Path host;
    private NativeLaunch launch;

    @BeforeEach
    void makeDirectories() throws Exception {
        workspace = Files.createDirectory(directory.resolve("workspace"));
        host = Files.createDirectory(directory.resolve("host"));
        Files.writeString(host.resolve("file"), "original\n");
        launch = new NativeLaunch(directory);
    }

    private NativeLaunch on(String... options) {
        launch.behind(Objects.requireNonNull(System.getProperty("sandbox.try_host"), "sandbox.try_host is not set"));
        launch.behind(options);
        return launch.behind("--");
    }

    @ParameterizedTest
    @CsvSource({
        "mount_setattr, ENOSYS", "mount_setattr, EPERM",
        "open_tree, ENOSYS", "open_tree, EPERM",
        "move_mount, ENOSYS", "move_mount, EPERM",
        "close_range, ENOSYS", "close_range, EPERM",
        "clone3, ENOSYS", "clone3, EPERM",
        "openat2, ENOSYS", "openat2, EPERM",
        "faccessat2, ENOSYS", "faccessat2, EPERM",
        "statx, ENOSYS", "statx, EPERM",
        "pidfd_open, ENOSYS", "pidfd_open, EPERM",
        "keyctl, ENOSYS", "keyctl, EPERM"
    })
    void withoutANewerCallEverythingHoldsAllTheSame(String call, String error) throws Exception {
        Path hidden = Files.createDirectory(directory.resolve("hidden"));
        Files.writeString(hidden.resolve("secret"), "secret\n");
        launch.behind(
                "sh", "-c", "exec 9< \"$0\"; exec \"$@\"", host.resolve("file").toString());
        Result result = on("--refuse", call + "=" + error)
                .strict(workspace)
                .primitives(List.of("landlock_fs", "landlock_scope"))
                .options(
                        "--tmpfs",
                        Files.createDirectory(directory.resolve("temporary")).toString(),
                        "1048576")
                .options("--hide", hidden.toString(), "--min-level", "FULL")
                .run("echo x > inside && echo wrote; echo x > " + host + "/stray; cat " + hidden + "/secret; cat <&9");
        assertThat(result.parsed().shortfalls()).isEmpty();
        assertThat(result.out()).isEqualTo("wrote\n");
        assertThat(host.resolve("stray")).doesNotExist();
    }

    /** A file outside is protected from the first version on, from being emptied from the third on. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7})
    void withoutAViewEachVersionOfLandlockKeepsWhatItCan(int abi) throws Exception {
        String script = "echo changed > " + host + "/file; rm -f " + host
                + "/file; mkdir a b; echo x > a/f; ln a/f b/g && echo linked; "
                + "mv a/f b/f && echo moved; truncate -s 0 inside; ls -l /dev/null > /dev/null && echo x > /dev/null && echo fine; "
                + "python3 -c \"import os; os.truncate('" + host + "/file', 0)\"";
        Result result = on("--landlock", String.valueOf(abi), "--refuse", "pivot_root=EPERM")
                .strict(workspace)
                .primitives(List.of("landlock_fs"))
                .run(script);
        assertThat(result.applied("filesystem")).isFalse();
        String moves = abi == 1 ? "moved\n" : "linked\nmoved\n";
        assertThat(result.out()).isEqualTo(moves + "fine\n");
        assertThat(result.applied("landlock_fs")).isEqualTo(abi >= 3);
        assertThat(Files.readString(host.resolve("file"))).isEqualTo(abi >= 3 ? "original\n" : "");
    }

    /** Linux 7.0, 7.1 and 7.2: this kernel is made to take what they know, and to refuse a ruleset that leaves any of it out. */
    @ParameterizedTest
    @ValueSource(ints = {8, 9, 10})
    void newerVersionsOfLandlockAreAskedForAllThatTheyKnow(int abi) throws Exception {
        Path log = directory.resolve("rules");
        Path hidden = Files.createDirectory(directory.resolve("hidden"));
        Path named = Files.createDirectory(directory.resolve("named"));
        Result result = on("--landlock", String.valueOf(abi), "--landlock-log", log.toString())
                .strict(workspace)
                .primitives(List.of("landlock_fs", "landlock_scope"))
                .options("--hide", hidden.toString(), "--ro-bind", named.toString(), named.toString())
                .options("--min-level", "FULL")
                .run("echo x > inside && echo wrote; echo x > " + host + "/stray");
        assertThat(result.parsed().shortfalls()).as(result.report()).isEmpty();
        assertThat(result.out()).isEqualTo("wrote\n");
        List<String> sockets = Files.readAllLines(log).stream()
                .filter(l -> l.startsWith("rule ") && (Long.parseLong(l.split(" ")[1], 16) & 1L << 16) != 0)
                .map(l -> l.split(" ", 3)[2])
                .toList();
        if (abi < 9) {
            assertThat(sockets).isEmpty();
        } else {
            assertThat(sockets)
                    .contains(workspace.toString(), named.toString(), "/dev/shm")
                    .doesNotContain("/", hidden.toString(), host.toString(), "/usr", "/etc");
        }
    }

    /** Where the kernel says that it refuses datagrams and does not, the row is not applied. */
    @ParameterizedTest
    @CsvSource({"9, 3, APPLIED", "10, f, FAILED"})
    void datagramsAreRefusedFromLinux72OnAndThatIsReadBack(int abi, String bits, Status status) throws Exception {
        Path log = directory.resolve("rules");
        Result result = on("--landlock", String.valueOf(abi), "--landlock-log", log.toString())
                .primitives(List.of("no_new_privs", "landlock_net"))
                .run("echo ran");
        assertThat(Files.readAllLines(log)).contains("ruleset 2000 " + bits + " 0");
        assertThat(result.outcome("landlock_net").status()).isEqualTo(status);
        if (status == Status.FAILED) {
            assertThat(result.outcome("landlock_net").detail())
                    .isEqualTo("connect of a datagram socket to localhost: not refused");
        }
    }

    /** Nobody waits for ever for a launch that cannot be set up, and one that is slow on a busy machine is waited for. */
    @Test
    void whatIsNotSetUpInTimeIsRefusedAndWhatIsSlowIsNot() throws Exception {
        Result stuck = on("--stall", "999999")
                .primitives(List.of("no_new_privs", "landlock_fs"))
                .run("echo ran");
        assertThat(stuck.parsed().refusal()).isEqualTo("setting up took longer than 30 s");
        assertThat(stuck.status()).isEqualTo(125);
        assertThat(stuck.out()).isEmpty();
        launch = new NativeLaunch(directory);
        Result slow = on("--stall", "3000")
                .primitives(List.of("no_new_privs", "landlock_fs"))
                .run("echo ran");
        assertThat(slow.out()).isEqualTo("ran\n");
    }

    @Test
    void anOldLandlockIsNoSecondWallThatBreaksBuilds() throws Exception {
        Result result = on("--landlock", "1")
                .strict(workspace)
                .primitives(List.of("landlock_fs"))
                .run("mkdir a b; echo x > a/f; ln a/f b/g && echo linked");
        assertThat(result.outcome("landlock_fs").status()).isEqualTo(Status.UNAVAILABLE);
        assertThat(result.outcome("landlock_fs").detail())
                .isEqualTo("needs Landlock ABI 2 (Linux 5.19), this kernel has 1");
        assertThat(result.out()).isEqualTo("linked\n");
    }

    /** What a view would have covered is not the command's: neither the hidden nor the private. */
    @Test
    void withoutAViewWhatIsCoveredIsOutOfReach() throws Exception {
        Path home = Files.createDirectory(directory.resolve("home"));
        Path secrets = Files.createDirectory(home.resolve(".ssh"));
        Files.writeString(secrets.resolve("key"), "secret\n");
        Files.writeString(home.resolve(".bashrc"), "original\n");
        Path scratch = Files.createDirectories(directory.resolve("scratch/upper"));
        Path work = Files.createDirectory(directory.resolve("scratch/work"));
        Path token = Files.writeString(directory.resolve("token"), "secret\n");
        Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
        String script = "cat " + secrets + "/key " + token + "; cat " + home + "/.bashrc; echo x >> " + home
                + "/.bashrc; " + "echo x > " + elsewhere + "/f; ls " + home
                + " > /dev/null && echo listed; cat /etc/passwd > /dev/null && echo read";
        launch.in(workspace)
                .control("cat " + secrets + "/key && echo x > " + elsewhere + "/f && rm " + elsewhere + "/f");
        Result result = on("--refuse", "pivot_root=EPERM")
                .strict(workspace)
                .primitives(List.of("landlock_fs"))
                .options("--overlay", home.toString(), scratch.toString(), work.toString())
                .options("--hide", secrets.toString(), "--hide", token.toString())
                .options("--bind", scratch.toString(), elsewhere.toString())
                .run(script);
        assertThat(result.applied("filesystem")).isFalse();
        assertThat(result.applied("landlock_fs")).isTrue();
        assertThat(result.out()).isEqualTo("original\nlisted\nread\n");
        assertThat(elsewhere).isEmptyDirectory();
        assertThat(Files.readString(home.resolve(".bashrc"))).isEqualTo("original\n");
    }

    @Test
    void withoutAViewAControlDirectoryIsKeptWhereItReallyLies() throws Exception {
        Path control = Files.createDirectory(directory.resolve("control"));
        Result result = on("--refuse", "pivot_root=EPERM")
                .strict(workspace)
                .primitives(List.of("landlock_fs"))
                .options(
                        "--bind-control",
                        control.toString(),
                        Files.createDirectory(directory.resolve("shown")).toString())
                .run(
                        "cd " + control
                                + "; echo x > log && echo logged; ln -sf /etc/passwd log && echo linked; mkfifo p && echo pipe");
        assertThat(result.applied("landlock_fs")).isTrue();
        assertThat(result.out()).isEqualTo("logged\n");
    }

    @Test
    void withoutCapabilitiesToDropThemWithTheyAreGoneAllTheSame() throws Exception {
        Result result = on("--container")
                .strict(workspace)
                .run("grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status; unshare --user true && echo namespace");
        assertThat(result.applied("user_namespace")).isFalse();
        assertThat(result.applied("capabilities")).isTrue();
        assertThat(result.out().lines().map(l -> l.split("\t")[1]))
                .containsOnly("0000000000000000")
                .hasSize(4);
    }

    /** As in gVisor: what there is to drop capabilities with is enough, also for root. */
    @Test
    void withoutAmbientSetAndSecurebitsNoCapabilityIsLeft() throws Exception {
        String capable = "unshare --user --map-root-user --keep-caps -- ";
        String sets = "grep -E '^Cap(Inh|Prm|Eff|Amb|Bnd)' /proc/self/status";
        assertThat(launch.in(workspace).control(capable + sets).out())
                .containsPattern("CapAmb:\t0+1")
                .doesNotContain("\t0000000000000000");
        launch.behind(capable.split(" "));
        Result result = on("--few-prctls").primitives(List.of("capabilities")).run(sets);
        assertThat(result.applied("capabilities")).isTrue();
        assertThat(result.out().lines().map(l -> l.split("\t")[1]))
                .containsOnly("0000000000000000")
                .hasSize(5);
    }
}
