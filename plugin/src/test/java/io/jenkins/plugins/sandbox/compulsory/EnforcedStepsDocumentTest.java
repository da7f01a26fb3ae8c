package io.jenkins.plugins.sandbox.compulsory;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.is;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The table of steps in the documentation. Write it again with {@code -Dsandbox.write.documents=true}. */
class EnforcedStepsDocumentTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "enforced-steps.md");
    private static final String START = "<!-- generated from steps.txt by EnforcedStepsDocumentTest -->\n";

    @Test
    void theTableIsTheOneInTheDocument() throws IOException {
        String text = Files.readString(DOCUMENT);
        String table = StepTreatment.known().entrySet().stream()
                .map(e -> "| `" + e.getKey() + "` | " + words(e.getValue()) + " |\n")
                .collect(Collectors.joining("", START + "| step | treatment |\n|---|---|\n", ""));
        String head = text.substring(0, text.indexOf(START));
        if (Boolean.getBoolean("sandbox.write.documents")) {
            Files.writeString(DOCUMENT, head + table);
        }
        assertThat(Files.readString(DOCUMENT), is(head + table));
    }

    private static String words(StepTreatment treatment) {
        String parameters =
                treatment.parameters().stream().map(p -> "`" + p + "`").collect(Collectors.joining(", "));
        return switch (treatment.kind()) {
            case LAUNCH -> "starts sandboxed processes";
            case INSIDE -> "allowed: works in the current directory";
            case PATHS -> "allowed, with paths below the current directory: " + parameters;
            case REFUSE -> "allowed without " + parameters;
        };
    }
}
