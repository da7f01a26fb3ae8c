package io.jenkins.plugins.sandbox.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DataFileTest {
    @Test
    void sectionsHaveTheirWords() {
        assertThat(DataFile.parse("x", "# why\n[a]\nb  c\n  d\n\n[e-f]\n"))
                .containsExactly(Map.entry("a", List.of("b", "c", "d")), Map.entry("e-f", List.of()));
    }

    @ParameterizedTest
    @CsvSource({"a, before the first section", "'[a]\n[a]', not a new section", "[A], not a new section"})
    void mistakesAreDefects(String text, String message) {
        assertThatThrownBy(() -> DataFile.parse("x", text)).hasMessageContaining(message);
        assertThatThrownBy(() -> DataFile.read("nosuch.txt")).hasMessageContaining("nosuch.txt is missing");
    }
}
