package io.jenkins.plugins.sandbox.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.conformance.NativeLaunch.Result;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Status;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Landlock, the empty root, and the older way to a read-only tree. */
@Tag("kernel")
class SecondWallTest {
    /** A host that refuses what every view needs: what is left is the second wall. */
    private static final String[] NO_VIEW = {
        Objects.requireNonNull(System.getProperty("sandbox.try_host"), "sandbox.try_host is not set"),
        "--refuse",
        "pivot_root=EPERM",
        "--"
    };

    @TempDir
    private Path directory;

    private Path workspace;
    private NativeLaunch launch;

    @BeforeEach
    void makeWorkspace() throws Exception {
        workspace = Files.createDirectory(directory.resolve("workspace"));
        launch = new NativeLaunch(directory);
    }

    @Test
    void landlockHoldsWhereThereAreNoMounts() throws Exception {
        Path host = Files.createDirectory(directory.resolve("host"));
        String script = "echo reached; echo x > " + host + "/stray; mv inside " + host
                + "/moved; echo x > inside && echo wrote";
        launch.in(workspace).control("echo x > " + host + "/stray; rm " + host + "/stray");
        Result result = launch.strict(workspace)
                .behind(NO_VIEW)
                .primitives(List.of("landlock_fs"))
                .run(script);
        assertThat(result.applied("filesystem")).isFalse();
        assertThat(result.applied("landlock_fs")).isTrue();
        assertThat(result.out()).isEqualTo("reached\nwrote\n");
        assertThat(result.err()).contains("Permission denied");
        assertThat(host).isEmptyDirectory();
        Result without =
                new NativeLaunch(directory).strict(workspace).behind(NO_VIEW).run(script);
        assertThat(without.applied("filesystem")).isFalse();
        assertThat(host.resolve("stray")).exists();
    }

    @Test
    void hiddenFilesAreTriedWhereThereAreNoMounts() throws Exception {
        Path kept = Files.createDirectories(directory.resolve("host/hidden/deep"));
        Files.writeString(kept.resolve("key"), "secret\n");
        Files.writeString(directory.resolve("host/beside"), "beside\n");
        String script = "cat " + kept + "/key; cat " + directory + "/host/beside";
        assertThat(launch.control(script).out()).isEqualTo("secret\nbeside\n");
        Result result = withoutView(kept.getParent()).run(script);
        assertThat(result.applied("landlock_fs")).as(result.report()).isTrue();
        assertThat(result.out()).isEqualTo("beside\n");
        assertThat(result.err()).contains("Permission denied");

        // Below the workspace its rule holds, and nothing takes away from a rule.
        Path open = Files.createDirectories(workspace.resolve("hidden/deep"));
        Files.writeString(open.resolve("key"), "secret\n");
        Result opened = withoutView(open.getParent()).run("cat " + open + "/key");
        assertThat(opened.out()).isEqualTo("secret\n");
        assertThat(opened.outcome("landlock_fs").status()).isEqualTo(Status.FAILED);
        assertThat(opened.outcome("landlock_fs").detail())
                .isEqualTo("open " + open + "/key: not refused, and it is to be hidden");
    }

    /** The file system is mounted a second time, by a name that the plan does not know: no mount hides it there. */
    @Test
    void behindAViewLandlockHidesTheSamePathsAgain() throws Exception {
        Path hidden = Files.createDirectories(directory.resolve("host/hidden"));
        Files.writeString(hidden.resolve("key"), "secret\n");
        Files.writeString(directory.resolve("host/beside"), "beside\n");
        Files.createDirectory(directory.resolve("host/again"));
        String script = "cat " + directory + "/host/again/key; cat " + hidden + "/key; cat " + directory
                + "/host/beside; ls " + directory + "/host";
        String seen = "beside\nagain\nbeside\nhidden\n";
        Result without = mountedAgain(hidden).run(script);
        assertThat(without.applied("filesystem")).as(without.report()).isTrue();
        assertThat(without.out()).as("control").isEqualTo("secret\n" + seen);
        Result result = mountedAgain(hidden).primitives(List.of("landlock_fs")).run(script);
        assertThat(result.applied("filesystem")).as(result.report()).isTrue();
        assertThat(result.applied("landlock_fs")).as(result.report()).isTrue();
        assertThat(result.out()).isEqualTo(seen);
        assertThat(result.err()).contains("again/key: Permission denied");
    }

