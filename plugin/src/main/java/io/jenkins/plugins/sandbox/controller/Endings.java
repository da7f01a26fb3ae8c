package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Run;
import hudson.model.TaskListener;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.ReportException;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/** How launches ended, as their agents say, checked like any report: what cannot be read is not known. */
final class Endings {
    private static final Logger LOGGER = Logger.getLogger(Endings.class.getName());

    /** More than an agent ever keeps. */
    private static final int MAX = 10_000;

    private Endings() {}

    /**
     * Adds them to the record of a build, which is stored with its next change, and says so in its log where it was a limit.
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
        SandboxAction.ended(run, node, endings).forEach((end, finding) -> listener.getLogger()
                .println(Messages.Endings_Limit(finding.getProfile(), node, end.getLimitText())));
    }
}
