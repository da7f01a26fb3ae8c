package io.jenkins.plugins.sandbox.pipeline;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertThrows;

import hudson.util.FormValidation;
import java.util.List;
import org.jenkinsci.plugins.workflow.cps.SnippetizerTester;
import org.jenkinsci.plugins.workflow.steps.StepConfigTester;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@WithJenkins
class SandboxStepTest {
    private static final String ALL =
            "profile,minimumLevel,onShortfall,requiredPrimitives,network,home,memory,addressSpace,pids,cpuTime,"
                    + "wallTime,cpus,cpuQuota,openFiles,fileSize,workspaceSize,stack,lockedMemory,readPaths,writePaths,execPaths,hidePaths,"
                    + "environment";

    private static SandboxStep withEverything() {
        SandboxStep step = new SandboxStep();
        step.setProfile("offline");
        step.setMinimumLevel("full");
        step.setOnShortfall("unstable");
        step.setRequiredPrimitives(List.of("seccomp", "proc"));
        step.setNetwork("none");
        step.setHome("scratch");
        step.setGit("protected");
        step.setMemory("2g");
        step.setAddressSpace(true);
        step.setPids("200");
        step.setCpuTime("20m");
        step.setWallTime("1h");
        step.setCpus("0-1");
        step.setCpuQuota("150%");
        step.setOpenFiles("4096");
        step.setFileSize("1g");
        step.setWorkspaceSize("20g");
        step.setStack("8m");
        step.setLockedMemory("64k");
        step.setReadPaths(List.of("/opt/sdk", "/etc/ssl"));
        step.setWritePaths(List.of("/var/cache/build"));
        step.setExecPaths(List.of("@workspace"));
        step.setHidePaths(List.of("/srv"));
        step.setEnvironment(List.of("JAVA_HOME", "GOPATH"));
        return step;
    }

    @Test
    void configRoundTrip(JenkinsRule r) throws Exception {
        SandboxStep step = withEverything();
        SandboxStep same = new StepConfigTester(r).configRoundTrip(step);
        assertThat(same.getMinimumLevel(), is("FULL"));
        assertThat(same.getReadPaths(), contains("/opt/sdk", "/etc/ssl"));
        r.assertEqualBeans(step, same, ALL);
    }

    @Test
    void emptyConfigRoundTrip(JenkinsRule r) throws Exception {
        SandboxStep same = new StepConfigTester(r).configRoundTrip(new SandboxStep());
        assertThat(same.getProfile(), nullValue());
        assertThat(same.getMinimumLevel(), nullValue());
        assertThat(same.getOnShortfall(), nullValue());
        r.assertEqualBeans(new SandboxStep(), same, ALL);
    }

    /** The form sends every field, empty ones too: what was deleted elsewhere must stay what it is. */
    @Test
    void aProfileThatIsGoneStaysInTheForm(JenkinsRule r) throws Exception {
        SandboxStep step = new SandboxStep();
        step.setProfile("deleted");
        assertThat(new StepConfigTester(r).configRoundTrip(step).getProfile(), is("deleted"));
        SandboxStep.DescriptorImpl descriptor = (SandboxStep.DescriptorImpl) step.getDescriptor();
        assertThat(descriptor.doCheckProfile("deleted").kind, is(FormValidation.Kind.ERROR));
        assertThat(descriptor.doCheckProfile("strict").kind, is(FormValidation.Kind.OK));
    }

    @Test
    void snippets(JenkinsRule r) throws Exception {
        SnippetizerTester tester = new SnippetizerTester(r);
        SandboxStep step = new SandboxStep();
        tester.assertRoundTrip(step, "sandbox {\n    // some block\n}");
        step.setProfile("strict");
        step.setMinimumLevel("FULL");
        tester.assertRoundTrip(step, "sandbox(minimumLevel: 'FULL', profile: 'strict') {\n    // some block\n}");
        SandboxStep lists = new SandboxStep();
        lists.setWritePaths(List.of("/var/cache/maven"));
        lists.setMemory("2g");
        tester.assertRoundTrip(
                lists, "sandbox(memory: '2g', writePaths: ['/var/cache/maven']) {\n    // some block\n}");
        tester.assertGenerateSnippet(
                "{'stapler-class':'" + SandboxStep.class.getName()
                        + "', 'profile':'', 'minimumLevel':'', 'onShortfall':'', 'memory':'', 'readPaths':'', 'network':''}",
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