    private NativeLaunch mountedAgain(Path hidden) throws Exception {
        String mount = "mount --bind " + hidden + " " + hidden.resolveSibling("again")
                + "; exec setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all -- \"$@\"";
        return new NativeLaunch(directory)
                .strict(workspace)
                .behind("unshare", "--user", "--map-current-user", "--keep-caps", "--mount", "--")
                .behind("sh", "-ec", mount, "sh")
                .options("--hide", hidden.toString());
    }

    /** What others may read anyway costs no rule: a file that is replaced beside it can be read while a launch goes on. */
    @Test
    void aFileThatIsReplacedBesideAnUnreadableHiddenOneCanBeRead() throws Exception {
        Path etc = Files.createDirectory(directory.resolve("etc"));
        Path shadow = Files.createFile(etc.resolve("shadow"));
        String roots = "mount --bind /etc/shadow " + shadow
                + "; exec setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all -- \"$@\"";
        Path resolver = Files.writeString(etc.resolve("resolv.conf"), "old\n");
        NativeLaunch.Running running = launch.strict(workspace)
                .primitives(List.of("landlock_fs"))
                .behind("unshare", "--user", "--map-current-user", "--keep-caps", "--mount", "--")
                .behind("sh", "-ec", roots, "sh")
                .options("--hide", shadow.toString())
                .start("sh", "-c", "while ! test -e " + workspace + "/go; do sleep 0.02; done; cat " + resolver);
        running.await("ready");
        Files.move(Files.writeString(etc.resolve("new"), "new\n"), resolver, StandardCopyOption.REPLACE_EXISTING);
        Files.createFile(workspace.resolve("go"));
        assertThat(running.result().out()).isEqualTo("new\n");
    }

    /** The name of the file by which a row is read back must not be one that a build can have made before. */
    @Test
    void whatABuildLeftInTheControlDirectoryDoesNotSpoilTheReadBack() throws Exception {
        Path control = Files.createDirectory(directory.resolve("control"));
        Files.createFile(control.resolve(".process-sandbox-probe"));
        Result result = launch.strict(workspace)
                .primitives(List.of("landlock_fs"))
                .options("--bind-control", control.toString(), control.toString())
                .run("echo ran");
        assertThat(result.applied("landlock_fs")).as(result.report()).isTrue();
        assertThat(result.out()).isEqualTo("ran\n");
    }

    @Test
    void inAChrootThatIsSeenInItselfHiddenFilesAreTriedToo() throws Exception {
        Path jail = Files.createDirectory(directory.resolve("jail"));
        Files.createDirectory(jail.resolve("hidden"));
        Files.writeString(jail.resolve("hidden/key"), "secret\n");
        String chroot = "cd /; for d in *; do if test -L $d; then ln -s $(readlink $d) JAIL/$d; elif test -d $d; then"
                + " mkdir JAIL/$d; mount --rbind $d JAIL/$d; fi; done; mkdir JAIL/host; mount --rbind / JAIL/host;"
                + " exec chroot JAIL setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all -- \"$@\"";
        Result result = withoutView(Path.of("/hidden"))
                .behind("unshare", "--user", "--map-current-user", "--keep-caps", "--mount", "--")
                .behind("sh", "-ec", chroot.replace("JAIL", jail.toString()), "sh")
                .in(Path.of("/"))
                .run("cat /hidden/key; cat /host" + jail + "/hidden/key");
        assertThat(result.out()).as(result.err() + result.report()).isEqualTo("secret\nsecret\n");
        assertThat(result.outcome("landlock_fs").status()).isEqualTo(Status.FAILED);
        assertThat(result.outcome("landlock_fs").detail())
                .isEqualTo("open /hidden/key: not refused, and it is to be hidden");
    }

    private NativeLaunch withoutView(Path hidden) throws Exception {
        return new NativeLaunch(directory)
                .strict(workspace)
                .behind(NO_VIEW)
                .primitives(List.of("landlock_fs"))
                .options("--hide", hidden.toString());
    }

