package io.jenkins.plugins.sandbox.freestyle;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.cloudbees.plugins.credentials.CredentialsProvider;
import com.cloudbees.plugins.credentials.CredentialsScope;
import com.cloudbees.plugins.credentials.SecretBytes;
import com.cloudbees.plugins.credentials.domains.Domain;
import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Node;
import hudson.model.Result;
import hudson.tasks.ArtifactArchiver;
import hudson.tasks.Shell;
import io.jenkins.plugins.sandbox.Leftovers;
import io.jenkins.plugins.sandbox.Processes;
import io.jenkins.plugins.sandbox.Repositories;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.config.Setting;
import io.jenkins.plugins.sandbox.outcome.Finding;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.xml.transform.stream.StreamSource;
import jenkins.tasks.SimpleBuildWrapper;
import org.htmlunit.html.HtmlPage;
import org.jenkinsci.plugins.credentialsbinding.impl.FileBinding;
import org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper;
import org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@WithJenkins
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class SandboxWrapperTest {
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

    @AfterEach
    void loosenTheFloor() {
        SandboxConfiguration floor = SandboxConfiguration.get();
        floor.setProfile("strict");
        floor.setMinimumLevel("BASELINE");
        floor.setOnShortfall("fail");
    }

    private static FreeStyleProject project(SandboxWrapper wrapper, String... scripts) throws Exception {
        FreeStyleProject p = r.createFreeStyleProject();
        p.setAssignedNode(agent);
        if (wrapper != null) {
            p.getBuildWrappersList().add(wrapper);
        }
        for (String script : scripts) {
            p.getBuildersList().add(new Shell(script));
        }
        return p;
    }

    private static SandboxWrapper wrapper(String profile, String minimumLevel) {
        SandboxWrapper wrapper = new SandboxWrapper();
        wrapper.setProfile(profile);
        wrapper.setMinimumLevel(minimumLevel);
        return wrapper;
    }

    private static SandboxAction action(FreeStyleBuild b) {
        SandboxAction action = b.getAction(SandboxAction.class);
        assertThat(action, is(notNullValue()));
        return action;
    }

    private static void awaitNothingLeftBehind() throws Exception {
        Leftovers.awaitNone(agent);
    }

    @Test
    void theLogSaysWhichLimitEndedACommandAndHowToRaiseIt() throws Exception {
        SandboxWrapper wrapper = wrapper("strict", "FULL");
        wrapper.setWallTime("2");
        FreeStyleProject p = project(wrapper, "echo started; sleep 600; echo survived");
        FreeStyleBuild b = r.assertBuildStatus(Result.FAILURE, p.scheduleBuild2(0));
        r.assertLogContains("started", b);
        r.assertLogNotContains("\nsurvived", b);
        r.assertLogContains("The limit on wall time, 2 s, was reached. Raise it with wallTime in the step", b);
        assertThat(action(b).getTotals().limited(), is(1));
        assertThat(action(b).getTotals().ended(), is(1));
        awaitNothingLeftBehind();
    }

    @Test
    void configRoundTrip() throws Exception {
        SandboxWrapper wrapper = wrapper("offline", "full");
        wrapper.setOnShortfall("warn");
        wrapper.setRequiredPrimitives(List.of("seccomp", "proc"));
        wrapper.setNetwork("none");
        wrapper.setHome("scratch");
        wrapper.setGit("read-only");
        wrapper.setMemory("2g");
        wrapper.setAddressSpace(true);
        wrapper.setPids("200");
        wrapper.setCpuTime("20m");
        wrapper.setWallTime("1h");
        wrapper.setCpus("0-1");
        wrapper.setCpuQuota("150%");
        wrapper.setOpenFiles("4096");
        wrapper.setFileSize("1g");
        wrapper.setWorkspaceSize("20g");
        wrapper.setStack("8m");
        wrapper.setLockedMemory("64k");
        wrapper.setReadPaths(List.of("/opt/sdk", "/etc/ssl"));
        wrapper.setWritePaths(List.of("/var/cache/build"));
        wrapper.setExecPaths(List.of("@workspace"));
        wrapper.setHidePaths(List.of("/srv"));
        wrapper.setEnvironment(List.of("JAVA_HOME", "GOPATH"));
        FreeStyleProject p = project(wrapper);
        r.configRoundtrip(p);
        SandboxWrapper same = p.getBuildWrappersList().get(SandboxWrapper.class);
        assertThat(same.getSettings(), is(wrapper.getSettings()));
        for (Setting setting : Setting.values()) {
            assertThat(setting.key(), same.getSettings().word(setting), is(notNullValue()));
            assertThat(
                    setting.key(),
                    r.executeOnServer(() -> same.getDescriptor().getHelpFile(setting.key())),
                    is(notNullValue()));
        }
        assertThat(same.getMinimumLevel(), is("FULL"));
        FreeStyleProject empty = project(new SandboxWrapper());
        r.configRoundtrip(empty);
        SandboxWrapper nothing = empty.getBuildWrappersList().get(SandboxWrapper.class);
        assertThat(nothing.getProfile(), is(nullValue()));
        assertThat(nothing.getMinimumLevel(), is(nullValue()));
        assertThat(nothing.getOnShortfall(), is(nullValue()));
    }

    @Test
    void refusesWhatItDoesNotKnow() {
        SandboxWrapper wrapper = new SandboxWrapper();
        assertThat(
                assertThrows(IllegalArgumentException.class, () -> wrapper.setProfile("No Name"))
                        .getMessage(),
                containsString("No Name"));
        assertThrows(IllegalArgumentException.class, () -> wrapper.setMinimumLevel("MOST"));
        assertThrows(IllegalArgumentException.class, () -> wrapper.setOnShortfall("ignore"));
    }

    /** There it would be accepted, and do nothing. */
    @Test
    void isNotOfferedInPipeline() {
        assertThat(SimpleBuildWrapper.class.isAssignableFrom(SandboxWrapper.class), is(false));
    }

    @Test
    void everyStepIsConfinedAndTheyShareTheirTemporaryFilesAndHome() throws Exception {
        FreeStyleProject p = project(
                wrapper(null, "FULL"),
                "grep -w NoNewPrivs: /proc/self/status; echo one > ~/shared; echo two > /tmp/shared; echo kept > kept.txt",
                "cat ~/shared /tmp/shared; touch ../escaped || echo REFUSED; echo \"<$JENKINS_SECRET|$AWS_SECRET_ACCESS_KEY|$JOB_NAME>\"",
                "#!/usr/bin/env sh\ncase \"$0\" in /tmp/*) echo FROM-TMP;; esac; ls /tmp | grep -c jenkins || true");
        p.getPublishersList().add(new ArtifactArchiver("kept.txt"));
        FreeStyleBuild b = r.buildAndAssertSuccess(p);
        for (String line : List.of("NoNewPrivs:\t1", "one", "two", "REFUSED", "<||" + p.getName() + ">", "FROM-TMP")) {
            r.assertLogContains("\n" + line + "\n", b);
        }
        r.assertLogContains("[sandbox] strict: FULL, ", b);
        r.assertLogNotContains("--args", b);
        SandboxAction action = action(b);
        assertThat(action.getCount(), is(3));
        assertThat(action.getLevel(), is("FULL"));
        assertThat(action.isShortfall(), is(false));
        assertThat(b.getArtifacts().size(), is(1));
        awaitNothingLeftBehind();
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage page = client.getPage(b);
            assertThat(page.asNormalizedText(), containsString("Lowest level FULL in 3 launches"));
            assertThat(
                    client.<HtmlPage>getPage(b, "sandbox/").asNormalizedText(),
                    containsString("strict: FULL on linux"));
        }
    }

    @Test
    void theNextBuildsGitObeysNothingThatABuildLeft() throws Exception {
        FreeStyleProject p = project(wrapper("strict", "FULL"), Repositories.MAKE, Repositories.ATTACK);
        FreeStyleBuild b = r.assertBuildStatus(Result.SUCCESS, p.scheduleBuild2(0));
        r.assertLogContains("\nATTACKED\n", b);
        r.assertLogContains("/sub/.git was made by the build", b);
        p.getBuildWrappersList().clear();
        p.getBuildersList().replace(new Shell(Repositories.NEXT));
        FreeStyleBuild next = r.assertBuildStatus(Result.SUCCESS, p.scheduleBuild2(0));
        r.assertLogContains("\nSUB one\n", next);
        r.assertLogContains("\nSAFE\n", next);
    }

    @Test
    void lockedHasItsScriptToo() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(
                project(wrapper("locked", "FULL"), "if test -e /etc/hostname; then echo THERE; else echo GONE; fi"));
        r.assertLogContains("\nGONE\n", b);
    }

    @Test
    void aSecretFileIsSeen() throws Exception {
        CredentialsProvider.lookupStores(r.jenkins)
                .iterator()
                .next()
                .addCredentials(
                        Domain.global(),
                        new FileCredentialsImpl(
                                CredentialsScope.GLOBAL,
                                "key",
                                null,
                                "the.key",
                                SecretBytes.fromBytes("content".getBytes(StandardCharsets.UTF_8))));
        FreeStyleProject p = project(
                wrapper(null, "FULL"), "test \"$(cat \"$KEY\")\" = con\"\"tent; echo READ; ls \"$WORKSPACE_TMP\"");
        p.getBuildWrappersList().add(new SecretBuildWrapper(List.of(new FileBinding("KEY", "key"))));
        r.assertLogContains("\nREAD\n", r.buildAndAssertSuccess(p));
    }

    @Test
    void aJobCannotLoosenTheFloor() throws Exception {
        SandboxWrapper wrapper = wrapper("standard", "NONE");
        wrapper.setOnShortfall("warn");
        FreeStyleBuild b = r.buildAndAssertSuccess(project(wrapper, "echo ran"));
        r.assertLogContains("[sandbox] profile raised from standard to strict", b);
        r.assertLogContains("[sandbox] onShortfall raised from warn to fail", b);
        assertThat(action(b).getGroups().get(0).getFinding().getProfile(), is("strict"));
    }

    @Test
    void whatTheAdministratorDoesNotAllowFailsTheBuildAndNothingRuns() throws Exception {
        SandboxWrapper wrapper = new SandboxWrapper();
        wrapper.setWritePaths(List.of("/opt/cache"));
        FreeStyleBuild b = r.buildAndAssertStatus(Result.FAILURE, project(wrapper, "echo RAN"));
        r.assertLogContains("writePaths: '/opt/cache' is no path that jobs may add", b);
        r.assertLogNotContains("\nRAN", b);
        assertThat(b.getAction(SandboxAction.class), is(nullValue()));
    }

    @Test
    void settingsReachTheAgent() throws Exception {
        SandboxWrapper wrapper = new SandboxWrapper();
        wrapper.setNetwork("none");
        wrapper.setOpenFiles("128");
        FreeStyleBuild b = r.buildAndAssertSuccess(
                project(wrapper, "set +x; echo files=$(ulimit -n) $(tail -n +3 /proc/net/dev | cut -d: -f1)"));
        r.assertLogContains("\nfiles=128 lo\n", b);
    }

    @Test
    void aShortfallCanMakeTheBuildUnstable() throws Exception {
        SandboxConfiguration floor = SandboxConfiguration.get();
        floor.setProfile("standard");
        floor.setOnShortfall("warn");
        SandboxWrapper wrapper = wrapper(null, "FULL");
        wrapper.setOnShortfall("unstable");
        FreeStyleBuild b = r.buildAndAssertStatus(Result.UNSTABLE, project(wrapper, "echo RAN"));
        r.assertLogContains("\nRAN", b);
    }

    /** Its file may have been edited, or come from another version. */
    @Test
    void aJobThatCannotBeUnderstoodFailsAndOneThatSaysNothingRuns() throws Exception {
        FreeStyleProject p = project(wrapper("strict", "FULL"), "echo RAN");
        String xml = p.getConfigFile().asString();
        p.updateByXml(new StreamSource(new StringReader(xml.replace(">FULL<", ">UTTER<"))));
        FreeStyleBuild b = r.buildAndAssertStatus(Result.FAILURE, p);
        r.assertLogContains("There is no level 'UTTER'", b);
        r.assertLogNotContains("\nRAN", b);
        p.updateByXml(new StreamSource(new StringReader(xml.replaceAll("(?s)<settings>.*</settings>", ""))));
        r.assertLogContains("\nRAN", r.buildAndAssertSuccess(p));
    }

    @Test
    void aShortfallFailsTheBuildAndNothingRuns() throws Exception {
        SandboxConfiguration.get().setProfile("standard");
        FreeStyleBuild b =
                r.buildAndAssertStatus(Result.FAILURE, project(wrapper("standard", "FULL"), "echo R''AN; touch ran"));
        r.assertLogContains("The level is BASELINE, the minimum is FULL.", b);
        r.assertLogNotContains("\nRAN", b);
        assertThat(action(b).getWorst().getVerdict(), is(Finding.Verdict.REFUSED));
        assertThat(b.getWorkspace().child("ran").exists(), is(false));
    }

    @Test
    void whatIsLeftAtTheEndOrAbortedIsEnded() throws Exception {
        String marker = Processes.own("freestyle-stubborn");
        String stubborn =
                "env -i PATH=\"$PATH\" sh -c \"trap '' TERM INT HUP QUIT; echo READY; while :; do sleep 1; done\" ";
        FreeStyleProject aborted = project(new SandboxWrapper(), stubborn + marker + "-aborted");
        FreeStyleBuild b = aborted.scheduleBuild2(0).waitForStart();
        r.waitForMessage("\nREADY", b);
        assertThat(Processes.exist(marker), is(true));
        b.doStop();
        r.assertBuildStatus(Result.ABORTED, r.waitForCompletion(b));
        r.buildAndAssertSuccess(
                project(new SandboxWrapper(), stubborn + marker + "-left > /dev/null 2>&1 & sleep 1; echo LEFT"));
        Processes.awaitNone(marker);
        awaitNothingLeftBehind();
    }

    @Test
    void aCustomWorkspaceIsAClearError() throws Exception {
        FreeStyleProject p = project(new SandboxWrapper(), "echo R''AN");
        p.setCustomWorkspace("/tmp");
        FreeStyleBuild b = r.buildAndAssertStatus(Result.FAILURE, p);
        r.assertLogContains("'/tmp' is outside of '", b);
        r.assertLogNotContains("\nRAN", b);
    }

    @Test
    void theControlIsNotConfined() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(project(
                null, "grep -w NoNewPrivs: /proc/self/status; echo \"<$JENKINS_SECRET|$AWS_SECRET_ACCESS_KEY>\""));
        r.assertLogContains("\nNoNewPrivs:\t0\n", b);
        r.assertLogContains("\n<agents-own-secret|agents-own-key>\n", b);
        assertThat(b.getAction(SandboxAction.class), is(nullValue()));
        assertThat(JenkinsRule.getLog(b), not(containsString("[sandbox]")));
    }
}
