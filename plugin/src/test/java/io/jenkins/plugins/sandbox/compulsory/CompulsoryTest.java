package io.jenkins.plugins.sandbox.compulsory;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertThrows;

import hudson.AbortException;
import hudson.FilePath;
import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Items;
import hudson.model.JDK;
import hudson.model.Result;
import hudson.model.Slave;
import hudson.model.TaskListener;
import hudson.slaves.NodeProperty;
import hudson.tasks.Shell;
import hudson.tools.CommandInstaller;
import hudson.tools.InstallSourceProperty;
import io.jenkins.plugins.sandbox.LaunchStep;
import io.jenkins.plugins.sandbox.Leftovers;
import io.jenkins.plugins.sandbox.Pipelines;
import io.jenkins.plugins.sandbox.Processes;
import io.jenkins.plugins.sandbox.Repositories;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import io.jenkins.plugins.sandbox.config.Compulsory;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.freestyle.SandboxWrapper;
import io.jenkins.plugins.sandbox.outcome.Finding;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.MockFolder;
import org.jvnet.hudson.test.TestExtension;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;
import org.kohsuke.stapler.DataBoundConstructor;

@WithJenkins
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class CompulsoryTest {
    private static final String STATUS = "grep -w NoNewPrivs: /proc/self/status";
    private static final String CONFINED = "NoNewPrivs:\t1\n";
    private static final String PLAIN = "NoNewPrivs:\t0\n";

    @RegisterExtension
    private static final UnprivilegedAgent AGENTS = new UnprivilegedAgent().shared();

    private static JenkinsRule r;
    private static Slave agent;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        r = rule;
        agent = AGENTS.start(r, "linux");
    }

    @AfterAll
    static void stop() throws Exception {
        r.after();
    }

    @AfterEach
    void nowhere() throws Exception {
        SandboxConfiguration.get().setCompulsory(new Compulsory());
        SandboxConfiguration.get().setProfile("strict");
        SandboxConfiguration.get().setMinimumLevel("BASELINE");
        SandboxConfiguration.get().setOnShortfall("fail");
        agent.setNodeProperties(List.of());
    }

    private static Compulsory everywhere() {
        return rule("everywhere", null, null);
    }

    private static Compulsory rule(String where, String label, String exceptions) {
        Compulsory compulsory = new Compulsory();
        compulsory.setWhere(where);
        compulsory.setLabel(label);
        compulsory.setExceptions(exceptions);
        // A step of these tests, which no table can know.
        compulsory.setAllowedSteps("launch");
        SandboxConfiguration.get().setCompulsory(compulsory);
        return compulsory;
    }

    private static WorkflowRun run(String job, Result expected, String body) throws Exception {
        return Pipelines.run(r, job, expected, "node('linux') {\n" + body + "\n}");
    }

    private static FreeStyleProject freestyle(String... scripts) throws Exception {
        FreeStyleProject p = r.createFreeStyleProject();
        p.setAssignedNode(agent);
        for (String script : scripts) {
            p.getBuildersList().add(new Shell(script));
        }
        return p;
    }

    private static void awaitNothingLeftBehind() throws Exception {
        Leftovers.awaitNone(agent);
    }

    @Test
    void aControlDirectoryThatAnEarlierStepMayReplaceIsAShortfall() throws Exception {
        everywhere();
        SandboxConfiguration.get().setMinimumLevel("FULL");
        String steps = "sh 'sleep %s > /dev/null 2>&1 &'; dir('x') { sh 'echo RAN' }";
        WorkflowRun b = run("beside", Result.FAILURE, steps.formatted("1000"));
        r.assertLogContains("another launch, which still runs, may write there", b);
        r.assertLogNotContains("RAN\n", b);
        r.assertLogContains("RAN\n", run("beside", Result.SUCCESS, steps.formatted("0")));
    }

    @Test
    void pipelinesThatDoNotAskForIt() throws Exception {
        String body = "sh '" + STATUS + "; echo kept > /tmp/compulsory'; sh 'cat /tmp/compulsory'; "
                + "dir('sub') { echo \"<${sh(script: 'pwd', returnStdout: true).trim()}>\" }; "
                + "parallel a: { sh 'echo IN-A' }, b: { sh 'echo IN-B' }";
        WorkflowRun control = run("pipeline", Result.SUCCESS, body);
        r.assertLogContains("\n" + PLAIN, control);
        assertThat(control.getAction(SandboxAction.class), is(nullValue()));
        assertThat(JenkinsRule.getLog(control), not(containsString("[sandbox]")));
        new FilePath(agent.getChannel(), "/tmp/compulsory").delete();

        everywhere();
        WorkflowRun b = run("pipeline", Result.SUCCESS, body);
        for (String line : List.of(CONFINED, "kept\n", "IN-A\n", "IN-B\n", "[sandbox] strict: FULL, ")) {
            r.assertLogContains("\n" + line, b);
        }
        r.assertLogContains("/workspace/pipeline/sub>", b);
        SandboxAction action = Pipelines.action(b);
        assertThat(action.getCount(), is(5));
        assertThat(action.getLevel(), is("FULL"));
        assertThat(action.getGroups().get(0).getLaunches().get(0).getStep(), is("sh"));
        assertThat(new FilePath(agent.getChannel(), "/tmp/compulsory").exists(), is(false));
        awaitNothingLeftBehind();
    }

    @Test
    void aBlockAndTheRuleMakeOneSandboxTheStricterOfBoth() throws Exception {
        everywhere();
        WorkflowRun b = run("block", Result.SUCCESS, """
                sandbox(profile: 'offline', minimumLevel: 'FULL') { sh 'set +x; %s; grep -c : /proc/net/dev' }
                sandbox(profile: 'standard', minimumLevel: 'NONE') { sh 'echo second' }
                """.formatted(STATUS));
        r.assertLogContains("\n" + CONFINED + "1\n", b);
        SandboxAction action = Pipelines.action(b);
        assertThat(action.getCount(), is(2));
        assertThat(
                action.getGroups().stream()
                        .map(g -> g.getFinding().getProfile())
                        .sorted()
                        .toList(),
                is(List.of("offline", "strict")));
    }

    @Test
    void freestyleJobsThatDoNotAskForIt() throws Exception {
        FreeStyleBuild control = r.buildAndAssertSuccess(freestyle(STATUS));
        r.assertLogContains("\n" + PLAIN, control);

        everywhere();
        FreeStyleBuild b =
                r.buildAndAssertSuccess(freestyle(STATUS + "; echo kept > /tmp/compulsory", "cat /tmp/compulsory"));
        r.assertLogContains("\n" + CONFINED, b);
        r.assertLogContains("\nkept\n", b);
        assertThat(b.getAction(SandboxAction.class).getCount(), is(2));

        FreeStyleProject wrapped = freestyle(STATUS);
        wrapped.getBuildWrappersList().add(new SandboxWrapper());
        FreeStyleBuild one = r.buildAndAssertSuccess(wrapped);
        assertThat(one.getAction(SandboxAction.class).getCount(), is(1));
        awaitNothingLeftBehind();
    }

    /** That is done when the build has ended already. */
    private static void awaitSweep() throws Exception {
        FilePath config = new FilePath(agent.getChannel(), agent.getRemoteFS() + "/workspace/twice/sub/.git/config");
        while (!config.exists() || config.readToString().contains("fsmonitor")) {
            Thread.sleep(50);
        }
    }

    /** Git runs inside here: what it does to a repository that was there before the build is gone with the build. */
    @Test
    void aSecondBuildFindsTheRepositoryAndObeysNothingThatTheFirstOneLeft() throws Exception {
        everywhere();
        String checkout = "git init -q .; git config core.x y; git config user.name a; git config user.email a@b\n"
                + "git commit -q --allow-empty -m \"build $BUILD_NUMBER\"; git log --format='LOG %s'\n";
        String body = Repositories.step(checkout) + Repositories.step(Repositories.ATTACK);
        WorkflowRun first = run("twice", Result.SUCCESS, body);
        r.assertLogContains("\nLOG build 1\n", first);
        awaitSweep();
        WorkflowRun second =
                r.assertBuildStatus(Result.SUCCESS, first.getParent().scheduleBuild2(0));
        r.assertLogContains("\nLOG build 2\nLOG inside\nLOG build 1\n", second);
        awaitSweep();
        nowhere();
        WorkflowJob job = first.getParent();
        job.setDefinition(new CpsFlowDefinition("node('linux') { " + Repositories.step(Repositories.NEXT) + "}", true));
        WorkflowRun outside = r.assertBuildStatus(Result.SUCCESS, job.scheduleBuild2(0));
        r.assertLogContains("\nLOG inside\nLOG build 1\nSUB one\nSAFE\n", outside);
    }

    @Test
    void aShortfallRunsNothing() throws Exception {
        everywhere();
        SandboxConfiguration.get().setProfile("standard");
        SandboxConfiguration.get().setMinimumLevel("FULL");
        WorkflowRun b = run("short", Result.FAILURE, "sh 'touch ran; echo R''AN'");
        r.assertLogContains("The level is BASELINE, the minimum is FULL.", b);
        r.assertLogNotContains("\nRAN\n", b);
        assertThat(agent.getWorkspaceFor(b.getParent()).child("ran").exists(), is(false));
        assertThat(Pipelines.action(b).getWorst().getVerdict(), is(Finding.Verdict.REFUSED));
        FreeStyleBuild f = r.buildAndAssertStatus(Result.FAILURE, freestyle("echo R''AN"));
        r.assertLogNotContains("\nRAN\n", f);
    }

    /** Everything that a Jenkinsfile can say about itself. */
    @Test
    void nothingThatABuildSaysSwitchesItOff() throws Exception {
        rule("everywhere", null, "trusted");
        WorkflowRun b = run("forger", Result.SUCCESS, """
                withEnv(['PROCESS_SANDBOX_STEP=', 'JOB_NAME=trusted', 'JOB_BASE_NAME=trusted', 'BUILD_TAG=jenkins-trusted-1', 'JENKINS_NODE_COOKIE=x']) {
                  sh '%1$s; echo "<$PROCESS_SANDBOX_STEP>"'
                }
                withEnv(['PROCESS_SANDBOX_STEP=3=PATH']) { sh '%1$s' }
                echo "<${launch('old').trim()}>"
                echo "<${launch('older').trim()}>"
                """.formatted(STATUS));
        assertThat(JenkinsRule.getLog(b).split("NoNewPrivs:\t1", -1).length, is(5));
        r.assertLogNotContains("NoNewPrivs:\t0", b);
        r.assertLogContains("\n<>\n", b);
        assertThat(Pipelines.action(b).getCount(), is(4));
        WorkflowRun elsewhere = run("forger", Result.FAILURE, "dir('/tmp') { launch('quiet') }");
        r.assertLogContains("path '/tmp' leads out of the workspace", elsewhere);
        r.assertLogNotContains("shy", elsewhere);
    }

    @Test
    void channelsAreRefusedAndRecorded() throws Exception {
        everywhere();
        WorkflowRun b = run("channel", Result.FAILURE, "launch('channel')");
        r.assertLogContains("A sandbox cannot confine a process that is launched as a remoting channel", b);
        assertThat(Pipelines.action(b).getWorst().getVerdict(), is(Finding.Verdict.REFUSED));
    }

    @Test
    void labelsAndNodesAndExceptions() throws Exception {
        MockFolder folder = r.createFolder("infra");
        WorkflowJob inFolder = folder.createProject(WorkflowJob.class, "deploy");
        inFolder.setDefinition(
                new CpsFlowDefinition("node('linux') { sh '" + STATUS + "; echo \"<$PROCESS_SANDBOX_STEP>\"' }", true));

        rule("label", "linux && !trusted", null);
        r.assertLogContains("\n" + CONFINED, run("labels", Result.SUCCESS, "sh '" + STATUS + "'"));
        rule("label", "windows || trusted", null);
        r.assertLogContains("\n" + PLAIN, run("labels", Result.SUCCESS, "sh '" + STATUS + "'"));
        agent.setNodeProperties(List.<NodeProperty<?>>of(new CompulsoryProperty()));
        r.assertLogContains("\n" + CONFINED, run("labels", Result.SUCCESS, "sh '" + STATUS + "'"));
        r.assertLogContains("\n" + CONFINED, r.buildAndAssertSuccess(inFolder));
        rule("nowhere", null, " /infra/ \n\nlabel");
        r.assertLogContains("\n" + CONFINED, run("labels", Result.SUCCESS, "sh '" + STATUS + "'"));
        WorkflowRun excepted = r.buildAndAssertSuccess(inFolder);
        r.assertLogContains("\n" + PLAIN, excepted);
        r.assertLogContains("\n<>\n", excepted);
        assertThat(excepted.getAction(SandboxAction.class), is(nullValue()));
    }

    @Test
    void aRuleThatCannotBeUnderstoodCountsAsEverywhere() throws Exception {
        for (String xml : List.of(
                "<where>somewhere</where>",
                "<where>label</where><label>a &amp;&amp; (</label>",
                "<where>label</where>")) {
            Compulsory read = (Compulsory) Items.XSTREAM2.fromXML(
                    "<" + Compulsory.class.getName() + ">" + xml + "</" + Compulsory.class.getName() + ">");
            assertThat(xml, read.covers(agent), is(true));
        }
    }

    @Test
    void aLaunchOfNobodyIsRefusedAndTheOnlyBuildIsSomebody() throws Exception {
        everywhere();
        String problem = assertThrows(AbortException.class, () -> launchOnNode(agent.getRootPath()))
                .getMessage();
        assertThat(problem, containsString("A sandbox is compulsory on linux, and nothing says which build it is"));

        WorkflowRun first = begin("first");
        FilePath workspace = agent.getWorkspaceFor(first.getParent());
        assertThat(launchOnNode(workspace), containsString(CONFINED));
        assertThat(Pipelines.action(first).getCount(), is(2));
        assertThat(
                assertThrows(AbortException.class, () -> launchOnNode(new FilePath(agent.getChannel(), "/tmp")))
                        .getMessage(),
                containsString("'/tmp' is outside of '"));
        WorkflowRun second = begin("second");
        assertThat(
                assertThrows(AbortException.class, () -> launchOnNode(workspace))
                        .getMessage(),
                containsString("nothing says which build it is"));
        for (WorkflowRun b : List.of(first, second)) {
            agent.getWorkspaceFor(b.getParent()).child("go").write("", null);
            r.assertBuildStatusSuccess(r.waitForCompletion(b));
        }
    }

    private static WorkflowRun begin(String job) throws Exception {
        WorkflowRun b = Pipelines.define(
                        r, job, "node('linux') { sh 'echo READY; set +x; while ! test -e go; do sleep 0.2; done' }")
                .scheduleBuild2(0)
                .waitForStart();
        r.waitForMessage("\nREADY", b);
        return b;
    }

    private static String launchOnNode(FilePath directory) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        agent.createLauncher(TaskListener.NULL)
                .launch()
                .cmds("sh", "-c", STATUS)
                .pwd(directory)
                .stdout(out)
                .join();
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void installersOfToolsRunAsBefore() throws Exception {
        everywhere();
        CommandInstaller installer = new CommandInstaller(null, STATUS + "; mkdir -p bin; echo tool > bin/java", "");
        JDK jdk = new JDK("ours", null, List.of(new InstallSourceProperty(List.of(installer))));
        r.jenkins.getDescriptorByType(JDK.DescriptorImpl.class).setInstallations(jdk);
        WorkflowRun b =
                run("tool", Result.SUCCESS, "def home = tool 'ours'; sh \"" + STATUS + "; cat '${home}/bin/java'\"");
        r.assertLogContains("[sandbox] The installer of a tool runs outside of the sandbox", b);
        r.assertLogContains("\n" + PLAIN, b);
        r.assertLogContains("\n" + CONFINED, b);
        assertThat(Pipelines.action(b).getCount(), is(1));
    }

    @Test
    void anAbortEndsAStubbornProcess() throws Exception {
        everywhere();
        String marker = Processes.own("compulsory-stubborn");
        String stubborn =
                "exec env -i PATH=\"$PATH\" sh -c \"trap '' TERM INT HUP QUIT; echo READY; while :; do sleep 1; done\" ";
        WorkflowRun b = Pipelines.define(r, "stubborn", "node('linux') { sh '''" + stubborn + marker + "''' }")
                .scheduleBuild2(0)
                .waitForStart();
        r.waitForMessage("\nREADY", b);
        FreeStyleBuild f =
                freestyle(stubborn + marker + "-too").scheduleBuild2(0).waitForStart();
        r.waitForMessage("\nREADY", f);
        assertThat(Processes.exist(marker), is(true));
        b.doStop();
        f.doStop();
        r.assertBuildStatus(Result.ABORTED, r.waitForCompletion(b));
        r.assertBuildStatus(Result.ABORTED, r.waitForCompletion(f));
        Processes.awaitNone(marker);
        awaitNothingLeftBehind();
    }

    @Test
    void configurationRoundTrips() throws Exception {
        rule("label", "linux && !trusted", "infra\nteam/job");
        r.configRoundtrip();
        Compulsory same = SandboxConfiguration.get().getCompulsory();
        assertThat(same.getWhere(), is("label"));
        assertThat(same.getLabel(), is("linux && !trusted"));
        assertThat(same.getExceptions().replace("\r", ""), is("infra\nteam/job"));
        agent.setNodeProperties(List.<NodeProperty<?>>of(new CompulsoryProperty()));
        r.submit(r.createWebClient().getPage(agent, "configure").getFormByName("config"));
        assertThat(r.jenkins.getNode("linux").getNodeProperty(CompulsoryProperty.class), is(notNullValue()));
        agent = (Slave) r.jenkins.getNode("linux");
    }

    @Test
    void whatIsWrittenIsChecked() {
        Compulsory compulsory = new Compulsory();
        assertThat(
                assertThrows(IllegalArgumentException.class, () -> compulsory.setWhere("somewhere"))
                        .getMessage(),
                containsString("'somewhere': use 'nowhere', 'label' or 'everywhere'"));
        assertThat(
                assertThrows(IllegalArgumentException.class, () -> compulsory.setLabel("a && ("))
                        .getMessage(),
                containsString("The label expression 'a && (' cannot be parsed"));
        Compulsory.DescriptorImpl descriptor = r.jenkins.getDescriptorByType(Compulsory.DescriptorImpl.class);
        assertThat(descriptor.doCheckLabel("a && (", "label").getMessage(), containsString("cannot be parsed"));
        assertThat(descriptor.doCheckLabel("", "label").getMessage(), containsString("on all nodes"));
        assertThat(descriptor.doCheckLabel("nosuchlabel", "label").getMessage(), containsString("No node matches"));
        assertThat(descriptor.doCheckLabel("linux", "label").getMessage(), is(nullValue()));
        assertThat(descriptor.doCheckExceptions("nosuch/job").getMessage(), containsString("nosuch/job"));
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
