package io.jenkins.plugins.sandbox.escape;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.policy.Profile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** That what is run on every host can show something. */
@Tag("kernel")
class InsideTest {
    @Test
    void noConditionIsTrueWithoutASandbox() throws Exception {
        try (Scene scene = new Scene(false)) {
            Inside inside = Inside.control(scene);
            assertThat(inside.says("INSIDE all")).isTrue();
            assertThat(inside.showingNothing()).isEmpty();
        }
    }

    @Test
    void everyRowOfAProfileHasACondition() throws Exception {
        for (String profile : Profile.BUILT_IN) {
            assertThat(Profile.named(profile).primitives()).allMatch(Inside::covers);
        }
    }

    @Test
    void noAttemptDisturbsALaterOne() throws Exception {
        assertThat(Breakouts.disturbed()).isEmpty();
    }
}
