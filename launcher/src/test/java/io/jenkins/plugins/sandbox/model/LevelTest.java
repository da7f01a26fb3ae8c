package io.jenkins.plugins.sandbox.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LevelTest {
    /** One letter for each row: a(pplied), f(ailed), u(navailable), s(kipped). */
    private static List<Outcome> rows(String letters) {
        List<Outcome> rows = new ArrayList<>();
        for (int i = 0; i < letters.length(); i++) {
            Status status =
                    switch (letters.charAt(i)) {
                        case 'a' -> Status.APPLIED;
                        case 'f' -> Status.FAILED;
                        case 'u' -> Status.UNAVAILABLE;
                        default -> Status.SKIPPED;
                    };
            rows.add(Outcome.of(Primitive.values()[i], status));
        }
        return rows;
    }

    @ParameterizedTest
    @CsvSource({
        "aaaaaaa, FULL",
        "a, FULL",
        "assssss, FULL",
        "aaaaaaf, PARTIAL",
        "aaaaaau, PARTIAL",
        "afsssss, PARTIAL",
        "fffffff, NONE",
        "uuuuuuu, NONE",
        "fusssss, NONE",
        "sssssss, NONE",
        "'', NONE"
    })
    void isComputedOverTheRowsThatWereAskedFor(String letters, Level level) {
        assertThat(Level.of(false, rows(letters))).isEqualTo(level);
    }

    @ParameterizedTest
    @CsvSource({
        "aa, BASELINE",
        "aass, BASELINE",
        "a, BASELINE",
        "af, NONE",
        "au, NONE",
        "ff, NONE",
        "ss, NONE",
        "'', NONE"
    })
    void standardIsBaselineWithAllItsRowsAndNothingOtherwise(String letters, Level level) {
        assertThat(Level.of(true, rows(letters))).isEqualTo(level);
    }

    @Test
    void halfOfStandardDoesNotRankAboveTheWholeOfIt() {
        assertThat(Level.of(true, rows("af"))).isLessThan(Level.of(true, rows("aa")));
    }

    @Test
    void everyRowOfTheSequenceCounts() {
        for (Primitive missing : Primitive.values()) {
            List<Outcome> rows = new ArrayList<>();
            for (Primitive primitive : Primitive.values()) {
                rows.add(Outcome.of(primitive, primitive == missing ? Status.UNAVAILABLE : Status.APPLIED));
            }
            assertThat(Level.of(false, rows)).as("without %s", missing).isEqualTo(Level.PARTIAL);
        }
    }

    /** What nyx's 3^7 records would say, against a plain restatement of the rule. */
    @Test
    void agreesWithTheRuleForRandomRows() {
        Random random = new Random(42);
        Status[] all = Status.values();
        for (int i = 0; i < 10_000; i++) {
            List<Outcome> rows = new ArrayList<>();
            for (Primitive primitive : EnumSet.allOf(Primitive.class)) {
                rows.add(Outcome.of(primitive, all[random.nextInt(all.length)]));
            }
            rows = rows.subList(0, random.nextInt(rows.size() + 1));
            boolean applied = rows.stream().anyMatch(o -> o.status() == Status.APPLIED);
            boolean missed =
                    rows.stream().anyMatch(o -> o.status() == Status.FAILED || o.status() == Status.UNAVAILABLE);
            assertThat(Level.of(false, rows)).isEqualTo(!applied ? Level.NONE : missed ? Level.PARTIAL : Level.FULL);
            assertThat(Level.of(true, rows)).isEqualTo(!applied || missed ? Level.NONE : Level.BASELINE);
        }
    }

    @Test
    void theOrderIsTheOneThatMinimumLevelsUse() {
        assertThat(Level.values()).containsExactly(Level.NONE, Level.BASELINE, Level.PARTIAL, Level.FULL);
    }

    @ParameterizedTest
    @ValueSource(strings = {"full", "", " FULL", "FULL\n", "ALL"})
    void unknownNamesAreErrorsThatSayWhatThereIs(String name) {
        assertThatThrownBy(() -> Level.parse(name))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("Unknown level")
                .hasMessageContaining("NONE, BASELINE, PARTIAL, FULL");
    }
}
