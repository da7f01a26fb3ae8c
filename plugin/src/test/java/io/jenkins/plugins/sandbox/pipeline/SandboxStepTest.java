package io.jenkins.plugins.sandbox.pipeline;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.jenkinsci.plugins.workflow.cps.SnippetizerTester;
import org.jenkinsci.plugins.workflow.steps.StepConfigTester;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@WithJenkins
class SandboxStepTest {
    @Test
    void configRoundTrip(JenkinsRule r) throws Exception {
        SandboxStep step = new SandboxStep();
        step.setProfile("offline");
        step.setMinimumLevel("full");
        step.setOnShortfall("warn");
        SandboxStep same = new StepConfigTester(r).configRoundTrip(step);
        assertThat(same.getProfile(), is("offline"));
        assertThat(same.getMinimumLevel(), is("FULL"));
        assertThat(same.getOnShortfall(), is("warn"));
    }

    @Test
    void emptyConfigRoundTrip(JenkinsRule r) throws Exception {
        SandboxStep same = new StepConfigTester(r).configRoundTrip(new SandboxStep());
        assertThat(same.getProfile(), nullValue());
        assertThat(same.getMinimumLevel(), nullValue());
        assertThat(same.getOnShortfall(), nullValue());
    }

    @Test
    void snippets(JenkinsRule r) throws Exception {
        SnippetizerTester tester = new SnippetizerTester(r);
        SandboxStep step = new SandboxStep();
        tester.assertRoundTrip(step, "sandbox {\n    // some block\n}");
        step.setProfile("strict");
        step.setMinimumLevel("FULL");
        tester.assertRoundTrip(step, "sandbox(minimumLevel: 'FULL', profile: 'strict') {\n    // some block\n}");
        tester.assertGenerateSnippet(
                "{'stapler-class':'" + SandboxStep.class.getName()
                        + "', 'profile':'', 'minimumLevel':'', 'onShortfall':''}",
                "sandbox {\n    // some block\n}",
                null);
    }

    @Test
    void refusesWhatItDoesNotKnow() {
        SandboxStep step = new SandboxStep();
        assertThat(
                assertThrows(IllegalArgumentException.class, () -> step.setProfile("No Name"))
                        .getMessage(),
                containsString("No Name"));
        assertThat(
                assertThrows(IllegalArgumentException.class, () -> step.setMinimumLevel("MOST"))
                        .getMessage(),
                containsString("MOST"));
        assertThat(
                assertThrows(IllegalArgumentException.class, () -> step.setOnShortfall("ignore"))
                        .getMessage(),
                containsString("ignore"));
    }
}
