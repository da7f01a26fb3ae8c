package io.jenkins.plugins.sandbox.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.conformance.NativeLaunch.Result;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Outcome;
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

/** Each row as the command sees it from inside, beside what the report says of it. */
@Tag("kernel")
class RowsTest {
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
    void everyRowOfAStrictLaunchIsAppliedAndTheLevelIsFull() throws Exception {
        Result result = launch.strict(workspace)
                .options("--primitive", "rlimit_nofile", "--rlimit", "nofile=65536", "--min-level", "FULL")
                .run("echo it runs");
        assertThat(result.out()).isEqualTo("it runs\n");
        assertThat(result.parsed().level()).isEqualTo(Level.FULL);
        assertThat(result.parsed().shortfalls()).isEmpty();
        for (String name : NativeLaunch.NAMESPACES_AND_PRIVILEGES) {
            assertThat(result.applied(name)).as(name).isTrue();
        }
    }

    @Test
    void theSessionIsNewWithDefaultSignalsAndNobodyElseMayWrite() throws Exception {
        String script = "cut -d' ' -f7 /proc/self/stat; grep -E '^Sig(Ign|Blk)' /proc/self/status; umask";
        String inherit = "trap '' HUP INT PIPE USR1; umask 0; exec \"$@\"";
        Result plain = launch.control("trap '' HUP INT PIPE USR1; umask 0; " + script);
        Result result = launch.primitives(List.of("session"))
                .behind("sh", "-c", inherit, "sh")
                .run(script);
        assertThat(plain.line("SigIgn")).isNotEqualTo("SigIgn:\t0000000000000000");
        assertThat(plain.out()).endsWith("0000\n");
        assertThat(result.line("SigIgn")).isEqualTo("SigIgn:\t0000000000000000");
        assertThat(result.line("SigBlk")).isEqualTo("SigBlk:\t0000000000000000");
        assertThat(result.out()).startsWith("0\n").endsWith("0002\n");
        assertThat(result.applied("session")).isTrue();
    }

    @Test
    void aSessionThatKeepsItsKeyringIsNotReportedAsApplied() throws Exception {
        String script = "grep -c _ses /proc/keys; exit 0";
        Result nothing = launch.primitives(List.of("session"))
                .behind(tryHost(), "--refuse", "keyctl=NOTHING", "--")
                .run(script);
        assertThat(nothing.outcome("session").status()).isEqualTo(Status.FAILED);
        assertThat(nothing.outcome("session").detail()).isEqualTo("keyctl: still in session keyring 0");
        for (String error : List.of("ENOSYS", "EPERM")) {
            Result refused = new NativeLaunch(directory)
                    .primitives(List.of("session"))
                    .behind(tryHost(), "--refuse", "keyctl=" + error, "--")
                    .run(script);
            assertThat(refused.applied("session")).as(error).isTrue();
        }
        assertThat(new NativeLaunch(directory)
                        .primitives(List.of("session"))
                        .run(script)
                        .applied("session"))
                .isTrue();
    }

    @Test
    void theSessionIsNotTheCallers() throws Exception {
        String script = "cut -d' ' -f6 /proc/self/stat";
        Result plain = launch.control(script);
        Result result = launch.primitives(List.of("session")).run(script);
        assertThat(result.out()).isNotEqualTo(plain.out());
        Result without =
                new NativeLaunch(directory).primitives(List.of("no_new_privs")).run(script);
        assertThat(without.out()).isEqualTo(plain.out());
    }

    @Test
    void noDescriptorIsInherited() throws Exception {
        String open = "exec 7</etc/passwd 9</; exec \"$@\"";
        String script = "ls /proc/self/fd | tr '\\n' ' '; cat <&7";
        Result plain = launch.control("exec 7</etc/passwd 9</; " + script);
        Result result = launch.primitives(List.of("close_fds"))
                .behind("sh", "-c", open, "sh")
                .run(script);
        assertThat(plain.out()).contains(" 7 ").contains(" 9 ").contains("root:");
        assertThat(result.out()).startsWith("0 1 2 3 \n".replace("\n", "")).doesNotContain("root:");
        assertThat(result.applied("close_fds")).isTrue();
    }

    @Test
    void aDirectoryAsStdinIsNoWayAroundTheView() throws Exception {
        Result result = launch.primitives(List.of("close_fds"))
                .behind("sh", "-c", "exec \"$@\" < /", "sh")
                .run("ls /proc/self/fd/0/etc");
        assertThat(result.outcome("close_fds").status()).isEqualTo(Status.FAILED);
        assertThat(result.outcome("close_fds").detail()).isEqualTo("descriptor 0 is a directory");
    }

