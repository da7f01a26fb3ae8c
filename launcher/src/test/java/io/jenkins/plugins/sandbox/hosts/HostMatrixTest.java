package io.jenkins.plugins.sandbox.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.escape.Breakouts;
import io.jenkins.plugins.sandbox.escape.Stage;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Each host of {@link Hosts}, made for real: what the report says of every row under every profile, what the probe says is the cause,
 * what happens under each minimum, and that no row that is said to hold is disproved from inside: not by a look at it, nor by any
 * attempt of the escape suite that it is to stop.
 */
@Tag("kernel")
class HostMatrixTest {
    /** For work on a few: names of hosts, separated by commas. */
    private static final String ONLY = System.getProperty("sandbox.hosts.only");

    /** Only so that a defect fails a test instead of hanging it; no test asserts a time. */
    private static final long HANGS_AFTER_SECONDS = 300;

    /** What every build does, and has to go on doing everywhere. */
    private static final String BUILD =
            "mkdir -p a/b c\necho x > a/b/f\nmv a/b/f c/g\ntest -s c/g\nln -s c/g link\ncat link > /dev/null\n"
                    + "ln c/g c/h\nmkfifo pipe\n(echo y > pipe) &\ngrep -q y pipe\nwait\nf=$(mktemp)\necho z > \"$f\"\nrm \"$f\"\n"
                    + "truncate -s 0 c/g\ncp /bin/true t\n./t\nrm -r a c link pipe t\n"
                    + "test \"$PROFILE\" = locked || { ls / && ls \"$HOME\"; } > /dev/null\necho built\n";

    /** What succeeds where nothing of a sandbox but its filter and its limits holds: or the attempts would show nothing. */
    private static final List<String> UNSTOPPED = List.of(
            "change-file",
            "change-home",
            "read-home-ssh",
            "read-agent",
            "log-link",
            "swap",
            "kill",
            "see",
            "slow-down",
            "agents-environment",
            "agents-pipes",
            "parents-environment",
            "inits-memory",
            "kill-init",
            "abstract-socket",
            "docker-socket",
            "cluster-token",
            "submount",
            "report-file",
            "replace-launcher",
            "shared-memory");

    /** A process of the agent's is not to have the number of one inside, or an attempt would hit the wrong one. */
    private static final String PAST_SMALL_NUMBERS =
            "if [ $$ -lt 3000 ]; then i=0; while [ $i -lt 3000 ]; do (:); i=$((i+1)); done; fi\n\"$@\"\nexit $?";

    @TempDir
    private Path directory;

    private final ExecutorService workers = Executors.newFixedThreadPool(2);

    @AfterEach
    void endWorkers() {
        workers.shutdownNow();
    }

    @TestFactory
    Stream<DynamicTest> hosts() {
        List<Host> hosts = Hosts.all().stream()
                .filter(h -> ONLY == null || List.of(ONLY.split(",")).contains(h.name()))
                .toList();
        // Two at a time: each of them spends much of its time waiting for processes to start and end.
        List<Future<?>> checks = new ArrayList<>();
        for (Host host : hosts) {
            checks.add(workers.submit(() -> {
                check(host);
                return null;
            }));
        }
        return IntStream.range(0, hosts.size())
                .mapToObj(i -> DynamicTest.dynamicTest(hosts.get(i).name(), () -> result(checks.get(i))));
    }

    private static void result(Future<?> check) throws Throwable {
        try {
            check.get();
        } catch (ExecutionException e) {
            throw e.getCause();
        }
    }

    private void check(Host host) throws Exception {
        try (Stage stage = new Stage()) {
            Files.writeString(stage.workspace().resolve("build"), BUILD);
            String out = run(host, stage);
            List<String> said = out.lines()
                    .filter(l -> l.startsWith(HostedAgent.MARK))
                    .map(l -> l.substring(HostedAgent.MARK.length()))
                    .toList();
            for (String profile : Profile.BUILT_IN) {
                checkRows(host, profile, said);
                checkAttempts(host, profile, said);
                assertThat(said).as(out).contains(profile + " build true");
            }
            checkProbe(host, said);
            checkMinimums(host, said);
            if (host.name().equals(Hosts.BAREST)) {
                for (String attempt : UNSTOPPED) {
                    assertThat(said).contains("strict succeeded " + attempt);
                }
                // No wall there either, but what the end of the launch takes away again.
                assertThat(said).doesNotContain("strict succeeded git-hook");
            }
        }
    }

    /** All were made, and nothing that a row says is disproved. */
    private static void checkAttempts(Host host, String profile, List<String> said) {
        Set<String> expected = Breakouts.names(profile);
        expected.removeIf(host::hasNoPlaceFor);
        assertThat(keyed(said, profile + " attempt ").keySet()).isEqualTo(expected);
        assertThat(said).filteredOn(l -> l.startsWith(profile + " disproved")).isEmpty();
    }

