package io.jenkins.plugins.sandbox.escape;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The documents about these attempts say what the tests do. */
class DocumentsTest {
    private static final Path DOCS =
            Path.of(System.getProperty("sandbox.test.directory", "target"), "..", "..", "docs");
    private static final List<String> PACKAGES =
            List.of("", "conformance.", "cli.", "launch.", "model.", "plan.", "policy.", "seccomp.", "escape.");

    /** With {@code -Dsandbox.docs.write=true} it is written anew instead. */
    @Test
    void theTableOfTheThreatModelIsUpToDate() throws Exception {
        Path file = DOCS.resolve("threat-model.md");
        String text = Files.readString(file);
        String wanted = AttemptsTable.replaceIn(text);
        if (Boolean.getBoolean("sandbox.docs.write")) {
            Files.writeString(file, wanted);
            return;
        }
        assertThat(text)
                .as("docs/threat-model.md is stale: mvn test -pl native,launcher -Dtest=DocumentsTest"
                        + " -Dsurefire.failIfNoSpecifiedTests=false -Dsandbox.docs.write=true")
                .isEqualTo(wanted);
    }

    /** `Class.method` and `escape/name`, each of which must exist. */
    @Test
    void everyTestThatTheTableOfOthersNamesExists() throws Exception {
        String text = Files.readString(DOCS.resolve("prior-art-tests.md"));
        Set<String> attempts = Attempts.all().stream().map(Attempt::name).collect(Collectors.toSet());
        Matcher names = Pattern.compile("`escape/([a-z0-9-]+)`").matcher(text);
        Set<String> missing = new HashSet<>();
        int found = 0;
        for (; names.find(); found++) {
            if (!attempts.contains(names.group(1))) {
                missing.add(names.group());
            }
        }
        Matcher methods = Pattern.compile("`([A-Z][A-Za-z]+)\\.([a-zA-Z0-9]+)`").matcher(text);
        for (; methods.find(); found++) {
            if (!hasTest(methods.group(1), methods.group(2))) {
                missing.add(methods.group());
            }
        }
        assertThat(missing).isEmpty();
        assertThat(found).isGreaterThan(100);
        List<String> rows = text.lines().filter(l -> l.startsWith("| `")).toList();
        assertThat(rows)
                .allMatch(l -> l.matches("\\| `[^`]+` \\| .*(`|issue 5).* \\|"), "a row without a test of ours");
        assertThat(rows).hasSizeGreaterThan(130);
    }

    private static boolean hasTest(String type, String method) {
        for (String name : PACKAGES) {
            try {
                Class<?> found = Class.forName(
                        "io.jenkins.plugins.sandbox." + name + type, false, DocumentsTest.class.getClassLoader());
                return Arrays.stream(found.getDeclaredMethods())
                        .map(Method::getName)
                        .anyMatch(method::equals);
            } catch (ClassNotFoundException e) {
                continue; // in another package
            }
        }
        return false;
    }
}