    @ParameterizedTest
    @CsvSource({
        "user_namespace,user", "pid_namespace,pid", "mount_namespace,mnt",
        "ipc_namespace,ipc", "uts_namespace,uts", "cgroup_namespace,cgroup"
    })
    void aNamespaceIsNewWhenAskedForAndTheCallersWhenNot(String primitive, String link) throws Exception {
        String script = "readlink /proc/self/ns/" + link;
        String outside = launch.control(script).out();
        List<String> asked =
                primitive.equals("user_namespace") ? List.of(primitive) : List.of("user_namespace", primitive);
        Result inside = launch.primitives(asked).run(script);
        assertThat(inside.applied(primitive)).isTrue();
        assertThat(inside.out()).startsWith(link + ":[").isNotEqualTo(outside);
        Result without =
                new NativeLaunch(directory).primitives(List.of("no_new_privs")).run(script);
        assertThat(without.outcome(primitive).status()).isEqualTo(Status.SKIPPED);
        assertThat(without.out()).isEqualTo(outside);
    }

    @Test
    void idsAreMappedToThemselvesSoThatFilesStayTheAgents() throws Exception {
        String script = "id -u; id -g; : > made; stat -c '%u %g' made; cat /proc/self/setgroups";
        Result plain = launch.in(workspace).control("id -u; id -g");
        Result result = launch.strict(workspace).run(script);
        assertThat(result.out()).startsWith(plain.out()).endsWith("deny\n");
        assertThat(Files.getOwner(workspace.resolve("made"))).isEqualTo(Files.getOwner(workspace));
    }

    @Test
    void onlyTheSandboxesOwnProcessesExist() throws Exception {
        String script = "ls /proc | grep -c '^[0-9]'; kill -0 "
                + ProcessHandle.current().pid() + " && echo reached; echo pid $$";
        Result plain = launch.control(script);
        Result result = launch.strict(workspace).run(script);
        assertThat(plain.out()).contains("reached");
        assertThat(result.out()).doesNotContain("reached").contains("pid 2\n");
        assertThat(Integer.parseInt(result.out().lines().findFirst().orElseThrow()))
                .isLessThan(10);
    }

    @Test
    void theHostIsReadOnlyAndTheWorkspaceIsNot() throws Exception {
        Path host = Files.createDirectory(directory.resolve("host"));
        String script = "echo reached-the-write; echo x > " + host + "/stray; echo x > inside && echo wrote-inside";
        Result result = launch.strict(workspace).run(script);
        assertThat(result.out()).isEqualTo("reached-the-write\nwrote-inside\n");
        assertThat(result.err()).contains("Read-only file system");
        assertThat(host.resolve("stray")).doesNotExist();
        assertThat(workspace.resolve("inside")).exists();
        launch.in(workspace).control(script);
        assertThat(host.resolve("stray")).exists();
    }

    @Test
    void everyMountIsReadOnlyButTheOnesThatWereAskedFor() throws Exception {
        Result result = launch.strict(workspace)
                .options("--tmpfs", "/tmp", "1048576", "--bind", workspace.toString(), workspace.toString())
                .run("cat /proc/self/mountinfo");
        assertThat(result.applied("filesystem")).isTrue();
        List<String[]> mounts = result.out().lines().map(l -> l.split(" ")).toList();
        assertThat(mounts).hasSizeGreaterThan(3);
        for (String[] mount : mounts) {
            String options = "," + mount[5] + ",";
            assertThat(options).as(mount[4]).contains(",nosuid,");
            boolean own = mount[4].equals("/dev/pts")
                    || mount[4].equals("/dev/shm")
                    || mount[4].startsWith("/tmp")
                    || mount[4].startsWith("/proc")
                    || mount[4].startsWith(workspace.toString());
            if (!own) {
                assertThat(options).as(mount[4]).contains(",ro,");
            }
        }
        // A mount table that cannot show a writable root would prove nothing.
        assertThat(launch.control("grep -m1 ' / / ' /proc/self/mountinfo").out())
                .contains(" rw");
    }

    @Test
    void aTmpfsIsEmptyAndPrivate() throws Exception {
        Path marker = Files.createTempFile(Path.of("/tmp"), "seen", "");
        try {
            Result result = launch.strict(workspace)
                    .options("--tmpfs", "/tmp", "1048576", "--bind", workspace.toString(), workspace.toString())
                    .run("ls /tmp/seen*; echo x > /tmp/mine && echo wrote; stat -c %a /tmp");
            assertThat(result.out()).isEqualTo("wrote\n1777\n");
            assertThat(Path.of("/tmp/mine")).doesNotExist();
        } finally {
            Files.delete(marker);
        }
    }

