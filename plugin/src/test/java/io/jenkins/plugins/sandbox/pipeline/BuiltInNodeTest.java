package io.jenkins.plugins.sandbox.pipeline;

import hudson.model.Node;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@WithJenkins
class BuiltInNodeTest extends PipelineSuite {
    private static JenkinsRule r;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        r = rule;
        r.jenkins.setNumExecutors(4);
        r.jenkins.setLabelString("built-in");
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
        return r.jenkins;
    }
}
