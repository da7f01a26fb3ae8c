package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Run;
import hudson.model.TaskListener;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.ReportException;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.model.SetLimit;
import io.jenkins.plugins.sandbox.outcome.End;
import io.jenkins.plugins.sandbox.outcome.Finding;
import io.jenkins.plugins.sandbox.outcome.Launch;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.logging.Level;
import java.util.logging.Logger;

/** How launches ended, as their agents say, checked like any report: what cannot be read is not known. */
final class Endings {
    private static final Logger LOGGER = Logger.getLogger(Endings.class.getName());

    /** More than an agent ever keeps. */
    private static final int MAX = 10_000;

    private Endings() {}

    /**
     * Adds them to the record of a build, which is stored with its next change, and says so in its log where it was a limit,
     * or may have been one.
     *
     * @param node the display name of the node that says so
     * @param raw by the id of the launch, as the launcher wrote it
     */
    static void note(Run<?, ?> run, String node, @CheckForNull Map<String, byte[]> raw, TaskListener listener) {
        if (raw == null || raw.isEmpty() || raw.size() > MAX) {
            return;
        }
        Map<String, Ending> endings = new LinkedHashMap<>();
        raw.forEach((id, bytes) -> {
            if (id != null && bytes != null) {
                try {
                    endings.put(id, ReportParser.parseEnding(bytes));
                } catch (ReportException x) {
                    LOGGER.log(Level.FINE, x, () -> node + " does not say how the launch " + id + " ended");
                }
            }
        });
        SandboxAction.ended(run, node, endings).forEach((launch, finding) -> {
            String text = told(run, launch, finding);
            if (!text.isEmpty()) {
                listener.getLogger().println(Messages.Endings_Limit(finding.getProfile(), node, text));
            }
        });
    }

    /** @return what is to be said about limits; empty when there is nothing */
    private static String told(Run<?, ?> run, Launch launch, Finding finding) {
        End end = Objects.requireNonNull(launch.getEnd());
        if (end.isLimited()) {
            return end.getLimitText();
        }
        if (finding.limits().isEmpty()) {
            return "";
        }
        Integer code = end.getCode();
        boolean failed = end.getSignal() != 0 || (code != null && code != 0);
        FailedStep step = failed ? null : FailedStep.of(run, launch);
        if (!failed && step == null) {
            return "";
        }
        Integer status = step != null ? step.status() : code;
        return SetLimit.hint(status, finding.limits()).orElse("");
    }
}
