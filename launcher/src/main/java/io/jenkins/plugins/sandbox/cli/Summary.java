package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.Exit;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Remedies;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.Status;
import io.jenkins.plugins.sandbox.model.Usage;
import java.io.PrintWriter;
import java.util.Locale;

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
            to.println(good ? row.stripTrailing() : row + " " + outcome.describe());
            if (!good) {
                to.println("       " + Remedies.of(outcome));
            }
        }
        to.flush();
    }

    static void print(PrintWriter to, Ending ending) {
        StringBuilder line = new StringBuilder("sandbox: ");
        if (ending.refusal() != null) {
            line.append("not started: ").append(ending.refusal());
        } else if (ending.execError() != null) {
            line.append("the command cannot be started: ").append(ending.execError());
        } else {
            line.append(describe(ending.exit()));
        }
        Usage usage = ending.usage();
        if (usage != null) {
            line.append(String.format(
                    Locale.ROOT,
                    " after %.1f s, CPU %.1f s, peak %d MiB",
                    usage.wallMillis() / 1000.0,
                    (usage.userMillis() + usage.systemMillis()) / 1000.0,
                    usage.maxRssKiB() / 1024));
        }
        to.println(line);
        to.flush();
    }

    private static String describe(Exit exit) {
        String how = exit.signal() == 0 ? "exit " + exit.code() : "killed by signal " + exit.signal();
        return exit.cause() == null ? how : how + " (" + exit.cause() + ")";
    }
}
