package io.jenkins.plugins.sandbox.hosts;

import io.jenkins.plugins.sandbox.RefusedException;
import io.jenkins.plugins.sandbox.Sandbox;
import io.jenkins.plugins.sandbox.SandboxedProcess;
import io.jenkins.plugins.sandbox.escape.Breakouts;
import io.jenkins.plugins.sandbox.escape.Inside;
import io.jenkins.plugins.sandbox.escape.Stage;
import io.jenkins.plugins.sandbox.launch.HostProbe;
import io.jenkins.plugins.sandbox.launch.ProbePlace;
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
 * The agent of a hostile host, run inside it: probes, launches under each minimum, looks at every row from inside and makes all
 * attempts, under every profile. Writes lines that begin with {@link #MARK}, and what its commands write.
 */
final class HostedAgent {
    static final String MARK = "@@ ";
    static final String PROFILE = "offline";

    private HostedAgent() {}

    public static void main(String[] arguments) throws Exception {
        Path base = Path.of(arguments[0]);
        String agent = base.resolve("agent").toString();
        TransportChoice transport = TransportChoice.auto(agent + "/caches/process-sandbox");
        HostProbe probe = HostProbe.run(
                transport, new ProbePlace(agent, base.resolve("scratch").toString(), agent));
        say("transport " + probe.transport());
        say("problem " + probe.problem());
        say("probe-level " + probe.level());
        for (HostProbe.Row row : probe.rows()) {
            Outcome outcome = row.outcome();
            say("probe " + outcome.primitive() + " " + row.cause() + " " + describe(outcome));
        }
        for (Level minimum : new Level[] {Level.FULL, Level.PARTIAL}) {
            Policy policy = Stage.policy(Profile.named(PROFILE), base)
                    .minimumLevel(minimum)
                    .build();
            launch(policy, transport, minimum, "echo '" + MARK + "ran " + minimum + "'");
        }
        for (String profile : Profile.BUILT_IN) {
            all(profile, base, transport);
        }
    }

    /** Every row and every attempt, without a minimum. */
    private static void all(String profile, Path base, TransportChoice transport) throws Exception {
        Inside inside = Inside.of(profile, base, transport, "(set -e; . ./build)");
        say(profile + " level " + inside.report().level());
        inside.report().outcomes().forEach(o -> say(profile + " row " + o.primitive() + " " + describe(o)));
        inside.disproved().forEach(c -> say(profile + " disproved " + c));
        say(profile + " build " + inside.says("built"));
        for (Breakouts.Finding finding : new Breakouts(profile, TransportChoice::auto).run(base)) {
            say(profile + " attempt " + finding.attempt() + " " + finding);
            if (finding.isWrong()) {
                say(profile + " disproved " + finding);
            }
            if (finding.escaped()) {
                say(profile + " succeeded " + finding.attempt());
            }
        }
    }

    private static void launch(Policy policy, TransportChoice transport, Level minimum, String command)
            throws Exception {
        try {
            SandboxedProcess process = Sandbox.of(policy)
                    .transport(transport)
                    .process(ProcessBuilder::inheritIO)
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
