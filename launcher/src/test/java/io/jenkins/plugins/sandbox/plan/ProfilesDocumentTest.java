package io.jenkins.plugins.sandbox.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Profile;
import io.jenkins.plugins.sandbox.seccomp.SeccompPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** docs/profiles.md says what the data says. */
class ProfilesDocumentTest {
    private static final Path DOCUMENT = Path.of("../docs/profiles.md");

    @Test
    void saysWhatTheDataSays() throws Exception {
        Path made = Files.writeString(
                Path.of(System.getProperty("sandbox.test.directory", "target"), "profiles.md"), document());
        assertThat(Files.readString(DOCUMENT))
                .as("docs/profiles.md is stale: copy " + made + " there")
                .isEqualTo(document());
    }

    private final StringBuilder text = new StringBuilder();

    private String document() throws SandboxException, IOException {
        text.setLength(0);
        introduction();
        rows();
        settings();
        view();
        environment();
        systemCalls();
        own();
        return text.toString();
    }

    private void introduction() throws SandboxException {
        text.append("""
                # Profiles

                <!-- Generated from the profile data by ProfilesDocumentTest. To change it, change the data. -->

                A profile says which rows of the sequence a launch asks for, and how. Four are built in:

                """);
        for (String name : Profile.BUILT_IN) {
            text.append("* **`")
                    .append(name)
                    .append("`**: ")
                    .append(Profile.named(name).description())
                    .append(".\n");
        }
    }

    private void rows() throws SandboxException {
        text.append("""

                ## Rows

                """);
        List<String> names = new ArrayList<>(List.of("row"));
        names.addAll(Profile.BUILT_IN.stream().map(n -> "`" + n + "`").toList());
        names.add("what");
        tableHead(names);
        for (Primitive primitive : Primitive.values()) {
            List<String> cells = new ArrayList<>(List.of("`" + primitive.wireName() + "`"));
            for (String name : Profile.BUILT_IN) {
                cells.add(Profile.named(name).primitives().contains(primitive) ? "yes" : "");
            }
            cells.add(primitive.summary());
            row(cells);
        }
        text.append("""

                Rows that no profile has come with the limit that a profile of your own or a launch asks for, see
                [limits.md](limits.md). `landlock_scope` needs Linux 6.12 and `landlock_fs` Linux 5.19: an older machine reports them as `unavailable`, and the level is `PARTIAL` there. `landlock_net`
                refuses TCP over loopback too, which many a test needs: it stands in where a network namespace is refused, and a profile of
                your own can ask for it.
                """);
    }

    private void settings() throws SandboxException {
        text.append("""

                ## Settings

                """);
        List<String> names = new ArrayList<>(List.of("key"));
        names.addAll(Profile.BUILT_IN.stream().map(n -> "`" + n + "`").toList());
        tableHead(names);
        Map<String, Function<Profile, Object>> settings = new TreeMap<>(Map.of(
                "root", Profile::root,
                "tmp", Profile::temporary,
                "dev", Profile::devices,
                "home", Profile::home,
                "git", Profile::git,
                "network", Profile::network,
                "environment", Profile::environment,
                "open-files",
                        p -> p.limits().openFiles() == null
                                ? "65536"
                                : p.limits().openFiles(),
                "syscalls", p -> p.syscalls().isEmpty() ? "no filter" : String.join(" ", p.syscalls())));
        for (Map.Entry<String, Function<Profile, Object>> setting : settings.entrySet()) {
            List<String> cells = new ArrayList<>(List.of("`" + setting.getKey() + "`"));
            for (String name : Profile.BUILT_IN) {
                Object value = setting.getValue().apply(Profile.named(name));
                cells.add(
                        value instanceof Enum<?> e
                                ? e.name().toLowerCase(Locale.ROOT).replace('_', '-')
                                : value.toString());
            }
            row(cells);
        }
        text.append("""

                * `root`: `host` is the machine's tree as it is; `ro` the same, read-only and without set-user-id programs; `named` is an
                  empty one, in which nothing exists but what is named.
                * `tmp`, for /tmp and /var/tmp: `private` is a directory of the block, so that its second step sees what the first one
                  left; `empty` is memory of the launch, at most 1 GiB each.
                * `dev`: `minimal` has null, zero, full, random, urandom, tty, terminals and shared memory of its own.
                * `home`: `overlay` shows the machine's, and changes go to a scratch directory of the block; `job` likewise, and they stay for
                  the job's next build; `scratch` is empty at first, and of the block; `empty` is memory of the launch, at most 1 GiB.
                * `git`, for the repositories in the workspace, see below: `overlay` shows them, and changes go to a scratch directory of the
                  block; `protected` lets changes stay, but for what names programs; `read-only` allows none.
                * `network`: `none` is a network of the launch's own with nothing but loopback.
                * `environment`: `inherit` drops the agent's own secrets; `named` passes on only what is named.
                """);
    }

