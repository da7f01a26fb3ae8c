package io.jenkins.plugins.sandbox.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VariablesTest {
    private static final String NAMED = """
            primitives = environment
            environment = named
            """;

    private static Variables of(Profile profile, List<String> kept, String... own) throws SandboxException {
        return Variables.of(Policy.builder(profile, "/ws").keepVariables(kept).build(), Set.of(own));
    }

    private static Variables standard(String... own) throws SandboxException {
        return of(Profile.named("standard"), List.of(), own);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "JENKINS_SECRET",
                "JENKINS_AGENT_SECRET",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_SESSION_TOKEN",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "AZURE_CLIENT_SECRET",
                "ARM_CLIENT_ID",
                "GOOGLE_APPLICATION_CREDENTIALS",
                "CLOUDSDK_CONFIG",
                "KUBECONFIG",
                "GITHUB_TOKEN",
                "npm_config__authToken",
                "NODE_AUTH_TOKEN",
                "DB_PASSWORD",
                "db_password",
                "MY_API_KEY",
                "SSH_AUTH_SOCK",
                "DBUS_SESSION_BUS_ADDRESS",
                "VAULT_ADDR",
                "SONAR_TOKEN_FILE"
            })
    void secretsAreDroppedUnlessTheStepSetThem(String name) throws Exception {
        assertThat(standard(name, "PATH").words()).containsExactly("--unset-env", name);
        assertThat(of(Profile.named("standard"), List.of(name), name).words()).isEmpty();
        assertThat(of(Profile.parse("mine", NAMED), List.of(), name).names()).doesNotContain(name);
        assertThat(of(Profile.parse("mine", NAMED), List.of(name), name).names())
                .contains(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PATH",
                "HOME",
                "JENKINS_URL",
                "JENKINS_NODE_COOKIE",
                "JENKINS_SERVER_COOKIE",
                "BUILD_ID",
                "AWS_REGION",
                "JAVA_HOME",
                "TOKENIZERS_PARALLELISM",
                "OLDPWD",
                "PWD",
                "COMPASS",
                "http_proxy",
                "XDG_RUNTIME_DIR"
            })
    void whatBuildsNeedStays(String name) throws Exception {
        assertThat(standard(name).words()).isEmpty();
    }

    @Test
    void namedMeansOnlyThese() throws Exception {
        Variables variables =
                of(Profile.parse("mine", NAMED), List.of("STEP"), "LC_ALL", "BUILD_X", "JAVA_HOME", "EDITOR", "STEP");
        assertThat(variables.only()).isTrue();
        assertThat(variables.names())
                .contains("PATH", "HOME", "JENKINS_NODE_COOKIE", "HUDSON_COOKIE", "jsc", "LC_ALL", "BUILD_X", "STEP")
                .doesNotContain("EDITOR", "JAVA_HOME");
        assertThat(variables.words()).containsSequence("--keep-env", "STEP");
    }

    @Test
    void withoutTheRowNothingIsAsked() throws Exception {
        assertThat(of(Profile.named("strict").withAllVariables(), List.of("A"), "AWS_SECRET_ACCESS_KEY")
                        .words())
                .isEmpty();
        assertThat(of(Profile.parse("mine", NAMED).withAllVariables(), List.of("A"), "X")
                        .words())
                .isEmpty();
    }

    @Test
    void whatIsNoNameIsLeftToTheLauncher() throws Exception {
        assertThat(standard("=A_TOKEN", "A_TOKEN").words()).containsExactly("--unset-env", "A_TOKEN");
    }

    @Test
    void moreThanTheLauncherTakesIsAnError() {
        String[] many = IntStream.range(0, 1025).mapToObj(i -> i + "_TOKEN").toArray(String[]::new);
        assertThatThrownBy(() -> standard(many))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("1025 environment variables");
    }

    @Test
    void explainsItselfByNames() throws Exception {
        assertThat(standard("A_TOKEN", "PATH").describe()).isEqualTo("  without A_TOKEN\n");
        assertThat(standard("PATH").describe()).contains("all, for none");
        assertThat(of(Profile.parse("mine", NAMED), List.of(), "X").describe())
                .startsWith("  only ")
                .contains(" PATH ")
                .hasLineCount(1);
    }

    @Test
    void noNameOfTheDataFileStandsTwice() {
        DataFile.read("environment.txt").forEach((section, names) -> assertThat(names)
                .as(section)
                .doesNotHaveDuplicates()
                .allMatch(n -> n.matches("[A-Za-z0-9_*]+")));
        assertThat(DataFile.read("environment.txt").keySet().stream().collect(Collectors.joining(" ")))
                .isEqualTo("drop but only");
    }
}