    private String run(Host host, Stage stage) throws IOException, InterruptedException {
        Path work = Files.createTempDirectory(directory, host.name());
        List<String> words = new ArrayList<>(stage.words());
        words.addAll(host.setting().words(stage.base(), work));
        words.addAll(List.of("sh", "-c", PAST_SMALL_NUMBERS, "sh"));
        words.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + work,
                "-Dsandbox.launcher=" + Hosts.tool("launcher"),
                "-Dsandbox.try_escape=" + Hosts.tool("try_escape"),
                "-Dsandbox.test.outside=" + Stage.scenes(stage.base()),
                "-cp",
                System.getProperty("java.class.path"),
                HostedAgent.class.getName(),
                stage.base().toString()));
        Path out = work.resolve("out");
        ProcessBuilder builder = new ProcessBuilder(words)
                .directory(stage.workspace().toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile());
        builder.environment().put("HOME", stage.home().toString());
        Process process = builder.start();
        boolean ended = process.waitFor(HANGS_AFTER_SECONDS, TimeUnit.SECONDS);
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        String text = Files.readString(out, StandardCharsets.UTF_8);
        assertThat(ended).as("hangs\n" + text).isTrue();
        assertThat(process.exitValue()).as(text).isZero();
        return text;
    }

    private static void checkRows(Host host, String profile, List<String> said) throws IOException {
        Map<String, String> expected = new TreeMap<>();
        List<Primitive> asked = Profile.named(profile).primitives();
        boolean standsIn = asked.contains(Primitive.NETWORK_NAMESPACE)
                && host.shortfalls().containsKey(Primitive.NETWORK_NAMESPACE);
        for (Primitive row : Primitive.values()) {
            boolean wanted = asked.contains(row) || (standsIn && row == Primitive.LANDLOCK_NET);
            Host.Shortfall shortfall = host.shortfalls().get(row);
            expected.put(row.name(), !wanted ? "skipped" : shortfall == null ? "applied" : shortfall.description());
        }
        assertThat(keyed(said, profile + " row ")).as(profile).isEqualTo(expected);
        assertThat(said).contains(profile + " level " + host.level(Profile.named(profile)));
    }

    private static void checkProbe(Host host, List<String> said) throws IOException {
        assertThat(said).contains("problem null");
        Map<String, String> expected = new LinkedHashMap<>();
        host.shortfalls()
                .forEach((row, shortfall) ->
                        expected.put(row.name(), shortfall.cause() + " " + shortfall.description()));
        Map<String, String> found = keyed(said, "probe ");
        // What only limits ask for. Whether a control group is delegated is the matter of the machine that the tests
        // run on.
        String group = found.remove("CGROUP");
        assertThat(group).satisfiesAnyOf(g -> assertThat(g).isEqualTo("NONE applied"), g -> assertThat(g)
                .startsWith("CGROUP unavailable: "));
        boolean counted = group.equals("NONE applied") || !host.shortfalls().containsKey(Primitive.USER_NAMESPACE);
        assertThat(found.remove("RLIMIT_NPROC"))
                .isEqualTo(counted ? "NONE applied" : "PREREQUISITE unavailable: needs user_namespace");
        assertThat(found).containsKeys("RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_STACK", "RLIMIT_MEMLOCK");
        found.values().removeIf(text -> text.equals("NONE applied"));
        // The probe asks for landlock_net whether or not something stands in its place.
        found.keySet().removeIf(row -> row.equals("LANDLOCK_NET") && !expected.containsKey(row));
        assertThat(found).isEqualTo(expected);
        assertThat(said).contains("probe-level " + host.level(Profile.named(HostedAgent.PROFILE)));
    }

    private static void checkMinimums(Host host, List<String> said) throws IOException {
        Level level = host.level(Profile.named(HostedAgent.PROFILE));
        Host.Shortfall first = host.shortfalls().values().stream().findFirst().orElse(null);
        if (level == Level.FULL) {
            assertThat(said).contains("ran FULL", "status FULL 0");
        } else {
            assertThat(said).doesNotContain("ran FULL");
            assertThat(said)
                    .anyMatch(line -> line.startsWith("refused FULL The level is PARTIAL, the minimum is FULL. ")
                            && line.contains(" " + first.description() + ". ")
                            // In the words of the probe.
                            && line.toLowerCase(Locale.ROOT)
                                    .contains(first.cause().summary().toLowerCase(Locale.ROOT) + ". ")
                            && line.contains(first.cause().remedy()));
        }
        assertThat(said).contains("ran PARTIAL", "status PARTIAL 0");
    }

    private static Map<String, String> keyed(List<String> said, String start) {
        Map<String, String> rows = new TreeMap<>();
        for (String line : said) {
            if (line.startsWith(start)) {
                String[] words = line.substring(start.length()).split(" ", 2);
                rows.put(words[0], words[1]);
            }
        }
        return rows;
    }
}
