package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.launch.Diagnosis;
import io.jenkins.plugins.sandbox.launch.PreparedLaunch;
import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Minimum;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportException;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import jenkins.agents.ControllerToAgentCallable;

/**
 * The second of a launch's two calls to its agent: waits for the report, and lets the command start if the launch reached
 * its minimum. Returns the report as it is, but for a row that something else on this agent disproves, and what this machine says
 * about rows that did not hold; the controller believes none of it and computes everything once more.
 *
 * @param id the id of the launch
 * @param standardProfile whether it uses the profile {@code standard}
 * @param asked the rows that were asked for
 * @param minimum that without which the command may not start
 * @param seconds how long to wait for the report
 */
public record ConfirmCall(String id, boolean standardProfile, List<Primitive> asked, Minimum minimum, int seconds)
        implements ControllerToAgentCallable<Confirmed, IOException> {
    private static final long serialVersionUID = 1;

    /** As that of {@link PrepareCall}. */
    @Override
    public String toString() {
        return "confirmation of sandboxed launch " + id;
    }

    @Override
    public Confirmed call() throws IOException {
        PreparedLaunch launch = AgentLaunches.get(id);
        boolean open = false;
        try {
            byte[] bytes = launch.awaitReport(Duration.ofSeconds(seconds));
            WorkspaceUse use = AgentLaunches.use(id);
            if (!use.isControlInPlace()) {
                throw new SandboxException("The control directory is not the one that was there when the launch was"
                        + " prepared: something else that runs in the workspace has replaced it.");
            }
            Optional<String> exposure = use.exposure();
            if (exposure.isPresent()) {
                bytes = ReportParser.withFailure(bytes, Primitive.FILESYSTEM, exposure.get());
            }
            Report report = ReportParser.parse(bytes, standardProfile, asked);
            // A container is another machine than this one. Asked now: a command that has started may have ended, and
            // be forgotten.
            Map<Primitive, Cause> causes = AgentLaunches.isInContainer(id) ? Map.of() : Diagnosis.causes(report);
            if (report.ready()
                    && report.init() != null
                    && minimum.unmetBy(report).isEmpty()) {
                AgentLaunches.openGate(id, report.init());
                open = true;
            }
            return Confirmed.of(bytes, causes);
        } catch (ReportException x) {
            throw new SandboxException(x.getMessage(), x);
        } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
            throw new SandboxException("The launch was interrupted.", x);
        } finally {
            if (!open) {
                AgentLaunches.abort(id);
            }
        }
    }
}
