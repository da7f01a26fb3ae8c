package io.jenkins.plugins.sandbox.outcome;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.allOf;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.lessThan;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;

import hudson.model.FreeStyleProject;
import hudson.model.Item;
import hudson.model.Job;
import hudson.model.Run;
import io.jenkins.plugins.sandbox.Pages;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.ReportParser;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import jenkins.model.Jenkins;
import org.htmlunit.html.DomElement;
import org.htmlunit.html.DomNode;
import org.htmlunit.html.HtmlPage;
import org.htmlunit.html.HtmlTable;
import org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.MockAuthorizationStrategy;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** The chart over the builds of a job, from reports as agents could send them. */
@WithJenkins
class JobUsageTest {
    private static JenkinsRule r;

    @BeforeAll
    static void start(JenkinsRule rule) {
        r = rule;
    }

    @AfterAll
    static void stop() throws Exception {
        r.after();
    }

    private static final Finding FINDING =
            new Finding("agent", "strict", "FULL", "NONE", Finding.Verdict.STARTED, null, List.of(), List.of());

    /** Notes a launch that used so much. */
    private static void use(Run<?, ?> run, String exit, long cpuMillis, long peakKiB) throws Exception {
        String id = "%016x".formatted(run.getNumber());
        SandboxAction.record(
                run,
                FINDING,
                new Launch(id, null, new Launch.Running("b".repeat(32), null, new InitProcess(7, 7), true)));
        String ending = exit + "\nusage wall_ms=2000 user_ms=" + cpuMillis + " system_ms=0 max_rss_kib=" + peakKiB
                + " peak_kib=" + peakKiB + " peak_source=cgroup tasks=1\n";
        SandboxAction.ended(
                run, "agent", Map.of(id, ReportParser.parseEnding(ending.getBytes(StandardCharsets.UTF_8))));
        run.save();
    }

    private static HtmlPage page(JenkinsRule.WebClient client, Job<?, ?> job) throws Exception {
        return client.getPage(job, "sandbox/");
    }

    private static List<String> bars(HtmlPage page, String chart) {
        return page.querySelectorAll("svg.process-sandbox-chart-" + chart + " a").stream()
                .map(a -> a.querySelector("title").getTextContent() + " -> "
                        + ((DomElement) a).getAttribute("href").replaceAll(".*/jenkins/", "") + " "
                        + ((DomElement) a.querySelector("rect")).getAttribute("height"))
                .toList();
    }

    private static List<String> scale(HtmlPage page, String chart) {
        return page.querySelectorAll("svg.process-sandbox-chart-" + chart + " text").stream()
                .map(DomNode::getTextContent)
                .toList();
    }