    @Test
    void devHasWhatBuildsUseAndNothingElse() throws Exception {
        Result result = launch.strict(workspace)
                .run(
                        "ls /dev | tr '\\n' ' '; echo x > /dev/null && head -c2 /dev/zero | wc -c; "
                                + "echo here | cat /dev/stdin; echo x > /dev/shm/x && echo shm; touch /dev/new; test -e /dev/ptmx && echo ptmx");
        assertThat(result.out())
                .startsWith("fd full null ptmx pts random shm stderr stdin stdout tty urandom zero ")
                .contains("2\n", "here\n", "shm\n", "ptmx\n");
        assertThat(result.err()).contains("'/dev/new': Read-only file system");
    }

    @Test
    void aHomeUnderAnOverlayReadsTheHostsAndKeepsWritesToItself() throws Exception {
        Path home = Files.createDirectory(directory.resolve("home"));
        Path scratch = Files.createDirectory(directory.resolve("scratch"));
        Files.writeString(home.resolve("settings"), "host\n");
        Path upper = Files.createDirectory(scratch.resolve("upper"));
        Path work = Files.createDirectory(scratch.resolve("work"));
        String[] overlay = {"--overlay", home.toString(), upper.toString(), work.toString()};
        Result first = launch.strict(workspace)
                .options(overlay)
                .run("cat " + home + "/settings; echo changed > " + home + "/settings; echo x > " + home + "/new");
        assertThat(first.out()).isEqualTo("host\n");
        assertThat(Files.readString(home.resolve("settings"))).isEqualTo("host\n");
        assertThat(home.resolve("new")).doesNotExist();
        Result second = new NativeLaunch(directory)
                .strict(workspace)
                .options(overlay)
                .run("cat " + home + "/settings; ls " + home);
        assertThat(second.out()).isEqualTo("changed\nnew\nsettings\n");
    }

    /** Or the end of each launch would wait until the whole file system of the scratch directory is on the disk. */
    @Test
    void onlyADurableOverlayIsWrittenToTheDisk() throws Exception {
        Path home = Files.createDirectory(directory.resolve("home"));
        Path scratch = Files.createDirectory(directory.resolve("scratch"));
        String[] layers = {
            home.toString(),
            Files.createDirectory(scratch.resolve("upper")).toString(),
            Files.createDirectory(scratch.resolve("work")).toString()
        };
        String script = "grep -c ' - overlay .*[,=]volatile' /proc/self/mountinfo; echo x >> " + home + "/file; sync "
                + home + "/file; wc -c < " + home + "/file";
        for (int run = 1; run <= 3; run++) {
            Result kept = new NativeLaunch(directory)
                    .strict(workspace)
                    .options(run == 3 ? "--overlay-durable" : "--overlay")
                    .options(layers)
                    .run(script);
            assertThat(kept.out()).isEqualTo((run == 3 ? 0 : 1) + "\n" + 2 * run + "\n");
        }
    }

    /** Layers on two file systems are refused by every kernel. */
    @Test
    void whereThereIsNoOverlayTheLowerLayerIsReadOnlyWhenThatIsAsked() throws Exception {
        Path lower = Files.createDirectory(workspace.resolve("lower"));
        Files.writeString(lower.resolve("file"), "host\n");
        Path upper = Files.createDirectory(directory.resolve("upper"));
        String[] layers = {lower.toString(), upper.toString(), "/dev/shm"};
        String script =
                "echo reached; cat lower/file; echo changed > lower/file; touch lower/new; chmod 0 lower; mv lower l";
        Result result = launch.strict(workspace)
                .options("--overlay-or-ro")
                .options(layers)
                .run(script);
        assertThat(result.out()).isEqualTo("reached\nhost\n");
        assertThat(result.applied("filesystem")).isTrue();
        assertThat(result.outcome("filesystem").detail())
                .isEqualTo(lower + " is read-only, since there is no overlay: Invalid argument");
        assertThat(lower.resolve("new")).doesNotExist();
        launch.in(workspace).control(script);
        assertThat(workspace.resolve("l")).isDirectory();
    }

    /** A home directory whose overlay has layers that every kernel refuses. */
    private String[] homeWithoutAnOverlay(Path home) throws Exception {
        Files.writeString(Files.createDirectories(home.resolve(".ssh")).resolve("key"), "secret\n");
        Path upper = Files.createDirectory(directory.resolve("upper"));
        return new String[] {"--overlay", home.toString(), upper.toString(), "/dev/shm", "--hide", home + "/.ssh"};
    }

    private NativeLaunch withHome(String[] options, Path inHome) throws Exception {
        return new NativeLaunch(directory)
                .primitives(NativeLaunch.NAMESPACES_AND_PRIVILEGES)
                .options(options)
                .options("--bind", inHome.toString(), inHome.toString())
                .in(inHome);
    }