    private void view() {
        Map<String, List<DataFile.Line>> hidden = DataFile.lines("hidden.txt");
        Map<String, List<String>> named = DataFile.read("named.txt");
        text.append("""

                ## What a build sees

                One rule decides: *of two rules the one for the longer path holds.* A workspace in a hidden directory is seen, a secret in a
                workspace is not, and a read-only file in a writable directory is read-only. `sandbox explain` prints what comes of it.

                **Writable**: the workspace, Jenkins' control directory of the step, and what the launch names with `--write`.

                **Hidden** under every profile with the row `filesystem`, as far as it is there when the launch begins, a symbolic link by
                what it leads to. A hidden directory is empty. A hidden file in the overlay of a home directory is not there, and the
                build may make one of its own; elsewhere opening it fails with `EACCES`. In the home directory, of the environment
                (`HOME`) and of the account (`/etc/passwd`):

                """);
        lines(hidden.get("home"));
        text.append("\nElsewhere:\n\n");
        lines(hidden.get("machine"));
        text.append("\nand where the launch does not have the machine's network, also:\n\n");
        lines(hidden.get("offline"));
        text.append("\nThese stay to be seen, read-only:\n\n");
        lines(hidden.get("kept"));
        text.append("\nand where the launch has the machine's network, also:\n\n");
        lines(hidden.get("kept-network"));
        text.append("""

                An agent, a workspace or a home directory that lies in one of them is as anywhere else. A build that needs a service of the
                machine names the directory of its socket: `--read /run/postgresql`. A build that needs one of the files above names
                that: `--read ~/.config/pip`.

                The account's home directory, where it is another than the environment's, is covered as the environment's is: a program
                that asks the user database finds a copy there. Where no overlay is possible (the scratch directory or the agent's root
                directory lies in it), it is read-only.

                In Jenkins also the agent's root directory but for the workspace and `tools/`, and the rest of the workspace's `@tmp`,
                in the place of which the block has a private one; the same goes for the `@tmp` beside a directory of the workspace in which
                a step works (`dir`). An agent whose root directory is its home directory gives builds an empty home.

                **The home directory**: where the kernel makes no overlay (before Linux 5.11, or where the scratch directory lies on a file
                system that cannot be one's, as a container's own disk), the scratch directory is seen there alone: empty at first, of the
                block, and with nothing of the machine's in it. The row `filesystem` is applied and says so. A build that needs something
                of the home directory there names it (`writePaths`).

                **Git**: it runs outside of the sandbox in the next checkout, and obeys what it finds in `.git`. So the `.git` of each
                repository that was in the workspace when the block began, its submodules' with it, is an *overlay*: everything that git
                does works, later launches of the block see it, and at its end all of it is gone and the repository as it was. A build that
                commits pushes while it is inside. What git outside does to a repository during the block takes the place of what the block
                did to it. Launches at the same time have overlays of their own, as they have of the home directory. Where the kernel makes
                no overlay (before Linux 5.11, or where the workspace lies on a file system that cannot be one), and without a
                scratch directory, `.git` is read-only, and the row `filesystem` says so: `git status`, `log`, `diff` and `describe` work
                and `git commit` does not.

                Neither `.git` nor a directory between it and the workspace can be renamed. Those directories are mounts, so a file is
                copied when it is moved from one to another, and cannot be linked. A `.git` that is a file is read-only. A build that has to
                change one of these for good needs it by name: `--write .git/config`.

                """);
        text.append("Repositories are looked for in the workspace and in its directories, down to `a/b/c/d` ("
                + GitFiles.DEEPEST_REPOSITORY
                + " levels), not behind\nsymbolic links and not in `node_modules`; below the first level "
                + GitFiles.MOST_ENTRIES + " names are\nlooked at, " + GitFiles.MOST_OF_ONE
                + " of each directory, the higher levels first.\n");
        text.append("""

                Under `git = protected` commits stay, and only what names programs is kept from the build: `.git/config`,
                `.git/config.worktree`, `.git/commondir`, `.git/hooks` and `.git/modules` are read-only. A missing `.git/commondir` is made,
                with a dot in it, and stays: without it a build could have git take its configuration from elsewhere. The dot means this
                directory, so that every git does what it did without the file. It is not removed after the launch, since the kernel would
                take the protection away from whatever still runs in the same repository. Links that the build has left in `.git` are removed
                when the block ends, and a repository that it has spoilt, in which git would look for another one, is moved aside.

                A repository that a build makes itself is its own while the block lasts. When it ends, everything that the build left
                running is ended, and then each repository that was not there when the block began, or that nobody has looked for and whose
                configuration, hooks or submodules the build has touched, keeps its commits, its index and its
                branches, and nothing else: its configuration is a fresh one (`origin` and other remotes are gone), hooks, submodules and
                links are removed. One that git cannot use that way (a partial clone, one with objects of another repository, a damaged
                one), and a `.git` that is a file or a link and leads to a place of the build's choice, becomes
                `.git.process-sandbox-` and eight digits; a directory that looks like a repository without being called `.git` gets
                its file `HEAD` renamed likewise, unless nobody has touched its configuration and hooks since the block began. Jenkins' log and
                `sandbox run` say so. All directories of the workspace are looked at, whatever the build has put there, down to 64
                levels, and links are not followed.

                **`locked`** starts from nothing. To be executed:

                """);
        words(named.get("execute"));
        text.append("\nTo be read:\n\n");
        words(named.get("read"));
        text.append("""

                `/etc/passwd`, `group`, `hosts`, `resolv.conf` and `nsswitch.conf` are made for the launch. Under a profile of your own with
                `root = named` and the machine's network these are the machine's too:

                """);
        words(named.get("network"));
        text.append("""

                Nothing else can be executed unless it is named for it, the workspace included: `--exec .` lets a build run what it
                has built.

                ## Paths that a launch names

                `--read`, `--write`, `--exec` and `--hide` may be given any number of times. Rights for one file add up, whatever links it was
                named through; a path that is named through a link works by both names, and so does the workspace, and what is protected below is
                so by both (a repository is read-only by a name of the workspace that lies in a private directory). A path that is not there is an error, and so is one
                that is to be hidden and seen. What is hidden from every build is seen when it is named: `--read ~/.ssh/known_hosts`.
                """);
    }

