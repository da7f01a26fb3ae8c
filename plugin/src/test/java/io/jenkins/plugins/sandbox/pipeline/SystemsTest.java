package io.jenkins.plugins.sandbox.pipeline;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;

import hudson.model.Result;
import io.jenkins.plugins.sandbox.LaunchStep;
import io.jenkins.plugins.sandbox.Pipelines;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.outcome.Finding;
import io.jenkins.plugins.sandbox.outcome.LaunchGroup;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.TestExtension;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;
import org.kohsuke.stapler.DataBoundConstructor;

/** One block on agents of several operating systems, two of which say of themselves that they are another one. */
@WithJenkins
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class SystemsTest {
    @RegisterExtension
    private static final UnprivilegedAgent AGENTS = new UnprivilegedAgent().shared();

    private static JenkinsRule r;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        r = rule;
        AGENTS.start(r, "linux");
        AGENTS.start(r, "bsd", "home/agent", "-Dos.name=FreeBSD");
        AGENTS.start(r, "windows", "home/agent", "-Dos.name=FreeBSD", "-Dpath.separator=;");
    }

    @AfterAll
    static void stop() throws Exception {
        r.after();
    }

    @ParameterizedTest
    @CsvSource({
        "bsd, sh 'touch ran', The agent runs on FreeBSD",
        "windows, bat 'touch ran', The node is not a Unix machine"
    })
    void eachLaunchIsJudgedByItself(String other, String step, String reason) throws Exception {
        String script = """
                sandbox {
                  node('linux') { sh 'echo ON-LINUX' }
                  node('%s') { %s }
                  node('linux') { sh 'echo ON-LINUX-AGAIN' }
                }""";
        WorkflowRun refused = Pipelines.run(r, other, Result.FAILURE, script.formatted(other, step));
        r.assertLogContains("\nON-LINUX\n", refused);
        r.assertLogContains("[sandbox] strict: FULL, ", refused);
        r.assertLogContains("strict: NONE. Nothing could be applied. " + reason, refused);
        r.assertLogContains("The minimum level is BASELINE. The command was not run.", refused);
        r.assertLogNotContains("ON-LINUX-AGAIN", refused);
        r.assertLogNotContains("\tat ", refused);
        assertThat(ran(refused, other), is(false));
        assertJudged(refused, other, Finding.Verdict.REFUSED, reason);

        // The JDK starts no process where it does not know the system; until then it is as on a real one.
        SandboxConfiguration.get().setOnShortfall("warn");
        try {
            WorkflowRun warned = Pipelines.run(r, other, Result.SUCCESS, """
                    sandbox {
                      node('linux') { sh 'echo ON-LINUX' }
                      try { node('%s') { launch('touch') } } catch (x) { echo 'NO-PROCESS' }
                      node('linux') { sh 'echo ON-LINUX-AGAIN' }
                    }""".formatted(other));
            r.assertLogContains("\nON-LINUX-AGAIN\n", warned);
            r.assertLogContains("[sandbox] strict: NONE. Nothing could be applied. " + reason, warned);
            assertThat(Pipelines.action(warned).getCount(), is(3));
            assertJudged(warned, other, Finding.Verdict.WARNED, reason);
        } finally {
            SandboxConfiguration.get().setOnShortfall("fail");
        }
    }

    private static boolean ran(WorkflowRun b, String node) throws Exception {
        return r.jenkins
                .getNode(node)
                .getWorkspaceFor(b.getParent())
                .child("ran")
                .exists();
    }

    private static void assertJudged(WorkflowRun b, String other, Finding.Verdict verdict, String reason) {
        List<Finding> findings = Pipelines.action(b).getGroups().stream()
                .map(LaunchGroup::getFinding)
                .toList();
        assertThat(
                findings.stream().map(f -> f.getNode() + " " + f.getLevel()).toList(),
                contains(other + " NONE", "linux FULL"));
        assertThat(findings.get(0).getVerdict(), is(verdict));
        assertThat(findings.get(0).getReason(), containsString(reason));
        assertThat(findings.get(1).getVerdict(), is(Finding.Verdict.STARTED));
    }

    public static final class Launch extends LaunchStep {
        @DataBoundConstructor
        public Launch(String how) {
            super(how);
        }

        @TestExtension
        public static final class DescriptorImpl extends LaunchStep.Described {}
    }
}
