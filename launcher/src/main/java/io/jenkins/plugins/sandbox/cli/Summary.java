package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.LimitHit;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Remedies;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.SetLimit;
import io.jenkins.plugins.sandbox.model.Status;
import java.io.PrintWriter;
import java.util.List;
import java.util.stream.Collectors;

/** A report for people: one line for each row that was asked for. */
final class Summary {
    private Summary() {}

    static void print(Console console, PrintWriter to, String title, Report report) {
        to.println("sandbox: " + title + ", level " + report.level());
        for (Outcome outcome : report.outcomes()) {
            if (outcome.status() == Status.SKIPPED) {
                continue;
            }
            boolean good = outcome.status() == Status.APPLIED;
            String row = String.format(
                    "  %-2s %-18s",
                    good ? console.good() : console.bad(), outcome.primitive().wireName());
            to.println(good && outcome.detail().isEmpty() ? row.stripTrailing() : row + " " + outcome.describe());
            // A row that only needs another says so.
            if (!good && Remedies.cause(outcome) != Cause.PREREQUISITE) {
                to.println("       " + Remedies.of(outcome));
            }
        }
        to.flush();
    }

    /** @param limits those that were asked for */
    static void print(PrintWriter to, Ending ending, List<SetLimit> limits) {
        StringBuilder line = new StringBuilder("sandbox: ");
        if (ending.refusal() != null) {
            line.append("not started: ").append(ending.refusal());
        } else if (ending.execError() != null) {
            line.append("the command cannot be started: ").append(ending.execError());
        } else {
            line.append(ending.exit().describe());
        }
        if (ending.usage() != null) {
            line.append(" after ").append(ending.usage().describe());
        }
        to.println(line);
        if (!limits.isEmpty()) {
            to.println("sandbox: limits: "
                    + limits.stream().map(SetLimit::describe).collect(Collectors.joining(", ")));
        }
        for (LimitHit hit : ending.limits()) {
            to.println("sandbox: " + hit.describe() + ". " + hit.remedy());
        }
        if (ending.limits().isEmpty() && ending.exit() != null && ending.exit().status() != 0) {
            SetLimit.hint(ending.exit().status(), limits).ifPresent(hint -> to.println("sandbox: " + hint));
        }
        to.flush();
    }
}
