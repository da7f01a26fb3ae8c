package io.jenkins.plugins.sandbox.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.escape.Breakouts;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Each host of {@link Hosts}, made for real: what the report says of every row, what the probe says is the cause, what happens
 * under each minimum, and that no row that is said to hold is disproved by an attempt from inside.
 */
@Tag("kernel")
class HostMatrixTest {
    /** For work on a few: names of hosts, separated by commas. */
    private static final String ONLY = System.getProperty("sandbox.hosts.only");

    /** Only so that a defect fails a test instead of hanging it; no test asserts a time. */
    private static final long HANGS_AFTER_SECONDS = 120;

    /** What every build does, and has to go on doing everywhere. */
    private static final String BUILD =
            "mkdir -p a/b c\necho x > a/b/f\nmv a/b/f c/g\ntest -s c/g\nln -s c/g link\ncat link > /dev/null\n"
                    + "ln c/g c/h\nmkfifo pipe\n(echo y > pipe) &\ngrep -q y pipe\nwait\nf=$(mktemp)\necho z > \"$f\"\nrm \"$f\"\n"
                    + "truncate -s 0 c/g\ncp /bin/true t\n./t\nrm -r a c link pipe t\nls / > /dev/null\nls \"$HOME\" > /dev/null\n"
                    + "echo '" + HostedAgent.MARK + "built'\n";

    /** What succeeds where nothing of a sandbox but its filter and its limits holds: or the attempts would show nothing. */
    private static final List<String> UNSTOPPED = List.of(
            "change-file",
            "change-home",
            "read-home-ssh",
            "read-agent",
            "log-link",
            "kill",
            "see",
            "agents-environment",
            "abstract-socket",
            "shared-memory");

    @TempDir
    private Path directory;

    @TestFactory
    Stream<DynamicTest> hosts() {
        return Hosts.all().stream()
                .filter(h -> ONLY == null || List.of(ONLY.split(",")).contains(h.name()))
                .map(h -> DynamicTest.dynamicTest(h.name(), () -> check(h)));
    }

    private void check(Host host) throws Exception {
        try (Breakouts breakouts = new Breakouts()) {
            Files.writeString(breakouts.workspace().resolve("attempts"), breakouts.script());
            Files.writeString(breakouts.workspace().resolve("build"), BUILD);
            String out = run(host, breakouts);
            List<String> said = out.lines()
                    .filter(l -> l.startsWith(HostedAgent.MARK))
                    .map(l -> l.substring(HostedAgent.MARK.length()))
                    .toList();
            Set<Primitive> applied = checkRows(host, said);
            checkProbe(host, said);
            checkMinimums(host, said);
            Set<String> escaped = breakouts.escaped(
                    out.lines().filter(l -> !l.startsWith(HostedAgent.MARK)).reduce("", (a, b) -> a + b + "\n"));
            assertThat(Breakouts.disproved(escaped, applied)).as(out).isEmpty();
            assertThat(said).as(out).contains("built");
            if (host.name().equals(Hosts.BAREST)) {
                assertThat(escaped).containsAll(UNSTOPPED);
            }
        }
    }

    private String run(Host host, Breakouts breakouts) throws IOException, InterruptedException {
        Path work = Files.createTempDirectory(directory, host.name());
        List<String> words = new ArrayList<>(host.setting().words(breakouts.base(), work));
        words.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + work,
                "-Dsandbox.launcher=" + Hosts.tool("launcher"),
                "-cp",
                System.getProperty("java.class.path"),
                HostedAgent.class.getName(),
                breakouts.base().toString()));
        Path out = work.resolve("out");
        ProcessBuilder builder = new ProcessBuilder(words)
                .directory(breakouts.workspace().toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile());
        builder.environment().put("HOME", breakouts.home().toString());
        Process process = builder.start();
        boolean ended = process.waitFor(HANGS_AFTER_SECONDS, TimeUnit.SECONDS);
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        String text = Files.readString(out, StandardCharsets.UTF_8);
        assertThat(ended).as("hangs\n" + text).isTrue();
        assertThat(process.exitValue()).as(text).isZero();
        return text;
    }

    private static Set<Primitive> checkRows(Host host, List<String> said) throws IOException {
        Map<String, String> expected = new TreeMap<>();
        List<Primitive> asked =
                new ArrayList<>(Profile.named(HostedAgent.PROFILE).primitives());
        boolean standsIn = host.shortfalls().containsKey(Primitive.NETWORK_NAMESPACE);
        for (Primitive row : Primitive.values()) {
            boolean wanted = asked.contains(row) || (standsIn && row == Primitive.LANDLOCK_NET);
            Host.Shortfall shortfall = host.shortfalls().get(row);
            expected.put(row.name(), !wanted ? "skipped" : shortfall == null ? "applied" : shortfall.description());
        }
        Map<String, String> rows = keyed(said, "row ");
        assertThat(rows).isEqualTo(expected);
        assertThat(said).contains("level " + host.level(asked));
        Set<Primitive> applied = EnumSet.noneOf(Primitive.class);
        rows.forEach((name, status) -> {
            if (status.equals("applied")) {
                applied.add(Primitive.valueOf(name));
            }
        });
        return applied;
    }

    private static void checkProbe(Host host, List<String> said) {
        assertThat(said).contains("problem null");
        Map<String, String> expected = new LinkedHashMap<>();
        host.shortfalls()
                .forEach((row, shortfall) ->
                        expected.put(row.name(), shortfall.cause() + " " + shortfall.description()));
        Map<String, String> found = keyed(said, "probe ");
        found.values().removeIf(text -> text.equals("NONE applied"));
        // The probe asks for landlock_net whether or not something stands in its place.
        found.keySet().removeIf(row -> row.equals("LANDLOCK_NET") && !expected.containsKey(row));
        assertThat(found).isEqualTo(expected);
    }

    private static void checkMinimums(Host host, List<String> said) throws IOException {
        Level level = host.level(Profile.named(HostedAgent.PROFILE).primitives());
        if (level == Level.FULL) {
            assertThat(said).contains("ran FULL", "status FULL 0");
        } else {
            assertThat(said).doesNotContain("ran FULL");
            assertThat(said)
                    .anyMatch(line -> line.startsWith("refused FULL The level is PARTIAL, the minimum is FULL. "));
        }
        assertThat(said).contains("ran PARTIAL", "status PARTIAL 0").contains("status NONE 0");
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
