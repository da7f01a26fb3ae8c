package io.jenkins.plugins.sandbox.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Limits;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import io.jenkins.plugins.sandbox.seccomp.Architecture;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlanTest {
    private static final Set<String> OWN = Set.of("PATH", "AGENT_TOKEN");

    private Path directory;
    private Path workspace;
    private Path home;
    private Path scratchDirectory;
    private Host host;

    @BeforeEach
    void directories(@TempDir Path temporary) throws IOException {
        directory = temporary.toRealPath();
        workspace = Files.createDirectory(directory.resolve("ws"));
        home = Files.createDirectory(directory.resolve("home"));
        scratchDirectory = Files.createDirectory(directory.resolve("scratch"));
        host = new Host(home.toString(), Optional.of(Architecture.X86_64), StandardCharsets.UTF_8, OWN);
    }

    private Policy.Builder strict() throws SandboxException {
        return Policy.builder(Profile.named("strict"), workspace.toString()).scratch(scratchDirectory.toString());
    }

    private List<String> words(Policy policy) throws SandboxException {
        return withoutTheMachines(Plan.imagined(policy, host).words("/report", "/gate", "/filter"));
    }

    /** What is hidden outside of this test's directory, and what is left to see of /run, is another machine's matter. */
    private List<String> withoutTheMachines(List<String> words) {
        List<String> own = new ArrayList<>();
        for (int i = 0; i < words.size(); i++) {
            if (words.get(i).equals("--hide") && !words.get(i + 1).startsWith(directory.toString())) {
                i++;
            } else if (words.get(i).equals("--ro-bind") && (words.get(i + 2) + "/").matches("/run/.*")) {
                i += 2;
            } else {
                own.add(words.get(i));
            }
        }
        return own;
    }

    @Test
    void strict_inFull() throws Exception {
        Policy policy = strict().minimumLevel(Level.FULL)
                .require(Primitive.SECCOMP)
                .limits(Limits.builder()
                        .cpuTime(10)
                        .memory(1L << 30)
                        .addressSpace(true)
                        .pids(99)
                        .wallTime(60)
                        .cpus("0,1")
                        .cpuQuota(50)
                        .build())
                .write(Files.createDirectory(directory.resolve("more")).toString())
                .graceSeconds(7)
                .gateSeconds(8)
                .build();
        String scratch = scratchDirectory.toString();
        assertThat(String.join(" ", words(policy)))
                .isEqualTo("process-sandbox-plan 1 --report /report --gate /gate --gate-timeout 8 --profile strict"
                        + " --primitive session --primitive close_fds --primitive environment --primitive cgroup"
                        + " --primitive user_namespace --primitive pid_namespace --primitive mount_namespace --primitive ipc_namespace"
                        + " --primitive uts_namespace --primitive cgroup_namespace --primitive filesystem"
                        + " --primitive proc --primitive rlimit_cpu --primitive rlimit_nofile --primitive rlimit_as"
                        + " --primitive rlimit_nproc --primitive rlimit_core --primitive cpu_affinity --primitive no_new_privs --primitive capabilities --primitive landlock_fs"
                        + " --primitive landlock_scope --primitive seccomp"
                        + " --require seccomp --min-level FULL"
                        + " --unset-env AGENT_TOKEN"
                        + " --root ro --dev /dev --bind " + scratch + "/tmp /tmp"
                        + " --overlay " + home + " " + scratch + "/home-0/upper " + scratch + "/home-0/work"
                        + " --bind " + directory + "/more " + directory + "/more"
                        + " --bind " + workspace + " " + workspace + " --bind " + scratch + "/var-tmp /var/tmp"
                        + " --rlimit cpu=11 --rlimit nofile=65536 --rlimit as=8589934592 --rlimit nproc=99 --rlimit core=1"
                        + " --memory 1073741824 --pids 99 --cpu-quota 50 --cpu-time 10 --wall-time 60 --cpus 0,1"
                        + " --seccomp /filter"
                        + " --background keep --grace 7 end");
    }

    @Test
    void standardTouchesNoFiles() throws Exception {
        Policy policy = Policy.builder(Profile.named("standard"), workspace.toString())
                .background(Policy.Background.KILL)
                .build();
        assertThat(String.join(" ", Plan.imagined(policy, host).words("/report", null, null)))
                .isEqualTo("process-sandbox-plan 1 --report /report --profile standard --primitive environment"
                        + " --primitive rlimit_nofile --primitive no_new_privs --min-level NONE"
                        + " --unset-env AGENT_TOKEN --rlimit nofile=65536 --background kill --grace 5 end");
        assertThat(Plan.imagined(policy, host).filter()).isEmpty();
    }

    @Test
    void warnAsksTheLauncherForNothing() throws Exception {
        List<String> words = words(strict().minimumLevel(Level.FULL)
                .require(Primitive.SECCOMP)
                .onShortfall(Policy.OnShortfall.WARN)
                .build());
        assertThat(words).doesNotContain("--require", "FULL").containsSequence("--min-level", "NONE");
    }

    @Test
    void anUnsupportedProcessorAsksForSeccompAndGivesNoFilter() throws Exception {
        host = new Host(home.toString(), Optional.empty(), StandardCharsets.UTF_8, OWN);
        assertThat(words(strict().build()))
                .containsSequence("--primitive", "seccomp")
                .doesNotContain("--seccomp");
        assertThat(Plan.imagined(strict().build(), host).explain()).contains("the row will not hold");
    }

    @Test
    void filtersAreWholeInstructions() throws Exception {
        assertThat(Plan.imagined(strict().build(), host).filter()).get().satisfies(f -> assertThat(f.length % 8)
                .isZero());
    }

    @Test
    void withoutAScratchDirectoryTheTemporaryOnesAreEmpty() throws Exception {
        Profile profile = Profile.named("strict").withHome(Profile.Home.HOST);
        assertThat(words(Policy.builder(profile, workspace.toString()).build()))
                .containsSubsequence("--tmpfs", "/tmp", "0", "--tmpfs", "/var/tmp", "0")
                .doesNotContain("--overlay");
        assertThatThrownBy(() -> words(Policy.builder(Profile.named("strict"), workspace.toString())
                        .build()))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("needs a scratch directory");
    }

    @Test
    void aScratchHomeIsBound() throws Exception {
        Profile profile = Profile.named("strict").withHome(Profile.Home.SCRATCH);
        assertThat(words(Policy.builder(profile, workspace.toString())
                        .scratch(scratchDirectory.toString())
                        .build()))
                .containsSequence("--bind", scratchDirectory + "/home-0/home", home.toString())
                .doesNotContain("--overlay");
    }

    /** The job's next build has what this one wrote, also when the machine crashed meanwhile. */
    @Test
    void theHomeOfAJobIsDurable() throws Exception {
        Path kept = Files.createDirectory(directory.resolve("kept"));
        Policy policy = Policy.builder(Profile.named("strict").withHome(Profile.Home.JOB), workspace.toString())
                .scratch(scratchDirectory.toString())
                .jobScratch(kept.toString())
                .build();
        assertThat(words(policy))
                .containsSequence("--overlay-durable", home.toString(), kept + "/home-0/upper", kept + "/home-0/work");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "", "relative", "/nonexistent", "/dev/null", "/tmp"})
    void oddHomesAreLeftAlone(String name) throws Exception {
        host = new Host(name, Optional.of(Architecture.X86_64), StandardCharsets.UTF_8, OWN);
        assertThat(words(strict().build())).doesNotContain("--overlay");
    }

    @Test
    void aHomeInTheWorkspaceIsLeftAlone() throws Exception {
        assertThat(words(strict().home(
                                Files.createDirectory(workspace.resolve("h")).toString())
                        .build()))
                .doesNotContain("--overlay");
        assertThat(words(strict().home(workspace.toString()).build())).doesNotContain("--overlay");
    }

    @Test
    void aWorkspaceInTheHomeIsShownOnTopOfIt() throws Exception {
        workspace = Files.createDirectory(home.resolve("ws"));
        List<String> words = words(strict().build());
        assertThat(words)
                .containsSubsequence(
                        "--overlay", home.toString(), "--bind", workspace.toString(), workspace.toString());
    }

    @Test
    void anOverlayCannotHaveItsOwnScratchDirectoryBelow() throws Exception {
        Path inside = Files.createDirectory(home.resolve("scratch"));
        assertThatThrownBy(() -> words(strict().scratch(inside.toString()).build()))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("outside of the home directory");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "a\nb", "$HOME", "'a\"b'", "ä€😀", "-x", "--bind", "end", "*", "a\\b", " "})
    void workspacesOfAnyNameArriveAsTheyAre(String name) throws Exception {
        workspace = Files.createDirectory(directory.resolve(name));
        Plan plan = Plan.imagined(strict().build(), host);
        List<String> words = plan.words("/report", "/gate", "/filter");
        assertThat(words).containsSequence("--bind", workspace.toString(), workspace.toString());
        String decoded = new String(plan.encode(words), StandardCharsets.UTF_8);
        assertThat(decoded).endsWith("\0end\0");
        assertThat(Arrays.asList(decoded.split("\0"))).isEqualTo(words);
    }

    @Test
    void pathsAreCanonical() throws Exception {
        Path link = Files.createSymbolicLink(directory.resolve("link"), workspace);
        Policy policy = Policy.builder(Profile.named("strict"), link + "/../ws/.")
                .scratch(scratchDirectory.toString())
                .build();
        assertThat(words(policy)).containsSequence("--bind", workspace.toString(), workspace.toString());
    }

    @ParameterizedTest
    @CsvSource({
        "/, would make the whole machine writable",
        "/nonexistent/x, does not exist",
        "relative, is not an absolute path",
        "'', is not an absolute path",
        "/etc/passwd, is not a directory",
        "/proc/self/nosuch, does not exist"
    })
    void workspacesThatCannotBeUsedAreErrors(String path, String message) {
        assertThatThrownBy(() ->
                        words(Policy.builder(Profile.named("standard"), path).build()))
                .isInstanceOf(SandboxException.class)
                .hasMessageStartingWith("Workspace '" + path + "'")
                .hasMessageContaining(message);
    }

    @Test
    void aPathWithANulIsAnError() {
        assertThatThrownBy(() ->
                        words(Policy.builder(Profile.named("standard"), "/a\0b").build()))
                .isInstanceOf(SandboxException.class);
    }

    /** The launcher gets the bytes that the file system has, in a JVM of any encoding. */
    @Test
    void aPathIsItsBytesWhateverTheEncoding() throws Exception {
        workspace = Files.createDirectory(directory.resolve("ä"));
        for (Charset encoding :
                List.of(StandardCharsets.US_ASCII, StandardCharsets.ISO_8859_1, StandardCharsets.UTF_8)) {
            host = new Host(home.toString(), Optional.of(Architecture.X86_64), encoding, OWN);
            Plan plan = Plan.imagined(strict().build(), host);
            String text = new String(plan.encode(plan.words("/report", null, "/filter")), StandardCharsets.UTF_8);
            assertThat(text).contains("\0--bind\0" + workspace + "\0" + workspace + "\0");
        }
    }

    @Test
    void aNameThatIsNotUtf8IsItsBytesToo() throws Exception {
        byte[] bytes = "/a\u0000b/ü".getBytes(StandardCharsets.ISO_8859_1);
        bytes[2] = (byte) 0xFF;
        String word = PathBytes.word(bytes);
        assertThat(PathBytes.bytes(word)).isEqualTo(bytes);
        assertThat(PathBytes.word(PathBytes.path(word))).isEqualTo(word);
        assertThat(PathBytes.bytes(PathBytes.word(PathBytes.path(word)))).isEqualTo(bytes);
        assertThat(PathBytes.word(Path.of("/ü/\uD83D\uDE00"))).isEqualTo("/ü/\uD83D\uDE00");
        assertThat(PathBytes.path("/a%20b c?#;\\\n").toString()).isEqualTo("/a%20b c?#;\\\n");
        assertThat(PathBytes.path("/ü%?#\n").toString()).isEqualTo("/ü%?#\n");
    }

    @Test
    void aVariableThatTheEncodingCannotSayIsAnErrorWithItsRemedy() throws Exception {
        host = new Host(
                home.toString(), Optional.of(Architecture.X86_64), StandardCharsets.US_ASCII, Set.of("\uFFFD_TOKEN"));
        Plan plan = Plan.imagined(strict().build(), host);
        assertThatThrownBy(() -> plan.encode(plan.words("/report", null, "/filter")))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("LANG=C.UTF-8");
    }

    @Test
    void furtherPathsAreChecked() throws Exception {
        assertThatThrownBy(() -> words(strict().write("/nonexistent").build()))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("Write path '/nonexistent' does not exist");
        assertThatThrownBy(() -> words(strict().read("relative").build()))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("Read path 'relative' is not an absolute path");
        assertThatThrownBy(() -> words(strict().write("/").build()))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("whole machine writable");
    }

    @Test
    void aReadPathThatSomethingCoversIsShown() throws Exception {
        Path covered = Files.createTempFile(Path.of("/tmp"), "read", "").toRealPath();
        try {
            List<String> words =
                    words(strict().read(covered.toString()).read("/etc").build());
            assertThat(words).containsSequence("--ro-bind", covered.toString(), covered.toString());
            assertThat(words.indexOf("--ro-bind")).isGreaterThan(words.indexOf("/tmp"));
            assertThat(words).doesNotContain("/etc");
        } finally {
            Files.delete(covered);
        }
    }

    @Test
    void tooManyWritePathsAreAnError() throws Exception {
        Policy.Builder builder = strict();
        for (int i = 0; i < 700; i++) {
            builder.write(Files.createDirectory(directory.resolve("w" + i)).toString());
        }
        assertThatThrownBy(() -> words(builder.build()))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("Name fewer paths");
    }

    /** As root every operation in another user's directory succeeds. */
    @Test
    void aScratchDirectoryOfAnotherUserIsAnError() throws Exception {
        Path other = Files.createDirectory(directory.resolve("other"));
        if ((int) Files.getAttribute(other, "unix:uid") == 0) {
            Files.setAttribute(other, "unix:uid", 65534);
        } else {
            other = Path.of("/usr");
        }
        Policy.Builder policy = strict().scratch(other.toString());
        assertThatThrownBy(() -> Scratch.of(policy.build(), host))
                .isInstanceOf(SandboxException.class)
                .hasMessageStartingWith("Scratch directory '" + other.toRealPath() + "' belongs to user ");
        Path own = Files.createDirectory(directory.resolve("own"));
        Scratch.of(strict().scratch(own.toString()).build(), host).close();
    }

    @Test
    void scratchDirectoriesAreMadeOnceAndHomesAreNotShared() throws Exception {
        try (Scratch first = Scratch.open(host, scratchDirectory.toString());
                Scratch second = Scratch.open(host, scratchDirectory.toString())) {
            assertThat(first.temporary()).isEqualTo(second.temporary());
            assertThat(Files.getAttribute(first.temporary(), "unix:mode")).isEqualTo(041777);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(first.homeUpper())))
                    .isEqualTo("rwx------");
            assertThat(first.homeUpper()).isNotEqualTo(second.homeUpper());
        }
        try (Scratch third = Scratch.open(host, scratchDirectory.toString())) {
            assertThat(third.homeUpper()).isEqualTo(scratchDirectory.resolve("home-0/upper"));
        }
    }

    @Test
    void aScratchDirectoryThatABuildHasTamperedWithIsAnError() throws Exception {
        Files.createSymbolicLink(scratchDirectory.resolve("tmp"), home);
        assertThatThrownBy(() -> Scratch.open(host, scratchDirectory.toString()))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("is not a directory");
        Files.delete(scratchDirectory.resolve("tmp"));
        Scratch.open(host, scratchDirectory.toString()).close();
    }

    @Test
    void anAgentsDirectoryIsCoveredByMountPointsAlone() throws Exception {
        Path root = Files.createDirectory(directory.resolve("agent"));
        Path tools = Files.createDirectory(root.resolve("tools"));
        workspace = Files.createDirectories(root.resolve("workspace/job"));
        Path control = Files.createDirectories(root.resolve("workspace/job@tmp/durable-1"));
        Profile profile = Profile.parse(
                "mine",
                "primitives = user_namespace mount_namespace filesystem no_new_privs\nroot = ro\nhome = overlay");
        Policy policy = Policy.builder(profile, workspace.toString())
                .scratch(scratchDirectory.toString())
                .agentRoot(root.toString())
                .controlDirectory(control.toString())
                .build();
        try (Scratch scratch = Scratch.of(policy, host)) {
            assertThat(String.join(" ", Plan.of(policy, host, scratch).words("/report", null, "/filter")))
                    .contains(" --ro-bind " + scratch.cover(root) + " " + root
                            + " --ro-bind " + tools + " " + tools
                            + " --bind " + workspace + " " + workspace
                            + " --bind " + scratch.workspaceTemporary(control.getParent()) + " " + workspace + "@tmp")
                    .contains(" --bind-control " + control + " /run/process-sandbox/durable-1 ");
            Plan.of(policy, host, scratch).makeMountPoints();
            assertThat(scratch.cover(root).resolve("tools")).isEmptyDirectory();
            assertThat(scratch.cover(root).resolve("workspace/job")).isEmptyDirectory();
            assertThat(scratch.workspaceTemporary(control.getParent()).resolve("durable-1"))
                    .isSymbolicLink();
        }
        assertThat(String.join(
                        " ",
                        words(Policy.builder(profile.withHome(Profile.Home.HOST), workspace.toString())
                                .agentRoot(root.toString())
                                .build())))
                .as("without a scratch directory")
                .contains(" --tmpfs " + root + " 65536 ")
                .doesNotContain("@tmp");
        assertThatThrownBy(() -> words(strict().agentRoot("/").build()))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("cannot be hidden from builds");
    }

    @Test
    void repositoriesAreLookedForAsDeepAsTheDocumentSays() throws Exception {
        for (String name : List.of("a/b/c/d", "a/b/c/d/e", "node_modules/x", "a/.git/x", "full/sub", "other/sub")) {
            Files.createDirectories(workspace.resolve(name).resolve(".git"));
        }
        Files.createSymbolicLink(workspace.resolve("link"), workspace.resolve("a/b/c/d"));
        for (int i = 0; i < GitFiles.MOST_OF_ONE + 100; i++) {
            Files.createFile(workspace.resolve("full").resolve("file-" + i));
        }
        Path closed = Files.createDirectories(workspace.resolve("closed"));
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("---------"));
        List<String> words = words(strict().build());
        for (String name :
                List.of("a", "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/.git", "other", "other/sub", "other/sub/.git")) {
            String path = workspace.resolve(name).toString();
            assertThat(words).containsSequence(name.endsWith(".git") ? "--overlay-or-ro" : "--bind", path);
        }
        for (String name : List.of("a/b/c/d/e/.git", "node_modules/x/.git", "a/.git/x/.git", "link/.git")) {
            assertThat(words).doesNotContain(workspace.resolve(name).toString());
        }
        assertThat(Repositories.in(workspace, 1).git())
                .as("the first level is always looked at, and few names below")
                .contains(workspace.resolve("a/.git"))
                .doesNotContain(workspace.resolve("a/b/c/d/.git"));
    }

    @Test
    void initIsToldWhereADurableTaskWritesItsStatus() throws Exception {
        Path control = Files.createDirectories(directory.resolve("ws@tmp/durable-1"));
        Policy.Builder policy = strict().controlDirectory(control.toString());
        assertThat(Plan.imagined(policy.build(), host).words("/report", "/gate", "/filter"))
                .containsSequence(
                        "--task",
                        "/run/process-sandbox/durable-1/jenkins-result.txt",
                        "/run/process-sandbox/durable-1/jenkins-log.txt")
                .containsSequence("--bind-control", control.toRealPath().toString(), "/run/process-sandbox/durable-1");
    }

    @Test
    void whereTheControlDirectoriesOfOthersAreIsHiddenAndCannotBeRenamed() throws Exception {
        Path others =
                Files.createDirectories(workspace.resolve("a/b@tmp/durable-1")).toRealPath();
        Path gone = others.getParent().resolveSibling("c@tmp/durable-2");
        List<String> words =
                words(strict().shield(others.toString()).shield(gone.toString()).build());
        String above = others.getParent().getParent().toString();
        assertThat(words)
                .containsSequence(
                        "--bind", above, above, "--hide", others.getParent().toString());
        assertThat(words).doesNotContain(gone.getParent().toString());
        // Its own lies there too: that is a private directory already.
        Path own = Files.createDirectory(others.resolveSibling("durable-3"));
        assertThat(words(strict().shield(others.toString())
                        .controlDirectory(own.toString())
                        .build()))
                .doesNotContainSequence("--hide", others.getParent().toString());
    }

    @Test
    void aMissingCommonDirectoryIsMadeAndThroughNoLink() throws Exception {
        Path git = Files.createDirectory(workspace.resolve(".git"));
        Path linked = Files.createDirectories(directory.resolve("elsewhere/.git"));
        Files.createSymbolicLink(workspace.resolve("link"), linked.getParent());
        Profile profile = Profile.parse(
                "mine", "primitives = user_namespace mount_namespace filesystem no_new_privs\ngit = protected");
        Plan plan = Plan.imagined(Policy.builder(profile, workspace.toString()).build(), host);
        assertThat(plan.words("/report", "/gate", "/filter"))
                .containsSequence("--ro-bind", git + "/commondir", git + "/commondir");
        assertThat(git).isEmptyDirectory();
        plan.makeMountPoints();
        plan.makeMountPoints();
        assertThat(git.resolve("commondir")).hasContent(".");
        assertThat(linked).isEmptyDirectory();
        Files.delete(git.resolve("commondir"));
        Files.delete(git);
        Files.createSymbolicLink(git, linked);
        assertThatThrownBy(plan::makeMountPoints)
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("commondir");
        assertThat(linked).isEmptyDirectory();
    }

    @Test
    void explainsWhatTheLaunchNamesAndWhatIsTakenAway() throws Exception {
        Path link = Files.createSymbolicLink(directory.resolve("link"), workspace);
        Profile profile = Profile.parse(
                "mine",
                "primitives = user_namespace mount_namespace filesystem no_new_privs seccomp\nsyscalls = @build debug -@aio");
        assertThat(Plan.imagined(
                                Policy.builder(profile, workspace.toString())
                                        .read(link.toString())
                                        .execute(workspace.toString())
                                        .hide(home.toString())
                                        .build(),
                                host)
                        .explain())
                .contains("\npaths that this launch names\n")
                .contains("  " + workspace + ": read execute, also as " + link + "\n")
                .contains("  " + home + ": hide\n")
                .contains("  hidden    " + home + "\n")
                .contains("  group debug: ")
                .contains("  without group @aio: ");
    }

    @Test
    void explainsItself() throws Exception {
        assertThat(Plan.imagined(strict().build(), host).explain())
                .contains("profile  strict: ")
                .contains("  user_namespace     own user namespace")
                .contains("  read-only /\n  minimal   /dev\n")
                .contains("\nenvironment, of this process' own variables\n  without AGENT_TOKEN\n")
                .contains("  overlay   " + home)
                .contains("  writable  " + workspace + "\n")
                .contains("  each process nofile 65536\n")
                .contains("  group @build: ");
    }

    /** With the machine's /tmp, where this test's directories are. */
    private Policy.Builder hostsTmp(Profile.Home home) throws SandboxException {
        Profile profile = Profile.parse("mine", "primitives = user_namespace mount_namespace filesystem\nroot = ro");
        return Policy.builder(profile.withHome(home), workspace.toString()).scratch(scratchDirectory.toString());
    }

    @Test
    void theFilesOfTheAgentItselfAreHidden() throws Exception {
        Path root = Files.createDirectories(directory.resolve("agent"));
        Path secret = Files.writeString(directory.resolve("secret-file"), "x");
        Path inside = Files.writeString(workspace.resolve("secret-file"), "x");
        Path link = Files.createSymbolicLink(directory.resolve("link"), secret);
        host = host.withAgentFiles(
                Set.of(link, inside, home, directory, Path.of("/tmp"), directory.resolve("missing")));
        List<String> agents = words(hostsTmp(Profile.Home.HOST)
                .agentRoot(root.toString())
                .home(home.toString())
                .build());
        assertThat(agents).containsSubsequence("--hide", secret.toString());
        assertThat(agents).containsSubsequence("--hide", inside.toString());
        for (Path other : List.of(link, home, directory)) {
            assertThat(hidden(agents)).doesNotContain(other.toString());
        }
        assertThat(hidden(agents)).doesNotContain("/tmp");
        // Named by an administrator's profile.
        assertThat(hidden(words(hostsTmp(Profile.Home.HOST)
                        .agentRoot(root.toString())
                        .read(secret.toString())
                        .build())))
                .doesNotContain(secret.toString())
                .contains(inside.toString());
        // The command line's own words name what its user wants to be seen.
        assertThat(hidden(words(hostsTmp(Profile.Home.HOST).build()))).doesNotContain(secret.toString());
    }

    private static List<String> hidden(List<String> words) {
        List<String> hidden = new ArrayList<>();
        for (int i = 1; i < words.size(); i++) {
            if (words.get(i - 1).equals("--hide")) {
                hidden.add(words.get(i));
            }
        }
        return hidden;
    }

    @Test
    void theHomesOfTheAccountAreCoveredAndHiddenToo() throws Exception {
        Path account = Files.createDirectory(directory.resolve("account"));
        Files.createDirectory(account.resolve(".ssh"));
        Files.createFile(account.resolve(".vault_pass.txt"));
        host = host.withAccountHomes(Set.of(home.toString(), account.toString(), "/nonexistent", "", "/"));
        List<String> words = words(hostsTmp(Profile.Home.OVERLAY).build());
        assertThat(words)
                .containsSequence("--hide", account + "/.ssh")
                .containsSequence("--hide", account + "/.vault_pass.txt")
                .containsSubsequence("--overlay", account.toString(), "--overlay", home.toString());
        assertThat(words.stream().filter("--overlay"::equals)).hasSize(2);
        assertThat(words(hostsTmp(Profile.Home.EMPTY).build())).containsSequence("--tmpfs", account.toString());
        // Nothing of it exists under `locked`, and an agent that lives in it is hidden as any other.
        assertThat(words(Policy.builder(Profile.named("locked"), workspace.toString())
                        .scratch(scratchDirectory.toString())
                        .build()))
                .doesNotContain(account.toString());
        assertThat(words(hostsTmp(Profile.Home.OVERLAY)
                        .agentRoot(account.toString())
                        .build()))
                .containsSequence("--hide", account.toString())
                .doesNotContain(account + "/.ssh");
    }

    @Test
    void aScratchDirectoryInTheAccountsHomeLeavesItReadOnly() throws Exception {
        Path account = Files.createDirectory(directory.resolve("account"));
        Files.createDirectory(account.resolve(".ssh"));
        scratchDirectory = Files.createDirectory(account.resolve("scratch"));
        host = host.withAccountHomes(Set.of(account.toString()));
        assertThat(words(hostsTmp(Profile.Home.OVERLAY).build()))
                .containsSequence("--hide", account + "/.ssh")
                .doesNotContain(account.toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "root:x:0:0::/root:/bin/sh | ",
                "me:x:7:1::/home/me:/bin/sh | /home/me",
                "me:x:77:7::/home/me:/bin/sh | ",
                "me:x:7:1:a:/one:/bin/sh;b:x:7:1::/two:/bin/sh | /one,/two",
                "# me:x:7;+::::::;me:x:7:1::/h | /h"
            })
    void theHomesOfAnAccountAreThoseOfItsUserId(String lines, String homes) {
        assertThat(String.join(",", Host.homesOf(7, lines.replace(';', '\n')))).isEqualTo(homes == null ? "" : homes);
    }

    @Test
    void moreFilesOfOnePatternThanAPlanHasRoomForAreAnError() throws Exception {
        for (int i = 0; i <= 500; i++) {
            Files.createFile(home.resolve(".vault_pass" + i));
        }
        assertThatThrownBy(() -> words(strict().build()))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("has more than")
                .hasMessageContaining(".vault_pass*");
    }

    @Test
    void everyHiddenPathHasAReasonAndNoneIsListedTwice() {
        List<String> seen = new ArrayList<>();
        DataFile.lines("hidden.txt")
                .forEach((section, lines) -> lines.forEach(line -> {
                    assertThat(line.reason()).as(line.words().toString()).isNotBlank();
                    line.words().forEach(word -> seen.add((section.equals("home") ? "~/" : "") + word));
                }));
        assertThat(seen).doesNotHaveDuplicates().hasSizeGreaterThan(150);
    }
}