    @Test
    void whatBuildsDoInTheirWorkspaceGoesOnUnderLandlock() throws Exception {
        Result result = launch.strict(workspace)
                .primitives(List.of("landlock_fs", "landlock_scope"))
                .options("--min-level", "FULL")
                .run(
                        "set -e; mkdir -p a b/c; echo x > a/x; mv a/x b/y; ln b/y a/hard; ln -s b/y link; mkfifo fifo; cat link; "
                                + "truncate -s 0 b/y; cp /bin/true t; ./t; mv b d; rm -r a d; echo x > /dev/null; echo x > /dev/shm/x; "
                                + "sleep 5 & kill $!; echo fine");
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).isEqualTo("x\nfine\n");
    }

    @Test
    void aControlDirectoryTakesFilesAndNoLinks() throws Exception {
        Path control = Files.createDirectory(directory.resolve("control"));
        String script = "cd " + control + "; echo x > log.tmp; mv log.tmp log && echo renamed; rm -f log; "
                + "ln -s /etc/passwd log && echo linked; ln " + workspace
                + "/file log && echo hard; mkfifo pipe && echo pipe";
        Files.createFile(workspace.resolve("file"));
        Result result = launch.strict(workspace)
                .primitives(List.of("landlock_fs"))
                .options("--bind-control", control.toString(), control.toString())
                .run(script);
        assertThat(result.out()).isEqualTo("renamed\n");
        assertThat(control.resolve("log")).doesNotExist();
        Result without = new NativeLaunch(directory)
                .strict(workspace)
                .options("--bind-control", control.toString(), control.toString())
                .run(script);
        assertThat(without.out()).contains("linked\n");
    }

    @Test
    void aControlDirectoryBelowAWritableOneIsNotReportedAsProtected() throws Exception {
        Path control = Files.createDirectory(workspace.resolve("control"));
        Result result = launch.strict(workspace)
                .primitives(List.of("landlock_fs"))
                .options("--bind-control", control.toString(), control.toString())
                .run("ls -A " + control);
        assertThat(result.outcome("landlock_fs").status()).isEqualTo(Status.FAILED);
        assertThat(result.outcome("landlock_fs").detail()).isEqualTo("symlink in " + control + ": not refused");
        assertThat(result.out()).isEmpty();
    }

    @Test
    void withoutANetworkLandlockRefusesTcp() throws Exception {
        String listen = "python3 -c \"import socket as s; s.socket().bind(('127.0.0.1', 0)); print('bound')\"";
        Result result =
                launch.primitives(List.of("no_new_privs", "landlock_net")).run(listen);
        assertThat(result.applied("landlock_net")).isTrue();
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("PermissionError");
        assertThat(launch.control(listen).out()).isEqualTo("bound\n");
    }

    @Test
    void withoutNetworkNamespacesThereIsNoInternetEither() throws Exception {
        // The sysctl is one of each user namespace: it is lowered in one of the test's own.
        String lower = "echo 0 > /proc/sys/user/max_net_namespaces; exec \"$@\"";
        String udp = "python3 -c \"import socket as s; s.socket(s.AF_INET6, s.SOCK_DGRAM); print('udp')\"; "
                + "python3 -c \"import socket as s; s.socket(s.AF_INET); print('tcp')\"; "
                + "python3 -c \"import socket as s; s.socketpair(); s.socket(s.AF_UNIX); print('unix')\"";
        Result result = launch.strict(workspace)
                .primitives(List.of("network_namespace"))
                .behind("unshare", "--user", "--map-root-user", "--", "sh", "-c", lower, "sh")
                .run(udp);
        assertThat(result.applied("network_namespace")).isFalse();
        assertThat(result.applied("landlock_net")).isTrue();
        assertThat(result.parsed().level()).isEqualTo(Level.PARTIAL);
        assertThat(result.out()).isEqualTo("unix\n");
        Result with = new NativeLaunch(directory)
                .strict(workspace)
                .primitives(List.of("network_namespace"))
                .run(udp);
        assertThat(with.outcome("landlock_net").status()).isEqualTo(Status.SKIPPED);
        assertThat(with.out()).isEqualTo("udp\ntcp\nunix\n");
    }

    @Test
    void aScopeKeepsSignalsInsideWithoutAPidNamespace() throws Exception {
        String script = "kill -0 " + ProcessHandle.current().pid() + " && echo reached; sleep 5 & kill $! && echo own";
        Result result =
                launch.primitives(List.of("no_new_privs", "landlock_scope")).run(script);
        assertThat(result.applied("landlock_scope")).isTrue();
        assertThat(result.out()).isEqualTo("own\n");
        assertThat(launch.control(script).out()).isEqualTo("reached\nown\n");
    }

    @Test
    void inAnEmptyRootOnlyWhatIsNamedExists() throws Exception {
        Path readable = Files.createDirectory(directory.resolve("readable"));
        Files.copy(Path.of("/bin/true"), readable.resolve("program"));
        assertThat(readable.resolve("program").toFile().setExecutable(true)).isTrue();
        Result result = launch.strict(workspace)
                .primitives(List.of("landlock_fs"))
                .options("--root", "empty", "--min-level", "FULL", "--ro-bind", "/usr", "/usr")
                .options(
                        "--symlink",
                        "usr/bin",
                        "/bin",
                        "--symlink",
                        "usr/lib",
                        "/lib",
                        "--symlink",
                        "usr/lib64",
                        "/lib64")
                .options("--tmpfs-noexec", "/tmp", "1048576")
                .options("--ro-bind-noexec", readable.toString(), readable.toString())
                .options("--bind", workspace.toString(), workspace.toString())
                .run("ls / | tr '\\n' ' '; cat /etc/passwd; touch /x; cat " + readable + "/program | wc -c; " + readable
                        + "/program || echo noexec; cp /bin/true t; ./t && echo ran; readlink /bin");
        assertThat(result.out().lines().findFirst().orElseThrow())
                .matches("bin dev lib lib64 proc tmp( [a-z]+)* usr [0-9]+");
        assertThat(result.out()).contains("noexec\n", "ran\n", "usr/bin\n").doesNotContain("etc");
        assertThat(result.err()).contains("/etc/passwd: No such file", "'/x': Read-only", "Permission denied");
    }

    @Test
    void aKernelWithoutMountSetattrGetsTheSameView() throws Exception {
        Path host = Files.createDirectory(directory.resolve("host"));
        Path filter = Files.write(directory.resolve("filter"), enosysFor(442));
        String script = "echo x > " + host + "/stray; echo x > inside && echo wrote; touch /dev/new; ls -A " + host;
        Result result = launch.strict(workspace)
                .behind(tool(), filter.toString(), "--")
                .options("--hide", host.toString(), "--min-level", "FULL")
                .run(script);
        assertThat(result.applied("filesystem")).isTrue();
        assertThat(result.out()).isEqualTo("wrote\n");
        assertThat(host).isEmptyDirectory();
    }

    @Test
    void aKernelWithoutLandlockSaysSo() throws Exception {
        Path filter = Files.write(directory.resolve("filter"), enosysFor(444));
        Result result = launch.primitives(List.of("no_new_privs", "landlock_fs"))
                .behind(tool(), filter.toString(), "--")
                .run("echo ran");
        assertThat(result.outcome("landlock_fs").detail()).isEqualTo("landlock_create_ruleset: not in this kernel");
        assertThat(result.outcome("landlock_fs").errno()).isEqualTo(38);
        assertThat(result.out()).isEqualTo("ran\n");
    }

    private static String tool() {
        return Objects.requireNonNull(System.getProperty("sandbox.try_syscall"), "sandbox.try_syscall is not set");
    }

    /** A filter that takes one system call away: load the number, compare, ENOSYS or allow (seccomp(2)). */
    private static byte[] enosysFor(int number) {
        ByteBuffer filter = ByteBuffer.allocate(32).order(ByteOrder.nativeOrder());
        instruction(filter, 0x20, 0, 0, 0);
        instruction(filter, 0x15, 0, 1, number);
        instruction(filter, 0x06, 0, 0, 0x00050000 | 38);
        instruction(filter, 0x06, 0, 0, 0x7fff0000);
        return filter.array();
    }

    private static void instruction(ByteBuffer filter, int code, int ifTrue, int ifFalse, int value) {
        filter.putShort((short) code).put((byte) ifTrue).put((byte) ifFalse).putInt(value);
    }
}
