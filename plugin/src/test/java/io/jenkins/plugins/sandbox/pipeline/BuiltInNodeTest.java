package io.jenkins.plugins.sandbox.pipeline;

import hudson.model.Result;
import io.jenkins.plugins.sandbox.Pipelines;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@WithJenkins
class BuiltInNodeTest {
    @Test
    void severalInARow(JenkinsRule r) throws Exception {
        var b = Pipelines.run(r, Result.SUCCESS, """
                node {
                  sandbox(profile: 'strict', minimumLevel: 'FULL') {
                    sh 'echo one; grep Seccomp: /proc/self/status'
                    sh 'echo two > /tmp/shared; grep NoNewPrivs /proc/self/status'
                    sh 'cat /tmp/shared'
                    echo "<${sh(script: 'echo three', returnStdout: true).trim()}>"
                  }
                }""");
        System.err.println(JenkinsRule.getLog(b));
        r.assertLogContains("<three>", b);
    }
}
