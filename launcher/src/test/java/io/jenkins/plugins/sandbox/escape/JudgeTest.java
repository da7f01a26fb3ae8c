package io.jenkins.plugins.sandbox.escape;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** That the suite can fail, and that nothing passes which showed nothing. */
class JudgeTest {
    private static final Attempt ATTEMPT = Attempt.attempt(Attempt.Group.FILES, "a", "b")
            .gets("true")
            .stoppedBy(Set.of("strict"), Walls.either(), "true");
    private static final Attempt REFUSED = Attempt.attempt(Attempt.Group.FILES, "a", "b")
            .gets("true")
            .isRefusedBy(Set.of("strict"))
            .stoppedBy(Set.of("strict"), Walls.either(), "true");

    private static Result result(String... lines) {
        return Result.of(String.join("\n", lines), "", "exit code 0\n");
    }

    private static String of(Attempt attempt, String profile, Result result) {
        return Judge.complaint(attempt, profile, result, result.says(Attempt.ESCAPED))
                .orElse("");
    }

    @Test
    void whatIsExpectedPasses() {
        assertThat(of(ATTEMPT, "strict", result("TWIN-WORKED", "REACHED"))).isEmpty();
        assertThat(of(ATTEMPT, "standard", result("TWIN-WORKED", "REACHED", "ESCAPED yes")))
                .isEmpty();
        assertThat(of(REFUSED, "strict", Result.refused("no"))).isEmpty();
    }

    @Test
    void lessThanExpectedFails() {
        assertThat(of(ATTEMPT, "strict", result("TWIN-WORKED", "REACHED", "ESCAPED")))
                .isEqualTo("it is not stopped");
        assertThat(of(REFUSED, "strict", result("TWIN-WORKED", "REACHED")))
                .isEqualTo("the launch should have been refused");
    }

    @Test
    void moreThanExpectedFails() {
        assertThat(of(ATTEMPT, "standard", result("TWIN-WORKED", "REACHED"))).startsWith("it is stopped");
        assertThat(of(ATTEMPT, "strict", Result.refused("no"))).isEqualTo("the launch was refused");
        assertThat(of(REFUSED, "standard", Result.refused("no"))).isEqualTo("the launch was refused");
    }

    @Test
    void whatShowsNothingFails() {
        assertThat(of(ATTEMPT, "strict", result("TWIN-WORKED"))).contains("not reached");
        assertThat(of(ATTEMPT, "strict", result("REACHED", "TWIN-WORKED"))).contains("not reached");
        assertThat(of(ATTEMPT, "strict", result())).contains("twin");
        assertThat(of(ATTEMPT, "strict", result("TWIN-FAILED", "REACHED"))).contains("twin");
        assertThat(of(ATTEMPT, "strict", result("TWIN-WORKED", "LACKING x"))).contains("x");
    }

    @Test
    void aWordIsNoPartOfAnother() {
        assertThat(result("REACHED-NOT").says(Attempt.REACHED)).isFalse();
        assertThat(Attempts.all().stream().map(Attempt::script))
                .as("an attempt without a marker")
                .allMatch(s -> s.contains("echo REACHED") || s.contains("exec \"$T\" "));
        assertThat(List.of(Result.TWIN_WORKED, Result.TWIN_FAILED)).noneMatch(w -> w.contains(Attempt.ESCAPED));
    }
}
