package io.jenkins.plugins.sandbox.outcome;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.lessThan;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.sameInstance;

import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Run;
import io.jenkins.plugins.sandbox.config.EffectivePolicy;
import io.jenkins.plugins.sandbox.config.Floor;
import io.jenkins.plugins.sandbox.config.OnShortfall;
import io.jenkins.plugins.sandbox.config.Profiles;
import io.jenkins.plugins.sandbox.config.SandboxSettings;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportParser;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import net.sf.json.JSONObject;
import org.htmlunit.WebResponse;
import org.htmlunit.html.DomElement;
import org.htmlunit.html.HtmlPage;
import org.htmlunit.html.HtmlTable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** The record of a build and its pages, from reports as agents could send them. */
@WithJenkins
class SandboxActionTest {
    private static final String MARKUP = "mount <script>alert(1)</script> & <b>/home/x</b>";

    private static JenkinsRule r;
    private static FreeStyleProject job;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        r = rule;
        job = r.createFreeStyleProject("job");
    }

    @AfterAll
    static void stop() throws Exception {
        r.after();
    }

    private static EffectivePolicy policy(Level minimum) throws Exception {
        Profiles profiles = new Profiles(List.of());
        return EffectivePolicy.of(
                new Floor(profiles.get("strict"), minimum, OnShortfall.FAIL, Set.of(), Set.of(), List.of(), profiles),
                SandboxSettings.NOTHING);
    }

    private static Report report(String... rows) throws Exception {
        String text = "process-sandbox-report 1\n" + String.join("\n", rows) + "\nlevel NONE\ninit 42 4242\nready\n";
        return ReportParser.parse(text.getBytes(StandardCharsets.UTF_8), false);
    }

    private static Finding full(String node) throws Exception {
        return Finding.of(
                node,
                policy(Level.BASELINE),
                report("session applied", "no_new_privs applied", "rlimit_as skipped", "seccomp applied"),
                Finding.Verdict.STARTED,
                null);
    }

    private static Launch launch(int i) {
        return new Launch(
                "00000000000000" + i, new Origin("sh", "" + i), "c" + i % 2, new InitProcess(100 + i, 1000 + i));
    }

    private static SandboxAction action(Run<?, ?> run) {
        return run.getAction(SandboxAction.class);
    }

    @Test
    void identicalLaunchesAreOneGroup() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        SandboxAction.record(b, full("a"), launch(1));
        SandboxAction.record(b, full("b"), launch(2));
        SandboxAction.record(b, full("a"), launch(3));
        assertThat(b.getActions(SandboxAction.class), hasSize(1));
        assertThat(action(b).getCount(), is(3));
        assertThat(action(b).getGroups().stream().map(LaunchGroup::getCount).toList(), contains(2, 1));
        assertThat(
                action(b).getGroups().get(0).getLaunches().stream()
                        .map(Launch::getFlowNode)
                        .toList(),
                contains("1", "3"));
        assertThat(SandboxAction.launchesOf(b, Set.of("3")), is(Set.of("000000000000003")));
    }

    @Test
    void anyNumberOfLaunchesStaysSmall() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        int launches = SandboxAction.MAX_LAUNCHES + 100;
        for (int i = 0; i < launches; i++) {
            SandboxAction.record(b, full("a"), launch(i));
        }
        assertThat(action(b).getCount(), is(launches));
        LaunchGroup group = action(b).getGroups().get(0);
        assertThat(group.getLaunches(), hasSize(SandboxAction.MAX_LAUNCHES));
        assertThat(group.getForgotten(), is(100));
        assertThat(group.getLaunches().get(0).getFlowNode(), is("100"));
        for (int i = 0; i < SandboxAction.MAX_GROUPS + 10; i++) {
            SandboxAction.record(b, full("node" + i), launch(i));
        }
        assertThat(action(b).getGroups(), hasSize(SandboxAction.MAX_GROUPS));
        assertThat(action(b).getUncounted(), is(11));
        assertThat(action(b).getCount(), is(launches + SandboxAction.MAX_GROUPS + 10));
        assertThat(new File(b.getRootDir(), "build.xml").length(), is(lessThan(2L << 20)));
    }

    @Test
    void theRecordIsThereAfterAReload() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        Finding finding = Finding.of(
                "agent",
                policy(Level.FULL),
                report("session applied", "user_namespace failed 1 " + MARKUP),
                Finding.Verdict.REFUSED,
                "too little");
        SandboxAction.record(b, finding, launch(1));
        SandboxAction.record(
                b,
                Finding.nothing("windows", policy(Level.NONE), Finding.Verdict.WARNED, "no Linux"),
                new Launch(null, null, null, null));
        SandboxAction.expect(b, new Scratch("b", "agent", "/x/process-sandbox-b"));
        FreeStyleBuild first = b;
        job.doReload();
        b = job.getBuildByNumber(first.getNumber());
        assertThat(b, is(not(sameInstance(first))));
        assertThat(
                action(b).getGroups().stream().map(LaunchGroup::getFinding).toList(),
                contains(Finding.nothing("windows", policy(Level.NONE), Finding.Verdict.WARNED, "no Linux"), finding));
        Launch again = action(b).getGroups().get(1).getLaunches().get(0);
        assertThat(again.getInitPid(), is(101L));
        assertThat(again.getInitStartTime(), is(1001L));
        assertThat(action(b).getObject(), is(b));
        assertThat(SandboxAction.take(b, s -> s.block().equals("other")), hasSize(0));
        assertThat(
                SandboxAction.take(b, s -> s.block().equals("b")),
                contains(new Scratch("b", "agent", "/x/process-sandbox-b")));
        assertThat(SandboxAction.take(b, s -> true), hasSize(0));
    }

    @Test
    void pagesOfACompleteBuild() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        SandboxAction.record(b, full("agent"), launch(7));
        SandboxAction.record(b, full("agent"), launch(8));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            String build = client.getPage(b).asNormalizedText();
            assertThat(build, containsString("Process Sandbox"));
            assertThat(build, containsString("Lowest level FULL in 2 launches"));
            HtmlPage page = client.getPage(b, "sandbox/");
            String text = page.asNormalizedText();
            assertThat(text, containsString("strict: FULL on agent"));
            assertThat(text, containsString("3 of 3 measures applied. The minimum level is BASELINE."));
            assertThat(text, containsString("2 launches: sh (step 7), sh (step 8)"));
            assertThat(text, containsString("Not asked for by the profile: rlimit_as."));
            HtmlTable table = page.querySelector("table.jenkins-table");
            assertThat(table.getRowCount(), is(4));
            assertThat(table.getCellAt(1, 1).asNormalizedText(), is("applied"));
        }
    }

    @Test
    void pagesOfAShortfallEscapeWhatTheAgentSaid() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        SandboxAction.record(
                b,
                Finding.of(
                        "<i>agent</i>",
                        policy(Level.FULL),
                        report("session applied", "user_namespace failed 1 " + MARKUP),
                        Finding.Verdict.REFUSED,
                        "reason " + MARKUP),
                new Launch("1", new Origin("<u>sh</u>", "<s>3</s>"), null, null));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage build = client.getPage(b);
            assertThat(build.asNormalizedText(), containsString("reason " + MARKUP));
            assertNoMarkup(build);
            HtmlPage page = client.getPage(b, "sandbox/");
            String text = page.asNormalizedText();
            assertThat(text, containsString("The command was not run. reason " + MARKUP));
            assertThat(text, containsString("strict: PARTIAL on <i>agent</i>"));
            assertThat(text, containsString("EPERM"));
            assertThat(text, containsString(MARKUP));
            assertThat(text, containsString("unprivileged user namespaces"));
            assertNoMarkup(page);
        }
    }

    private static void assertNoMarkup(HtmlPage page) {
        DomElement main = page.getElementById("main-panel");
        for (String tag : List.of("b", "i", "u", "s")) {
            main.getElementsByTagName(tag).forEach(e -> assertThat(e.getTextContent(), not(containsString("agent"))));
            main.getElementsByTagName(tag).forEach(e -> assertThat(e.getTextContent(), not(containsString("/home/x"))));
        }
        main.getElementsByTagName("script")
                .forEach(e -> assertThat(e.getTextContent(), not(containsString("alert(1)"))));
    }

    /** As https://www.jenkins.io/doc/developer/security/csp/ asks for. */
    @Test
    void pagesHaveNothingInline() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        SandboxAction.record(b, full("agent"), launch(7));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage page = client.getPage(b, "sandbox/");
            for (DomElement element : page.getElementById("main-panel").getDomElementDescendants()) {
                assertThat(element.getTagName(), not(is("script")));
                assertThat(element.getTagName(), not(is("style")));
                element.getAttributesMap().keySet().forEach(name -> {
                    assertThat(name.startsWith("on"), is(false));
                    assertThat(name, not(is("style")));
                });
            }
        }
    }

    @Test
    void aBuildWithoutASandboxShowsNothing() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            assertThat(client.getPage(b).asNormalizedText(), not(containsString("Process Sandbox")));
        }
        SandboxAction.expect(b, new Scratch("b", "agent", "/x/process-sandbox-b"));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            assertThat(client.getPage(b).asNormalizedText(), not(containsString("Process Sandbox")));
            assertThat(
                    client.getPage(b, "sandbox/").asNormalizedText(),
                    containsString("No process of this build was launched in a sandbox."));
        }
    }

    @Test
    void theBuildApiHasTheRows() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        SandboxAction.record(b, full("agent"), launch(7));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            WebResponse response = client.goTo(b.getUrl() + "api/json?depth=5", "application/json")
                    .getWebResponse();
            JSONObject json = JSONObject.fromObject(response.getContentAsString());
            JSONObject action = json.getJSONArray("actions").stream()
                    .map(JSONObject.class::cast)
                    .filter(a -> SandboxAction.class.getName().equals(a.get("_class")))
                    .findFirst()
                    .orElseThrow();
            assertThat(action.get("level"), is("FULL"));
            JSONObject group = action.getJSONArray("groups").getJSONObject(0);
            assertThat(group.getJSONObject("finding").getJSONArray("rows").size(), is(4));
            assertThat(group.getJSONArray("launches").getJSONObject(0).get("step"), is("sh"));
        }
    }
}
