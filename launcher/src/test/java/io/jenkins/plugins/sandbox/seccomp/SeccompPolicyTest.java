package io.jenkins.plugins.sandbox.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SeccompPolicyTest {
    private static final Verdict EPERM = new Verdict.Deny(1);
    private static final Verdict ENOSYS = new Verdict.Deny(38);

    private final SeccompPolicy standard = SeccompPolicy.builder().build();

    /** Regenerated tables bring new calls; somebody has to decide on each. */
    @Test
    void everyCallOfBothTablesStandsInTheGroupsFile() {
        SyscallGroups groups = SyscallGroups.builtIn();
        Set<String> judged = new TreeSet<>(groups.refused().keySet());
        groups.groups().values().forEach(group -> judged.addAll(group.allowed()));
        assertThat(judged).isEqualTo(SyscallTable.allNames());
    }

    @Test
    void whatTheDefaultAllowsIsNotRefusedAsWell() {
        SyscallGroups groups = SyscallGroups.builtIn();
        assertThat(groups.refused().keySet())
                .doesNotContainAnyElementsOf(groups.groups().get("@build").allowed())
                .doesNotContainAnyElementsOf(groups.groups().get("@launcher").allowed());
    }

    @Test
    void theLaunchersOwnCallsAreOrdinaryOnes() {
        SyscallGroups groups = SyscallGroups.builtIn();
        assertThat(groups.groups().get("@build").allowed())
                .containsAll(groups.groups().get("@launcher").allowed());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mount",
                "umount2",
                "pivot_root",
                "chroot",
                "unshare",
                "setns",
                "ptrace",
                "process_vm_readv",
                "process_vm_writev",
                "pidfd_getfd",
                "kcmp",
                "init_module",
                "finit_module",
                "delete_module",
                "kexec_load",
                "kexec_file_load",
                "bpf",
                "perf_event_open",
                "userfaultfd",
                "open_by_handle_at",
                "reboot",
                "swapon",
                "swapoff",
                "acct",
                "quotactl",
                "syslog",
                "iopl",
                "ioperm",
                "settimeofday",
                "clock_settime"
            })
    void knownDangersAreRefusedWithEperm(String name) {
        assertThat(standard.verdict(name)).isEqualTo(EPERM);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "clone3",
                "io_uring_setup",
                "io_uring_enter",
                "io_uring_register",
                "fsopen",
                "fsconfig",
                "fsmount",
                "fspick",
                "move_mount",
                "open_tree",
                "open_tree_attr",
                "mount_setattr",
                "get_mempolicy",
                "mbind",
                "add_key",
                "keyctl",
                "request_key",
                "io_setup",
                "io_submit",
                "io_destroy",
                "io_getevents",
                "io_cancel"
            })
    void callsWithAnOlderWayAreAnsweredWithEnosysSoThatItIsTaken(String name) {
        assertThat(standard.verdict(name)).isEqualTo(ENOSYS);
    }

    /** Each was missed by somebody's list once, and a runtime or tool broke. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "umask",
                "getpgid",
                "setsid",
                "setpgid",
                "fallocate",
                "inotify_init1",
                "inotify_add_watch",
                "faccessat2",
                "fchmodat2",
                "statx",
                "copy_file_range",
                "epoll_pwait2",
                "eventfd2",
                "pkey_alloc",
                "pkey_mprotect",
                "membarrier",
                "rseq",
                "sched_getaffinity",
                "sched_setaffinity",
                "futex",
                "futex_waitv",
                "madvise",
                "mincore",
                "close_range",
                "memfd_create",
                "pidfd_open",
                "fchownat",
                "symlinkat",
                "renameat",
                "getrandom",
                "timerfd_create",
                "signalfd4",
                "setxattr",
                "shmget",
                "semtimedop",
                "vfork",
                "execveat",
                "set_robust_list",
                "arch_prctl",
                "openat2",
                "utimensat",
                "seccomp",
                "landlock_restrict_self"
            })
    void whatBuildsNeedIsAllowed(String name) {
        assertThat(standard.verdict(name)).isEqualTo(Verdict.ALLOW);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "clone",
                "socket",
                "socketpair",
                "ioctl",
                "fcntl",
                "prctl",
                "prlimit64",
                "personality",
                "renameat2",
                "mknod",
                "mknodat"
            })
    void callsWithArgumentChecksAreConditionalAndSayWhen(String name) {
        assertThat(standard.verdict(name)).isInstanceOf(Verdict.Conditional.class);
        assertThat(standard.verdict(name).describe()).startsWith("refused with E");
    }

    @Test
    void verdictsDescribeThemselves() {
        assertThat(standard.verdict("read").describe()).isEqualTo("allowed");
        assertThat(standard.verdict("mount").describe()).isEqualTo("refused with EPERM");
        assertThat(new Verdict.Deny(133).describe()).isEqualTo("refused with errno 133");
    }

    @Test
    void debugAllowsPtraceAndNothingElseChanges() {
        SeccompPolicy debug = SeccompPolicy.builder().add("debug").build();
        assertThat(debug.verdicts()).containsEntry("ptrace", Verdict.ALLOW).containsEntry("kcmp", Verdict.ALLOW);
        assertThat(differences(debug))
                .containsExactlyInAnyOrder("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd");
    }

    /** {@code io_setup} uses up {@code fs.aio-max-nr}, which is the whole machine's. */
    @Test
    void asynchronousInputIsAGroupOfItsOwnAndNothingElseChanges() {
        SeccompPolicy aio = SeccompPolicy.builder().add("@aio").build();
        assertThat(aio.verdict("io_setup")).isEqualTo(Verdict.ALLOW);
        assertThat(differences(aio))
                .containsExactlyInAnyOrder(
                        "io_setup", "io_destroy", "io_submit", "io_cancel", "io_getevents", "io_pgetevents");
    }

    @Test
    void nestedSandboxLiftsTheCheckOfClone() {
        SeccompPolicy nested = SeccompPolicy.builder().add("nested-sandbox").build();
        assertThat(nested.verdict("clone")).isEqualTo(Verdict.ALLOW);
        assertThat(nested.verdict("clone3")).isEqualTo(Verdict.ALLOW);
        assertThat(nested.verdict("mount")).isEqualTo(Verdict.ALLOW);
        assertThat(nested.verdict("ptrace")).isEqualTo(EPERM);
        assertThat(nested.verdict("socket")).isEqualTo(standard.verdict("socket"));
    }

    private List<String> differences(SeccompPolicy other) {
        return standard.verdicts().keySet().stream()
                .filter(name -> !standard.verdict(name).equals(other.verdict(name)))
                .toList();
    }

    @Test
    void onlyTheNamedGroupsCountAndTheLaunchers() {
        SeccompPolicy small = SeccompPolicy.of(List.of("@sync"));
        assertThat(small.groups()).containsExactly("@launcher", "@sync");
        assertThat(small.verdict("fsync")).isEqualTo(Verdict.ALLOW);
        assertThat(small.verdict("execve")).isEqualTo(Verdict.ALLOW);
        assertThat(small.verdict("mkdir")).isEqualTo(ENOSYS);
        assertThat(small.verdict("mount")).isEqualTo(EPERM);
        assertThat(small.verdict("socket")).isEqualTo(ENOSYS);
    }

    @Test
    void aRemovedGroupIsGoneButForWhatOthersAllow() {
        SeccompPolicy policy = SeccompPolicy.builder()
                .groups(List.of("@process", "@signal", "@network-io"))
                .remove("@network-io")
                .remove("@signal")
                .build();
        assertThat(policy.verdict("socket")).isEqualTo(ENOSYS);
        assertThat(policy.verdict("sigaltstack")).isEqualTo(ENOSYS);
        assertThat(policy.verdict("kill")).isEqualTo(Verdict.ALLOW);
        assertThat(policy.verdict("fork")).isEqualTo(Verdict.ALLOW);
    }

    @Test
    void singleNamesOverrideGroupsAndTheLaterCounts() {
        SeccompPolicy policy = SeccompPolicy.builder()
                .allow("ptrace")
                .deny("symlink", 13)
                .allow("bpf")
                .deny("bpf", 22)
                .deny("mkdir", 1)
                .allow("mkdir")
                .build();
        assertThat(policy.verdict("ptrace")).isEqualTo(Verdict.ALLOW);
        assertThat(policy.verdict("symlink")).isEqualTo(new Verdict.Deny(13));
        assertThat(policy.verdict("bpf")).isEqualTo(new Verdict.Deny(22));
        assertThat(policy.verdict("mkdir")).isEqualTo(Verdict.ALLOW);
    }

    @Test
    void allowingASingleCallKeepsItsArgumentCheck() {
        SeccompPolicy policy =
                SeccompPolicy.builder().groups(List.of()).allow("socket").build();
        assertThat(policy.verdict("socket")).isInstanceOf(Verdict.Conditional.class);
    }

    @Test
    void unknownNamesAreErrorsThatNameThem() {
        SeccompPolicy.Builder builder = SeccompPolicy.builder();
        assertThatThrownBy(() -> builder.allow("raed"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'raed'");
        assertThatThrownBy(() -> builder.deny("raed", 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'raed'");
        assertThatThrownBy(() -> standard.verdict("raed"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'raed'");
        for (String group : List.of("@no-such", "read", "", "build")) {
            assertThatThrownBy(() -> builder.add(group))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'" + group + "'")
                    .hasMessageContaining("@build, debug, nested-sandbox");
            assertThatThrownBy(() -> builder.remove(group)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> SeccompPolicy.of(List.of("@build", group)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void compat32IsRefusedByName() {
        assertThatThrownBy(() -> SeccompPolicy.builder().add("compat32"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'compat32' is not built yet");
        assertThat(SeccompPolicy.availableGroups()).doesNotContainKey("compat32");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "read",
                "write",
                "ppoll",
                "prctl",
                "openat",
                "pread64",
                "close",
                "execve",
                "exit_group",
                "fcntl",
                "dup3"
            })
    void whatTheLauncherItselfNeedsCannotBeDenied(String name) {
        assertThatThrownBy(() -> SeccompPolicy.builder().deny(name, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + name + "' cannot be denied: the launcher");
    }

    @Test
    void theLaunchersGroupCannotBeRemoved() {
        assertThatThrownBy(() -> SeccompPolicy.builder().remove("@launcher"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'@launcher' cannot be removed");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 4096, Integer.MAX_VALUE})
    void anErrnoThatTheKernelWouldChangeIsAnError(int errno) {
        assertThatThrownBy(() -> SeccompPolicy.builder().deny("mkdir", errno))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(Integer.toString(errno));
    }

    @Test
    void aBuiltPolicyDoesNotChangeWithItsBuilder() {
        SeccompPolicy.Builder builder = SeccompPolicy.builder();
        SeccompPolicy before = builder.build();
        builder.add("debug").deny("mkdir", 1);
        assertThat(before.verdict("ptrace")).isEqualTo(EPERM);
        assertThat(before.verdict("mkdir")).isEqualTo(Verdict.ALLOW);
        assertThat(before.groups()).doesNotContain("debug");
    }

    /** It looks at what builds have made: not even a bug in it starts a program or reaches another process. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "execve",
                "execveat",
                "clone",
                "clone3",
                "fork",
                "vfork",
                "socket",
                "connect",
                "kill",
                "tkill",
                "tgkill",
                "ptrace",
                "mknodat",
                "linkat",
                "symlinkat",
                "mount",
                "setns",
                "unshare",
                "ioctl",
                "open_by_handle_at",
                "io_uring_setup",
                "pidfd_open",
                "fchownat",
                "setxattr"
            })
    void theHelperMayNot(String call) {
        assertThat(SeccompPolicy.helper().verdict(call)).isInstanceOf(Verdict.Deny.class);
        assertThat(SeccompPolicy.helper().groups()).doesNotContain("@launcher");
        assertThat(SeccompPolicy.availableGroups()).doesNotContainKey("@helper");
    }

    @Test
    void everyGroupSaysWhatItIsFor() {
        assertThat(SeccompPolicy.availableGroups())
                .containsKeys("@build", "@basic-io", "@file-system", "@network-io", "debug", "nested-sandbox")
                .allSatisfy((name, summary) -> assertThat(summary).isNotBlank());
    }
}
