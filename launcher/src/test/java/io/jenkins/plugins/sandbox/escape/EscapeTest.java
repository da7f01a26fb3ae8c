package io.jenkins.plugins.sandbox.escape;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.jenkins.plugins.sandbox.launch.TransportChoice;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Tries to get out. Each attempt must first succeed without a sandbox, or it would show nothing; then every profile must stop
 * what it is said to stop, and nothing else, while the attempt's harmless twin works.
 */
@Tag("kernel")
class EscapeTest {
    /** For work on a few: names of attempts, separated by commas. Not for a build, where it fails. */
    private static final String ONLY = System.getProperty("sandbox.escape.only");

    @TestFactory
    Stream<DynamicNode> attempts() {
        return Attempts.all().stream()
                .filter(a -> ONLY == null || List.of(ONLY.split(",")).contains(a.name()))
                .map(EscapeTest::tests);
    }

    @Test
    void theListIsWhole() throws IOException {
        assertThat(ONLY).as("sandbox.escape.only").isNull();
        List<Attempt> all = Attempts.all();
        assertThat(all).hasSizeGreaterThanOrEqualTo(60);
        assertThat(all.stream().map(a -> a.group() + "/" + a.name())).doesNotHaveDuplicates();
        assertThat(all.stream().map(Attempt::group).collect(Collectors.toSet()))
                .isEqualTo(EnumSet.allOf(Attempt.Group.class));
        assertThat(all.stream().flatMap(a -> a.cves().stream()))
                .contains(
                        "CVE-2024-21626",
                        "CVE-2022-0185",
                        "CVE-2024-1086",
                        "CVE-2019-10063",
                        "CVE-2017-5226",
                        "CVE-2022-0492",
                        "CVE-2019-5736",
                        "CVE-2020-15257",
                        "CVE-2021-41133");
        for (Attempt attempt : all) {
            assertThat(Profile.BUILT_IN).as(attempt.name()).containsAll(attempt.stoppedBy());
            assertThat(attempt.walls().alternatives().isEmpty())
                    .as("%s: what a profile stops names the rows that do", attempt.name())
                    .isEqualTo(attempt.stoppedBy().isEmpty());
            for (String profile : attempt.stoppedBy()) {
                assertThat(attempt.walls()
                                .hold(EnumSet.copyOf(Profile.named(profile).primitives())))
                        .as("%s: profile %s asks for %s", attempt.name(), profile, attempt.walls())
                        .isTrue();
            }
        }
    }

    private static DynamicNode tests(Attempt attempt) {
        List<DynamicNode> tests = new ArrayList<>();
        Outside outside = new Outside(attempt);
        tests.add(dynamicTest("succeeds without a sandbox", outside::check));
        try {
            for (Profile profile : Runs.plannable()) {
                tests.add(dynamicTest("under " + profile.name(), () -> {
                    outside.assumeItExists();
                    check(attempt, profile);
                }));
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return dynamicContainer(attempt.group().title() + ": " + attempt.name(), tests);
    }

    private static Runs runs(Attempt attempt, Scene scene) {
        return new Runs(attempt.setting(), scene, TransportChoice.memfd());
    }

    private static void check(Attempt attempt, Profile profile) throws Exception {
        try (Scene scene = new Scene(attempt.hasNeighbour())) {
            Result result = runs(attempt, scene).sandboxed(attempt, profile);
            boolean escaped = attempt.proof().holds(scene, result);
            assertThat(Judge.complaint(attempt, profile.name(), result, escaped))
                    .as(result.toString())
                    .isEmpty();
        }
    }

    /** The control, run once for all profiles. */
    private static final class Outside {
        private final Attempt attempt;
        private String lacking;

        Outside(Attempt attempt) {
            this.attempt = attempt;
        }

        void check() throws Exception {
            try (Scene scene = new Scene(attempt.hasNeighbour())) {
                Result result = runs(attempt, scene).control(attempt.script());
                lacking = result.lacking();
                assumeItExists();
                assertThat(result.says(Attempt.REACHED)).as("tried\n" + result).isTrue();
                assertThat(attempt.proof().holds(scene, result))
                        .as("succeeds\n" + result)
                        .isTrue();
            }
        }

        void assumeItExists() {
            assumeTrue(lacking == null, () -> "this kernel lacks " + lacking);
        }
    }
}
