package io.jenkins.plugins.sandbox.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AgentOptionsTest {
    private static final String SECRET = "0123456789abcdef".repeat(4);

    private static List<String> values(String... words) {
        return AgentOptions.credentials(List.of(words)).stream()
                .map(c -> words[c.word()].substring(c.start()))
                .toList();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-secret",
                "-credentials",
                "-jnlpCredentials",
                "-proxyCredentials",
                "-auth",
                "-webSocketHeader",
                "-password"
            })
    void theValueOfAnOptionIsACredentialInBothForms(String option) {
        assertThat(values("java", "-jar", "agent.jar", option, "va=lue", "-name", "x"))
                .containsExactly("va=lue");
        assertThat(values("java", option + "=va=lue", "-name", "x")).containsExactly("va=lue");
        assertThat(values(option)).isEmpty();
        assertThat(values(option, "")).isEmpty();
        assertThat(values(option + "=")).isEmpty();
    }

    @Test
    void allOfThemAreFound() {
        assertThat(values("-secret", "a", "-secret=b", "-auth", "c:d", "-url", "http://x/"))
                .containsExactly("a", "b", "c:d");
    }

    @Test
    void theOldFormHasTheSecretAsAPositionalArgument() {
        assertThat(values("java", "-cp", "x", "hudson.remoting.jnlp.Main", "-headless", SECRET, "agent1"))
                .containsExactly(SECRET);
        assertThat(values("java", SECRET + "0", SECRET.substring(1), SECRET.toUpperCase()))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "-Djavax.net.ssl.keyStorePassword=x, x",
        "-DproxyCredentials=u:p, u:p",
        "-Dmy.api_token=x, x",
        "-Djava.io.tmpdir=/tmp,",
        "-Dsecretless,",
        "-XX:Secret=x,",
        "secret,",
        "-secrets=x,",
        "secret=x,",
    })
    void aPropertyIsACredentialByItsName(String word, String value) {
        assertThat(values("java", word)).isEqualTo(value == null ? List.of() : List.of(value));
    }

    @Test
    void aFileIsNoCredential() {
        assertThat(values("-secret", "@/etc/secret", "-secret=@file", "-jnlpCredentials", "@x"))
                .isEmpty();
    }
}
