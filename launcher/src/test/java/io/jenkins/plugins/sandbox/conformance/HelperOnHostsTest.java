package io.jenkins.plugins.sandbox.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.model.Status;
import io.jenkins.plugins.sandbox.seccomp.Architecture;
import io.jenkins.plugins.sandbox.seccomp.SeccompPolicy;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The helper's jobs on hosts that refuse a part of its sandbox, on older kernels, and with little memory. */
@Tag("kernel")
class HelperOnHostsTest {
    private static final List<Primitive> PRIMITIVES = List.of(
            Primitive.SESSION,
            Primitive.CLOSE_FDS,
            Primitive.USER_NAMESPACE,
            Primitive.PID_NAMESPACE,
            Primitive.MOUNT_NAMESPACE,
            Primitive.NETWORK_NAMESPACE,
            Primitive.FILESYSTEM,
            Primitive.PROC,
            Primitive.RLIMIT_AS,
            Primitive.NO_NEW_PRIVS,
            Primitive.CAPABILITIES,
            Primitive.LANDLOCK_FS,
            Primitive.SECCOMP);

    private Path directory;
    private Path tree;
    private Path store;
    private Path filter;
    private long addressSpace = 64 << 20;

    @BeforeEach
    void directories(@TempDir Path temporary) throws Exception {
        directory = temporary.toRealPath();
        tree = Files.createDirectory(directory.resolve("tree"));
        store = Files.createDirectory(directory.resolve("store"));
        filter = Files.write(
                directory.resolve("filter"),
                SeccompPolicy.helper()
                        .compile(Architecture.current().orElseThrow())
                        .bytes());
    }

    /** Some trees are more than what the test framework can remove. */
    @AfterEach
    void removeStore() throws Exception {
        tree = store;
        addressSpace = 64 << 20;
        assertThat(job(List.of(), "remove").status()).isZero();
    }

