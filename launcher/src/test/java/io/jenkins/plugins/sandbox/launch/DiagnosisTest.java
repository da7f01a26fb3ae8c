package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Minimum;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.Status;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiagnosisTest {
    private static final HostFacts UBUNTU =
            new HostFacts(Map.of("kernel", "Linux 6.8", HostFacts.APPARMOR_RESTRICTION, "1"));

    /** What the machine says decides between causes that look the same to the launcher. */
    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "USER_NAMESPACE, 13, write /proc/self/setgroups, kernel.apparmor_restrict_unprivileged_userns, 1, APPARMOR_RESTRICTION",
                "USER_NAMESPACE, 1, unshare, kernel.unprivileged_userns_clone, 0, ROOT_ONLY",
                "USER_NAMESPACE, 1, unshare, seccomp filter, yes, SECCOMP_FILTER",
                "USER_NAMESPACE, 1, unshare, chroot, yes, CHROOT",
                "USER_NAMESPACE, 1, unshare, -, -, REFUSED",
                "RLIMIT_NPROC, 0, the kernel does not limit the processes of this user, -, -, CGROUP",
                "RLIMIT_NPROC, 0, 'needs Linux 5.14: before, all count', -, -, KERNEL",
                "USER_NAMESPACE, 13, write /proc/self/setgroups, -, -, APPARMOR_RESTRICTION",
                "USER_NAMESPACE, 1, unshare, security label, docker-default (enforce), SECURITY_MODULE",
                "FILESYSTEM, 1, mount tmpfs for the new root, security label, unconfined, UNKNOWN",
                "CGROUP, 0, no control group with memory is delegated, -, -, CGROUP",
                "USER_NAMESPACE, 28, unshare, seccomp filter, yes, NAMESPACE_LIMIT",
                "USER_NAMESPACE, 22, unshare: not in this kernel, -, -, KERNEL",
                "USER_NAMESPACE, 38, unshare: not in this kernel, seccomp filter, yes, SECCOMP_FILTER",
                "PID_NAMESPACE, 0, needs user_namespace, seccomp filter, yes, PREREQUISITE",
                "MOUNT_NAMESPACE, 13, mount / private, -, -, SECURITY_MODULE",
                "FILESYSTEM, 1, mount tmpfs for the new root, seccomp filter, yes, SECCOMP_FILTER",
                "FILESYSTEM, 2, open /x, -, -, PATH",
                "FILESYSTEM, 28, mount tmpfs on /x, -, -, ROOM",
                "PROC, 1, mount proc on /proc, covered in /proc, /proc/acpi, MASKED_PROC",
                "PROC, 1, mount proc on /proc, seccomp filter, yes, SECCOMP_FILTER",
                "LANDLOCK_FS, 38, landlock_create_ruleset: not in this kernel, seccomp filter, yes, KERNEL",
                "LANDLOCK_FS, 1, landlock_create_ruleset, seccomp filter, yes, SECCOMP_FILTER",
                "LANDLOCK_FS, 95, switched off, -, -, LANDLOCK_OFF",
                "LANDLOCK_SCOPE, 0, needs Landlock ABI 6, -, -, LANDLOCK_VERSION",
                "CAPABILITIES, 1, prctl PR_SET_SECUREBITS, -, -, CAPABILITY"
            })
    void theMachinesSettingsExplainARow(
            Primitive row, int errno, String detail, String fact, String value, Cause expected) {
        HostFacts facts = new HostFacts(fact == null ? Map.of() : Map.of(fact, value));
        Status status = errno == 0 ? Status.UNAVAILABLE : Status.FAILED;
        assertThat(Diagnosis.of(new Outcome(row, status, errno, detail), facts)).isEqualTo(expected);
    }

    @Test
    void theProfileForAppArmorNamesTheLaunchersFile() {
        HostProbe probe = probe();
        assertThat(probe.rows()).hasSize(2);
        HostProbe.Row row = probe.rows().get(1);
        assertThat(row.isApplied()).isFalse();
        assertThat(row.cause()).isEqualTo(Cause.APPARMOR_RESTRICTION);
        assertThat(row.paste())
                .contains("profile process-sandbox /agent/caches/process-sandbox/launcher-* flags=(unconfined)")
                .contains("userns,")
                .contains("apparmor_parser -r");
        assertThat(probe.rows().get(0)).isEqualTo(new HostProbe.Row(applied(), Cause.NONE, "", ""));
    }

    /** Limits ask for it, and they alone. */
    @Test
    void aMissingControlGroupDoesNotLowerTheLevel() {
        Outcome group =
                new Outcome(Primitive.CGROUP, Status.UNAVAILABLE, 0, "no control group with memory is delegated");
        HostProbe probe = HostProbe.of(report(null, applied(), group), UBUNTU);
        assertThat(probe.level()).isEqualTo(Level.FULL);
        assertThat(probe.rows().get(1).isOfLevel()).isFalse();
        assertThat(probe.rows().get(1).cause()).isEqualTo(Cause.CGROUP);
        assertThat(probe.rows().get(1).paste()).contains("Delegate=cpu memory pids");
    }

    @Test
    void whatWasNotTriedIsNotCalledApplied() {
        Outcome view = new Outcome(Primitive.FILESYSTEM, Status.APPLIED, 0, "");
        HostProbe probe = HostProbe.of(report("No directory can be made in '/x'", applied(), view), UBUNTU);
        assertThat(probe.level()).isEqualTo(Level.PARTIAL);
        assertThat(probe.rows().get(1).cause()).isEqualTo(Cause.DIRECTORIES);
        assertThat(probe.rows().get(1).outcome().describe()).isEqualTo("unavailable: No directory can be made in '/x'");
        // What failed all the same says more.
        view = new Outcome(Primitive.FILESYSTEM, Status.FAILED, 1, "pivot_root");
        probe = HostProbe.of(report("No directory can be made in '/x'", applied(), view), UBUNTU);
        assertThat(probe.rows().get(1).outcome()).isEqualTo(view);
    }

    @Test
    void aLaunchThatFellShortIsExplainedInTheProbesWords() {
        Outcome refused = new Outcome(Primitive.USER_NAMESPACE, Status.FAILED, 1, "unshare");
        Report report = report(null, applied(), refused)
                .report()
                .because(Map.of(Primitive.USER_NAMESPACE, Cause.ROOT_ONLY, Primitive.SESSION, Cause.ROOM));
        assertThat(report.outcomes().get(0)).isEqualTo(applied());
        assertThat(report.outcomes().get(1).cause()).isEqualTo(Cause.ROOT_ONLY);
        assertThat(new Minimum(Level.FULL, List.of()).unmetBy(report).orElseThrow())
                .contains(
                        "user_namespace failed: EPERM, unshare. User namespaces are for root alone. Allow them to other users.");
    }

    private static NativeProbe report(String untried, Outcome... rows) {
        Level level = Level.of(false, List.of(rows));
        Report report = new Report(List.of(rows), level, true, null, null, null);
        return new NativeProbe(report, "memfd", "/ANY/launcher-*", untried);
    }

    @Test
    void aProbeTravels() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(probe());
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            assertThat(in.readObject()).isEqualTo(probe());
        }
    }

    @Test
    void coveredPartsOfProcAndAChrootAreSeenInTheMountTable() {
        Map<String, String> values = new LinkedHashMap<>();
        HostFacts.mounts(
                values,
                "24 1 0:22 / / rw - ext4 /dev/root rw\n25 24 0:23 / /proc rw - proc proc rw,hidepid=invisible\n"
                        + "26 25 0:24 / /proc/sys/fs/binfmt_misc rw - autofs a rw\n"
                        + "27 25 0:25 / /proc/acpi ro - tmpfs tmpfs ro\n28 25 0:5 /null /proc/kcore rw - devtmpfs d rw\n");
        assertThat(values)
                .containsEntry(HostFacts.MASKED, "/proc/acpi /proc/kcore")
                .containsEntry("/proc", "rw,hidepid=invisible")
                .doesNotContainKey(HostFacts.CHROOT);
        values.clear();
        HostFacts.mounts(values, "25 24 0:23 / /proc rw - proc proc rw\n");
        assertThat(values).containsEntry(HostFacts.CHROOT, "yes").doesNotContainKey(HostFacts.MASKED);
    }

    private static Outcome applied() {
        return new Outcome(Primitive.SESSION, Status.APPLIED, 0, "");
    }

    private static HostProbe probe() {
        List<Outcome> rows = List.of(
                applied(),
                new Outcome(Primitive.CGROUP, Status.SKIPPED, 0, ""),
                new Outcome(Primitive.USER_NAMESPACE, Status.FAILED, 13, "write /proc/self/setgroups"));
        Report report = new Report(rows, Level.PARTIAL, true, null, null, null);
        return HostProbe.of(new NativeProbe(report, "file", "/agent/caches/process-sandbox/launcher-*", null), UBUNTU);
    }

    @Test
    void theProcessorsAreThereWhereStatusDoesNotNameThem() {
        assertThat(HostFacts.processors("Name:\tjava\nCpus_allowed_list:\t0-3,8\nMems_allowed_list:\t0\n"))
                .isEqualTo("0-3,8");
        assertThat(HostFacts.processors("Name:\tjava\nUid:\t0\n"))
                .isEqualTo("0-" + (Runtime.getRuntime().availableProcessors() - 1));
    }
}
