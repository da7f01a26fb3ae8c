package io.jenkins.plugins.sandbox.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProfileTest {
    private static final String STRICT = """
            # a comment
            description = all of it
            primitives = user_namespace mount_namespace filesystem no_new_privs seccomp
            root = ro
            home = scratch
            open-files = 1024
            syscalls = @build
            syscalls-allow = ptrace
            syscalls-deny = socket
            """;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"standard", "strict", "offline", "locked"})
    void theBuiltInOnesCanBeRead(String name) throws Exception {
        Profile profile = Profile.named(name);
        assertThat(profile.name()).isEqualTo(name);
        assertThat(profile.description()).isNotEmpty();
        assertThat(profile.isStandard()).isEqualTo(name.equals("standard"));
        assertThat(profile.primitives()).isSorted().contains(Primitive.NO_NEW_PRIVS);
    }

    @Test
    void strictAsksForItsRows() throws Exception {
        assertThat(Profile.named("strict").primitives())
                .extracting(Primitive::wireName)
                .containsExactly(
                        "session",
                        "close_fds",
                        "environment",
                        "user_namespace",
                        "pid_namespace",
                        "mount_namespace",
                        "ipc_namespace",
                        "uts_namespace",
                        "cgroup_namespace",
                        "filesystem",
                        "proc",
                        "rlimit_nofile",
                        "rlimit_core",
                        "no_new_privs",
                        "capabilities",
                        "landlock_fs",
                        "landlock_scope",
                        "seccomp");
    }

    @Test
    void rowsThatComeWithALimitCannotBeListed() {
        assertThatThrownBy(() -> Profile.parse("mine", "primitives = cgroup"))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("'mine', line 1: primitive cgroup cannot be listed: it comes with its limit");
    }

    @Test
    void readsEveryLimit() throws Exception {
        Profile profile = Profile.parse("mine", """
                primitives = no_new_privs
                memory = 1G
                address-space = yes
                pids = 100
                cpu-time = 10
                wall-time = 20
                open-files = 512
                file-size = 1M
                workspace-size = 1G
                stack = 512K
                locked-memory = 0
                cpus = 0-3
                cpu-quota = 150
                """);
        assertThat(profile.limits())
                .isEqualTo(new Limits(1L << 30, true, 100, 10, 20, 512, 1L << 20, 1L << 30, 1L << 19, 0L, "0-3", 150));
        assertThat(Profile.named("strict").limits()).isEqualTo(Limits.NONE);
    }

    @Test
    void groupsOfSystemCallsAreAddedAndTakenAway() throws Exception {
        String rows = "primitives = seccomp no_new_privs\nsyscalls = ";
        Profile profile = Profile.parse("mine", rows + "@build debug -@aio -@signal");
        assertThat(profile.syscallPolicy()).get().satisfies(p -> {
            assertThat(p.verdict("ptrace").describe()).isEqualTo("allowed");
            assertThat(p.verdict("io_submit").describe()).isEqualTo("refused with ENOSYS");
            assertThat(p.verdict("signalfd").describe()).isEqualTo("refused with ENOSYS");
            assertThat(p.verdict("kill").describe()).as("the launcher's own").isEqualTo("allowed");
        });
        assertThat(Profile.parse("mine", rows + "@build debug -debug").syscallPolicy())
                .get()
                .satisfies(p -> assertThat(p.verdict("ptrace").describe()).isEqualTo("refused with EPERM"));
    }

    @Test
    void theNetworkTakesItsRowsAlong() throws Exception {
        Profile strict = Profile.named("strict");
        Profile alone = strict.withNetwork(Profile.Network.NONE);
        assertThat(alone.primitives()).isEqualTo(Profile.named("offline").primitives());
        assertThat(alone.network()).isEqualTo(Profile.Network.NONE);
        assertThat(alone.withNetwork(Profile.Network.HOST)).isEqualTo(strict);
        assertThatThrownBy(() -> Profile.named("standard").withNetwork(Profile.Network.NONE))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("use profile 'strict' or 'offline'");
    }

    @Test
    void passingAllVariablesOnIsNoRowAtAll() throws Exception {
        Profile all = Profile.named("locked").withAllVariables();
        assertThat(all.primitives()).doesNotContain(Primitive.ENVIRONMENT);
        assertThat(all.environment()).isEqualTo(Profile.Environment.INHERIT);
    }

    @Test
    void readsEveryKey() throws Exception {
        Profile profile = Profile.parse("mine", STRICT);
        assertThat(profile.primitives()).contains(Primitive.SECCOMP).hasSize(5);
        assertThat(profile.root()).isEqualTo(Profile.Root.RO);
        assertThat(profile.home()).isEqualTo(Profile.Home.SCRATCH);
        assertThat(profile.temporary()).isEqualTo(Profile.Temporary.HOST);
        assertThat(profile.limits().openFiles()).isEqualTo(1024);
        assertThat(profile.allowedSyscalls()).containsExactly("ptrace");
        assertThat(profile.syscallPolicy()).get().satisfies(p -> {
            assertThat(p.verdict("ptrace").describe()).isEqualTo("allowed");
            assertThat(p.verdict("socket").describe()).isEqualTo("refused with EPERM");
        });
        assertThat(profile.withHome(Profile.Home.OVERLAY).home()).isEqualTo(Profile.Home.OVERLAY);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "rooot = ro                                | line 1: unknown key 'rooot'",
                "root                                      | line 1: expected 'key = value', found 'root'",
                "root = host\\nroot = host                 | line 2: key 'root' was given in line 1 already",
                "root = writable                           | line 1: 'root' cannot be 'writable': use one of host, ro, named",
                "primitives = chroot                       | line 1: Unknown primitive 'chroot'",
                "primitives = session session              | line 1: 'primitives' names session twice",
                "primitives = se$sion                      | line 1: 'primitives' has a word that is no name",
                "primitives = rlimit_cpu                   | comes with its limit",
                "root = ro                                 | line 1: 'root' needs the primitive filesystem",
                "home = overlay                            | line 1: 'home' needs the primitive filesystem",
                "git = read-only                           | line 1: 'git' needs the primitive filesystem",
                "git = read_only                           | line 1: 'git' cannot be 'read_only': use one of host, protected, overlay, read-only",
                "network = none                            | the primitive network_namespace go together",
                "primitives = network_namespace            | the primitive network_namespace go together",
                "environment = named                       | line 1: 'environment = named' needs the primitive environment",
                "primitives = network_namespace\\nnetwork = none | network_namespace needs primitive user_namespace",
                "syscalls = @build                         | the primitive seccomp go together",
                "primitives = seccomp no_new_privs         | the primitive seccomp go together",
                "syscalls-allow = read                     | need the primitive seccomp",
                "primitives = filesystem                   | primitive filesystem needs primitive mount_namespace",
                "primitives = pid_namespace                | primitive pid_namespace needs primitive user_namespace",
                "primitives = user_namespace mount_namespace proc | primitive proc needs primitive pid_namespace",
                "primitives = seccomp\\nsyscalls = @build  | primitive seccomp needs primitive no_new_privs",
                "open-files = many                         | line 1: 'open-files' must be a number, found 'many'",
                "open-files = 3                            | line 1: A limit of 3 open files is out of range: use 16 to 1048576",
                "open-files = 99999999                     | line 1: A limit of 99999999 open files is out of range: use 16 to 1048576",
                "open-files = 9999999999                   | 'open-files' must be a number",
                "memory = lots                             | line 1: 'memory' 'lots' is no size",
                "address-space = yes                       | line 1: A limit on address space is a multiple",
                "primitives = seccomp no_new_privs\\nsyscalls = @nope | @nope",
                "primitives = seccomp no_new_privs\\nsyscalls = @build -nope | 'nope'",
                "primitives = seccomp no_new_privs\\nsyscalls = -@aio | the primitive seccomp go together",
                "primitives = seccomp no_new_privs\\nsyscalls = @build -@launcher | cannot be taken away",
                "primitives = seccomp no_new_privs landlock_scope\\nsyscalls = @build nested-sandbox | leave these primitives out",
                "primitives = seccomp no_new_privs\\nsyscalls = @build compat32 | 'compat32' is not built yet",
                "primitives = seccomp no_new_privs\\nsyscalls = @build\\nsyscalls-allow = nosuchcall | nosuchcall",
                "primitives = seccomp no_new_privs\\nsyscalls = @build\\nsyscalls-deny = execve | execve"
            })
    void mistakesAreErrorsThatNameTheLine(String text, String message) {
        assertThatThrownBy(() -> Profile.parse("mine", text.replace("\\n", "\n")))
                .isInstanceOf(SandboxException.class)
                .hasMessageStartingWith("Profile 'mine'")
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Mine", "a b", "../x", "strict", "standard", "abcdefghijklmnopqrstuvwxyz1234567"})
    void namesAreChecked(String name) {
        assertThatThrownBy(() -> Profile.parse(name, STRICT))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("'" + name + "'");
    }

    @Test
    void readsFiles() throws Exception {
        Path file = Files.writeString(directory.resolve("mine.properties"), STRICT);
        assertThat(Profile.load(file)).isEqualTo(Profile.parse("mine", STRICT));
        assertThatThrownBy(() -> Profile.load(directory.resolve("none.properties")))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("none.properties' does not exist");
        assertThatThrownBy(() -> Profile.load(directory)).isInstanceOf(SandboxException.class);
        Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe});
        assertThatThrownBy(() -> Profile.load(file)).hasMessageContaining("is not UTF-8");
        Files.write(file, new byte[70_000]);
        assertThatThrownBy(() -> Profile.load(file)).hasMessageContaining("larger than 64 KiB");
        Path standard = Files.writeString(directory.resolve("standard.properties"), STRICT);
        assertThatThrownBy(() -> Profile.load(standard)).hasMessageContaining("taken by a built-in profile");
    }

    @Test
    void unknownProfilesSayWhatThereIs() {
        assertThatThrownBy(() -> Profile.named("nix"))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("standard, strict, offline, locked");
    }

    @Test
    void garbageNeverThrowsAnythingElse() {
        Random random = new Random(7);
        int accepted = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = STRICT.getBytes(StandardCharsets.UTF_8);
            for (int n = random.nextInt(4); n >= 0; n--) {
                bytes[random.nextInt(bytes.length)] =
                        (byte) (random.nextBoolean() ? random.nextInt(256) : "\n =#a_@".charAt(random.nextInt(7)));
            }
            try {
                assertThat(Profile.parse("mine", new String(bytes, StandardCharsets.UTF_8)))
                        .isNotNull();
                accepted++;
            } catch (SandboxException e) {
                assertThat(e.getMessage()).startsWith("Profile 'mine'").doesNotContain("\n");
            }
        }
        assertThat(accepted).isGreaterThan(100);
    }
}
