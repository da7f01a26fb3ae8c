package io.jenkins.plugins.sandbox.pipeline;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;

import hudson.model.Result;
import io.jenkins.plugins.sandbox.Pipelines;
import io.jenkins.plugins.sandbox.Processes;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import io.jenkins.plugins.sandbox.outcome.LaunchGroup;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import org.htmlunit.html.HtmlPage;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.RealJenkinsExtension;

/** A controller and an agent in JVMs of their own, with the plugin as it is installed. */
class RealJenkinsTest {
    @RegisterExtension
    private final RealJenkinsExtension rr = new RealJenkinsExtension().withTimeout(600);

    @RegisterExtension
    private final UnprivilegedAgent agents = new UnprivilegedAgent();

    @Test
    void aBuildWithAllKindsOfSteps() throws Throwable {
        rr.startJenkins();
        agents.start(rr, "linux");
        rr.runRemotely(RealJenkinsTest::build);
    }

    private static void build(JenkinsRule r) throws Throwable {
        WorkflowRun b = Pipelines.run(r, "project", Result.SUCCESS, """
                node('linux') {
                  sandbox(profile: 'strict', minimumLevel: 'FULL') {
                    writeFile file: 'Makefile', text: 'all:\\n\\tmkdir -p out\\n\\techo built > out/result\\n'
                    sh 'make || sh -c "mkdir -p out; echo built > out/result"'
                    sh 'cat out/result'
                    sh 'echo LONG-BEGIN; sleep 65; echo LONG-END'
                    echo "<${sh(script: 'uname -s', returnStdout: true).trim()}>"
                    parallel one: { sh 'echo ONE' }, two: { sh 'echo TWO' }
                  }
                }""");
        String log = JenkinsRule.getLog(b);
        for (String word : new String[] {"built\n", "LONG-END\n", "<Linux>", "ONE\n", "TWO\n"}) {
            assertThat(log, containsString(word));
        }
        SandboxAction action = Pipelines.action(b);
        assertThat(action.getLevel(), is("FULL"));
        assertThat(action.getCount(), is(6));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage page = client.getPage(b);
            assertThat(page.asNormalizedText(), containsString("Lowest level FULL in 6 launches"));
            HtmlPage own = client.getPage(b, "sandbox/");
            assertThat(own.asNormalizedText(), containsString("strict: FULL on linux"));
            assertThat(own.asNormalizedText(), containsString("user_namespace"));
            assertThat(own.asNormalizedText(), containsString("seccomp"));
        }
    }

    @Test
    void aRestartOfTheControllerDuringAStep() throws Throwable {
        rr.startJenkins();
        agents.start(rr, "linux");
        rr.runRemotely(RealJenkinsTest::begin);
        rr.stopJenkins();
        rr.startJenkins();
        rr.runRemotely(RealJenkinsTest::end);
    }

    private static void begin(JenkinsRule r) throws Throwable {
        WorkflowJob p = Pipelines.define(r, "p", """
                node('linux') {
                  sandbox(minimumLevel: 'FULL') {
                    sh 'echo kept > /tmp/kept; echo READY; set +x; for i in $(seq 600); do test -e go && break; sleep 0.2; done; echo RESUMED'
                    sh 'cat /tmp/kept'
                  }
                }""");
        WorkflowRun b = p.scheduleBuild2(0).waitForStart();
        r.waitForMessage("\nREADY", b);
    }

    private static void end(JenkinsRule r) throws Throwable {
        WorkflowJob p = r.jenkins.getItemByFullName("p", WorkflowJob.class);
        WorkflowRun b = p.getBuildByNumber(1);
        r.waitOnline((hudson.model.Slave) r.jenkins.getNode("linux"));
        r.jenkins.getNode("linux").getWorkspaceFor(p).child("go").write("", null);
        r.assertBuildStatusSuccess(r.waitForCompletion(b));
        r.assertLogContains("\nRESUMED", b);
        r.assertLogContains("\nkept", b);
        SandboxAction action = Pipelines.action(b);
        assertThat(action.getCount(), is(2));
        LaunchGroup group = action.getGroups().get(0);
        assertThat(group.getLaunches().size(), is(2));
        assertThat(action.getScratches().isEmpty(), is(true));
    }

    @Test
    void anAbortAfterARestartEndsAStubbornProcess() throws Throwable {
        rr.startJenkins();
        agents.start(rr, "linux");
        rr.runRemotely(RealJenkinsTest::beginStubborn);
        rr.stopJenkins();
        rr.startJenkins();
        rr.runRemotely(RealJenkinsTest::abortStubborn);
    }

    private static void beginStubborn(JenkinsRule r) throws Throwable {
        WorkflowJob p = Pipelines.define(r, "p", """
                node('linux') {
                  sandbox(minimumLevel: 'FULL') {
                    sh '''env -i PATH="$PATH" sh -c "trap '' TERM INT HUP QUIT; echo READY; while :; do sleep 1; done" "stubborn in $PWD"'''
                  }
                }""");
        WorkflowRun b = p.scheduleBuild2(0).waitForStart();
        r.waitForMessage("\nREADY", b);
    }

    private static void abortStubborn(JenkinsRule r) throws Throwable {
        WorkflowRun b = r.jenkins.getItemByFullName("p", WorkflowJob.class).getBuildByNumber(1);
        r.waitOnline((hudson.model.Slave) r.jenkins.getNode("linux"));
        r.waitForMessage("Ready to run at", b);
        // Not by this JVM's own words: the one that started it was another.
        String stubborn =
                "stubborn in " + r.jenkins.getNode("linux").getRootPath().getRemote();
        assertThat(Processes.exist(stubborn), is(true));
        b.doStop();
        r.assertBuildStatus(Result.ABORTED, r.waitForCompletion(b));
        Processes.awaitNone(stubborn);
    }
}