    private void environment() {
        Map<String, List<String>> file = DataFile.read("environment.txt");
        text.append("""

                ## Environment

                What a step sets itself (`withEnv`, `withCredentials`, `--env NAME=VALUE`) is always there, and so is what it asks for by
                `--env NAME`. Of what the agent's own process was started with, these are dropped under every profile; upper and lower
                case are the same:

                """);
        words(file.get("drop"));
        text.append("\nbut not\n\n");
        words(file.get("but"));
        text.append("\n`locked` passes on only these of them, without the ones above:\n\n");
        words(file.get("only"));
        text.append("\n`--env-all` passes everything on, and the row `environment` is skipped.\n");
    }

    private void systemCalls() {
        text.append("""

                ## System calls

                An allow-list by groups. What is in none of a profile's groups fails with `ENOSYS`, so that a program takes its older path, or with
                `EPERM` where that makes no sense; nothing is ever killed. `sandbox explain --syscall NAME` says what becomes of a call.

                """);
        tableHead(List.of("group", "what it is for"));
        SeccompPolicy.availableGroups().forEach((name, what) -> row(List.of("`" + name + "`", what)));
    }

    private static final String EXAMPLE = """
            description = strict, for a project that runs a debugger
            primitives = session environment user_namespace pid_namespace mount_namespace filesystem proc no_new_privs seccomp
            root = ro
            tmp = private
            dev = minimal
            home = overlay
            memory = 2G
            pids = 2000
            wall-time = 3600
            syscalls = @build debug @aio -@chown
            syscalls-allow = io_uring_setup io_uring_enter io_uring_register
            syscalls-deny = memfd_create
            """;

    @Test
    void theExampleIsAProfile() throws Exception {
        assertThat(Profile.parse("example", EXAMPLE).limits().memory()).isEqualTo(2L << 30);
    }

    private void own() {
        text.append("""

                ## A profile of your own

                A file `NAME.properties`, given as `--profile FILE`: lines `key = value`, lists separated by blanks, comments from `#` at
                the start of a line. Every mistake is an error with its line.

                ```properties
                """);
        text.append(EXAMPLE);
        text.append("""
                ```

                The limits have keys of their own: `memory`, `address-space`, `pids`, `cpu-time`, `wall-time`, `open-files`, `file-size`,
                `workspace-size`, `stack`, `locked-memory`, `cpus`, `cpu-quota`, see [limits.md](limits.md).

                `syscalls` adds groups, and with `-` before its name takes one away from the others; `syscalls-allow` and `syscalls-deny` are
                for single calls.
                """);
    }

    private void tableHead(List<String> names) {
        row(names);
        text.append("|").append("---|".repeat(names.size())).append('\n');
    }

    private void row(List<String> cells) {
        text.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    private void lines(List<DataFile.Line> lines) {
        tableHead(List.of("path", "reason"));
        for (DataFile.Line line : lines) {
            assertThat(line.reason()).as("the reason of " + line.words()).isNotEmpty();
            row(List.of(line.words().stream().map(w -> "`" + w + "`").collect(Collectors.joining(" ")), line.reason()));
        }
    }

    /** In lines of a bearable length. */
    private void words(List<String> words) {
        int length = 0;
        for (String word : words) {
            if (length > 0 && length + word.length() > 110) {
                text.append('\n');
                length = 0;
            }
            text.append(length == 0 ? "" : " ").append('`').append(word).append('`');
            length += word.length() + 3;
        }
        text.append('\n');
    }
}
