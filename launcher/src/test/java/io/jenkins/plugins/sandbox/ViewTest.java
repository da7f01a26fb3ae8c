package io.jenkins.plugins.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a command sees and can change, seen from inside. The same script runs under {@code standard}, which leaves the file
 * system alone, as the control: there each attempt succeeds.
 */
@Tag("kernel")
class ViewTest {
    /** As strict, with the machine's /tmp: that is where this test's directories are. */
    private static final String VIEW = """
            primitives = session close_fds environment user_namespace pid_namespace mount_namespace filesystem proc \
            no_new_privs capabilities landlock_fs
            root = ro
            dev = minimal
            home = overlay
            """;

    private Path directory;
    private Path workspace;
    private Path home;
    private Path scratch;

    @BeforeEach
    void directories(@TempDir Path temporary) throws IOException {
        directory = temporary.toRealPath();
        workspace = Files.createDirectories(directory.resolve("agent/workspace/job"));
        home = Files.createDirectory(directory.resolve("home"));
        scratch = Files.createDirectory(directory.resolve("scratch"));
    }

    private Policy.Builder policy(Profile profile) {
        return Policy.builder(profile, workspace.toString())
                .home(home.toString())
                .scratch(scratch.toString())
                .minimumLevel(profile.isStandard() ? Level.BASELINE : Level.FULL);
    }

    private Policy.Builder view() throws SandboxException {
        return policy(Profile.parse("view", VIEW));
    }

    private Policy.Builder protectedGit() throws SandboxException {
        return policy(Profile.parse("view", VIEW + "git = protected\n"));
    }

    private Policy.Builder standard() throws SandboxException {
        return policy(Profile.named("standard"));
    }

    private Policy.Builder locked() throws SandboxException {
        return policy(Profile.named("locked"));
    }

    private String run(Policy.Builder policy, String script) throws Exception {
        SandboxedProcess process = Sandbox.of(policy.build())
                .process(b -> {
                    b.redirectErrorStream(true);
                    b.environment().put("HOME", home.toString());
                    b.environment().put("D", directory.toString());
                })
                .start(List.of("sh", "-c", script));
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        // So that the next launch gets the same home.
        assertThat(process.awaitEnding(Duration.ofSeconds(30))).isPresent();
        return output;
    }

    private static Path file(Path path, String content) throws IOException {
        Files.createDirectories(path.getParent());
        return Files.writeString(path, content);
    }

