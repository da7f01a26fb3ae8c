package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.launch.WorkspaceHelper.Kind;
import io.jenkins.plugins.sandbox.launch.WorkspaceHelper.Quarantined;
import io.jenkins.plugins.sandbox.launch.WorkspaceHelper.Reason;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HelperOutputTest {
    private static final String HEAD = "process-sandbox-helper|1|";
    private static final String WHOLE = HEAD
            + "section|closing|quarantined|git-directory|new|a\n\u001b[31m/.git|quarantined|directory|too-deep|d|more|7"
            + "|problem|open|13|x|problems|3|incomplete|section|opening|known|git-file|a/.git|known|bare|b|restored|2|purged|4"
            + "|complete|end|";

    private static byte[] bytes(String words) {
        return words.replace('|', '\0').getBytes(StandardCharsets.UTF_8);
    }

    private static List<HelperOutput.Section> parse(String words) throws SandboxException {
        return HelperOutput.parse(bytes(words));
    }

    @Test
    void takesWhatTheHelperWrites() throws Exception {
        List<HelperOutput.Section> sections = parse(WHOLE);
        HelperOutput.Section closing = sections.get(0);
        assertThat(closing.complete()).isFalse();
        assertThat(closing.quarantined())
                .containsExactly(
                        new Quarantined(Kind.GIT_DIRECTORY, Reason.NEW, "a\uFFFD\uFFFD[31m/.git"),
                        new Quarantined(Kind.DIRECTORY, Reason.TOO_DEEP, "d"));
        assertThat(closing.more()).isEqualTo(7);
        assertThat(closing.problems()).containsExactly("x: open: EACCES", "3 problems in all.");
        HelperOutput.Section opening = sections.get(1);
        assertThat(opening.complete()).isTrue();
        assertThat(opening.restored()).isEqualTo(2);
        assertThat(opening.known()).extracting(WorkspaceHelper.Known::kind).containsExactly(Kind.GIT_FILE, Kind.BARE);
        assertThat(opening.known().get(0).exact()).contains(Path.of("a/.git"));
        assertThat(opening.problems()).singleElement().asString().startsWith("4 repositories");
    }

    /** A helper that was killed has completed nothing. */
    @Test
    void aCutOutputIsNone() {
        byte[] whole = bytes(WHOLE);
        for (int i = 0; i < whole.length; i++) {
            byte[] cut = Arrays.copyOf(whole, i);
            assertThatThrownBy(() -> HelperOutput.parse(cut)).isInstanceOf(SandboxException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "process-sandbox-helper|2|section|removal|complete|end|",
                HEAD + "end|",
                HEAD + "section|x|complete|end|",
                HEAD + "section|removal|x|end|",
                HEAD + "section|removal|complete|end|more|",
                HEAD + "section|removal|known|x|p|complete|end|",
                HEAD + "section|removal|quarantined|hg|x|p|complete|end|",
                HEAD + "section|removal|more|-1|complete|end|",
                HEAD + "section|removal|more|99999999999999|complete|end|",
                HEAD + "section|removal|complete|section|removal|complete|section|removal|complete|end|",
            })
    void anythingElseIsRefused(String words) {
        assertThatThrownBy(() -> parse(words)).isInstanceOf(SandboxException.class);
    }

    @Test
    void countsAndLengthsAreBounded() {
        String many = "quarantined|hg|new|p|".repeat(HelperOutput.MOST_QUARANTINED + 1);
        assertThatThrownBy(() -> parse(HEAD + "section|closing|" + many + "complete|end|"))
                .isInstanceOf(SandboxException.class);
        String problems = "problem|x|1|p|".repeat(HelperOutput.MOST_PROBLEMS + 1);
        assertThatThrownBy(() -> parse(HEAD + "section|closing|" + problems + "complete|end|"))
                .isInstanceOf(SandboxException.class);
        String known = "known|hg|p|".repeat(20_001);
        assertThatThrownBy(() -> parse(HEAD + "section|opening|" + known + "complete|end|"))
                .isInstanceOf(SandboxException.class);
        assertThatThrownBy(() -> parse(HEAD + "section|opening|known|hg|" + "x".repeat(1 << 18) + "|complete|end|"))
                .isInstanceOf(SandboxException.class);
    }

    @Test
    void throwsNothingElse() {
        Random random = new Random(1);
        byte[] whole = bytes(WHOLE);
        for (int i = 0; i < 20_000; i++) {
            byte[] changed = whole.clone();
            for (int flips = random.nextInt(4); flips >= 0; flips--) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
            }
            try {
                assertThat(HelperOutput.parse(changed)).isNotEmpty();
            } catch (SandboxException e) {
                assertThat(e.getMessage()).isNotBlank().hasSizeLessThan(1000);
            }
        }
    }
}
