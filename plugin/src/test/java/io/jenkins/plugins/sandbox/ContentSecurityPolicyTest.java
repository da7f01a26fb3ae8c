package io.jenkins.plugins.sandbox;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.not;

import hudson.model.FreeStyleProject;
import hudson.model.InvisibleAction;
import hudson.model.Result;
import hudson.model.Slave;
import hudson.model.UnprotectedRootAction;
import hudson.tasks.Shell;
import io.jenkins.plugins.sandbox.config.Compulsory;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.config.SandboxProfile;
import io.jenkins.plugins.sandbox.freestyle.SandboxWrapper;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.TestExtension;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.HttpResponses;
import org.kohsuke.stapler.StaplerResponse2;

/**
 * All of our pages in a real browser, under the policy that core enforces in tests. See https://www.jenkins.io/doc/developer/security/csp/.
 */
@WithJenkins
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ContentSecurityPolicyTest {
    @RegisterExtension
    private static final UnprivilegedAgent AGENTS = new UnprivilegedAgent().shared();

    private static JenkinsRule r;

    @BeforeAll
    static void start(JenkinsRule rule) {
        r = rule;
    }

    @AfterAll
    static void stop() throws Exception {
        r.after();
    }

    @Test
    void noPageGoesAgainstIt(@TempDir Path home) throws Exception {
        Optional<Browser> browser = Browser.find();
        if (browser.isEmpty()) {
            String text = "the pages were not looked at in a browser: there is no chromium on this machine";
            assertThat(text, System.getenv("PROCESS_SANDBOX_CI") == null, is(true));
            System.err.println("NOTE: " + text);
            return;
        }
        Frames.pages = Stream.concat(Stream.of("violation/"), pages().stream()).toList();
        for (String page : Frames.pages) {
            String policy = new URL(r.getURL(), page).openConnection().getHeaderField("Content-Security-Policy");
            assertThat(page, policy, containsString("script-src"));
            assertThat(page, policy, not(containsString("script-src 'unsafe-inline'")));
        }
        Browser.Page all = browser.get().open(new URL(r.getURL(), "frames/"), home);
        for (String page : Frames.pages) {
            assertThat(all.content(), containsString(page + ": loaded"));
        }
        // The control: without it, nobody would know whether anything is reported.
        assertThat(all.content(), containsString("as it is"));
        assertThat(all.violations().toString(), containsString("/violation/ "));
        assertThat(
                all.violations().stream()
                        .filter(line -> !line.contains("/violation/ "))
                        .toList(),
                is(empty()));
    }

    private static List<String> pages() throws Exception {
        Slave agent = AGENTS.start(r, "linux");
        FreeStyleProject freestyle = r.createFreeStyleProject("freestyle");
        freestyle.setAssignedNode(agent);
        freestyle.getBuildersList().add(new Shell("true"));
        freestyle.getBuildWrappersList().add(new SandboxWrapper());
        r.buildAndAssertSuccess(freestyle);
        WorkflowRun full = Pipelines.run(
                r, "full", Result.SUCCESS, "node('linux') { sandbox(memory: '1g') { sh 'true'; sh 'exit 0' } }");
        SandboxProfile profile = new SandboxProfile("builds", "strict");
        SandboxConfiguration.get().setProfiles(List.of(profile));
        SandboxConfiguration.get().setRequiredPrimitives(List.of("cgroup"));
        Pipelines.run(r, "short", Result.FAILURE, "node('linux') { sandbox { sh 'true' } }");
        Compulsory compulsory = new Compulsory();
        compulsory.setWhere("everywhere");
        SandboxConfiguration.get().setCompulsory(compulsory);
        return List.of(
                full.getUrl(),
                full.getUrl() + "sandbox/",
                "job/full/",
                "job/full/sandbox/",
                "job/short/1/",
                "job/short/1/sandbox/",
                "job/full/pipeline-syntax/?selectedStep=sandbox",
                "job/freestyle/1/",
                "job/freestyle/1/sandbox/",
                "job/freestyle/configure",
                "manage/configureSecurity/",
                "manage/",
                "computer/",
                "computer/linux/",
                "computer/linux/configure",
                "computer/linux/process-sandbox/");
    }

    /** A page that has what the policy forbids. */
    @TestExtension
    public static final class Violation extends InvisibleAction implements UnprotectedRootAction {
        @Override
        public String getUrlName() {
            return "violation";
        }

        public HttpResponse doIndex() {
            return HttpResponses.html("<html><body>sandbox <p id='text'>as it is</p>"
                    + "<script>document.getElementById('text').textContent = 'changed';</script></body></html>");
        }
    }

    /** All pages in one, since a browser takes its time to start. */
    @TestExtension
    public static final class Frames extends InvisibleAction implements UnprotectedRootAction {
        private static volatile List<String> pages;

        @Override
        public String getUrlName() {
            return "frames";
        }

        public HttpResponse doIndex() {
            return HttpResponses.html("<html><body><pre id='seen'></pre>"
                    + pages.stream()
                            .map(page -> "<iframe data-page='" + page + "' src='../" + page + "'></iframe>")
                            .collect(Collectors.joining())
                    + "<script src='script'></script></body></html>");
        }

        /** Says what is in each frame when all are there. */
        public void doScript(StaplerResponse2 rsp) throws IOException {
            rsp.setContentType("text/javascript;charset=UTF-8");
            rsp.getWriter().print("""
                    window.addEventListener('load', () => document.querySelectorAll('iframe').forEach(frame => {
                      const text = frame.contentDocument.documentElement.outerHTML;
                      document.getElementById('seen').textContent += frame.dataset.page + ': '
                        + (text.includes('andbox') ? 'loaded' : text) + '\\n' + (text.includes('as it is') ? 'as it is\\n' : '');
                    }));
                    """);
        }
    }
}
