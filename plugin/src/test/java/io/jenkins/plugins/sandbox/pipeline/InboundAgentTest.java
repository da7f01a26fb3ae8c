package io.jenkins.plugins.sandbox.pipeline;

import hudson.model.Node;
import hudson.model.Result;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import org.jenkinsci.plugins.durabletask.BourneShellScript;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** On a real agent of an ordinary user, whose root directory lies in its home directory. */
@WithJenkins
class InboundAgentTest extends PipelineSuite {
    @RegisterExtension
    private static final UnprivilegedAgent AGENTS = new UnprivilegedAgent().shared();

    private static JenkinsRule r;
    private static Node agent;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        r = rule;
        agent = AGENTS.start(r, "linux");
    }

    @AfterAll
    static void stop() throws Exception {
        r.after();
    }

    @Override
    JenkinsRule r() {
        return r;
    }

    @Override
    Node node() {
        return agent;
    }

    /** Durable task's other wrapper: a program in the caches of the agent, which goes on as a daemon. */
    @Test
    void theBinaryWrapperOfDurableTask() throws Exception {
        BourneShellScript.USE_BINARY_WRAPPER = true;
        try {
            WorkflowRun b = run("binary", Result.SUCCESS, """
                    sandbox(minimumLevel: 'FULL') {
                      sh 'ps -ef > /dev/null 2>&1; echo from-binary; tr "\\0" " " < /proc/$PPID/cmdline'
                      echo "<${sh(script: 'exit 9', returnStatus: true)}>"
                    }
                    """);
            r().assertLogContains("durable_task_monitor", b);
            r().assertLogContains("\nfrom-binary\n", b);
            r().assertLogContains("<9>", b);
        } finally {
            BourneShellScript.USE_BINARY_WRAPPER = false;
        }
        assertNothingLeftBehind("binary");
    }
}
