package io.jenkins.plugins.sandbox.controller;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.lessThan;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;

import hudson.FilePath;
import hudson.Launcher;
import hudson.LauncherDecorator;
import hudson.Proc;
import hudson.model.Node;
import hudson.model.Result;
import hudson.remoting.Channel;
import hudson.remoting.VirtualChannel;
import io.jenkins.plugins.sandbox.LaunchStep;
import io.jenkins.plugins.sandbox.Pipelines;
import io.jenkins.plugins.sandbox.PrefixStep;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import io.jenkins.plugins.sandbox.agent.Confirmed;
import io.jenkins.plugins.sandbox.agent.Prepared;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.outcome.Finding;
import io.jenkins.plugins.sandbox.outcome.Row;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.TestExtension;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;
import org.kohsuke.stapler.DataBoundConstructor;

/** The ways in which steps use launchers, on an agent in whose paths there is all that can go wrong. */
@WithJenkins
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class SandboxLauncherTest {
    @RegisterExtension
    private static final UnprivilegedAgent AGENTS = new UnprivilegedAgent().shared();

    private static JenkinsRule r;
    private static Node agent;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        r = rule;
        agent = AGENTS.start(r, "agent", "$HOME and ${AGENT_CANARY} ünd $$");
        // Jenkins itself makes a workspace when a step writes to it, and not before.
        run(Result.SUCCESS, "writeFile file: 'first', text: ''");
    }

    @AfterAll
    static void stop() throws Exception {
        r.after();
    }

    private static WorkflowRun run(Result expected, String body) throws Exception {
        return Pipelines.run(r, "p", expected, "node('agent') {\n" + body + "\n}");
    }

    @Test
    void dollarsInTheWorkspaceAreNoVariables() throws Exception {
        WorkflowRun b = run(Result.SUCCESS, """
                sandbox(minimumLevel: 'FULL') {
                  sh 'pwd; touch here'
                  dir('sub $HOME') { sh 'pwd; touch here' }
                }""");
        r.assertLogContains("/$HOME and ${AGENT_CANARY} ünd $$/workspace/p\n", b);
        r.assertLogContains("/$HOME and ${AGENT_CANARY} ünd $$/workspace/p/sub $HOME\n", b);
    }

    @Test
    void maskedWordsStayMasked() throws Exception {
        WorkflowRun b = run(Result.SUCCESS, "sandbox { echo \"<${launch('masked').trim().length()}>\" }");
        r.assertLogContains("<13>", b);
        r.assertLogContains("$ echo public ********", b);
        r.assertLogNotContains("s3cret", b);
        r.assertLogNotContains("--args", b);
        // As other decorators and remote launchers see it, which print it or pass it on.
        assertThat(
                handedOver
                        .words()
                        .subList(
                                handedOver.words().size() - 3,
                                handedOver.words().size()),
                contains("echo", "public", "s3cret"));
        assertThat(handedOver.masks().size(), is(handedOver.words().size()));
        assertThat(handedOver.masks().indexOf(true), is(handedOver.words().size() - 1));
    }

    @Test
    void quietStaysQuiet() throws Exception {
        WorkflowRun b = run(Result.SUCCESS, "sandbox { echo \"<${launch('quiet').trim()}>\" }");
        r.assertLogContains("<shy>", b);
        r.assertLogNotContains("$ echo", b);
        r.assertLogNotContains("--args", b);
    }

    @Test
    void streamsAndExitStatusGoThrough() throws Exception {
        WorkflowRun b = run(Result.SUCCESS, """
                sandbox {
                  echo "<${launch('streams').replace('\\n', '')}>"
                  echo "<${launch('stdin')}>"
                  echo "<${launch('missing')}>"
                }""");
        r.assertLogContains("<through err 5>", b);
        r.assertLogContains("<given>", b);
        r.assertLogContains("<127>", b);
        assertThat(Pipelines.action(b).getCount(), is(3));
    }

    /** Its wrapper cannot be executed, and the step would wait for it for five minutes. */
    @Test
    void aStepWhoseCommandCannotBeStartedFailsAtOnce() throws Exception {
        WorkflowRun b = run(Result.FAILURE, """
                sandbox {
                  withEnv(['PATH=/nonexistent']) {
                    echo "<${sh(script: 'true', returnStatus: true)}>"
                    sh 'true'
                  }
                }""");
        r.assertLogContains("[sandbox] The command could not be started in the sandbox: ENOENT", b);
        r.assertLogContains("<127>", b);
        r.assertLogContains("script returned exit code 127", b);
        r.assertLogNotContains("process apparently never started", b);
    }

    @Test
    void aLaunchThatNamesNoDirectoryStartsInTheWorkspace() throws Exception {
        WorkflowRun b = run(Result.SUCCESS, "sandbox { echo \"<${launch('nowhere').trim()}>\" }");
        r.assertLogContains("/workspace/p>", b);
        WorkflowRun around = Pipelines.run(r, "p", Result.FAILURE, "sandbox { node('agent') { launch('nowhere') } }");
        r.assertLogContains("Put the sandbox block into the node block", around);
    }

    @Test
    void aMissingWorkspaceIsAClearError() throws Exception {
        WorkflowRun b = Pipelines.run(r, "fresh", Result.FAILURE, "node('agent') { sandbox { launch('quiet') } }");
        r.assertLogContains("/workspace/fresh' does not exist on the agent.", b);
        r.assertLogNotContains("\tat ", b);
    }

    @Test
    void theOldWaysToLaunchAreConfinedAsWell() throws Exception {
        WorkflowRun b = run(Result.SUCCESS, """
                echo "plain<${launch('old').trim()}>"
                sandbox {
                  echo "one<${launch('old').trim()}>"
                  echo "two<${launch('older').trim()}>"
                }""");
        r.assertLogContains("plain<NoNewPrivs:\t0>", b);
        r.assertLogContains("one<NoNewPrivs:\t1>", b);
        r.assertLogContains("two<NoNewPrivs:\t1>", b);
    }

    @Test
    void channelsAreRefused() throws Exception {
        WorkflowRun b = run(Result.FAILURE, "sandbox { launch('channel') }");
        r.assertLogContains("A sandbox cannot confine a process that is launched as a remoting channel", b);
        r.assertLogContains("here that is 'java'. Move the step out of the sandbox block.", b);
        r.assertLogContains("The command was not run.", b);
        assertThat(Pipelines.action(b).getWorst().getVerdict(), is(Finding.Verdict.REFUSED));
        assertThat(Pipelines.action(b).getWorst().getLevel(), is("NONE"));
    }

    @Test
    void otherDecoratorsStillWork() throws Exception {
        WorkflowRun b = run(Result.SUCCESS, """
                prefix { sandbox { echo "outside<${sh(script: 'echo $PREFIXED; grep NoNewPrivs: /proc/self/status', returnStdout: true)}>" } }
                sandbox { prefix { echo "inside<${sh(script: 'echo $PREFIXED; grep NoNewPrivs: /proc/self/status', returnStdout: true)}>" } }
                """);
        r.assertLogContains("outside<yes\nNoNewPrivs:\t1\n>", b);
        r.assertLogContains("inside<yes\nNoNewPrivs:\t1\n>", b);
        assertThat(Pipelines.action(b).getCount(), is(2));
    }

    /** The launcher of the outer block is hidden behind one that cannot be looked into. */
    @Test
    void blocksAroundAnotherDecoratorMakeOneSandbox() throws Exception {
        WorkflowRun b = run(Result.SUCCESS, """
                sandbox(minimumLevel: 'FULL') { prefix { sandbox { sh 'echo "<$PREFIXED>"' } } }
                """);
        r.assertLogContains("\n<yes>\n", b);
        SandboxAction action = Pipelines.action(b);
        assertThat(action.getCount(), is(1));
        assertThat(action.getGroups().get(0).getFinding().getMinimumLevel(), is("FULL"));
    }

    @Test
    void aNodeThatIsNotUnixIsNeverPassedInSilence() throws Exception {
        unix = false;
        WorkflowRun b;
        try {
            b = run(Result.FAILURE, "sandbox { launch('quiet') }");
        } finally {
            unix = true;
        }
        r.assertLogNotContains("shy", b);
        r.assertLogContains("strict: NONE. Nothing could be applied. The node is not a Unix machine", b);
        r.assertLogNotContains("\tat ", b);
        Finding finding = Pipelines.action(b).getWorst();
        assertThat(finding, is(notNullValue()));
        assertThat(finding.getLevel(), is("NONE"));
        assertThat(finding.getVerdict(), is(Finding.Verdict.REFUSED));
        assertThat(finding.getReason(), containsString("The minimum level is BASELINE"));
        assertThat(finding.getRows().size(), is(0));
        assertThat(finding.getReason(), not(containsString("null")));
    }

    @Test
    void aMachineWithoutALauncherIsNeverPassedInSilence() throws Exception {
        AGENTS.start(r, "odd", "home/agent", "-Dos.arch=riscv64");
        String script = "node('odd') { sandbox { sh 'echo RAN' } }";
        WorkflowRun refused = Pipelines.run(r, "odd", Result.FAILURE, script);
        r.assertLogNotContains("RAN\n", refused);
        r.assertLogContains("There is no launcher for the architecture riscv64.", refused);
        r.assertLogContains("The minimum level is BASELINE.", refused);
        assertThat(Pipelines.action(refused).getWorst().getVerdict(), is(Finding.Verdict.REFUSED));

        SandboxConfiguration.get().setMinimumLevel("NONE");
        try {
            WorkflowRun warned = Pipelines.run(r, "odd", Result.SUCCESS, script);
            r.assertLogContains("\nRAN\n", warned);
            r.assertLogContains("[sandbox] strict: NONE. Nothing could be applied.", warned);
            r.assertLogContains("riscv64", warned);
            assertThat(Pipelines.action(warned).isShortfall(), is(true));
            assertThat(Pipelines.action(warned).getWorst().getVerdict(), is(Finding.Verdict.WARNED));
        } finally {
            SandboxConfiguration.get().setMinimumLevel("BASELINE");
        }
    }

    /** Each is an answer to one of the two calls, and what the build says to it. */
    static Stream<Arguments> lies() throws Exception {
        String good = ROWS.stream().map(row -> row + " applied\n").collect(Collectors.joining());
        String end = "level FULL\ninit 2 100\nready\n";
        return Stream.of(
                report("no answer", null, "sent an answer that cannot be trusted"),
                report("nothing", "", "sent a report that cannot be trusted"),
                report("10 MB", "session applied\n".repeat(700_000), "sent a report that cannot be trusted"),
                report("another version", "process-sandbox-report 99\n" + good + end, "cannot be trusted"),
                report("an unknown row", HEADER + good + "magic applied\n" + end, "cannot be trusted"),
                report("rows left out", HEADER + "session applied\n" + end, "the minimum is FULL"),
                report(
                        "a long detail",
                        HEADER + "session failed 1 " + "x".repeat(5000) + "\n" + end,
                        "cannot be trusted"),
                report(
                        "a number that is none",
                        HEADER + good + "level FULL\ninit NaN -1\nready\n",
                        "cannot be trusted"),
                report("binary", HEADER + "\0\1\2\3", "cannot be trusted"),
                report(
                        "a wrong level",
                        HEADER + good.replace("seccomp applied", "seccomp failed 1 <script>alert(1)</script>") + end,
                        "the minimum is FULL"),
                Arguments.of(
                        "a long story",
                        "ConfirmCall",
                        confirmed(HEADER + "session applied\n" + end, "x=".repeat(700_000)),
                        "the minimum is FULL"),
                prepared("no id", new Prepared.Ready("../../etc", List.of("true"), scratch(), Map.of())),
                prepared("another directory", new Prepared.Ready("ab", List.of("true"), "/etc", Map.of())),
                prepared("no words", new Prepared.Ready("ab", List.of(), scratch(), Map.of())),
                prepared(
                        "many words", new Prepared.Ready("ab", Collections.nCopies(100_000, "x"), scratch(), Map.of())),
                prepared("a long word", new Prepared.Ready("ab", List.of("x".repeat(100_000)), scratch(), Map.of())),
                prepared("another type", "a word"),
                prepared("markup", new Prepared.Unsupported("<script>alert(1)</script>" + "x".repeat(1 << 20))));
    }

    private static final String HEADER = "process-sandbox-report 1\n";

    private static final List<String> ROWS =
            Arrays.stream(Primitive.values()).map(Primitive::wireName).toList();

    private static String scratch() {
        return "/tmp/process-sandbox-0";
    }

    private static Arguments report(String name, String text, String message) {
        return Arguments.of(name, "ConfirmCall", text == null ? null : confirmed(text, ""), message);
    }

    private static Confirmed confirmed(String text, String causes) {
        return new Confirmed(text.getBytes(StandardCharsets.UTF_8), causes);
    }

    /** The machine behind an agent knows more than its launcher; what people read is still the controller's. */
    @Test
    void theCauseThatTheAgentNamesDecidesAboutTheRemedy() throws Exception {
        String rows = HEADER
                + ROWS.stream().map(row -> row + " applied\n").collect(Collectors.joining())
                + "level FULL\ninit 2 100\nready\n";
        String text = rows.replace("user_namespace applied", "user_namespace failed 1 unshare")
                .replace("\nproc applied", "\nproc failed 1 mount proc on /proc");
        String remedy =
                "user_namespace failed: EPERM, unshare. The agent runs in a chroot, where the kernel refuses user"
                        + " namespaces. Start the agent outside of the chroot, or in a container.";
        lie = new Lie(
                "ConfirmCall",
                confirmed(
                        text, "user_namespace=CHROOT magic=CHROOT proc=<b>SECCOMP_FILTER proc=NONE session=ROOM = x"));
        WorkflowRun b;
        try {
            b = run(Result.FAILURE, "sandbox(minimumLevel: 'FULL') { launch('quiet') }");
        } finally {
            lie = null;
        }
        r.assertLogContains(remedy, b);
        r.assertLogNotContains("shy", b);
        List<Row> found = Pipelines.action(b).getWorst().getRows();
        assertThat(found.stream().map(Row::getCause).filter(Objects::nonNull).toList(), is(List.of("CHROOT")));
        Row proc = found.stream()
                .filter(row -> row.getPrimitive().equals("proc"))
                .findFirst()
                .orElseThrow();
        assertThat(proc.getRemedy(), containsString("Parts of /proc are covered"));
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            assertThat(
                    client.getPage(b, "sandbox/").asNormalizedText(),
                    containsString("Start the agent outside of the chroot, or in a container."));
        }
    }

    private static Arguments prepared(String name, Object answer) {
        return Arguments.of(
                name,
                "PrepareCall",
                answer,
                answer instanceof Prepared.Unsupported
                        ? "Nothing could be applied"
                        : answer instanceof Prepared
                                ? "sent an answer that cannot be trusted"
                                : "failed at preparing a sandbox");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("lies")
    void anAgentThatLiesIsNotBelieved(String name, String call, Object answer, String message) throws Exception {
        lie = new Lie(call, answer);
        WorkflowRun b;
        try {
            b = run(Result.FAILURE, "sandbox(minimumLevel: 'FULL') { launch('quiet') }");
        } finally {
            lie = null;
        }
        r.assertLogContains(message, b);
        r.assertLogNotContains("shy", b);
        String log = JenkinsRule.getLog(b);
        assertThat(log.length(), lessThan(20_000));
        SandboxAction action = b.getAction(SandboxAction.class);
        if (action != null) {
            assertThat(action.getGroups().size(), lessThan(2));
            try (JenkinsRule.WebClient client = r.createWebClient()) {
                String page = client.getPage(b, "sandbox/").getWebResponse().getContentAsString();
                assertThat(page, not(containsString("<script>alert(1)")));
            }
        }
    }

    @Test
    void manyBranchesAtOnce() throws Exception {
        WorkflowRun b = run(Result.SUCCESS, """
                sandbox(minimumLevel: 'FULL') {
                  def branches = [:]
                  for (int i = 0; i < 200; i++) {
                    def name = "b${i}".toString()
                    branches[name] = { sh "set +x; while ! test -e all; do sleep 1; done; echo ${name} > out-${name}" }
                  }
                  branches['last'] = { sh 'touch all' }
                  parallel branches
                  sh 'set +x; echo "<$(ls out-b* | wc -l | tr -d " ")>"; rm out-b* all'
                }""");
        r.assertLogContains("\n<200>\n", b);
        SandboxAction action = Pipelines.action(b);
        assertThat(action.getCount(), is(202));
        assertThat(action.getLevel(), is("FULL"));
        assertThat(action.getGroups().size(), is(1));
    }

    /** What the agent says instead of the truth. */
    private record Lie(String call, Object answer) {}

    private static volatile Lie lie;

    /** A channel to an agent that is not honest. It never gets to hear the question, and so lets nothing start. */
    private static Launcher lying(Launcher launcher) {
        VirtualChannel real = launcher.getChannel();
        VirtualChannel channel = (VirtualChannel) Proxy.newProxyInstance(
                VirtualChannel.class.getClassLoader(), new Class<?>[] {VirtualChannel.class}, (proxy, method, args) -> {
                    Lie now = lie;
                    if (now != null
                            && method.getName().equals("call")
                            && args[0].getClass().getSimpleName().equals(now.call())) {
                        return now.answer();
                    }
                    try {
                        return method.invoke(real, args);
                    } catch (InvocationTargetException x) {
                        throw x.getCause();
                    }
                });
        return new Launcher(launcher.getListener(), channel) {
            @Override
            public Proc launch(ProcStarter starter) throws IOException {
                return launcher.launch(starter);
            }

            @Override
            public Channel launchChannel(String[] cmd, OutputStream out, FilePath workDir, Map<String, String> envVars)
                    throws IOException, InterruptedException {
                return launcher.launchChannel(cmd, out, workDir, envVars);
            }

            @Override
            public void kill(Map<String, String> modelEnvVars) throws IOException, InterruptedException {
                launcher.kill(modelEnvVars);
            }

            @Override
            public boolean isUnix() {
                return launcher.isUnix();
            }
        };
    }

    private record Words(List<String> words, List<Boolean> masks) {}

    private static volatile boolean unix = true;
    private static volatile Words handedOver;

    /**
     * The launcher that ours hands over to. Makes the agent look like a Windows machine to the one test that asks for it, and
     * keeps what it was given.
     */
    @TestExtension
    public static final class Inner extends LauncherDecorator {
        @Override
        public Launcher decorate(Launcher launcher, Node node) {
            return new Launcher.DecoratedLauncher(lie == null ? launcher : lying(launcher)) {
                @Override
                public boolean isUnix() {
                    return unix && super.isUnix();
                }

                @Override
                public Proc launch(ProcStarter starter) throws IOException {
                    boolean[] masks = starter.masks();
                    handedOver = new Words(
                            List.copyOf(starter.cmds()),
                            masks == null
                                    ? List.of()
                                    : IntStream.range(0, masks.length)
                                            .mapToObj(i -> masks[i])
                                            .toList());
                    return super.launch(starter);
                }
            };
        }
    }

    public static final class Launch extends LaunchStep {
        @DataBoundConstructor
        public Launch(String how) {
            super(how);
        }

        @TestExtension
        public static final class DescriptorImpl extends Described {}
    }

    public static final class Prefix extends PrefixStep {
        @DataBoundConstructor
        public Prefix() {}

        @TestExtension
        public static final class DescriptorImpl extends Described {}
    }
}
