package io.jenkins.plugins.sandbox.escape;

import io.jenkins.plugins.sandbox.escape.Attempt.Group;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The attempts and who stops them, for administrators. */
final class AttemptsTable {
    static final String BEGIN = "<!-- attempts: written by AttemptsTable, not by hand -->";
    static final String END = "<!-- end of attempts -->";

    private AttemptsTable() {}

    /** What belongs between the two markers. */
    static String markdown() throws IOException {
        List<String> plannable = Runs.plannable().stream().map(Profile::name).toList();
        StringBuilder text = new StringBuilder();
        for (Group group : Group.values()) {
            text.append("\n### ").append(group.title()).append("\n\n| A build tries to | ");
            text.append(String.join(" | ", Profile.BUILT_IN)).append(" | by |\n|---|");
            text.append(":-:|".repeat(Profile.BUILT_IN.size())).append("---|\n");
            for (Attempt attempt : Attempts.all()) {
                if (attempt.group() == group) {
                    text.append(row(attempt, plannable)).append('\n');
                }
            }
        }
        return text.append('\n').toString();
    }

    private static String row(Attempt attempt, List<String> plannable) {
        List<String> cells = new ArrayList<>();
        String cves =
                attempt.cves().isEmpty() ? "" : attempt.cves().stream().collect(Collectors.joining(", ", " (", ")"));
        cells.add(attempt.title() + cves);
        for (String profile : Profile.BUILT_IN) {
            cells.add(cell(attempt, profile, plannable));
        }
        cells.add(attempt.stoppedBy().isEmpty() ? "–" : attempt.walls().toString());
        return "| " + String.join(" | ", cells) + " |";
    }

    private static String cell(Attempt attempt, String profile, List<String> plannable) {
        if (!plannable.contains(profile)) {
            return "not built";
        }
        return attempt.stoppedBy().contains(profile) ? "stopped" : "–";
    }

    static String replaceIn(String document) throws IOException {
        int begin = document.indexOf(BEGIN);
        int end = document.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IOException("the document has no place for the table");
        }
        return document.substring(0, begin + BEGIN.length()) + "\n" + markdown() + document.substring(end);
    }
}
