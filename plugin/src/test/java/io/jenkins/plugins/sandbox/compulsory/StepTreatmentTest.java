package io.jenkins.plugins.sandbox.compulsory;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StepTreatmentTest {
    private static String refusal(String step, Map<String, ?> arguments) {
        return StepTreatment.of(step).orElseThrow().refusal(arguments);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/etc/passwd",
                "../x",
                "a/../../x",
                "..",
                "a/..",
                "..\\x",
                "C:\\x",
                "~/x",
                "a, /etc/passwd",
                "a,../b",
                "a b/../../c",
                " /etc/passwd",
                "\\\\host\\share"
            })
    void pathsThatLeaveAreRefused(String path) {
        assertThat(refusal("readFile", Map.of("file", path)), notNullValue());
        assertThat(refusal("archiveArtifacts", Map.of("artifacts", path)), notNullValue());
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "a/b.txt", "**/*.xml", "a..b/c", "...", ".git", "a/./b", "target/x y.txt", "ab:c"})
    void otherPathsAreNot(String path) {
        assertThat(refusal("readFile", Map.of("file", path)), nullValue());
    }

    @Test
    void parametersAreFoundAtAnyDepth() {
        assertThat(
                refusal("checkout", Map.of("scm", Map.of("extensions", List.of(Map.of("relativeTargetDir", "../x"))))),
                containsString("relativeTargetDir '../x' leads out of the workspace"));
        assertThat(refusal("unarchive", Map.of("mapping", Map.of("a", "/x"))), notNullValue());
        assertThat(refusal("unarchive", Map.of("mapping", Map.of("../a", "x"))), notNullValue());
        assertThat(refusal("unarchive", Map.of("mapping", Map.of("a", "x"))), nullValue());
        assertThat(refusal("readFile", Map.of("encoding", "/x", "file", "y")), nullValue());
    }

    @Test
    void aProgramOfTheAgentIsRefused() {
        assertThat(refusal("cleanWs", Map.of("externalDelete", "sh -c x")), containsString("starts a program"));
        assertThat(refusal("cleanWs", Map.of("externalDelete", "")), nullValue());
        assertThat(refusal("cleanWs", Map.of()), nullValue());
    }

    @Test
    void unknownStepsAreUnknown() {
        assertThat(StepTreatment.of("sh").orElseThrow().kind(), is(StepTreatment.Kind.LAUNCH));
        assertThat(StepTreatment.of("nosuch").isPresent(), is(false));
    }
}
