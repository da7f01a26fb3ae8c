package io.jenkins.plugins.sandbox.outcome;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.anEmptyMap;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.lessThan;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.nullValue;
import static org.hamcrest.Matchers.sameInstance;

import hudson.BulkChange;
import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Run;
import io.jenkins.plugins.sandbox.Pages;
import io.jenkins.plugins.sandbox.config.EffectivePolicy;
import io.jenkins.plugins.sandbox.config.Floor;
import io.jenkins.plugins.sandbox.config.OnShortfall;
import io.jenkins.plugins.sandbox.config.Profiles;
import io.jenkins.plugins.sandbox.config.SandboxSettings;
import io.jenkins.plugins.sandbox.config.Setting;
import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.LimitHit;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportParser;
import java.io.File;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import jenkins.model.details.Detail;
import jenkins.model.details.DetailFactory;
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

    private static final String MEMORY = "exit signal 9 memory\nlimit memory 536870912";

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
        return policy(minimum, SandboxSettings.NOTHING);
    }

    private static EffectivePolicy policy(Level minimum, SandboxSettings asked) throws Exception {
        Profiles profiles = new Profiles(List.of());
        return EffectivePolicy.of(
                new Floor(profiles.get("strict"), minimum, OnShortfall.FAIL, Set.of(), Set.of(), List.of(), profiles),
                asked);
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

    /** With limits, of which the agent's rows say that memory holds for all together, open files for each, and stack not. */
    private static Finding limited() throws Exception {
        SandboxSettings asked = SandboxSettings.NOTHING
                .with(Setting.MEMORY, List.of("512m"))
                .with(Setting.OPEN_FILES, List.of("1024"))
                .with(Setting.STACK, List.of("1m"));
        return Finding.of(
                "agent",
                policy(Level.NONE, asked),
                report("session applied", "cgroup applied", "rlimit_nofile applied", "rlimit_stack failed 1 setrlimit"),
                Finding.Verdict.STARTED,
                null);
    }

    private static Launch launch(int i) {
        return new Launch(id(i), new Origin("sh", "" + i), running(i));
    }

    private static String id(int i) {
        return "%016x".formatted(i);
    }

    private static Launch.Running running(int i) {
        return new Launch.Running("b".repeat(32), "c" + i % 2, new InitProcess(100 + i, 1000 + i), true);
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
        assertThat(SandboxAction.launchesOf(b, Set.of("3")), is(Set.of(id(3))));
    }

    @Test
    void anyNumberOfLaunchesStaysSmall() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        long empty = xml(b).length();
        int launches = 10_000;
        try (BulkChange all = new BulkChange(b)) {
            for (int i = 0; i < launches; i++) {
                SandboxAction.record(b, full("a"), launch(i));
                SandboxAction.ended(b, "a", Map.of(id(i), ending(MEMORY, 100 + i)));
            }
            all.commit();
        }
        assertThat(action(b).getCount(), is(launches));
        LaunchGroup group = action(b).getGroups().get(0);
        assertThat(group.getLaunches(), hasSize(SandboxAction.MAX_LAUNCHES));
        assertThat(group.getForgotten(), is(launches - SandboxAction.MAX_LAUNCHES));
        assertThat(group.getLaunches().get(0).getFlowNode(), is("" + (launches - SandboxAction.MAX_LAUNCHES)));
        assertThat(group.getTotals().ended(), is(launches));
        assertThat(group.getTotals().limited(), is(launches));
        assertThat(group.getTotals().wallMillis(), is(100L * launches + launches * (launches - 1L) / 2));
        long before = xml(b).length();
        assertThat(before - empty, is(lessThan(450L)));
        assertThat(Files.size(log(b)), is(lessThan(1L << 20)));
        SandboxAction.giveUp(b, running -> true);
        assertThat("at the end of a block", Files.size(log(b)), is(lessThan(100L << 10)));
        try (BulkChange all = new BulkChange(b)) {
            for (int i = 0; i < SandboxAction.MAX_GROUPS + 10; i++) {
                SandboxAction.record(b, full("node" + i), new Launch(null, null, null));
            }
            all.commit();
        }
        assertThat(action(b).getGroups(), hasSize(SandboxAction.MAX_GROUPS));
        assertThat(action(b).getUncounted(), is(11));
        assertThat(action(b).getCount(), is(launches + SandboxAction.MAX_GROUPS + 10));
        assertThat((xml(b).length() - before) / (SandboxAction.MAX_GROUPS - 1), is(lessThan(300L)));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage page = client.getPage(b, "sandbox/");
            assertThat(page.querySelectorAll("table.process-sandbox-launches tbody tr"), hasSize(500));
            assertThat(page.asNormalizedText(), containsString("10,000 launches"));
        }
    }

    private static File xml(Run<?, ?> run) {
        return new File(run.getRootDir(), "build.xml");
    }

    private static Path log(Run<?, ?> run) {
        return run.getRootDir().toPath().resolve(LaunchLog.NAME);
    }

    private static FreeStyleBuild reload(FreeStyleBuild b) throws Exception {
        job.doReload();
        FreeStyleBuild again = job.getBuildByNumber(b.getNumber());
        assertThat(again, is(not(sameInstance(b))));
        return again;
    }

    private static List<Launch> launches(Run<?, ?> run) {
        return action(run).getGroups().stream()
                .flatMap(g -> g.getLaunches().stream())
                .toList();
    }

    private static List<String> ids(Run<?, ?> run) {
        return launches(run).stream().map(Launch::getId).toList();
    }

    /** As a launcher of today reports it, under {@code strict} and with this limit on open files. */
    private static Finding today(String node, int files) throws Exception {
        String[] rows = Arrays.stream(Primitive.values())
                .map(Primitive::wireName)
                .map(name -> name.equals("rlimit_nofile")
                        ? name + " applied 0 " + files + ", the limit that was there"
                        : name + (name.startsWith("rlimit_") ? " skipped" : " applied"))
                .toArray(String[]::new);
        return Finding.of(node, policy(Level.BASELINE), report(rows), Finding.Verdict.STARTED, null);
    }

    @Test
    void aRepeatedLaunchTakesNothingOfTheBuildRecord() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        long empty = xml(b).length();
        SandboxAction.record(b, today("agent", 4096), launch(0));
        SandboxAction.ended(b, "agent", Map.of(id(0), ending("exit code 0", 10)));
        SandboxAction.giveUp(b, running -> true);
        long first = xml(b).length();
        assertThat(first - empty, is(lessThan(450L))); // with the elements around it all
        for (int i = 1; i <= 100; i++) {
            SandboxAction.record(b, today("agent", 4096), launch(i));
            SandboxAction.ended(b, "agent", Map.of(id(i), ending("exit code 0", 10)));
        }
        SandboxAction.giveUp(b, running -> true);
        assertThat(action(b).getCount(), is(101));
        assertThat("some digits of the sums", xml(b).length() - first, is(lessThan(20L)));
        SandboxAction.record(b, today("agent", 8192), launch(200));
        SandboxAction.giveUp(b, running -> true);
        assertThat(xml(b).length() - first, is(lessThan(300L)));
        b = reload(b);
        assertThat(ids(b), hasSize(102));
        assertThat(
                action(b).groups().stream().map(LaunchGroup::getFinding).toList(),
                contains(today("agent", 4096), today("agent", 8192)));
    }

    @Test
    void aRecordThatHoldsItsLaunchesIsRead() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        SandboxAction.expect(b, new Scratch("b", "agent", "/x/process-sandbox-b"));
        String element = Objects.requireNonNull(SandboxAction.class.getResource("record-with-launches.xml"))
                .toString();
        String xml = Files.readString(xml(b).toPath());
        Files.writeString(
                xml(b).toPath(),
                xml.replaceFirst(
                        "(?s)<io.jenkins.plugins.sandbox.outcome.SandboxAction.*</io.jenkins.plugins.sandbox.outcome.SandboxAction>",
                        Matcher.quoteReplacement(Files.readString(Path.of(URI.create(element))))));
        b = reload(b);
        for (boolean saved : List.of(false, true)) {
            assertThat(action(b).getCount(), is(8));
            assertThat(action(b).isShortfall(), is(true));
            assertThat(ids(b), contains(id(3), id(1), id(2)));
            assertThat(launches(b).get(1).getEnd().getLimitText(), containsString("512 MiB"));
            assertThat(launches(b).get(2).running(), is(running(2)));
            assertThat(action(b).getWorst().getRows().get(1).getDetail(), is("mount </home/x>"));
            // Written by somebody else, as with a description: in the old form then.
            b.save();
            assertThat(Files.readString(xml(b).toPath()), containsString("<launch "));
            b = reload(b);
        }
        SandboxAction.ended(b, "a", Map.of(id(2), ending("exit code 0", 5)));
        SandboxAction.record(b, full("a"), launch(4));
        b.save();
        assertThat(Files.readString(xml(b).toPath()), not(containsString("<launch ")));
        b = reload(b);
        assertThat(ids(b), contains(id(3), id(1), id(2), id(4)));
        assertThat(action(b).getTotals().ended(), is(2));
        assertThat(action(b).getCount(), is(9));
    }

    /** As when the controller is killed: the file has launches that build.xml has not heard of, and half a line. */
    @Test
    void launchesAreThereAfterAnEndWithoutWarning() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        SandboxAction.expect(b, new Scratch("b", "agent", "/x/process-sandbox-b"));
        SandboxAction.record(b, full("a"), launch(1));
        SandboxAction.record(b, full("a"), launch(2));
        SandboxAction.ended(b, "a", Map.of(id(1), ending(MEMORY, 1200)));
        SandboxAction.record(b, full("a"), launch(3));
        Files.writeString(log(b), "<launch finding=\"1\" id=\"00", StandardOpenOption.APPEND);
        b = reload(b);
        assertThat("without a look at the launches", action(b).getCount(), is(3));
        assertThat(ids(b), contains(id(1), id(2), id(3)));
        assertThat(action(b).getTotals(), is(new Totals(3, 1, 1, 1200, 23, 2048)));
        assertThat(SandboxAction.initsOf(b, "c0"), contains(new InitProcess(102, 1002)));
        SandboxAction.record(b, full("a"), launch(5));
        b = reload(b);
        assertThat(ids(b), contains(id(1), id(2), id(3), id(5)));
    }

    private static Ending ending(String exit, long wallMillis) throws Exception {
        return ReportParser.parseEnding((exit + "\nusage wall_ms=" + wallMillis
                        + " user_ms=20 system_ms=3 max_rss_kib=1024 peak_kib=2048 peak_source=cgroup tasks=3\n")
                .getBytes(StandardCharsets.UTF_8));
    }

    /** One that runs may have to be ended: it is not forgotten for the sake of a list. */
    @Test
    void runningLaunchesAreForgottenLast() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        try (BulkChange all = new BulkChange(b)) {
            for (int i = 0; i < SandboxAction.MAX_RUNNING + 5; i++) {
                SandboxAction.record(b, full("a"), launch(i));
            }
            all.commit();
        }
        assertThat(action(b).getGroups().get(0).getLaunches(), hasSize(SandboxAction.MAX_RUNNING));
        assertThat(xml(b).length(), is(lessThan(1L << 20)));
        assertThat(SandboxAction.initsOf(b, "c0"), hasSize(SandboxAction.MAX_RUNNING / 2));
        SandboxAction.ended(b, "a", Map.of(id(1500), ending("exit code 0", 1)));
        SandboxAction.record(b, full("a"), launch(9999));
        List<String> left = action(b).getGroups().get(0).getLaunches().stream()
                .map(Launch::getId)
                .toList();
        assertThat(left, not(hasItem(id(1500))));
        assertThat(left, hasItem(id(5)));
    }

    @Test
    void endingsAreBelievedOfRunningLaunchesOfTheNodeAlone() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        SandboxAction.record(b, full("a"), launch(1));
        SandboxAction.record(b, full("b"), launch(2));
        assertThat(SandboxAction.ended(b, "b", Map.of(id(1), ending(MEMORY, 9))), is(anEmptyMap()));
        assertThat(action(b).getTotals().ended(), is(0));
        assertThat(SandboxAction.initsOf(b, "b".repeat(32), "a"), contains(new InitProcess(101, 1001)));
        assertThat(SandboxAction.initsOf(b, "c".repeat(32), "a"), hasSize(0));
        Map<Launch, Finding> ended = SandboxAction.ended(
                b,
                "a",
                Map.of(id(1), ending(MEMORY, 1200), id(2), ending("exit code 0", 5), "x", ending("exit code 0", 5)));
        assertThat(ended.values(), contains(full("a")));
        SandboxAction.ended(b, "a", Map.of(id(1), ending("exit code 3", 7)));
        assertThat(action(b).getTotals().ended(), is(1));
        assertThat(SandboxAction.initsOf(b, "c1"), hasSize(0));
        assertThat(SandboxAction.initsOf(b, "c0"), contains(new InitProcess(102, 1002)));
        End end = action(b).groups().get(0).getLaunches().get(0).getEnd();
        assertThat(
                end,
                is(new End(
                        null, 9, List.of(new LimitHit(LimitHit.Kind.MEMORY, 512L << 20)), null, 1200, 23, 2048, true)));
        assertThat(end.getSummary(), is("killed by SIGKILL"));
        assertThat(end.getLimitText(), containsString("The limit on memory, 512 MiB, was reached"));
        assertThat(end.getLimitText(), containsString("Raise it with memory"));
        assertThat(List.of(end.getWall(), end.getCpu(), end.getPeak()), contains("1.2 s", "23 ms", "2.0 MiB"));
        assertThat(SandboxAction.initsOf(b, "b".repeat(32), "a"), hasSize(0));
        SandboxAction.giveUp(b, running -> running.block().startsWith("b"));
        assertThat(SandboxAction.initsOf(b, "c0"), hasSize(0));
        assertThat(action(b).groups().get(1).getLaunches().get(0).getEnd(), is(nullValue()));
    }

    /** Its front ends with 0 whatever becomes of the work behind it. */
    @Test
    void theExitStatusOfADurableTaskSaysNothing() throws Exception {
        assertThat(End.of(ending("exit code 0", 1), true).getCode(), is(nullValue()));
        assertThat(End.of(ending("exit code 0", 1), false).getCode(), is(0));
        assertThat(End.of(ending("exit code 7", 1), true).getSummary(), is("exit code 7"));
        assertThat(End.of(ending("exit signal 15 terminated", 1), true).getSummary(), is("killed by SIGTERM"));
        Ending never = ReportParser.parseEnding("refused gate closed\n".getBytes(StandardCharsets.UTF_8));
        assertThat(End.of(never, true).getSummary(), is("not started: gate closed"));
    }

    @Test
    void aStoredRecordThatMakesNoSenseHarmsNothing() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        SandboxAction.record(b, full("agent"), launch(1));
        Path xml = xml(b).toPath();
        Files.writeString(
                xml,
                Files.readString(xml)
                        .replace(
                                "rows=\"1\"",
                                "limits=\"x/1/each memory/&lt;1/each memory//not stack/1/never\" rows=\"99\" nonsense=\"1\"")
                        .replace("verdict=\"STARTED\"", "verdict=\"DREAMT\"")
                        .replace("launches=\"1\"", "launches=\"-7\"")
                        .replace("</finding>", "<unknown/></finding><later x=\"1\"><y/></later>"));
        Files.writeString(
                log(b),
                "<later/>\n<launch/>\n<launch finding=\"7\"/>\n<totals finding=\"1\" launches=\"-7\"/>\n"
                        + "<launch finding=\"1\" id=\"x\" pid=\"many\"/>\nnonsense\n<launch <\n");
        FreeStyleBuild again = reload(b);
        assertThat(action(again).isShortfall(), is(true));
        assertThat(action(again).getCount(), is(0));
        assertThat(ids(again), contains("x"));
        assertThat(action(again).getGroups().get(0).getFinding().getRows(), hasSize(0));
        assertThat(action(again).getGroups().get(0).getFinding().limits(), hasSize(0));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            client.getPage(again, "sandbox/");
        }
    }

    @Test
    void theRecordIsThereAfterAReload() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        Finding finding = Finding.of(
                "agent",
                policy(Level.FULL),
                report("session applied", "user_namespace failed 1 " + MARKUP, "cgroup unavailable 0 x")
                        .because(Map.of(Primitive.USER_NAMESPACE, Cause.CHROOT, Primitive.CGROUP, Cause.CGROUP)),
                Finding.Verdict.REFUSED,
                "too little");
        SandboxAction.record(b, finding, launch(1));
        SandboxAction.record(
                b,
                Finding.nothing("windows", policy(Level.NONE), Finding.Verdict.WARNED, "no Linux"),
                new Launch(null, null, null));
        SandboxAction.record(b, full("agent"), launch(2));
        SandboxAction.ended(b, "agent", Map.of(id(2), ending(MEMORY, 1200)));
        SandboxAction.expect(b, new Scratch("b", "agent", "/x/process-sandbox-b"));
        b = reload(b);
        assertThat(
                action(b).getGroups().stream().map(LaunchGroup::getFinding).toList(),
                contains(
                        Finding.nothing("windows", policy(Level.NONE), Finding.Verdict.WARNED, "no Linux"),
                        finding,
                        full("agent")));
        assertThat(
                action(b).getGroups().get(2).getLaunches().get(0).getEnd(),
                is(new End(
                        null, 9, List.of(new LimitHit(LimitHit.Kind.MEMORY, 512L << 20)), null, 1200, 23, 2048, true)));
        assertThat(action(b).getTotals(), is(new Totals(3, 1, 1, 1200, 23, 2048)));
        Launch again = action(b).getGroups().get(1).getLaunches().get(0);
        assertThat(again.running(), is(running(1)));
        assertThat(action(b).getObject(), is(b));
        assertThat(SandboxAction.take(b, s -> s.block().equals("other")), hasSize(0));
        assertThat(
                SandboxAction.take(b, s -> s.block().equals("b")),
                contains(new Scratch("b", "agent", "/x/process-sandbox-b")));
        assertThat(SandboxAction.take(b, s -> true), hasSize(0));
    }

    @Test
    void limitsAreShownWithWhatWasUsedAndKept() throws Exception {
        FreeStyleBuild first = r.buildAndAssertSuccess(job);
        SandboxAction.record(first, limited(), launch(1));
        SandboxAction.ended(first, "agent", Map.of(id(1), ending("exit code 0", 1)));
        first.save();
        job.doReload();
        FreeStyleBuild b = job.getBuildByNumber(first.getNumber());
        assertThat(b, is(not(sameInstance(first))));
        assertThat(action(b).getGroups().get(0).getFinding(), is(limited()));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            String text = client.getPage(b, "sandbox/").asNormalizedText();
            assertThat(
                    text,
                    containsString(
                            "Limits: memory 512 MiB, open files 1024 (each process), the stack 1 MiB (not in force)."));
            assertThat(text, containsString("\t2.0 MiB of 512 MiB"));
            JSONObject json = JSONObject.fromObject(client.goTo(b.getUrl() + "sandbox/api/json", "application/json")
                    .getWebResponse()
                    .getContentAsString());
            assertThat(
                    json.getJSONArray("groups")
                            .getJSONObject(0)
                            .getJSONObject("finding")
                            .getJSONObject("limits"),
                    is(JSONObject.fromObject(Map.of(
                            "memory", "memory 512 MiB",
                            "openFiles", "open files 1024 (each process)",
                            "stack", "the stack 1 MiB (not in force)"))));
        }
    }

    @Test
    void pagesOfACompleteBuild() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        SandboxAction.record(b, full("agent"), launch(7));
        SandboxAction.record(b, full("agent"), launch(8));
        SandboxAction.ended(b, "agent", Map.of(id(7), ending("exit code 3", 61_000)));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            String build = client.getPage(b).asNormalizedText();
            assertThat(build, containsString("Process Sandbox"));
            assertThat(build, containsString("Lowest level FULL in 2 launches"));
            HtmlPage page = client.getPage(b, "sandbox/");
            String text = page.asNormalizedText();
            assertThat(text, containsString("strict: FULL on agent"));
            assertThat(text, containsString("3 of 3 measures applied. The minimum level is BASELINE."));
            assertThat(text, containsString("Of 2 launches, 1 ended: 1 min 1 s of time, 23 ms of CPU time"));
            assertThat(text, containsString("2 launches\tEnd\tTime\tCPU time\tMemory"));
            assertThat(text, containsString("sh (step 7)\texit code 3\t1 min 1 s\t23 ms\t2.0 MiB"));
            assertThat(text, containsString("sh (step 8)\trunning"));
            assertThat(text, containsString("Not asked for by the profile: rlimit_as."));
            HtmlTable table = page.querySelector("table.process-sandbox-rows");
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
                new Launch("1", new Origin("<u>sh</u>", "<s>3</s>"), null));
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

    @Test
    void pagesHaveNothingInline() throws Exception {
        FreeStyleBuild b = r.buildAndAssertSuccess(job);
        SandboxAction.record(b, full("agent"), launch(7));
        SandboxAction.ended(b, "agent", Map.of(id(7), ending(MEMORY, 61)));
        SandboxAction.record(
                b,
                Finding.nothing("windows", policy(Level.FULL), Finding.Verdict.REFUSED, "no Linux"),
                new Launch(null, null, null));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            Pages.assertNothingInline(client.getPage(b, "sandbox/"));
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
        SandboxAction.ended(b, "agent", Map.of(id(7), ending("exit code 3", 61)));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            JSONObject action = json(client, b, "api/json?depth=1").getJSONArray("actions").stream()
                    .map(JSONObject.class::cast)
                    .filter(a -> SandboxAction.class.getName().equals(a.get("_class")))
                    .findFirst()
                    .orElseThrow();
            for (JSONObject each : List.of(
                    action, json(client, b, "sandbox/api/json"), json(client, b, "sandbox/sandbox-report.json"))) {
                assertThat(each.get("level"), is("FULL"));
                JSONObject group = each.getJSONArray("groups").getJSONObject(0);
                assertThat(group.getJSONObject("finding").getJSONArray("rows").size(), is(4));
                JSONObject launch = group.getJSONArray("launches").getJSONObject(0);
                assertThat(launch.get("step"), is("sh"));
                assertThat(launch.getJSONObject("end").get("code"), is(3));
                assertThat(group.getJSONObject("totals").get("wallMillis"), is(61));
            }
            String xml = client.goTo(b.getUrl() + "sandbox/api/xml", "application/xml")
                    .getWebResponse()
                    .getContentAsString();
            assertThat(xml, containsString("<primitive>no_new_privs</primitive>"));
            WebResponse report = client.goTo(b.getUrl() + "sandbox/sandbox-report.json", "application/json")
                    .getWebResponse();
            assertThat(report.getResponseHeaderValue("Content-Disposition"), containsString("sandbox-report.json"));
        }
    }

    private static JSONObject json(JenkinsRule.WebClient client, Run<?, ?> run, String path) throws Exception {
        return JSONObject.fromObject(client.goTo(run.getUrl() + path, "application/json")
                .getWebResponse()
                .getContentAsString());
    }

    @Test
    void theBuildHistoryHasABadge() throws Exception {
        FreeStyleProject own = r.createFreeStyleProject("badges");
        FreeStyleBuild b = r.buildAndAssertSuccess(own);
        SandboxAction.record(b, full("agent"), launch(7));
        SandboxAction.record(
                b,
                Finding.nothing("windows", policy(Level.FULL), Finding.Verdict.REFUSED, "no Linux"),
                new Launch(null, null, null));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            String history = client.goTo(own.getUrl() + "buildHistory/ajax")
                    .getWebResponse()
                    .getContentAsString();
            assertThat(history, containsString("Process Sandbox: NONE, below the minimum. Launches: 2"));
        }
        // Shown by core's new build page, and by Pipeline graph views.
        Detail detail = DetailFactory.factoriesFor(Run.class).stream()
                .flatMap(f -> f.createFor(b).stream())
                .filter(SandboxDetail.class::isInstance)
                .findFirst()
                .orElseThrow();
        assertThat(detail.getDisplayName(), is("Sandbox: NONE"));
        assertThat(detail.getLink(), is("sandbox"));
        assertThat(detail.getIconClassName(), is("symbol-shield-warning"));
    }
}
