package io.jenkins.plugins.sandbox.hosts;

import io.jenkins.plugins.sandbox.RefusedException;
import io.jenkins.plugins.sandbox.Sandbox;
import io.jenkins.plugins.sandbox.SandboxedProcess;
import io.jenkins.plugins.sandbox.escape.Breakouts;
import io.jenkins.plugins.sandbox.launch.HostProbe;
import io.jenkins.plugins.sandbox.launch.TransportChoice;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.model.Status;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.nio.file.Path;
import java.util.List;

/**
 * The agent of a hostile host, run inside it: probes, launches under each minimum, and makes all attempts in a last launch. Writes
 * lines that begin with {@link #MARK}, and what its commands write.
 */
final class HostedAgent {
    static final String MARK = "@@ ";
    static final String PROFILE = "offline";

    private HostedAgent() {}

    public static void main(String[] arguments) throws Exception {
        Path base = Path.of(arguments[0]);
        TransportChoice transport = TransportChoice.auto(
                base.resolve("agent/caches/process-sandbox").toString());
        HostProbe probe = HostProbe.run(transport);
        say("transport " + probe.transport());
        say("problem " + probe.problem());
        for (HostProbe.Row row : probe.rows()) {
            Outcome outcome = row.outcome();
            say("probe " + outcome.primitive() + " " + row.cause() + " " + describe(outcome));
        }
        for (Level minimum : new Level[] {Level.FULL, Level.PARTIAL, Level.NONE}) {
            Policy policy = Breakouts.policy(Profile.named(PROFILE), base)
                    .minimumLevel(minimum)
                    .build();
            String command = minimum == Level.NONE ? "(set -e; . ./build); . ./attempts" : "echo @@ ran " + minimum;
            launch(policy, transport, minimum, command);
        }
    }

    private static void launch(Policy policy, TransportChoice transport, Level minimum, String command)
            throws Exception {
        try {
            SandboxedProcess process = Sandbox.of(policy)
                    .transport(transport)
                    .process(ProcessBuilder::inheritIO)
                    .onReport(report -> {
                        if (minimum == Level.NONE) {
                            say("level " + report.level());
                            report.outcomes().forEach(o -> say("row " + o.primitive() + " " + describe(o)));
                        }
                    })
                    .start(List.of("sh", "-c", command));
            say("status " + minimum + " " + process.waitFor());
        } catch (RefusedException e) {
            say("refused " + minimum + " " + e.getMessage());
        } catch (SandboxException e) {
            say("error " + minimum + " " + e.getMessage());
        }
    }

    /** Without what an applied row has to say: a limit that was there already is this machine's. */
    private static String describe(Outcome outcome) {
        return outcome.status() == Status.APPLIED ? "applied" : outcome.describe();
    }

    private static void say(String line) {
        System.out.println(MARK + line.replace('\n', ' '));
        System.out.flush();
    }
}