    @Test
    void buildsOfAFreestyleJobAndNoneWithoutASandbox() throws Exception {
        FreeStyleProject job = r.createFreeStyleProject("free style");
        use(r.buildAndAssertSuccess(job), "exit code 0", 500, 256 << 10);
        r.buildAndAssertSuccess(job);
        use(r.buildAndAssertSuccess(job), "exit signal 9 memory\nlimit memory 536870912", 1000, 512 << 10);
        use(r.buildAndAssertSuccess(job), "exit code 0", 0, 0);
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage page = page(client, job);
            // From 12 to 228 units: what is half of the scale is 108 high.
            assertThat(
                    bars(page, "memory"),
                    contains(
                            "#1: 256.0 MiB -> job/free%20style/1/sandbox/ 108.0",
                            "#3: 512.0 MiB -> job/free%20style/3/sandbox/ 216.0"));
            assertThat(scale(page, "memory"), contains("0", "256.0 MiB", "512.0 MiB"));
            assertThat(
                    bars(page, "cpu"),
                    contains(
                            "#1: 500 ms -> job/free%20style/1/sandbox/ 108.0",
                            "#3: 1.0 s -> job/free%20style/3/sandbox/ 216.0",
                            "#4: 0 ms -> job/free%20style/4/sandbox/ 2.0"));
            assertThat(page.querySelectorAll(".process-sandbox-chart-bar--limited"), hasSize(2));
            HtmlTable table = page.querySelector("table.process-sandbox-usage");
            assertThat(table.getRowCount(), is(4));
            assertThat(table.getRow(2).asNormalizedText(), is("#3\t1\t512.0 MiB\t1.0 s\t2.0 s\tone launch"));
            Pages.assertNothingInline(page);
            // The links lead somewhere.
            DomElement link = page.querySelector("svg.process-sandbox-chart-cpu a");
            assertThat(
                    ((HtmlPage) client.getPage(page.getFullyQualifiedUrl(link.getAttribute("href"))))
                            .asNormalizedText(),
                    containsString("strict: FULL on agent"));
            HtmlPage jobPage = client.getPage(job);
            assertThat(jobPage.querySelector("#main-panel a[href='sandbox/']"), is(notNullValue()));
            Pages.assertNothingInline(page);
        }
    }

    @Test
    void aPipelineHasOneToo() throws Exception {
        WorkflowJob job = r.createProject(WorkflowJob.class, "pipeline");
        job.setDefinition(new CpsFlowDefinition("", true));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            r.buildAndAssertSuccess(job);
            assertThat(page(client, job).asNormalizedText(), containsString("In none of the latest 100 builds"));
            assertThat(client.getPage(job).querySelector("#main-panel a[href='sandbox/']"), is(nullValue()));
            use(r.buildAndAssertSuccess(job), "exit code 0", 90_000, 3 << 20);
            assertThat(bars(page(client, job), "memory"), contains("#2: 3.0 GiB -> job/pipeline/2/sandbox/ 162.0"));
            assertThat(scale(page(client, job), "cpu"), contains("0", "1 min 0 s", "2 min 0 s"));
            assertThat(client.getPage(job).querySelector("#main-panel a[href='sandbox/']"), is(notNullValue()));
        }
    }

    /** Whoever may configure a build names it, and an agent says any number. */
    @Test
    void namesAreEscapedAndNumbersBounded() throws Exception {
        FreeStyleProject job = r.createFreeStyleProject();
        Run<?, ?> b = r.buildAndAssertSuccess(job);
        String name = "<script>alert(1)</script>\"'><b>&amp;";
        use(b, "exit code 0", 1_000_000_000_000L, 1_000_000_000_000L);
        b.setDisplayName(name);
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage page = page(client, job);
            assertThat(
                    bars(page, "memory").get(0), allOf(containsString(name + ": "), not(containsString("Infinity"))));
            assertThat(page.querySelectorAll("#main-panel script:not([src])"), hasSize(0));
            HtmlTable table = page.querySelector("table.process-sandbox-usage");
            assertThat(table.getCellAt(1, 0).asNormalizedText(), is(name));
            Pages.assertNothingInline(page);
        }
    }

    @Test
    void onlyTheLatestOfThousandsOfBuildsAreLoaded() throws Exception {
        FreeStyleProject job = r.createFreeStyleProject();
        Run<?, ?> b = r.buildAndAssertSuccess(job);
        use(b, "exit code 0", 100, 1024);
        Path first = b.getRootDir().toPath();
        for (int i = 2; i <= 3000; i++) {
            Path copy = Files.createDirectory(first.resolveSibling("" + i));
            Files.copy(first.resolve("build.xml"), copy.resolve("build.xml"));
        }
        job.updateNextBuildNumber(3001);
        job.doReload();
        assertThat(loaded(job), is(0));
        JobUsage usage = job.getAction(JobUsage.class);
        assertThat(usage.getIconFileName(), is(notNullValue()));
        assertThat(loaded(job), is(lessThan(JobUsage.BUILDS_FOR_LINK + 2)));
        List<BuildUsage> builds = usage.getBuilds();
        assertThat(builds, hasSize(JobUsage.BUILDS));
        assertThat(builds.get(0).name(), is("#2901"));
        assertThat(loaded(job), is(lessThan(JobUsage.BUILDS + 2)));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            assertThat(bars(page(client, job), "memory"), hasSize(JobUsage.BUILDS));
        }
    }

    private static int loaded(FreeStyleProject job) {
        return job.getLazyBuildMixIn().getRunMap().getLoadedBuilds().size();
    }

    @Test
    void whoMayNotSeeTheJobDoesNotSeeThis() throws Exception {
        FreeStyleProject job = r.createFreeStyleProject("job");
        use(r.buildAndAssertSuccess(job), "exit code 0", 100, 1024);
        r.jenkins.setSecurityRealm(r.createDummySecurityRealm());
        r.jenkins.setAuthorizationStrategy(new MockAuthorizationStrategy()
                .grant(Jenkins.READ)
                .everywhere()
                .toEveryone()
                .grant(Item.READ)
                .onItems(job)
                .to("alice"));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            client.login("alice");
            assertThat(bars(page(client, job), "cpu"), hasSize(1));
            client.login("bob");
            client.assertFails("job/job/sandbox/", 404);
        } finally {
            r.jenkins.disableSecurity();
        }
    }
}
