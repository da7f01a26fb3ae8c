package io.jenkins.plugins.sandbox.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.model.SandboxException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SizeTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1, 1",
        "1K, 1024",
        "512M, 536870912",
        "2G, 2147483648",
        "2GiB, 2147483648",
        "2GB, 2147483648",
        "1T, 1099511627776",
        "7B, 7"
    })
    void sizesArePowersOf1024(String text, long bytes) throws Exception {
        assertThat(Size.parse("--memory", text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "1024, 1K", "536870912, 512M", "2147483648, 2G", "1099511627776, 1T", "4097, 4097"})
    void amountsAreWrittenAsTheyAreRead(long bytes, String text) throws Exception {
        assertThat(Size.format(bytes)).isEqualTo(text);
        assertThat(Size.parse("", text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "1.5G", "G", "1 G", "1g", "1P", "99999999999999", "9999999999999T"})
    void everythingElseIsAnError(String text) {
        assertThatThrownBy(() -> Size.parse("--memory", text))
                .isInstanceOf(SandboxException.class)
                .hasMessageStartingWith("--memory '" + text + "'")
                .hasMessageContaining("write for example");
    }
}