    @Test
    void whereThereIsNoOverlayAHomeIsEmptyAtFirstAndKeepsWritesToItself() throws Exception {
        Path home = directory.resolve("home");
        Path inHome = Files.createDirectories(home.resolve("agent/workspace"));
        String[] options = homeWithoutAnOverlay(home);
        Result first = withHome(options, inHome)
                .run("ls -A " + home + "; echo x > " + home + "/new; echo x > file; echo theirs > " + home + "/.ssh");
        assertThat(first.out()).isEqualTo("agent\n");
        assertThat(first.outcome("filesystem").status()).isEqualTo(Status.APPLIED);
        assertThat(first.outcome("filesystem").detail())
                .isEqualTo(
                        home + " is without what the machine has there, since there is no overlay: Invalid argument");
        assertThat(home.resolve("new")).doesNotExist();
        assertThat(inHome.resolve("file")).exists();
        // Nothing of what is to be hidden is there, so that a file of that name is the block's own.
        Result second = withHome(options, inHome).run("ls -A " + home + "; cat " + home + "/.ssh");
        assertThat(second.out()).isEqualTo(".ssh\nagent\nnew\ntheirs\n");
        assertThat(Files.readString(home.resolve(".ssh/key"))).isEqualTo("secret\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ln -s nowhere", "touch"})
    void noCommandTakesTheViewFromTheNextByWhatItLeavesInItsOwnHome(String inTheWay) throws Exception {
        Path home = directory.resolve("home");
        Path inHome = Files.createDirectories(home.resolve("agent/workspace"));
        Path own = Files.createDirectory(directory.resolve("own"));
        String script = "mv " + home + "/agent " + home + "/away && " + inTheWay + " " + home + "/agent && echo done";
        for (String[] options :
                List.of(homeWithoutAnOverlay(home), new String[] {"--bind", own.toString(), home.toString()})) {
            assertThat(withHome(options, inHome).run(script).out()).isEqualTo("done\n");
            Result next = withHome(options, inHome).run("echo reached");
            assertThat(next.out()).isEmpty();
            assertThat(next.status()).isEqualTo(125);
            assertThat(next.parsed().refusal()).startsWith(VIEW_FAILED + "target " + inHome + ": ");
        }
    }

    @Test
    void aFileMayBeReadOnlyInAWritableDirectory() throws Exception {
        Path file = Files.writeString(workspace.resolve("config"), "kept\n");
        String script =
                "echo reached; echo changed > config; mv config away; rm -f config; echo x > other && echo wrote";
        Result result = launch.strict(workspace)
                .options("--ro-bind", file.toString(), file.toString())
                .run(script);
        assertThat(result.out()).isEqualTo("reached\nwrote\n");
        assertThat(Files.readString(file)).isEqualTo("kept\n");
        launch.in(workspace).control(script);
        assertThat(file).doesNotExist();
    }

    @Test
    void aReadOnlyMountThatALaterOneCoversIsNotReportedAsApplied() throws Exception {
        Path file = Files.writeString(workspace.resolve("config"), "kept\n");
        Result result = launch.strict(workspace)
                .options("--ro-bind", file.toString(), file.toString())
                .options("--bind", workspace.toString(), workspace.toString())
                .run("echo changed > config && echo wrote");
        assertRefused(result, "statvfs: " + file + " is writable");
        assertThat(file).hasContent("kept");
    }

    @Test
    void noMountFollowsASymbolicLink() throws Exception {
        Path secret = Files.createDirectory(directory.resolve("secret"));
        Files.createSymbolicLink(workspace.resolve("link"), secret);
        String link = workspace.resolve("link").toString();
        Result source = launch.strict(workspace)
                .options("--bind", link, secret.toString())
                .run("echo ran");
        assertRefused(source, "open " + link + ": Too many levels of symbolic links");
        assertThat(source.outcome("filesystem").errno()).isEqualTo(40); // ELOOP
        Result target = new NativeLaunch(directory)
                .strict(workspace)
                .options("--tmpfs", link, "0")
                .run("echo ran");
        assertRefused(target, "target " + link + ": Too many levels of symbolic links");
    }

    /** A device of the machine is no way out: none can be opened but the ones of the /dev of its own. */
    @Test
    void noMountButTheDevHasDevices() throws Exception {
        String list = "grep -v nodev /proc/self/mountinfo | cut -d' ' -f5 | grep -v '^/dev'; echo listed";
        assertThat(launch.strict(workspace)
                        .options("--tmpfs", "/tmp", "1048576", "--hide", "/media")
                        .options("--bind", workspace.toString(), workspace.toString())
                        .run(list)
                        .out())
                .isEqualTo("listed\n");
        assertThat(launch.control("grep -v nodev /proc/self/mountinfo | cut -d' ' -f5")
                        .out())
                .as("control")
                .contains("/\n");
        Result covered = new NativeLaunch(directory)
                .strict(workspace)
                .options("--dev", workspace.toString())
                .run("echo ran");
        assertRefused(covered, "statvfs: " + workspace + " is not nodev");
    }

