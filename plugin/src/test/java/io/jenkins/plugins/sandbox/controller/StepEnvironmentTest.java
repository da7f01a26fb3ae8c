package io.jenkins.plugins.sandbox.controller;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.is;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StepEnvironmentTest {
    private static StepEnvironment of(Set<String> set, String... variables) {
        return new StepEnvironment(variables, set);
    }

    @Test
    void whatTheAgentHasAsWellIsNotMeant() {
        Map<String, String> agents = Map.of("SECRET", "a=b", "DOLLAR", "x$y", "PATH", "/bin");
        assertThat(of(Set.of(), "SECRET=a=b", "DOLLAR=x$$y", "PATH=/bin").meant(agents), is(empty()));
        assertThat(of(Set.of(), "DOLLAR=x$y").meant(agents), is(empty()));
    }

    @Test
    void whatTheAgentHasOtherwiseOrNotAtAllIsMeant() {
        Map<String, String> agents = Map.of("SECRET", "agent's");
        assertThat(of(Set.of(), "SECRET=step's", "NEW=").meant(agents), contains("NEW", "SECRET"));
    }

    @Test
    void whatAStepSetIsMeantWhateverItsValueIs() {
        assertThat(
                of(Set.of("SECRET"), "SECRET=same", "OTHER=same").meant(Map.of("SECRET", "same", "OTHER", "same")),
                contains("SECRET"));
        assertThat(of(Set.of("ABSENT")).meant(Map.of("ABSENT", "x")), is(empty()));
    }

    @Test
    void findsFilesAloneAndInLists() {
        StepEnvironment environment = of(
                Set.of(),
                "KEY=/ws@tmp/secretFiles/1/key",
                "COST=/ws@tmp/secretFiles/2/$$",
                "PATH=/bin:/ws@tmp/withMaven3:/usr/bin",
                "WORKSPACE_TMP=/ws@tmp",
                "NOT=/ws@tmpx/a",
                "TEXT=see /ws@tmp/readme",
                "DIR=/ws/x@tmp/secretFiles/3",
                "EMPTY=");
        assertThat(
                environment.filesBelow(List.of("/ws@tmp", "/ws@tmp", "/ws/x@tmp")),
                contains(
                        "/ws@tmp/secretFiles/1/key",
                        "/ws@tmp/secretFiles/2/$$",
                        "/ws@tmp/secretFiles/2/$",
                        "/ws@tmp/withMaven3",
                        "/ws/x@tmp/secretFiles/3"));
    }
}