    private static Path program(Path path) throws IOException {
        Path file = file(path, "#!/bin/sh\necho ran\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void secretsInTheHomeDirectoryAreHidden() throws Exception {
        file(home.resolve(".ssh/id_rsa"), "secret\n");
        file(home.resolve(".ssh/known_hosts"), "hosts\n");
        file(home.resolve(".netrc"), "secret\n");
        file(home.resolve(".m2/settings-security.xml"), "secret\n");
        file(home.resolve(".config/gcloud/credentials.db"), "secret\n");
        file(directory.resolve("elsewhere/credentials"), "secret\n");
        Files.createSymbolicLink(home.resolve(".aws"), directory.resolve("elsewhere"));
        Files.createSymbolicLink(home.resolve(".bash_history"), Path.of("/dev/null"));
        file(home.resolve(".m2/repository/a.jar"), "cached\n");
        String script = "cd ~; cat .ssh/id_rsa .netrc .m2/settings-security.xml .config/gcloud/credentials.db"
                + " .aws/credentials \"$D\"/elsewhere/credentials .m2/repository/a.jar 2>/dev/null";
        assertThat(run(standard(), script)).isEqualTo("secret\n".repeat(6) + "cached\n");
        assertThat(run(view(), script)).isEqualTo("cached\n");
        assertThat(run(
                        view(),
                        "cd ~; rm -rf .ssh; mv .ssh s; umount .ssh; ls -A .ssh; echo new > .m2/new; cat .m2/new"))
                .doesNotContain("id_rsa")
                .endsWith("new\n");
        assertThat(run(view().read(home + "/.ssh/known_hosts"), "cd ~; ls -A .ssh; cat .ssh/known_hosts"))
                .isEqualTo("known_hosts\nhosts\n");
        assertThat(run(view().read(home + "/.ssh"), "cat ~/.ssh/id_rsa")).isEqualTo("secret\n");
    }

    @Test
    void aSecretInTheWorkspaceItselfIsHidden() throws Exception {
        workspace = home;
        file(home.resolve(".ssh/id_rsa"), "secret\n");
        assertThat(run(standard(), "cat ~/.ssh/id_rsa")).isEqualTo("secret\n");
        assertThat(run(view(), "cat ~/.ssh/id_rsa; touch ~/made")).doesNotContain("secret");
        assertThat(home.resolve("made")).exists();
    }

    @Test
    void ofTheAgentsDirectoryABuildSeesItsWorkspaceAndTheTools() throws Exception {
        Path root = directory.resolve("agent");
        file(root.resolve("secrets/master.key"), "secret\n");
        file(root.resolve("workspace/other/file"), "secret\n");
        file(root.resolve("workspace/job@2/file"), "secret\n");
        file(root.resolve("workspace/job@tmp/secretFiles/other"), "secret\n");
        Path mine = file(root.resolve("workspace/job@tmp/secretFiles/mine"), "mine\n");
        Path control = Files.createDirectories(root.resolve("workspace/job@tmp/durable-1"));
        file(root.resolve("tools/jdk"), "tool\n");
        file(workspace.resolve("here"), "here\n");
        String script = "cd \"$D\"/agent; cat secrets/* workspace/other/file workspace/job@2/file"
                + " workspace/job@tmp/secretFiles/* tools/jdk workspace/job/here 2>/dev/null";
        assertThat(run(standard(), script)).isEqualTo("secret\n".repeat(3) + "mine\nsecret\ntool\nhere\n");
        Policy.Builder policy = view().agentRoot(root.toString())
                .controlDirectory(control.toString())
                .read(mine.toString());
        assertThat(run(policy, script)).isEqualTo("mine\ntool\nhere\n");
        assertThat(
                        run(
                                policy,
                                "cd \"$D\"/agent; ls; ls workspace; touch tools/x; echo kept > workspace/job@tmp/of-the-block;"
                                        + " echo 0 > workspace/job@tmp/durable-1/result; echo lost > secrets; touch workspace/job/made"))
                .startsWith("tools\nworkspace\njob\njob@tmp\n")
                .contains("Read-only");
        assertThat(workspace.resolve("made")).exists();
        assertThat(control.resolve("result")).hasContent("0");
        assertThat(root.resolve("secrets")).isDirectory();
        assertThat(root.resolve("workspace/job@tmp/of-the-block")).doesNotExist();
        assertThat(run(policy, "cat \"$D\"/agent/workspace/job@tmp/of-the-block"))
                .isEqualTo("kept\n");
    }

    @Test
    void theAgentReadsItsControlDirectoryAndNoLinkOutOfIt() throws Exception {
        Path control = Files.createDirectories(directory.resolve("agent/workspace/job@tmp/durable-1"));
        String script = "cd " + control
                + "; ln -s /etc/passwd result && echo linked; echo 0 > twin; ln -s x \"$D\"/agent/workspace/job/ok";
        assertThat(run(standard(), script + "; rm result")).isEqualTo("linked\n");
        Files.delete(workspace.resolve("ok"));
        assertThat(run(view().controlDirectory(control.toString()), script)).doesNotContain("linked");
        assertThat(control.resolve("twin")).hasContent("0");
        assertThat(workspace.resolve("ok")).isSymbolicLink();
    }

    /** As on most agents: Landlock alone would allow in the control directory what it allows in the home directory. */
    @Test
    void norIsThereALinkOutOfItWhenTheAgentLivesInTheHomeDirectory() throws Exception {
        Path root = directory.resolve("home/agent");
        workspace = Files.createDirectories(root.resolve("workspace/job"));
        Path control = Files.createDirectories(root.resolve("workspace/job@tmp/durable-1"));
        String script =
                "cd " + control + " || exit; ln -s /etc/passwd result && echo linked; mkfifo pipe && echo piped;"
                        + " echo 0 > " + control + "/twin; ln -s x \"$D\"/home/twin && ln -s x " + control.getParent()
                        + "/twin && echo twins";
        assertThat(run(standard(), script)).isEqualTo("linked\npiped\ntwins\n");
        for (String name : List.of("home/twin", "home/agent/workspace/job@tmp/twin")) {
            Files.delete(directory.resolve(name));
        }
        for (String name : List.of("result", "pipe", "twin")) {
            Files.delete(control.resolve(name));
        }
        for (Profile profile : List.of(Profile.parse("view", VIEW), Profile.named("strict"), Profile.named("locked"))) {
            Policy.Builder policy = policy(profile).agentRoot(root.toString()).controlDirectory(control.toString());
            assertThat(run(policy, script))
                    .as(profile.name())
                    .endsWith("twins\n")
                    .doesNotContain("linked", "piped");
            assertThat(control.resolve("twin")).hasContent("0");
            assertThat(control.resolve("result")).doesNotExist();
            run(policy, "rm -f \"$D\"/home/twin " + control.getParent() + "/twin");
        }
    }

    /** As below {@code dir('...')} in a Pipeline: the control directory lies in the workspace. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "x@tmp",
                "a b/x@tmp",
                "deep/er/x@tmp",
                "a\nb/'x'@tmp",
                "x@tmp/y@tmp",
                "$HOME/*@tmp",
                "-x/--bind@tmp"
            })
    void aControlDirectoryInTheWorkspaceIsAsSafe(String name) throws Exception {
        Path root = directory.resolve("agent");
        Path temporary = workspace.resolve(name);
        Path control = Files.createDirectories(temporary.resolve("durable-1"));
        file(temporary.resolve("secretFiles/other"), "secret\n");
        Path mine = file(temporary.resolve("secretFiles/mine"), "mine\n");
        program(control.resolve("script"));
        String script = """
                try() { "$@" 2>/dev/null && echo "did: $*"; }
                cd -- "$T"
                cat secretFiles/* 2>/dev/null
                durable-1/script
                echo line >> durable-1/log && echo 0 > durable-1/r && mv durable-1/r durable-1/result
                (sleep 0.1; echo later >> durable-1/log) &
                wait
                try ln -s /etc/passwd durable-1/link
                try mkfifo durable-1/fifo
                try ln "$W/own" durable-1/hard
                ln -s /etc/passwd "$W/l" && try mv "$W/l" durable-1/moved
                try mv durable-1 old && try mkdir durable-1
                cd "$W" && try mv "$T" "$T.old"
                for d in *; do try mv "./$d" ./moved-"$d"; done
                cd "$T" && echo kept > of-the-block
                """;
        file(workspace.resolve("own"), "own\n");
        for (Profile profile : List.of(Profile.parse("view", VIEW), Profile.named("strict"), Profile.named("locked"))) {
            Policy.Builder policy = policy(profile)
                    .scratch(Files.createDirectory(directory.resolve("scratch-" + profile.name()))
                            .toString())
                    .agentRoot(root.toString())
                    .controlDirectory(control.toString())
                    .read(mine.toString());
            String output = run(policy, "W='" + workspace + "'; T=$(cat <<'END'\n" + temporary + "\nEND\n)\n" + script);
            assertThat(output)
                    .as(profile.name())
                    .startsWith("mine\nran\n")
                    .doesNotContain("secret\n", "did: ln", "did: mkfifo", "durable-1/moved\n", "did: mv " + temporary);
            assertThat(control.resolve("log")).hasContent("line\nlater");
            assertThat(control.resolve("result")).hasContent("0");
            assertThat(temporary.resolve("of-the-block")).doesNotExist();
            try (Stream<Path> left = Files.list(workspace)) {
                assertThat(left.map(f -> f.getFileName().toString()))
                        .as("what can be renamed leads nowhere else")
                        .filteredOn(f -> f.startsWith("moved-"))
                        .isSubsetOf("moved-own", "moved-l");
            }
            for (String each : List.of("moved-own", "moved-l", "l")) {
                Files.deleteIfExists(workspace.resolve(each));
            }
            file(workspace.resolve("own"), "own\n");
            Files.delete(control.resolve("log"));
        }
    }

    @Test
    void aControlDirectoryThatCannotBeKeptIsAnError() throws Exception {
        Path inWorkspace = Files.createDirectory(workspace.resolve("durable-1"));
        assertThatThrownBy(() -> run(view().controlDirectory(inWorkspace.toString()), "echo ran"))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("cannot be kept from the command");
        Path control = Files.createDirectories(workspace.resolve("y@tmp/durable-1"));
        for (Path named : List.of(control, control.getParent(), Files.createDirectory(control.resolve("below")))) {
            assertThatThrownBy(() ->
                            run(view().controlDirectory(control.toString()).write(named.toString()), "echo ran"))
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContaining("cannot be named");
        }
        assertThatThrownBy(() -> run(view().controlDirectory(workspace + "/x@tmp/durable-1"), "echo ran"))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("does not exist");
    }

    /** In a mount namespace of its own, where an ordinary user may fill a /run. */
    @Test
    void whatRunsOnTheMachineIsHiddenAndABuildThatLivesThereIsNot() throws Exception {
        file(directory.resolve("stage"), """
                set -e
                mount -t tmpfs t /run
                mkdir -p /run/agent/ws /run/home /run/service /run/systemd/resolve /run/current-system/sw
                echo secret > /run/service/file
                echo cached > /run/home/cache
                echo nameserver > /run/systemd/resolve/resolv.conf
                ln -s resolv.conf /run/systemd/resolve/stub-resolv.conf
                ln -s /usr /run/opengl-driver
                cd /run/agent/ws
                export HOME=/run/home
                exec unshare --user --map-user=$1 --map-group=$2 -- "$3" -XX:TieredStopAtLevel=1 -cp "$4" \
                    io.jenkins.plugins.sandbox.cli.Main run --quiet --profile $5 $6 -- sh -c "$7"
                """);
        String script = "cat /run/service/file /run/systemd/resolve/stub-resolv.conf ~/cache 2>/dev/null;"
                + " test -d /run/current-system/sw && test -d /run/opengl-driver/bin && echo system;"
                + " echo x > made && echo y > ~/made && ls -A; touch /run/x 2>/dev/null || echo read-only; ls /run";
        assertThat(staged("standard", "", script)).startsWith("secret\nnameserver\ncached\nsystem\nmade\n");
        assertThat(staged("strict", "", script))
                .isEqualTo(
                        "nameserver\ncached\nsystem\nmade\nread-only\nagent\ncurrent-system\nhome\nopengl-driver\nsystemd\n");
        assertThat(staged("strict", "--read=/run/service", script)).startsWith("secret\nnameserver\ncached\n");
    }

    private String staged(String profile, String option, String script) throws Exception {
        List<String> words = List.of(
                "unshare",
                "--user",
                "--map-root-user",
                "--mount",
                "--",
                "sh",
                directory.resolve("stage").toString(),
                String.valueOf(Files.getAttribute(directory, "unix:uid")),
                String.valueOf(Files.getAttribute(directory, "unix:gid")),
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                System.getProperty("java.class.path"),
                profile,
                option,
                script);
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return output;
    }

    /** Whoever starts the launcher with another HOME has the account's files all the same. */
    @Test
    void theHomeOfTheAccountIsHiddenBesideTheOneOfTheEnvironment() throws Exception {
        // Not in /tmp, which strict replaces.
        Path account = Files.createTempDirectory(Path.of(System.getProperty("sandbox.test.outside")), "account")
                .toRealPath();
        file(account.resolve(".ssh/id_rsa"), "secret\n");
        file(account.resolve(".netrc"), "secret\n");
        file(account.resolve(".m2/repository/a.jar"), "cached\n");
        file(home.resolve(".ssh/id_rsa"), "secret\n");
        file(home.resolve(".m2/repository/a.jar"), "cached\n");
        file(
                directory.resolve("passwd"),
                "root:x:0:0::/root:/bin/sh\n#\nme:x:" + Files.getAttribute(directory, "unix:uid") + ":0::" + account
                        + ":/bin/sh\n");
        file(directory.resolve("stage"), """
                set -e
                mount --bind PASSWD /etc/passwd
                cd WORKSPACE
                export HOME=HOMEDIR
                exec unshare --user --map-user=$1 --map-group=$2 -- "$3" -XX:TieredStopAtLevel=1 PROPERTY -cp "$4" \
                    io.jenkins.plugins.sandbox.cli.Main run --quiet --profile $5 $6 -- sh -c "$7"
                """.replace("PASSWD", directory + "/passwd")
                .replace("WORKSPACE", workspace.toString())
                .replace("HOMEDIR", home.toString()));
        String script = "for h in ACCOUNT HOME; do cd $h; cat .ssh/id_rsa .netrc .m2/repository/a.jar 2>/dev/null;"
                + " echo x > made && cat made; done";
        script = script.replace("ACCOUNT", account.toString()).replace("HOME", home.toString());
        Path stage = directory.resolve("stage");
        String template = Files.readString(stage);
        // Where the JVM says something else, the passwd file counts; where that does not know the user, the JVM's word
        // does.
        for (String property : List.of("-Duser.home=/nonexistent", "")) {
            Files.writeString(stage, template.replace("PROPERTY", property));
            assertThat(staged("standard", "", script)).isEqualTo("secret\nsecret\ncached\nx\nsecret\ncached\nx\n");
            Files.delete(account.resolve("made"));
            Files.delete(home.resolve("made"));
            assertThat(staged("strict", "", script)).isEqualTo("cached\nx\ncached\nx\n");
            assertThat(account.resolve("made")).doesNotExist();
            assertThat(staged("strict", "--read=" + account + "/.ssh", "cat " + account + "/.ssh/id_rsa"))
                    .isEqualTo("secret\n");
        }
        Files.writeString(directory.resolve("passwd"), "root:x:0:0::/root:/bin/sh\n");
        Files.writeString(stage, template.replace("PROPERTY", "-Duser.home=" + account));
        assertThat(staged("strict", "", script)).isEqualTo("cached\nx\ncached\nx\n");
    }

    /** The daemons that resolve names for whoever asks do it over the machine's network. */
    @Test
    void withoutTheMachinesNetworkNobodyResolvesNames() throws Exception {
        file(directory.resolve("stage"), """
                set -e
                mount -t tmpfs t /run
                mkdir -p /run/nscd /run/nslcd /run/systemd/userdb /run/systemd/resolve WORKSPACE
                for s in nscd/socket nslcd/socket systemd/userdb/io.systemd.NameServiceSwitch \
                        systemd/resolve/io.systemd.Resolve; do
                    python3 -c 'import socket, sys
                s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
                while True:
                    c = s.accept()[0]; c.sendall(b"answered"); c.close()' /run/$s < /dev/null > /dev/null 2>&1 &
                    servers="$servers $!"
                    while ! test -S /run/$s; do sleep 0.05; done
                done
                trap 'kill $servers' EXIT
                cd WORKSPACE
                unshare --user --map-user=$1 --map-group=$2 -- "$3" -XX:TieredStopAtLevel=1 -cp "$4" \
                    io.jenkins.plugins.sandbox.cli.Main run --quiet --profile $5 $6 -- sh -c "$7"
                """.replace("WORKSPACE", workspace.toString()));
        String script = "for s in nscd/socket nslcd/socket systemd/userdb/io.systemd.NameServiceSwitch"
                + " systemd/resolve/io.systemd.Resolve; do python3 -c 'import socket, sys; s = socket.socket("
                + "socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(9).decode())' /run/$s 2>/dev/null"
                + " || echo closed; done; getent passwd root | cut -d: -f3";
        String local = "0\n";
        assertThat(staged("standard", "", script)).as("control").isEqualTo("answered\n".repeat(4) + local);
        assertThat(staged("strict", "", script)).isEqualTo("answered\n".repeat(3) + "closed\n" + local);
        assertThat(staged("strict", "--network=none", script)).isEqualTo("closed\n".repeat(4) + local);
        assertThat(staged("offline", "", script)).isEqualTo("closed\n".repeat(4) + local);
        assertThat(staged("offline", "--read=/run/nscd", script)).startsWith("answered\nclosed\n");
    }

    @Test
    void anAgentsDirectoryThatIsTheHomeDirectoryIsHiddenToo() throws Exception {
        home = directory.resolve("agent");
        file(home.resolve("secrets/master.key"), "secret\n");
        String script = "cat ~/secrets/master.key; touch ~/new && ls ~";
        assertThat(run(standard(), script)).startsWith("secret\n");
        Files.delete(home.resolve("new"));
        assertThat(run(view().agentRoot(home.toString()), script))
                .endsWith("new\nworkspace\n")
                .doesNotContain("secret\n");
        assertThat(home.resolve("new")).doesNotExist();
    }

    private void repository(Path worktree) throws IOException {
        file(worktree.resolve(".git/config"), "[core]\n");
        file(worktree.resolve(".git/HEAD"), "ref: refs/heads/main\n");
        file(worktree.resolve(".git/hooks/post-checkout.sample"), "");
        Files.createDirectories(worktree.resolve(".git/objects"));
    }

    private static final String ATTACK = """
            try() { "$@" 2>/dev/null && echo "did: $*"; }
            try sh -c 'echo "[core] fsmonitor = evil" >> .git/config'
            try sh -c 'echo new > n && mv n .git/config'
            try rm .git/config
            try sh -c 'echo evil > .git/hooks/post-checkout'
            try mv .git/hooks .git/h
            try sh -c 'echo ../evil > .git/commondir'
            try mv .git .git2
            try rm -rf .git
            """;

    @ParameterizedTest
    @ValueSource(strings = {".", "sub", "sub/two/three/four"})
    void whatGitObeysIsReadOnlyAndGitWorks(String name) throws Exception {
        Path worktree = workspace.resolve(name).normalize();
        repository(worktree);
        assertThat(run(standard(), "cd " + name + "; " + ATTACK)).hasLineCount(8);
        repository(worktree);
        assertThat(run(protectedGit(), "cd " + name + "; " + ATTACK)).isEmpty();
        assertThat(run(protectedGit(), "mv sub other && mkdir -p sub/.git && echo moved"))
                .doesNotContain("moved");
        repository(worktree); // rm -rf took what it could
        assertThat(worktree.resolve(".git/config")).hasContent("[core]");
        assertThat(worktree.resolve(".git/hooks/post-checkout")).doesNotExist();
        assertThat(run(
                        protectedGit(),
                        "cd " + name
                                + "; echo x > .git/index.lock && mv .git/index.lock .git/index && echo y > .git/objects/o"
                                + " && cat .git/config"))
                .isEqualTo("[core]\n");
        assertThat(worktree.resolve(".git/index")).hasContent("x");
        assertThat(run(
                        protectedGit().write(worktree + "/.git/config"),
                        "cd " + name + "; echo mine > .git/config && echo yes"))
                .as("asked for by name")
                .isEqualTo("yes\n");
    }

    /** What cannot be looked at when a launch begins must not be what that launch can open again. */
    @ParameterizedTest
    @ValueSource(strings = {"chmod 0 .git", "chmod 500 .git; rm -f .git/commondir", "chmod 0 sub/.git"})
    void whatAnEarlierLaunchTookTheRightsFromStaysAsItIs(String shut) throws Exception {
        repository(workspace);
        repository(workspace.resolve("sub"));
        String open = "chmod 755 .git sub sub/.git 2>/dev/null; (" + ATTACK + "); cd sub && (" + ATTACK + ")";
        assertThat(run(standard(), shut)).isEmpty();
        assertThat(run(protectedGit(), open)).doesNotContain("did: ");
        assertThat(run(standard(), open)).contains("did: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"config", "hooks"})
    void aRepositoryWithALinkWhereGitLooksForOrdersIsReadOnly(String name) throws Exception {
        repository(workspace);
        Path git = workspace.resolve(".git");
        Files.move(git.resolve(name), workspace.resolve("shared"));
        Files.createSymbolicLink(git.resolve(name), Path.of("../shared"));
        String script = "rm .git/" + name + " && mkdir .git/" + name + " && echo replaced; cat .git/HEAD";
        assertThat(run(protectedGit(), script)).contains("ref: refs/heads/main").doesNotContain("replaced");
        assertThat(run(standard(), script)).contains("replaced");
    }

    /** Took hours. */
    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void aHugeLineInTheConfigurationOfASubmoduleIsRead() throws Exception {
        repository(workspace);
        file(
                workspace.resolve(".git/modules/one/config"),
                "a" + " ".repeat(900_000) + "b\n\tworktree = ../../../sub\n");
        file(workspace.resolve(".git/modules/one/HEAD"), "x");
        file(workspace.resolve("sub/.git"), "gitdir: ../.git/modules/one\n");
        assertThat(run(protectedGit(), "mv sub other && echo moved")).doesNotContain("moved");
    }

    /** With git itself, where there is one: outside of the sandbox it runs what the build has left. */
    @Test
    void gitOutsideOfTheSandboxDoesNotRunWhatABuildLeft() throws Exception {
        // Not an assumption: what protects git is shown with git or not at all.
        assertThat(run(standard(), "git --version")).startsWith("git version");
        String make = "git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one";
        assertThat(run(standard(), make)).isEmpty();
        String attack = "rm -rf evil ran; mkdir evil && cp -r .git/. evil/ && rm -f evil/commondir"
                + " && printf '[core]\\n\\trepositoryformatversion = 0\\n\\tfsmonitor = touch ran; false\\n' > evil/config"
                + " && echo ../evil > .git/commondir; cp evil/config .git/config; true";
        run(protectedGit(), attack);
        run(standard(), "git status");
        assertThat(workspace.resolve("ran")).doesNotExist();
        assertThat(
                        run(
                                protectedGit(),
                                "git -c user.name=a -c user.email=a@b commit -q --allow-empty -m two && git tag t && git log --format=%s"))
                .as("commits work")
                .isEqualTo("two\none\n");
        assertThat(run(standard(), "git fsck && git log --format=%s && git worktree list | wc -l"))
                .as("and are there afterwards")
                .isEqualTo("two\none\n1\n");
        run(standard(), attack);
        run(standard(), "git status");
        assertThat(workspace.resolve("ran")).as("control").exists();
    }

    private static final String GIT = "git -c user.name=a -c user.email=a@b ";

    /** With git's own words: what it finds in a repository, and each file of it. */
    private static final String FILES =
            "find .git sub/.git -type f -o -type l | sort | xargs -d '\\n' stat -c '%n %i %s %z'";

    /** Each of these has made git outside of the sandbox run a program. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                // the workspace taken for a repository
                "mv .git/HEAD .git/x; bare",
                "rm -rf .git/refs; bare",
                "chmod 0 .git; bare",
                // another configuration, other hooks
                "cp evil .git/config",
                "mv -f .git .git2; mkdir .git; cp -r .git2/. .git; cp evil .git/config",
                "mkdir -p other; cp -r .git/. other; cp evil other/config; echo ../other > .git/commondir",
                "mkdir -p .git/worktrees; cp evil .git/config.worktree; " + GIT
                        + "config extensions.worktreeConfig true",
                // what comes after git's own checks
                "rm .git/index; ln -s ../index .git/index; cp evil .git/config",
            })
    void whatABuildDoesToARepositoryDoesNotReachTheMachine(String attack) throws Exception {
        String make = "git init -q . && mkdir sub && git -C sub init -q && " + GIT + "commit -q --allow-empty -m one";
        String script =
                "bare() { mkdir -p objects refs; echo 'ref: refs/heads/main' > HEAD; (cat evil; echo worktree = .) > config; }\n"
                        + "printf '[core]\\n\\trepositoryformatversion = 0\\n\\tfsmonitor = touch ran; false\\n' > evil; "
                        + attack + "; true";
        assertThat(run(standard(), make)).isEmpty();
        String before = run(standard(), FILES);
        run(view(), script);
        assertThat(run(view(), "ls -d .git"))
                .as("it is still there for later launches")
                .isEqualTo(".git\n");
        assertThat(run(standard(), FILES)).isEqualTo(before);
        run(standard(), "git status");
        assertThat(workspace.resolve("ran")).doesNotExist();
        run(standard(), script + "; chmod 755 .git");
        run(standard(), "chmod 0 .git 2>/dev/null; git status; chmod 755 .git; git status");
        assertThat(workspace.resolve("ran")).as("control").exists();
    }

    @Test
    void gitWorksInARepositoryAndLaterLaunchesSeeIt() throws Exception {
        String allow = "git -c protocol.file.allow=always -c user.name=a -c user.email=a@b ";
        assertThat(run(
                        standard(),
                        "git init -q lib && cd lib && " + GIT
                                + "commit -q --allow-empty -m lib && cd .. && git init -q app" + " && cd app && "
                                + allow + "submodule --quiet add ../lib lib && " + GIT + "commit -q -m one"))
                .isEmpty();
        workspace = workspace.resolve("app");
        assertThat(
                        run(
                                view(),
                                "echo x > file && git add file && " + GIT
                                        + "commit -q -m two && git config x.y z && git checkout -q -b side"
                                        + " && (cd lib && " + GIT + "commit -q --allow-empty -m three) && " + GIT
                                        + "commit -q -a -m four && " + allow
                                        + "submodule --quiet update && git gc -q && git stash list"
                                        + " && git worktree add -q --detach tree && git remote add o u && git remote rename o p"))
                .isEmpty();
        assertThat(
                        run(
                                view(),
                                "git fsck && git log --format=%s && git config x.y && git branch --show-current && git status -s"))
                .as("a later launch")
                .isEqualTo("four\ntwo\none\nz\nside\n?? tree/\n");
        assertThat(run(standard(), "git fsck && git log --format=%s && git config x.y; git status -s"))
                .as("outside")
                .isEqualTo("one\n?? file\n?? tree/\n");
        assertThat(run(standard(), GIT + "commit -q --allow-empty -m outside")).isEmpty();
        assertThat(run(view(), "git fsck && git log --format=%s"))
                .as("what git did outside in between is seen")
                .isEqualTo("outside\none\n");
    }

    /** Each has an overlay of its own: two of one upper directory are undefined. */
    @Test
    void launchesAtTheSameTimeDoNotDisturbOneAnother() throws Exception {
        assertThat(run(standard(), "git init -q . && " + GIT + "commit -q --allow-empty -m one"))
                .isEmpty();
        String script = "for i in 1 2 3 4 5 6 7 8; do " + GIT
                + "commit -q --allow-empty -m more || exit; done; git fsck && git log --format=%s | wc -l";
        SandboxedProcess other = Sandbox.of(view().build())
                .process(b -> b.environment().put("HOME", home.toString()))
                .start(List.of("sh", "-c", "until test -e go; do sleep 0.01; done; " + script));
        assertThat(run(view(), "touch go; " + script)).isEqualTo("9\n");
        assertThat(new String(other.getInputStream().readAllBytes())).isEqualTo("9\n");
        assertThat(other.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(other.awaitEnding(Duration.ofSeconds(30))).isPresent();
        assertThat(run(standard(), "git log --format=%s")).isEqualTo("one\n");
    }

    /** What a launch does to the workspace must not make the next one overlook a repository. */
    @Test
    void aRepositoryThatALaterLaunchDoesNotFindIsKeptAllTheSame() throws Exception {
        repository(workspace.resolve("a/b"));
        String hide = "chmod 311 a; mkdir full; cd full; seq 1100 | xargs touch";
        String attack = "chmod 755 a; echo evil > a/b/.git/config";
        assertThat(run(view(), hide)).isEmpty();
        assertThat(run(view(), attack)).isEmpty();
        assertThat(workspace.resolve("a/b/.git/config")).hasContent("[core]");
        run(standard(), attack);
        assertThat(workspace.resolve("a/b/.git/config")).as("control").hasContent("evil");
    }

    @Test
    void aReadOnlyRepositoryIsReadOnlyAndCanBeRead() throws Exception {
        repository(workspace);
        Profile profile = Profile.parse("view", VIEW + "git = read-only\n");
        String script = "cat .git/HEAD; ln -s /etc/passwd .git/FETCH_HEAD; echo x > .git/index; mv .git g";
        assertThat(run(policy(profile), script))
                .startsWith("ref: refs/heads/main\n")
                .contains("busy");
        assertThat(workspace.resolve(".git/FETCH_HEAD")).doesNotExist();
        assertThat(workspace.resolve(".git/index")).doesNotExist();
        assertThat(run(policy(profile).write(workspace + "/.git"), "echo x > .git/index && cat .git/index"))
                .isEqualTo("x\n");
    }

    @Test
    void missingHooksAndModulesCannotBeMade() throws Exception {
        file(workspace.resolve(".git/config"), "[core]\n");
        String script =
                "mkdir -p .git/hooks .git/modules/x; echo evil > .git/hooks/post-checkout; echo evil > .git/modules/x/config;"
                        + " cat .git/hooks/post-checkout";
        assertThat(run(standard(), script)).isEqualTo("evil\n");
        assertThat(workspace.resolve(".git/modules/x/config")).exists();
        for (String name : List.of("hooks/post-checkout", "hooks", "modules/x/config", "modules/x", "modules")) {
            Files.delete(workspace.resolve(".git").resolve(name));
        }
        assertThat(run(protectedGit(), script)).contains("evil");
        assertThat(workspace.resolve(".git/hooks")).isEmptyDirectory();
        assertThat(workspace.resolve(".git/modules")).isEmptyDirectory();
    }

    @Test
    void submodulesAreProtectedAsTheirParentIs() throws Exception {
        repository(workspace);
        file(workspace.resolve(".git/modules/libs/one/config"), "[core]\n\tworktree = ../../../../deps/one\n");
        file(workspace.resolve(".git/modules/libs/one/HEAD"), "x");
        file(workspace.resolve("deps/one/.git"), "gitdir: ../../.git/modules/libs/one\n");
        String script = """
                try() { "$@" 2>/dev/null && echo "did: $*"; }
                try sh -c 'echo evil > .git/modules/libs/one/config'
                try mkdir .git/modules/evil
                try sh -c 'echo evil > deps/one/.git'
                try mv deps/one/.git deps/one/g
                try mv deps/one deps/two
                try mv deps d
                """;
        assertThat(run(protectedGit(), script)).isEmpty();
        assertThat(run(protectedGit(), "echo x > deps/one/file && cat deps/one/file"))
                .isEqualTo("x\n");
        assertThat(run(standard(), script)).hasLineCount(6);
    }

    @Test
    void nothingThatABuildWritesCanBeExecutedWhereOnlyNamedPathsExist() throws Exception {
        String script =
                "for d in . /tmp /var/tmp /dev/shm ~; do t=$(mktemp \"$d/XXXXXX\") && cp /bin/true \"$t\" && echo made;"
                        + " chmod +x \"$t\"; \"$t\" && echo ran; rm \"$t\"; done 2>/dev/null";
        assertThat(run(standard(), script)).isEqualTo("made\nran\n".repeat(5));
        assertThat(run(locked(), script)).isEqualTo("made\n".repeat(5));
    }

    /** Bubblewrap, and unshare of util-linux: what containers without root and browsers do. */
    @Test
    void aSandboxInsideStartsWhereTheProfileLetsItAndUncoversNothing() throws Exception {
        file(home.resolve(".ssh/id_rsa"), "secret\n");
        String script = "unshare --user --map-root-user --mount sh -c 'mount -t tmpfs t /mnt && echo mounted;"
                + " umount ~/.ssh; cat ~/.ssh/id_rsa; mount -o remount,bind,rw / && echo writable';"
                + " bwrap --unshare-all --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp echo wrapped";
        assertThat(run(standard(), "bwrap --version")).startsWith("bubblewrap");
        assertThat(run(policy(Profile.named("strict")), script)).doesNotContain("mounted\n", "wrapped\n");
        assertThat(run(policy(nested()), script))
                .startsWith("mounted\n")
                .endsWith("wrapped\n")
                .doesNotContain("secret\n", "writable\n");
    }

    private static Profile nested() throws Exception {
        return Profile.parse(
                "nested",
                "primitives = session close_fds environment user_namespace pid_namespace mount_namespace"
                        + " ipc_namespace uts_namespace cgroup_namespace filesystem proc no_new_privs capabilities seccomp\n"
                        + "root = ro\ndev = minimal\nhome = overlay\ntmp = private\nsyscalls = @build nested-sandbox\n");
    }

    /** With one user id, since newuidmap is a set-uid program; crun goes on without a keyring where there are none. */
    @Test
    void aContainerWithoutRootRunsInsideWhereTheProfileLetsIt() throws Exception {
        String map = "[{\"containerID\": 0, \"hostID\": %s, \"size\": 1}]";
        String uid = map.formatted(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
        String gid = map.formatted(Files.getAttribute(Path.of("/proc/self"), "unix:gid"));
        file(workspace.resolve("bundle/config.json"), """
                {"ociVersion": "1.0.2", "root": {"path": "rootfs"},
                 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}],
                 "process": {"terminal": false, "user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/bin"],
                             "args": ["busybox", "sh", "-c", "busybox id -u; busybox ls /; busybox mount -t tmpfs t /dev"],
                             "noNewPrivileges": true},
                 "linux": {"uidMappings": %s, "gidMappings": %s,
                           "namespaces": [{"type": "user"}, {"type": "mount"}, {"type": "pid"}, {"type": "ipc"}]}}
                """.formatted(uid, gid));
        Path busybox = workspace.resolve("bundle/rootfs/bin/busybox");
        Files.createDirectories(busybox.getParent());
        Files.copy(Path.of("/bin/busybox"), busybox, StandardCopyOption.COPY_ATTRIBUTES);
        String script = "mkdir -p /tmp/run; XDG_RUNTIME_DIR=/tmp/run crun --cgroup-manager=disabled --root /tmp/run run"
                + " --bundle bundle c 2>/dev/null";
        // crun refuses machines on which both versions of control groups are mounted.
        assertThat(run(policy(nested()).hide("/sys/fs/cgroup"), script)).isEqualTo("0\nbin\ndev\nproc\n");
        assertThat(run(policy(Profile.named("strict")).hide("/sys/fs/cgroup"), script))
                .isEmpty();
    }

    @Test
    void rightsAddUpForOneFile() throws Exception {
        Path more = Files.createDirectory(directory.resolve("more"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), more);
        Path fixed = file(workspace.resolve("fixed"), "fixed\n");
        Path secret = file(workspace.resolve("secret/file"), "secret\n").getParent();
        Policy.Builder policy = view().read(more.toString())
                .write(link.toString())
                .read(fixed.toString())
                .hide(secret.toString());
        assertThat(
                        run(
                                policy,
                                "echo a > ../../../more/a; echo b > \"$D\"/link/b; cat fixed; echo x > fixed; rm -f fixed; cat secret/file"))
                .startsWith("fixed\n")
                .contains("fixed: Read-only file system")
                .contains("secret/file: No such file");
        assertThat(more.resolve("a")).hasContent("a");
        assertThat(more.resolve("b")).hasContent("b");
        assertThat(fixed).hasContent("fixed");
    }

    @Test
    void aLinkedPathWorksByBothNamesWhereTheLinkItselfIsNotSeen() throws Exception {
        Path more = Files.createDirectory(directory.resolve("more"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), more);
        file(more.resolve("sub/file"), "content\n");
        String script =
                "cat \"$D\"/link/sub/file \"$D\"/more/sub/file; echo x > \"$D\"/link/sub/new; cat \"$D\"/more/sub/new";
        assertThat(run(policy(Profile.named("strict")).write(link + "/sub"), script))
                .as("both lie in a private /tmp")
                .isEqualTo("content\ncontent\nx\n");
        assertThat(run(locked().write(link + "/sub"), script))
                .as("nothing but what is named exists")
                .isEqualTo("content\ncontent\nx\n");
    }

    /** An agent whose directory of workspaces is a link to a larger disk: the way through it is a second one. */
    @Test
    void whatIsProtectedInAWorkspaceIsSoByItsOtherNameToo() throws Exception {
        Path outside = Files.createTempDirectory(Path.of(System.getProperty("sandbox.test.outside")), "view");
        for (Path base : List.of(directory, outside)) {
            Path agent = Files.createDirectory(base.resolve("agent-by-link"));
            Path disk = Files.createDirectory(base.resolve("disk"));
            Path name =
                    Files.createSymbolicLink(agent.resolve("workspace"), disk).resolve("job");
            Path config = file(disk.resolve("job/.git/config"), "kept\n");
            file(disk.resolve("job/hidden/file"), "secret\n");
            String script = "cd " + name + " && echo x > made; cat hidden/file; echo evil > .git/config;"
                    + " mkdir -p .git/hooks; echo evil > .git/hooks/post-checkout; mv .git moved; cat .git/config";
            Policy.Builder policy = Policy.builder(Profile.named("strict"), name.toString())
                    .home(home.toString())
                    .scratch(scratch.toString())
                    .agentRoot(agent.toString())
                    .hide(name + "/hidden")
                    .minimumLevel(Level.FULL);
            assertThat(run(policy, script)).contains("cannot move '.git'").doesNotContain("secret\n");
            assertThat(config.resolveSibling("hooks/post-checkout")).doesNotExist();
            assertThat(config).hasContent("kept");
            assertThat(disk.resolve("job/made")).exists();
            assertThat(run(Policy.builder(Profile.named("standard"), name.toString()), script))
                    .contains("secret\n");
            assertThat(disk.resolve("job/moved/config")).hasContent("evil");
        }
    }

    @Test
    void aJobsHomeStaysForTheNextBuild() throws Exception {
        Path job = Files.createDirectory(directory.resolve("job"));
        file(home.resolve("old"), "old\n");
        Profile profile = Profile.parse("view", VIEW.replace("home = overlay", "home = job"));
        run(policy(profile).jobScratch(job.toString()), "echo warm > ~/cache");
        Path other = Files.createDirectory(directory.resolve("scratch2"));
        assertThat(run(policy(profile).scratch(other.toString()).jobScratch(job.toString()), "cat ~/cache ~/old"))
                .isEqualTo("warm\nold\n");
        assertThat(home.resolve("cache")).doesNotExist();
    }

    @Test
    void nothingElseExistsUnderLocked() throws Exception {
        file(directory.resolve("other/file"), "other\n");
        Path named = file(directory.resolve("named/file"), "named\n").getParent();
        String script = "cat \"$D\"/other/file 2>/dev/null; cat \"$D\"/named/file; ls /; ls -A ~; ls /etc | grep -c .;"
                + " touch /x /etc/x \"$D\"/named/x 2>/dev/null || echo read-only; touch made";
        assertThat(run(standard(), "cat \"$D\"/other/file; ls /")).contains("other\n", "\nsys\n", "\nrun\n");
        String output = run(locked().read(named.toString()), script);
        assertThat(output)
                .startsWith("named\n")
                .doesNotContain("\nsys\n", "\nrun\n", "other")
                .endsWith("read-only\n");
        assertThat(workspace.resolve("made")).exists();
    }

    @Test
    void underLockedOnlyWhatWasNamedForItIsExecuted() throws Exception {
        program(workspace.resolve("program"));
        program(directory.resolve("tools/program"));
        String script = "./program; \"$D\"/tools/program; cp program /tmp/p; /tmp/p; cp program ~/p; ~/p; echo end";
        assertThat(run(standard(), script + "; rm /tmp/p ~/p")).isEqualTo("ran\n".repeat(4) + "end\n");
        String tools = directory.resolve("tools").toString();
        assertThat(run(locked().read(tools), script)).endsWith("end\n").doesNotContain("ran\n");
        assertThat(run(locked().execute(tools), script).lines().filter("ran"::equals))
                .hasSize(1);
        assertThat(run(locked().execute(tools).execute(workspace.toString()), script)
                        .lines()
                        .filter("ran"::equals))
                .hasSize(2);
        assertThat(run(locked().execute(workspace.toString()), "echo x > made && cat made"))
                .as("writable as before")
                .isEqualTo("x\n");
    }

    /** A file in memory has no path that could be named for it. */
    @Test
    void underLockedNothingIsExecutedFromMemory() throws Exception {
        String script = "python3 -c 'import os; f = os.memfd_create(\"m\", FLAGS); os.write(f, b\"data\");"
                + " print(os.pread(f, 9, 0).decode())'";
        String program = "python3 -c 'import os; f = os.memfd_create(\"m\", FLAGS);"
                + " os.write(f, open(\"/bin/echo\", \"rb\").read()); os.execve(f, [\"echo\", \"ran\"], {})'";
        String executable = program.replace("FLAGS", "0");
        assertThat(run(view(), executable)).isEqualTo("ran\n");
        assertThat(run(locked(), executable)).contains("PermissionError").doesNotContain("ran\n");
        assertThat(run(locked(), program.replace("FLAGS", "16"))).doesNotContain("ran\n"); // MFD_EXEC
        // MFD_NOEXEC_SEAL: as data it may be used
        assertThat(run(locked(), script.replace("FLAGS", "8"))).isEqualTo("data\n");
        assertThat(run(locked(), program.replace("FLAGS", "8"))).doesNotContain("ran\n");
    }

    /** The devices that every launch has may be named, and nothing changes. */
    @Test
    void namingADeviceThatIsThereAnywayIsNoMistake() throws Exception {
        String script = "echo x > /dev/null && head -c 2 /dev/zero | wc -c; ls /dev | wc -l";
        String usual = run(view(), script);
        assertThat(usual).startsWith("2\n");
        assertThat(run(view().write("/dev/null").read("/dev/zero"), script)).isEqualTo(usual);
        assertThat(run(locked().write("/dev/null"), script)).isEqualTo(run(locked(), script));
        for (String other : List.of("/dev/shm", "/dev/pts")) {
            assertThatThrownBy(() -> run(view().write(other), script))
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContaining("cannot be named");
        }
        assertThatThrownBy(() -> run(view().hide("/dev/null"), script))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("cannot be");
    }

    @Test
    void lockedKnowsItsUserAndNobodyElse() throws Exception {
        assertThat(
                        run(
                                locked(),
                                "id -u; cut -d: -f3 /etc/passwd | sort -n | uniq | wc -l; getent hosts localhost >/dev/null && echo found; cat /etc/resolv.conf | grep -c nameserver"))
                .isEqualTo(uid() + "\n" + (uid() == 65534 ? 2 : 3) + "\nfound\n0\n");
    }

    private static int uid() throws IOException {
        return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }

    @Test
    void lockedPassesOnOnlyWhatIsNamed() throws Exception {
        assertThat(run(standard().keepVariables(List.of("SANDBOX_TEST_OTHER")), "echo $SANDBOX_TEST_OTHER,$D"))
                .isEqualTo("other," + directory + "\n");
        assertThat(run(locked(), "echo $SANDBOX_TEST_OTHER,$SANDBOX_TEST_TOKEN,$D"))
                .isEqualTo(",," + directory + "\n");
        assertThat(run(locked().keepVariables(List.of("SANDBOX_TEST_OTHER")), "echo $SANDBOX_TEST_OTHER"))
                .isEqualTo("other\n");
    }

    @Test
    void memoryInThePlaceOfDirectoriesIsLimited() throws Exception {
        assertThat(run(locked(), "df -B1 --output=size /tmp /var/tmp ~ | tail -n +2 | tr -d ' ' | uniq"))
                .isEqualTo((1L << 30) + "\n");
    }
}