    private static final String VIEW_FAILED = "the view of the file system failed on a kernel that makes views: ";

    private static void assertRefused(Result result, String reason) throws Exception {
        assertThat(result.out()).isEmpty();
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.parsed().refusal()).isEqualTo(VIEW_FAILED + reason);
        assertThat(result.outcome("filesystem").status()).isEqualTo(Status.FAILED);
    }

    /** What a build can make of any path, whether the launcher opens it before it has a stage or mounts on it later. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "true | --ro-bind W/gone W/gone | open W/gone: No such file or directory",
                ": > file | --ro-bind W/file/x W/file/x | open W/file/x: Not a directory",
                "ln -s / link | --ro-bind W/link W/link | open W/link: Too many levels of symbolic links",
                ": > file | --ro-bind /etc W/file | bind W/file: Not a directory",
                ": > file | --tmpfs W/file/x 0 | target W/file/x: Not a directory",
                "ln -s / link | --hide W/link | target W/link: Too many levels of symbolic links",
            })
    void aPathThatFailsRefusesTheLaunchWhateverTheMinimumIs(String before, String options, String reason)
            throws Exception {
        Path host = Files.createDirectory(directory.resolve("host"));
        String script = "echo x > " + host + "/marker; echo ran";
        assertThat(launch.in(workspace).control(before).status()).isZero();
        String[] words = options.replace("W/", workspace + "/").split(" ");
        Result result = launch.strict(workspace)
                .options("--min-level", "NONE")
                .options(words)
                .run(script);
        assertRefused(result, reason.replace("W/", workspace + "/"));
        assertThat(host.resolve("marker")).doesNotExist();
        Result twin = new NativeLaunch(directory).strict(workspace).run(script);
        assertThat(twin.out()).isEqualTo("ran\n");
        assertThat(twin.parsed().level()).isEqualTo(Level.FULL);
        assertThat(host.resolve("marker")).doesNotExist();
        launch.in(workspace).control(script);
        assertThat(host.resolve("marker")).exists();
    }

    @Test
    void aWorkingDirectoryThatIsGoneRefusesTheLaunch() throws Exception {
        Path gone = Files.createDirectory(workspace.resolve("gone"));
        Result result = launch.strict(workspace)
                .options("--min-level", "NONE")
                .in(gone)
                .behind("sh", "-c", "rmdir ../gone; exec \"$@\"", "sh")
                .run("echo ran");
        assertRefused(result, "getcwd: the working directory is gone or out of reach: No such file or directory");
    }

    /** A refusal by the kernel or by a filter of what every view needs says that this host makes none. */
    @ParameterizedTest
    @ValueSource(strings = {"EPERM", "EINVAL", "ENOSYS"})
    void aHostThatRefusesViewsAsSuchRunsWithoutOne(String error) throws Exception {
        String[] host = {tryHost(), "--refuse", "pivot_root=" + error, "--"};
        Result result = launch.strict(workspace).behind(host).run("echo ran");
        assertThat(result.out()).isEqualTo("ran\n");
        assertThat(result.parsed().level()).isEqualTo(Level.PARTIAL);
        assertThat(result.outcome("filesystem").detail()).isEqualTo("pivot_root");
        Result path = new NativeLaunch(directory)
                .strict(workspace)
                .behind(host)
                .options("--ro-bind", "/does/not/exist", "/does/not/exist")
                .run("echo ran");
        assertRefused(path, "open /does/not/exist: No such file or directory");
    }

    @Test
    void aKernelThatHasNoRoomForAViewIsNoHostThatRefusesViews() throws Exception {
        Result result = launch.strict(workspace)
                .behind(tryHost(), "--refuse", "pivot_root=ENOSPC", "--")
                .run("echo ran");
        assertRefused(result, "pivot_root: No space left on device");
    }

    private static String tryHost() {
        return Objects.requireNonNull(System.getProperty("sandbox.try_host"), "sandbox.try_host");
    }

    @Test
    void hiddenPathsShowNothing() throws Exception {
        Path secrets = Files.createDirectory(directory.resolve("secrets"));
        Files.writeString(secrets.resolve("key"), "secret\n");
        Path token = Files.writeString(directory.resolve("token"), "secret\n");
        String script = "echo reached; cat " + secrets + "/key " + token + "; ls -A " + secrets + "; echo x > " + token
                + "; echo x > " + secrets + "/new; rm -rf " + token + "; umount " + token + " && echo unmounted";
        assertThat(launch.in(workspace)
                        .control("cat " + secrets + "/key " + token)
                        .out())
                .isEqualTo("secret\nsecret\n");
        Result result = launch.strict(workspace)
                .options("--hide", secrets.toString(), "--hide", token.toString())
                .run(script);
        assertThat(result.applied("filesystem")).isTrue();
        assertThat(result.out()).isEqualTo("reached\n");
        assertThat(Files.readString(token)).isEqualTo("secret\n");
    }

    /** An empty file that can be read would pass for the real one. */
    @Test
    void aHiddenFileCannotBeOpened() throws Exception {
        Path token = Files.writeString(directory.resolve("token"), "secret\n");
        Path seen = Files.writeString(directory.resolve("seen"), "seen\n");
        String script = "cat " + token + " && echo opened; chmod 600 " + token + " && echo changed; cat " + token
                + "; cat " + seen;
        assertThat(launch.in(workspace).control(script).out()).isEqualTo("secret\nopened\nchanged\nsecret\nseen\n");
        Result result =
                launch.strict(workspace).options("--hide", token.toString()).run(script);
        assertThat(result.applied("filesystem")).as(result.report()).isTrue();
        assertThat(result.out()).isEqualTo("seen\n");
        assertThat(result.err()).contains("token: Permission denied");
        // As an agent that runs as root: root's files are its own.
        Result root = new NativeLaunch(directory)
                .strict(workspace)
                .behind("unshare", "--user", "--map-root-user", "--")
                .options("--hide", token.toString())
                .run(script);
        assertThat(root.applied("filesystem")).as(root.report()).isTrue();
        assertThat(root.out()).isEqualTo("seen\n");
    }

    /** In an overlay the file is not there: programs then do without, where they fail at one that they cannot read. */
    @Test
    void aHiddenFileInAnOverlayIsAbsentAndTheCommandMayMakeItsOwn() throws Exception {
        Path home = Files.createDirectory(directory.resolve("home"));
        Path file = Files.writeString(Files.createDirectory(home.resolve(".m2")).resolve("settings.xml"), "secret\n");
        Files.writeString(home.resolve(".m2/other"), "seen\n");
        Path upper = Files.createDirectories(directory.resolve("scratch/upper"));
        Path work = Files.createDirectory(directory.resolve("scratch/work"));
        String[] options = {"--overlay", home.toString(), upper.toString(), work.toString(), "--hide", file.toString()};
        String script = "cd " + home + "/.m2; cat other; test -e settings.xml || echo absent; ls; "
                + "echo own > settings.xml && cat settings.xml";
        Result result = launch.strict(workspace).options(options).run(script);
        assertThat(result.applied("filesystem")).as(result.report()).isTrue();
        assertThat(result.out()).isEqualTo("seen\nabsent\nother\nown\n");
        Result next = new NativeLaunch(directory)
                .strict(workspace)
                .options(options)
                .run("cat " + file + "; rm " + file + "; cat " + file);
        assertThat(next.applied("filesystem")).as(next.report()).isTrue();
        assertThat(next.out()).isEqualTo("own\n");
        assertThat(Files.readString(file)).isEqualTo("secret\n");
        // Named by a later launch of the block: seen, and not what was made in its place.
        Result named = new NativeLaunch(directory)
                .strict(workspace)
                .options("--overlay", home.toString(), upper.toString(), work.toString())
                .options("--ro-bind", file.toString(), file.toString())
                .run("cat " + file);
        assertThat(named.out()).isEqualTo("secret\n");
    }

    @Test
    void aHiddenPathBelowAWritableOneStaysHidden() throws Exception {
        Path secret = Files.createDirectories(workspace.resolve("a/secret"));
        Files.writeString(secret.resolve("key"), "secret\n");
        String script = "cat a/secret/key; mv a/secret b; mv a c; cat c/secret/key b/key; echo done";
        Result result =
                launch.strict(workspace).options("--hide", secret.toString()).run(script);
        assertThat(result.out()).isEqualTo("done\n");
    }

    @Test
    void variablesAreDroppedByNameOrAllButSome() throws Exception {
        String script = "env | grep -E '^(TOKEN|TOKENS|KEPT)=' | sort";
        String[] variables = {"env", "TOKEN=secret", "TOKENS=fine", "KEPT=fine"};
        Result dropped = launch.primitives(List.of("environment"))
                .behind(variables)
                .options("--unset-env", "TOKEN", "--unset-env", "NOT_SET")
                .run(script + "; grep -c secret /proc/self/environ");
        assertThat(dropped.applied("environment")).isTrue();
        assertThat(dropped.out()).isEqualTo("KEPT=fine\nTOKENS=fine\n0\n");
        Result kept = new NativeLaunch(directory)
                .primitives(List.of("environment"))
                .behind(variables)
                .options("--keep-env", "KEPT", "--keep-env", "PATH")
                .run(script + "; env | grep -vE '^(KEPT|PATH|PWD|_|SHLVL|OLDPWD)='");
        assertThat(kept.out()).isEqualTo("KEPT=fine\n");
        Result none = new NativeLaunch(directory)
                .primitives(List.of("no_new_privs"))
                .behind(variables)
                .run(script);
        assertThat(none.out()).isEqualTo("KEPT=fine\nTOKEN=secret\nTOKENS=fine\n");
    }

    @Test
    void aNetworkOfItsOwnHasLoopbackAndNothingElse() throws Exception {
        String script = "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | tr '\\n' ' '; "
                + "python3 -c \"import socket as s; a=s.socket(); a.bind(('127.0.0.1',0)); a.listen(); "
                + "s.create_connection(a.getsockname()); print('loopback')\"; "
                + "python3 -c \"import socket as s; a=s.socket(s.AF_INET, s.SOCK_DGRAM); a.connect(('192.0.2.1', 9)); print('route')\"";
        Result result = launch.strict(workspace)
                .primitives(List.of("network_namespace"))
                .run(script);
        assertThat(result.applied("network_namespace")).isTrue();
        assertThat(result.out()).isEqualTo("lo loopback\n");
        assertThat(result.err()).contains("Network is unreachable");
        assertThat(launch.control("ls /sys/class/net | wc -l").out()).isNotEqualTo("0\n");
    }

    @Test
    void procShowsTheSandboxAlone() throws Exception {
        String name = NativeLaunch.launcher().getFileName().toString();
        Result result = launch.strict(workspace).run("readlink /proc/self | grep -c .; cat /proc/1/comm");
        assertThat(result.out()).startsWith("1\n").contains(name.substring(0, Math.min(15, name.length())));
        assertThat(result.applied("proc")).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"cpu,-Ht,7200,7200", "nofile,-Hn,512,512", "as,-Hv,4294967296,4194304"})
    void aLimitIsLoweredForGood(String name, String flag, String value, String shown) throws Exception {
        String script = "ulimit " + flag + "; ulimit " + flag + " unlimited || echo stays";
        Result result = launch.primitives(List.of("rlimit_" + name))
                .options("--rlimit", name + "=" + value)
                .run(script);
        assertThat(result.applied("rlimit_" + name)).isTrue();
        assertThat(result.out()).startsWith(shown + "\n");
        assertThat(launch.control("ulimit " + flag).out()).isNotEqualTo(shown + "\n");
    }

    @Test
    void aLimitThatIsAlreadyLowerStays() throws Exception {
        Result result = launch.primitives(List.of("rlimit_nofile"))
                .behind("sh", "-c", "ulimit -n 100; exec \"$@\"", "sh")
                .options("--rlimit", "nofile=65536")
                .run("ulimit -Hn");
        assertThat(result.out()).isEqualTo("100\n");
        assertThat(result.applied("rlimit_nofile")).isTrue();
    }

    @Test
    void noNewPrivsIsSet() throws Exception {
        String script = "grep ^NoNewPrivs /proc/self/status";
        Result result = launch.primitives(List.of("no_new_privs")).run(script);
        assertThat(result.out()).isEqualTo("NoNewPrivs:\t1\n");
        assertThat(launch.control(script).out()).isEqualTo("NoNewPrivs:\t0\n");
    }

    @Test
    void allFiveCapabilitySetsAreEmpty() throws Exception {
        String script = "grep ^Cap /proc/self/status";
        Result result = launch.strict(workspace).run(script);
        assertThat(result.out().lines()).hasSize(5).allMatch(l -> l.endsWith("\t0000000000000000"));
        assertThat(launch.control(script).line("CapBnd")).doesNotContain("\t0000000000000000");
    }

    @Test
    void rootHasNoCapabilitiesLeftAndNoKernelKnobs() throws Exception {
        // Root in a user namespace of the test's own stands in for an agent that runs as root.
        String script = "id -u; grep ^Cap /proc/self/status; echo reached; echo core > /proc/sys/kernel/core_pattern; "
                + "mount -t tmpfs t /mnt && echo mounted; nsenter --mount=/proc/self/ns/mnt true && echo entered";
        Result result = launch.strict(workspace)
                .behind("unshare", "--user", "--map-root-user", "--")
                .run(script);
        assertThat(result.out().lines().filter(l -> l.startsWith("Cap")))
                .hasSize(5)
                .allMatch(l -> l.endsWith("\t0000000000000000"));
        assertThat(result.out()).startsWith("0\n").contains("reached").doesNotContain("mounted", "entered");
        assertThat(result.err()).contains("core_pattern: Read-only file system");
        Result control =
                launch.control("unshare --user --map-root-user --mount sh -c 'mount -t tmpfs t /mnt && echo mounted'");
        assertThat(control.out()).isEqualTo("mounted\n");
    }

    @Test
    void aReadOnlyMountCannotBeMadeWritableAgain() throws Exception {
        String script = "echo reached; mount -o remount,bind,rw / && echo remounted; umount /dev && echo unmounted; "
                + "unshare --user --map-root-user --mount sh -c 'mount -o remount,bind,rw / && echo nested; echo x > "
                + directory + "/stray'";
        Result result = launch.strict(workspace).run(script);
        assertThat(result.out()).isEqualTo("reached\n");
        assertThat(directory.resolve("stray")).doesNotExist();
    }

    @Test
    void whatNeedsAPrimitiveThatIsMissingIsNotAttempted() throws Exception {
        Result result = launch.primitives(List.of("user_namespace", "filesystem", "seccomp"))
                .options("--tmpfs", "/tmp", "0")
                .run("echo ran");
        assertThat(result.outcome("filesystem"))
                .extracting(Outcome::status, Outcome::detail)
                .containsExactly(Status.UNAVAILABLE, "needs mount_namespace");
        assertThat(result.outcome("seccomp"))
                .extracting(Outcome::status, Outcome::detail)
                .containsExactly(Status.UNAVAILABLE, "needs no_new_privs");
        assertThat(result.out()).isEqualTo("ran\n");
    }

    @Test
    void withoutUserNamespacesTheRestSaysWhatItNeeds() throws Exception {
        // The sysctl is one of each user namespace: it is lowered in one of the test's own, and then its root goes
        // away.
        String lower = "echo 0 > /proc/sys/user/max_user_namespaces; "
                + "exec setpriv --bounding-set=-all --inh-caps=-all --securebits=+noroot -- \"$@\"";
        Result result = launch.strict(workspace)
                .behind("unshare", "--user", "--map-root-user", "--", "sh", "-c", lower, "sh")
                .run("echo ran");
        assertThat(result.outcome("user_namespace"))
                .extracting(Outcome::status, Outcome::errno, Outcome::detail)
                .containsExactly(Status.FAILED, 28, "unshare"); // ENOSPC
        for (String name :
                List.of("pid_namespace", "mount_namespace", "ipc_namespace", "uts_namespace", "cgroup_namespace")) {
            assertThat(result.outcome(name).detail()).as(name).isEqualTo("needs user_namespace");
        }
        assertThat(result.outcome("proc").status()).isEqualTo(Status.UNAVAILABLE);
        assertThat(result.applied("no_new_privs")).isTrue();
        assertThat(result.parsed().level()).isEqualTo(Level.PARTIAL);
        assertThat(result.out()).isEqualTo("ran\n");
    }

    @Test
    void belowTheMinimumNothingRuns() throws Exception {
        Result result = launch.strict(workspace)
                .options(
                        "--primitive",
                        "landlock_net",
                        "--primitive",
                        "cpu_affinity",
                        "--cpus",
                        "1023",
                        "--min-level",
                        "FULL")
                .run("echo ran > ran");
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.parsed().ready()).isFalse();
        assertThat(result.parsed().refusal())
                .isEqualTo("level PARTIAL is below the minimum FULL: cpu_affinity failed "
                        + "(none of the processors 1023 may be used here)");
        assertThat(workspace.resolve("ran")).doesNotExist();
        assertThat(result.out() + result.err()).isEmpty();
    }

    @Test
    void aRequiredPrimitiveThatIsMissingIsNamed() throws Exception {
        Result result = launch.primitives(List.of("no_new_privs", "seccomp"))
                .options("--require", "seccomp")
                .run("echo ran > " + workspace + "/ran");
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.parsed().refusal())
                .isEqualTo("required primitive seccomp unavailable (no filter for this architecture)");
        assertThat(workspace.resolve("ran")).doesNotExist();
    }

    @Test
    void theProbeTriesEveryRow() throws Exception {
        Result probe = launch.control(NativeLaunch.launcher() + " --probe");
        assertThat(probe.status()).isZero();
        assertThat(probe.out())
                .startsWith("process-sandbox-report 1\nsession applied\n")
                .endsWith("ready\n");
        assertThat(probe.line("seccomp")).isEqualTo("seccomp applied");
    }
}