    private String sh(String script) throws Exception {
        Process process = new ProcessBuilder("sh", "-ec", script)
                .directory(tree.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    private record Done(int status, List<String> words, Report report) {
        boolean applied(Primitive primitive) {
            return report.outcome(primitive)
                    .map(o -> o.status() == Status.APPLIED)
                    .orElse(false);
        }
    }

    private Done job(List<String> host, String job) throws Exception {
        Path report = Files.write(directory.resolve("report"), new byte[0]);
        List<String> words = new ArrayList<>(host);
        words.addAll(List.of(NativeLaunch.launcher().toString(), "--report", report.toString(), "--root", "empty"));
        PRIMITIVES.forEach(p -> words.addAll(List.of("--primitive", p.wireName())));
        words.addAll(List.of("--rlimit", "as=" + addressSpace, "--seccomp", filter.toString(), "--job", job));
        words.addAll(List.of("--job-directory", tree.toString()));
        if (!job.equals("remove")) {
            words.addAll(List.of("--job-store", store.toString(), "--job-records", store.toString()));
        }
        Process process = new ProcessBuilder(words).directory(new File("/")).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        byte[] text = Files.readAllBytes(report);
        return new Done(
                process.exitValue(), Arrays.asList(output.split("\0")), ReportParser.parse(text, false, PRIMITIVES));
    }

    private static List<String> on(String... options) {
        List<String> words = new ArrayList<>();
        words.add(Objects.requireNonNull(System.getProperty("sandbox.try_host"), "sandbox.try_host is not set"));
        words.addAll(List.of(options));
        words.add("--");
        return words;
    }

    /** A block with an odd repository in it, and then the removal of everything. */
    private List<Done> everything(List<String> host) throws Exception {
        List<Done> all = new ArrayList<>();
        sh("mkdir -p known/.git/objects known/.git/refs; touch known/.git/HEAD known/.git/config");
        all.add(job(host, "begin"));
        assertThat(all.get(0).words()).containsSequence("known", "git-directory", "known/.git");
        sh(
                "mkdir -p a/b/.git; chmod 0 a/b/.git a/b a; mkdir -p c/.git c/d; mkfifo c/d/.git; chmod 0500 c/.git c; chmod 0100 .");
        all.add(job(host, "check"));
        sh("chmod u+rwx .; test -d known/.git && ! test -e a/b/.git && ! test -e c/.git && ! test -e c/d/.git");
        all.add(job(host, "end"));
        all.add(job(host, "begin"));
        assertThat(all.get(3).words()).containsSequence("restored", "3", "complete", "end");
        all.add(job(host, "end"));
        sh("mkdir -p x/y; chmod 0 x/y x; for i in $(seq 100); do mkdir d; cd -P d; done");
        all.add(job(host, "remove"));
        assertThat(tree).isEmptyDirectory();
        assertThat(all).allSatisfy(done -> {
            assertThat(done.status()).as("%s", done).isZero();
            assertThat(done.words()).endsWith("complete", "end");
        });
        return all;
    }

    @Test
    void withoutNamespacesLandlockAndTheFilterHold() throws Exception {
        assertThat(everything(on("--no-user-namespaces", "EPERM"))).allSatisfy(done -> {
            assertThat(done.applied(Primitive.FILESYSTEM)).isFalse();
            assertThat(done.applied(Primitive.LANDLOCK_FS))
                    .as("%s", done.report())
                    .isTrue();
            assertThat(done.applied(Primitive.SECCOMP)).isTrue();
        });
    }

    @Test
    void withoutLandlockTheViewAndTheFilterHold() throws Exception {
        assertThat(everything(on("--landlock", "0"))).allSatisfy(done -> {
            assertThat(done.applied(Primitive.FILESYSTEM)).isTrue();
            assertThat(done.applied(Primitive.LANDLOCK_FS)).isFalse();
        });
    }

    @Test
    void withNothingItStillDoesItsWork() throws Exception {
        assertThat(everything(on("--no-user-namespaces", "EPERM", "--landlock", "off")))
                .allSatisfy(
                        done -> assertThat(done.applied(Primitive.LANDLOCK_FS)).isFalse());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "openat2=ENOSYS",
                "openat2=EPERM",
                "fchmodat2=ENOSYS",
                "fchmodat2=EPERM",
                "renameat2=ENOSYS",
                "renameat2=EINVAL",
                "statx=ENOSYS",
                "statx=EPERM",
                "close_range=ENOSYS",
                "faccessat2=ENOSYS",
                "name_to_handle_at=EPERM",
            })
    void withoutANewerCallEverythingHoldsAllTheSame(String call) throws Exception {
        assertThat(everything(on("--refuse", call)))
                .allSatisfy(done -> assertThat(done.report().shortfalls()).isEmpty());
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 6, 7})
    void withEachVersionOfLandlockThatCanMove(int abi) throws Exception {
        everything(on("--landlock", String.valueOf(abi)));
    }

    /** Of all trees: as many names as a directory of a build may have, deep ones, and repositories everywhere. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "seq 30000 | xargs touch",
                "seq 10000 | xargs mkdir",
                "for i in $(seq 3000); do mkdir d; cd -P d; done",
                "seq -f r%g/.git 3000 | xargs mkdir -p",
            })
    void memoryDoesNotDependOnTheTree(String script) throws Exception {
        addressSpace = 48 << 20; // of which the record's room is half
        assertThat(job(List.of(), "begin").status()).isZero();
        sh(script);
        assertThat(job(List.of(), "end").status()).isZero();
        assertThat(job(List.of(), "begin").status()).isZero();
        assertThat(job(List.of(), "end").status()).isZero();
        addressSpace = 8 << 20;
        assertThat(job(List.of(), "remove").status()).isZero();
        assertThat(tree).isEmptyDirectory();
    }

    /** Out of memory is no success. */
    @Test
    void withoutMemoryNothingIsComplete() throws Exception {
        addressSpace = 8 << 20;
        Done done = job(List.of(), "begin");
        assertThat(done.status()).isNotZero();
        assertThat(done.words()).doesNotContain("complete");
    }
}
