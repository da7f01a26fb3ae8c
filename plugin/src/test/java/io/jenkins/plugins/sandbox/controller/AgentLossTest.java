package io.jenkins.plugins.sandbox.controller;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.is;

import hudson.Launcher;
import hudson.LauncherDecorator;
import hudson.Proc;
import hudson.model.Node;
import hudson.model.Result;
import hudson.model.Slave;
import io.jenkins.plugins.sandbox.Leftovers;
import io.jenkins.plugins.sandbox.Pipelines;
import io.jenkins.plugins.sandbox.Processes;
import io.jenkins.plugins.sandbox.Repositories;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.TestExtension;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@WithJenkins
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class AgentLossTest {
    @RegisterExtension
    private final UnprivilegedAgent agents = new UnprivilegedAgent();

    private static volatile UnprivilegedAgent victim;

    @Test
    void anAgentThatIsKilledBetweenTheCallsRunsNothing(JenkinsRule r) throws Exception {
        Slave agent = agents.start(r, "doomed");
        Path root = Path.of(agent.getRemoteFS());
        Pipelines.run(r, Result.SUCCESS, "node('doomed') { sandbox(minimumLevel: 'FULL') { sh 'echo control' } }");

        victim = agents;
        WorkflowRun b;
        try {
            b = Pipelines.run(r, Result.FAILURE, "node('doomed') { sandbox { sh 'touch ran; sleep 20' } }");
        } finally {
            victim = null;
        }
        r.assertLogContains("was not removed: the agent is offline", b);
        // The launcher at its gate, too, has to be gone.
        Processes.awaitNone(root.toString());
        assertThat(Files.exists(root.resolve("workspace/p/ran")), is(false));

        agents.restart(r, "doomed");
        Leftovers.awaitNone(agent);
    }

    @Test
    void aStepGoesOnWhileItsAgentIsGoneAndCanBeAborted(JenkinsRule r) throws Exception {
        Slave agent = agents.start(r, "doomed");
        WorkflowRun b = Pipelines.define(r, "p", """
                        node('doomed') {
                          sandbox(minimumLevel: 'FULL') {
                            sh 'echo kept > /tmp/kept; echo READY; set +x; while ! test -e go; do sleep 0.2; done; echo RESUMED'
                            sh 'cat /tmp/kept; exec env -i PATH="$PATH" sh -c "trap \\"\\" TERM; echo AGAIN; while :; do sleep 1; done" %s'
                          }
                        }""".formatted(Processes.own("stubborn-lost")))
                .scheduleBuild2(0)
                .waitForStart();
        r.waitForMessage("\nREADY", b);
        agents.kill("doomed");
        agents.restart(r, "doomed");
        agent.getWorkspaceFor(b.getParent()).child("go").write("", null);
        r.waitForMessage("\nRESUMED", b);
        r.waitForMessage("\nAGAIN", b);
        r.assertLogContains("\nkept\n", b);
        agents.kill("doomed");
        agents.restart(r, "doomed");
        b.doStop();
        r.assertBuildStatus(Result.ABORTED, r.waitForCompletion(b));
        Processes.awaitNone(Processes.own("stubborn-lost"));
    }

    @Test
    void whatABlockLeftOnAnAgentThatWentAwayIsNotObeyedWhenItIsBack(JenkinsRule r) throws Exception {
        agents.start(r, "doomed");
        WorkflowRun b = Pipelines.define(
                        r,
                        "p",
                        "node('doomed') { " + Repositories.step(Repositories.MAKE) + "sandbox(minimumLevel: 'FULL') {\n"
                                + Repositories.step(Repositories.ATTACK + "sleep 600\n") + "} }")
                .scheduleBuild2(0)
                .waitForStart();
        r.waitForMessage("\nATTACKED", b);
        agents.kill("doomed");
        b.doKill();
        r.assertBuildStatus(Result.ABORTED, r.waitForCompletion(b));
        while (LeftScratch.get().isEmpty()) {
            Thread.sleep(100);
        }
        agents.restart(r, "doomed");
        WorkflowRun next = Pipelines.run(
                r, Result.SUCCESS, "node('doomed') { " + Repositories.step("cd ../p\n" + Repositories.NEXT) + "}");
        r.assertLogContains("\nLOG one\nSUB one\nSAFE\n", next);
    }

    /** The launcher closest to the operating system: kills the agent when everything is prepared and a command comes. */
    @TestExtension
    public static final class Killer extends LauncherDecorator {
        @Override
        public Launcher decorate(Launcher launcher, Node node) {
            return new Launcher.DecoratedLauncher(launcher) {
                @Override
                public Proc launch(ProcStarter starter) throws IOException {
                    if (victim != null) {
                        try {
                            victim.kill("doomed");
                        } catch (InterruptedException x) {
                            throw new IOException(x);
                        }
                    }
                    return super.launch(starter);
                }
            };
        }
    }
}
