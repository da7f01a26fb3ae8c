package io.jenkins.plugins.sandbox.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The tables of docs/troubleshooting.md are what {@link HostMatrixTest} asserts and what the probe says. */
class TroubleshootingDocumentTest {
    private static final Path DOCUMENT =
            Path.of(System.getProperty("sandbox.test.directory", "target"), "..", "..", "docs", "troubleshooting.md");

    /** With {@code -Dsandbox.docs.write=true} it is written anew instead. */
    @Test
    void theTablesAreUpToDate() throws Exception {
        String text = Files.readString(DOCUMENT);
        String wanted = replace(replace(text, "hosts", hosts()), "causes", causes());
        if (Boolean.getBoolean("sandbox.docs.write")) {
            Files.writeString(DOCUMENT, wanted);
            return;
        }
        assertThat(text)
                .as("docs/troubleshooting.md is stale: mvn test -pl native,launcher -Dtest=TroubleshootingDocumentTest"
                        + " -Dsurefire.failIfNoSpecifiedTests=false -Dsandbox.docs.write=true")
                .isEqualTo(wanted);
    }

    private static String replace(String document, String name, String content) throws IOException {
        String begin = "<!-- " + name + ": written by TroubleshootingDocumentTest, not by hand -->";
        String end = "<!-- end of " + name + " -->";
        int from = document.indexOf(begin);
        int to = document.indexOf(end);
        if (from < 0 || to < from) {
            throw new IOException("the document has no place for " + name);
        }
        return document.substring(0, from + begin.length()) + "\n\n" + content + "\n" + document.substring(to);
    }

    private static String hosts() throws IOException {
        Profile strict = Profile.named("strict");
        Profile offline = Profile.named("offline");
        StringBuilder text = new StringBuilder(
                "| Machine | `strict` | `offline` | minimum `FULL` | Rows that do not hold | Because |\n|---|---|---|---|---|---|\n");
        for (Host host : Hosts.all()) {
            Map<String, List<String>> reasons = new LinkedHashMap<>();
            host.shortfalls().forEach((row, shortfall) -> {
                if (shortfall.cause() != Cause.PREREQUISITE) {
                    reasons.computeIfAbsent(shortfall.description(), d -> new ArrayList<>())
                            .add("`" + row.wireName() + "`");
                }
            });
            String rows = reasons.entrySet().stream()
                    .map(e -> String.join(", ", e.getValue()) + " (" + e.getKey() + ")")
                    .collect(Collectors.joining("; "));
            String needing = host.shortfalls().entrySet().stream()
                    .filter(e -> e.getValue().cause() == Cause.PREREQUISITE)
                    .map(e -> "`" + e.getKey().wireName() + "`")
                    .collect(Collectors.joining(", "));
            String causes = host.shortfalls().values().stream()
                    .map(Host.Shortfall::cause)
                    .filter(c -> c != Cause.PREREQUISITE)
                    .distinct()
                    .map(c -> "[" + c.summary() + "](#" + anchor(c) + ")")
                    .collect(Collectors.joining("; "));
            text.append("| ")
                    .append(host.title())
                    .append(" | ")
                    .append(host.level(strict))
                    .append(" | ")
                    .append(host.level(offline))
                    .append(" | ")
                    .append(host.level(strict) == Level.FULL ? "runs" : "refused, status 125")
                    .append(" | ")
                    .append(rows.isEmpty() ? "none" : rows)
                    .append(needing.isEmpty() ? "" : "; with it " + needing)
                    .append(" | ")
                    .append(causes.isEmpty() ? "–" : causes)
                    .append(host.notes().isEmpty() ? "" : " (" + host.notes() + ")")
                    .append(" |\n");
        }
        return text.toString();
    }

    private static String causes() {
        StringBuilder text = new StringBuilder();
        for (Cause cause : Cause.values()) {
            if (cause == Cause.NONE || cause == Cause.PREREQUISITE || cause == Cause.UNKNOWN) {
                continue;
            }
            String summary = cause.summary();
            text.append("### ")
                    .append(cause.name().toLowerCase(Locale.ROOT).replace('_', ' '))
                    .append("\n\n")
                    .append(Character.toUpperCase(summary.charAt(0)))
                    .append(summary.substring(1))
                    .append(". ")
                    .append(cause.remedy())
                    .append("\n\n");
            String paste =
                    cause.paste(Primitive.USER_NAMESPACE, "/home/jenkins/agent/caches/process-sandbox/launcher-*");
            if (!paste.isEmpty()) {
                text.append("```\n").append(paste).append("\n```\n\n");
            }
        }
        return text.toString().stripTrailing() + "\n";
    }

    /** As the usual renderers of Markdown make it of a heading. */
    private static String anchor(Cause cause) {
        return cause.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
