package io.jenkins.plugins.sandbox.compulsory;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.junit.jupiter.api.Assertions.assertThrows;

import hudson.FilePath;
import hudson.model.Result;
import hudson.model.Slave;
import io.jenkins.plugins.sandbox.LaunchStep;
import io.jenkins.plugins.sandbox.Pipelines;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import io.jenkins.plugins.sandbox.config.Compulsory;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.jenkinsci.plugins.workflow.steps.StepDescriptor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.TestExtension;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;
import org.kohsuke.stapler.DataBoundConstructor;

/** Steps that launch nothing, on a node where the sandbox is enforced, in a Jenkinsfile that a stranger wrote. */
@WithJenkins
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class FileStepGuardTest {
    @RegisterExtension
    private static final UnprivilegedAgent AGENTS = new UnprivilegedAgent().shared();

    private static JenkinsRule r;
    private static Slave agent;
    private static FilePath home;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        r = rule;
        agent = AGENTS.start(r, "linux");
        home = agent.getRootPath().getParent();
        home.child("secret").write("SECRET", "UTF-8");
    }

    @AfterAll
    static void stop() throws Exception {
        r.after();
    }

    @BeforeEach
    void everywhere() {
        enforce("everywhere", null);
    }

    private static void enforce(String where, String allowedSteps) {
        Compulsory compulsory = new Compulsory();
        compulsory.setWhere(where);
        compulsory.setAllowedSteps(allowedSteps);
        SandboxConfiguration.get().setCompulsory(compulsory);
    }

    private static WorkflowRun run(String job, Result expected, String body) throws Exception {
        return Pipelines.run(r, job, expected, "node('linux') {\n" + body.replace("HOME", home.getRemote()) + "\n}");
    }

    /** What a hostile Jenkinsfile tries; each succeeds where no sandbox is enforced. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "echo readFile('HOME/secret')",
                "writeFile file: 'HOME/planted', text: 'x'",
                "dir('HOME') { echo readFile('secret') }",
                "dir('../../..') { echo readFile('secret') }",
                "echo readFile('../../../secret')",
                "dir('HOME') { stash name: 's', includes: 'secret' }",
                "echo 'there ' + fileExists('HOME/secret')",
                "dir('HOME') { archiveArtifacts 'secret' }",
            })
    void aStepThatLeavesTheWorkspaceIsRefused(String attempt) throws Exception {
        enforce("nowhere", null);
        run("control", Result.SUCCESS, attempt);
        if (home.child("planted").exists()) {
            home.child("planted").delete();
        }
        enforce("everywhere", null);
        WorkflowRun b = run("hostile", Result.FAILURE, attempt);
        r.assertLogContains("was refused on linux, where the sandbox is enforced", b);
        r.assertLogContains("leads out of the workspace", b);
        r.assertLogNotContains("SECRET", b);
        r.assertLogNotContains("\tat ", b);
        assertThat(home.child("planted").exists(), is(false));
    }

    @Test
    void ordinaryArgumentsWorkAsBefore() throws Exception {
        WorkflowRun b = run(
                "benign",
                Result.SUCCESS,
                """
                writeFile file: 'sub/a.txt', text: 'content'
                echo "read ${readFile('sub/a.txt')} ${fileExists('sub/none')}"
                dir('sub') { stash name: 's', includes: '**/*.txt'; sh 'cat a.txt' }
                dir('other') { unstash 's'; echo "again ${readFile('a.txt')}"; deleteDir() }
                archiveArtifacts 'sub/*.txt'
                """);
        r.assertLogContains("read content", b);
        r.assertLogContains("again content", b);
        assertThat(b.getArtifacts().size(), is(1));
    }

    /** A step of the plugins here that nobody has judged is refused on enforced nodes: better to judge it. */
    @Test
    void eachStepOfTheRealPluginsIsKnown() {
        List<String> unknown = StepDescriptor.all().stream()
                .filter(d -> !d.clazz.getName().startsWith("io.jenkins.plugins.sandbox."))
                .filter(d -> d.getRequiredContext().stream().anyMatch(FileStepGuard.OF_AGENT::contains))
                .map(StepDescriptor::getFunctionName)
                .filter(n -> StepTreatment.of(n).isEmpty())
                // Of the test harness of the Pipeline plugins.
                .filter(n -> !List.of("injectSubtypesAsContext", "fff").contains(n))
                .toList();
        assertThat(unknown, is(List.of()));
    }

    @Test
    void anUnknownStepIsRefusedUntilAnAdministratorAllowsIt() throws Exception {
        WorkflowRun b = run("unknown", Result.FAILURE, "launch 'quiet'");
        r.assertLogContains("launch was refused on linux, where the sandbox is enforced", b);
        r.assertLogContains("\"Allowed steps\"", b);
        enforce("everywhere", "other, launch");
        run("unknown", Result.SUCCESS, "writeFile file: 'f', text: ''\nlaunch 'quiet'");
        assertThat(
                assertThrows(IllegalArgumentException.class, () -> enforce("everywhere", "a;b"))
                        .getMessage(),
                containsString("allowedSteps: 'a;b' is not the name of a step"));
    }

    public static final class Launch extends LaunchStep {
        @DataBoundConstructor
        public Launch(String how) {
            super(how);
        }

        @TestExtension
        public static final class DescriptorImpl extends Described {}
    }
}
