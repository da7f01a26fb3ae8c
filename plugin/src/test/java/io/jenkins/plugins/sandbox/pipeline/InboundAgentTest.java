package io.jenkins.plugins.sandbox.pipeline;

import hudson.model.Node;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
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
}
