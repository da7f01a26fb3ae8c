package io.jenkins.plugins.sandbox.controller;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.nullValue;

import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.EnvVars;
import hudson.FilePath;
import hudson.Launcher;
import hudson.LauncherDecorator;
import hudson.Proc;
import hudson.model.AbstractBuild;
import hudson.model.AbstractProject;
import hudson.model.BuildListener;
import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Node;
import hudson.model.Result;
import hudson.model.Slave;
import hudson.model.TaskListener;
import hudson.tasks.BuildWrapper;
import hudson.tasks.BuildWrapperDescriptor;
import hudson.tasks.Shell;
import io.jenkins.plugins.sandbox.LaunchStep;
import io.jenkins.plugins.sandbox.Leftovers;
import io.jenkins.plugins.sandbox.Pipelines;
import io.jenkins.plugins.sandbox.PrefixStep;
import io.jenkins.plugins.sandbox.Processes;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import io.jenkins.plugins.sandbox.config.Compulsory;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.freestyle.SandboxWrapper;
import io.jenkins.plugins.sandbox.outcome.Finding;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.jenkinsci.plugins.workflow.steps.BodyExecutionCallback;
import org.jenkinsci.plugins.workflow.steps.BodyInvoker;
import org.jenkinsci.plugins.workflow.steps.Step;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepDescriptor;
import org.jenkinsci.plugins.workflow.steps.StepExecution;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.TestExtension;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;
import org.kohsuke.stapler.DataBoundConstructor;

/**
 * Launchers that behave as those of docker-workflow and of the Kubernetes plugin do, and a container that is one: namespaces
 * of its own, in which of the agent's files there are only the workspace and the directory beside it.
 */
@WithJenkins
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ContainersTest {
    private static final String STATUS = "grep -w NoNewPrivs: /proc/self/status";

    @RegisterExtension
    private static final UnprivilegedAgent AGENTS = new UnprivilegedAgent().shared();

    private static JenkinsRule r;
    private static Slave agent;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        r = rule;
        agent = AGENTS.start(r, "linux");
        // What a container gets to see has to be there when it is started.
        run(Result.SUCCESS, "sh 'true'");
    }

    @AfterAll
    static void stop() throws Exception {
        r.after();
    }

    @AfterEach
    void loosenTheFloor() {
        SandboxConfiguration.get().setCompulsory(new Compulsory());
        SandboxConfiguration.get().setMinimumLevel("BASELINE");
        SandboxConfiguration.get().setOnShortfall("fail");
    }

    private static void makeCompulsory() {
        Compulsory compulsory = new Compulsory();
        compulsory.setAllowedSteps("undeclared");
        compulsory.setWhere("everywhere");
        SandboxConfiguration.get().setCompulsory(compulsory);
    }

    private static WorkflowRun run(Result expected, String body) throws Exception {
        return Pipelines.run(r, "p", expected, "node('linux') {\n" + body + "\n}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"withDockerContainer", "container"})
    void aSandboxInAContainer(String container) throws Exception {
        WorkflowRun b = run(Result.SUCCESS, """
                env.ROOT = '%2$s'
                sh 'set +x; test -e "$ROOT/remoting"; echo AGENT-SEEN-OUTSIDE'
                %1$s {
                  sh 'set +x; %3$s; test ! -e "$ROOT/remoting"; test ! -e "$ROOT/secret.key"; echo A-CONTAINER'
                  sandbox(minimumLevel: 'FULL') {
                    sh 'set +x; %3$s; echo "value <$VALUE|$AGENT_CANARY>"; echo kept > kept.txt; echo shared > /tmp/shared'
                    sh 'set +x; cat kept.txt /tmp/shared; test ! -e "$ROOT/remoting"; ls -A "$ROOT" | tr "\\n" " "'
                    sh 'set +x; if touch /etc/ours 2> /dev/null; then echo WRITTEN; else echo READ-ONLY; fi'
                    echo "<${sh(script: 'printf output', returnStdout: true)}>"
                    echo "<${sh(script: 'exit 7', returnStatus: true)}>"
                    dir('sub') { sh 'pwd; touch here' }
                    parallel a: { sh 'echo IN-A' }, b: { sh 'echo IN-B' }
                  }
                  sh 'set +x; test ! -e /tmp/shared; echo GONE'
                }
                """.formatted(container, agent.getRemoteFS(), STATUS));
        for (String line : List.of(
                "AGENT-SEEN-OUTSIDE",
                "NoNewPrivs:\t0\nA-CONTAINER",
                "NoNewPrivs:\t1\nvalue <|>",
                "kept\nshared\nworkspace ",
                "READ-ONLY",
                "IN-A",
                "IN-B",
                "GONE")) {
            r.assertLogContains("\n" + line, b);
        }
        r.assertLogContains("<output>", b);
        r.assertLogContains("<7>", b);
        r.assertLogContains("[sandbox] strict: FULL, ", b);
        SandboxAction action = Pipelines.action(b);
        assertThat(action.getCount(), is(8));
        assertThat(action.getLevel(), is("FULL"));
        assertThat(Leftovers.in(agent.getWorkspaceFor(b.getParent()).sibling("p@tmp")), is(empty()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"withDockerContainer", "container"})
    void aContainerInASandboxIsRefused(String container) throws Exception {
        String body =
                "sandbox(minimumLevel: 'NONE', onShortfall: 'warn') { %s { sh 'echo R''AN' } }".formatted(container);
        SandboxConfiguration.get().setMinimumLevel("NONE");
        WorkflowRun b = run(Result.FAILURE, body);
        r.assertLogContains(
                "Turn them around: put the sandbox block inside of " + container + ", around the steps.", b);
        r.assertLogNotContains("\nRAN\n", b);
        r.assertLogNotContains("\tat ", b);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "withDockerContainer { X }",
                "container { X }",
                "container { prefix { X } }",
                "prefix { container { X } }"
            })
    void whereItIsCompulsoryAContainerIsNoWayOut(String script) throws Exception {
        WorkflowRun control = run(Result.SUCCESS, script.replace("X", "sh 'set +x; " + STATUS + "'"));
        r.assertLogContains("\nNoNewPrivs:\t0\n", control);
        assertThat(control.getAction(SandboxAction.class), is(nullValue()));

        before = TestContainer.start(agent, "p");
        try {
            makeCompulsory();
            WorkflowRun b = run(Result.FAILURE, script.replace("X", "sh 'touch ran; echo R''AN'"));
            r.assertLogContains(
                    "The step runs in a container, and the sandbox does not reach into it from outside.", b);
            r.assertLogNotContains("\nRAN\n", b);
            assertThat(agent.getWorkspaceFor(b.getParent()).child("ran").exists(), is(false));
            Finding finding = Pipelines.action(b).getWorst();
            assertThat(finding.getLevel(), is("NONE"));
            assertThat(finding.getVerdict(), is(Finding.Verdict.REFUSED));

            // Also behind a launcher that cannot be looked into.
            WorkflowRun inside = run(
                    Result.SUCCESS,
                    script.replace("X", "sandbox(minimumLevel: 'FULL') { sh 'set +x; " + STATUS + "' }"));
            r.assertLogContains("\nNoNewPrivs:\t1\n", inside);

            SandboxConfiguration.get().setOnShortfall("warn");
            WorkflowRun warned = run(Result.SUCCESS, "container { sh 'set +x; " + STATUS + "' }");
            r.assertLogContains("\nNoNewPrivs:\t0\n", warned);
            r.assertLogContains(
                    "[sandbox] strict: NONE. Nothing could be applied. The step runs in a container", warned);
            assertThat(Pipelines.action(warned).getWorst().getVerdict(), is(Finding.Verdict.WARNED));
        } finally {
            before.end();
            before = null;
        }
    }

    /** It is not known of such a step that it launches, until it asks its context for a launcher. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "container { X }",
                "container { dir('.') { X } }",
                "container { prefix { X } }",
                "prefix { container { X } }",
                "withDockerContainer { X }"
            })
    void norIsItForAStepThatDoesNotDeclareItsLauncher(String script) throws Exception {
        String launching = script.replace("X", "echo \"<${undeclared()}>\"");
        r.assertLogContains("<NoNewPrivs:\t0\n>", run(Result.SUCCESS, launching));

        before = TestContainer.start(agent, "p");
        try {
            makeCompulsory();
            WorkflowRun b = run(Result.FAILURE, launching);
            r.assertLogContains("Put a sandbox block inside of the container, around the step.", b);
            r.assertLogNotContains("NoNewPrivs", b);
            r.assertLogNotContains("\tat ", b);
            assertThat(Pipelines.action(b).getCount(), is(1));
            assertThat(Pipelines.action(b).getWorst().getVerdict(), is(Finding.Verdict.REFUSED));

            WorkflowRun inside = run(
                    Result.SUCCESS,
                    script.replace("X", "sandbox(minimumLevel: 'FULL') { echo \"<${undeclared()}>\" }"));
            r.assertLogContains("<NoNewPrivs:\t1\n>", inside);
            assertThat(Pipelines.action(inside).getCount(), is(1));

            SandboxConfiguration.get().setOnShortfall("warn");
            WorkflowRun warned = run(Result.SUCCESS, launching);
            assertThat(Pipelines.action(warned).getWorst().getVerdict(), is(Finding.Verdict.WARNED));
            if (!script.startsWith("withDocker")) {
                // Whose client is confined then, and does not find its container.
                r.assertLogContains("<NoNewPrivs:\t0\n>", warned);
                assertThat(Pipelines.action(warned).getCount(), is(1));
            }
        } finally {
            before.end();
            before = null;
        }
    }

    /** As they are around and behind most sandbox blocks. */
    @Test
    void stepsThatLaunchNothingWorkInAContainer() throws Exception {
        before = TestContainer.start(agent, "p");
        try {
            makeCompulsory();
            WorkflowRun b = run(
                    Result.SUCCESS,
                    "container { withCredentials([]) { sandbox { sh 'echo built > built' } }; echo \"<${isUnix()}>\"; "
                            + "archiveArtifacts 'built'; stash 'built'; unstash 'built' }");
            r.assertLogContains("<true>", b);
            assertThat(Pipelines.action(b).getLevel(), is("FULL"));
        } finally {
            before.end();
            before = null;
        }
    }

    @Test
    void norIsAContainerAroundAFreestyleJob() throws Exception {
        FreeStyleProject p = r.createFreeStyleProject("p-freestyle");
        p.setAssignedNode(agent);
        p.getBuildersList().add(new Shell("set +x; " + STATUS));
        // What a container gets to see has to be there when it is started.
        makeCompulsory();
        r.assertLogContains("\nNoNewPrivs:\t1\n", r.buildAndAssertSuccess(p));
        loosenTheFloor();
        p.getBuildWrappersList().add(new ContainerWrapper());
        agent.getRootPath().child("workspace/p-freestyle@tmp").mkdirs();
        before = TestContainer.start(agent, "p-freestyle");
        try {
            r.assertLogContains("\nNoNewPrivs:\t0\n", r.buildAndAssertSuccess(p));
            makeCompulsory();
            FreeStyleBuild b = r.buildAndAssertStatus(Result.FAILURE, p);
            r.assertLogContains("Another wrapper of this job runs its commands in a container", b);
            r.assertLogNotContains("NoNewPrivs", b);
            r.assertLogNotContains("\tat ", b);
            assertThat(b.getAction(SandboxAction.class).getWorst().getVerdict(), is(Finding.Verdict.REFUSED));

            // As the form saves it: after the others, whatever the order in which they were checked.
            p.getBuildWrappersList().replaceBy(List.of(new SandboxWrapper(), new ContainerWrapper()));
            r.configRoundtrip(p);
            r.assertLogContains("\nNoNewPrivs:\t1\n", r.buildAndAssertSuccess(p));
        } finally {
            before.end();
            before = null;
        }
    }

    @Test
    void anAbortReachesIntoTheContainer() throws Exception {
        WorkflowRun b = Pipelines.define(
                        r,
                        "p",
                        "node('linux') { withDockerContainer { sandbox { sh 'echo READY; " + Processes.sleep()
                                + "' } } }")
                .scheduleBuild2(0)
                .waitForStart();
        r.waitForMessage("\nREADY", b);
        b.doStop();
        r.assertBuildStatus(Result.ABORTED, r.waitForCompletion(b));
        Processes.awaitNone(Processes.sleep());
        assertThat(JenkinsRule.getLog(b), not(containsString("went away")));
    }

    /** A container that stands already: where a sandbox is compulsory the client of a daemon is confined too. */
    private static volatile TestContainer before;

    /** A process that is the first of its own namespaces, and what it takes to start others there. */
    private static final class TestContainer implements Serializable {
        private static final long serialVersionUID = 1;

        private final String pid;
        private final String workspace;

        private TestContainer(String pid, String workspace) {
            this.pid = pid;
            this.workspace = workspace;
        }

        static TestContainer start(Node node, String job) throws IOException, InterruptedException {
            String workspace = node.getRootPath().child("workspace").child(job).getRemote();
            String inside = """
                    set -e
                    mount -n --bind "$1" /mnt; mount -n --bind "$1@tmp" /srv; mount -n -t tmpfs tmpfs "$2"; mkdir -p "$1" "$1@tmp"
                    mount -n --move /mnt "$1"; mount -n --move /srv "$1@tmp"
                    touch "$1@tmp/$3"
                    exec sleep 3000""";
            String outside = """
                    mark=container-$$
                    setsid unshare --user --map-current-user --keep-caps --mount --pid --fork --kill-child --mount-proc \\
                      sh -c "$3" sh "$1" "$2" $mark > /dev/null 2>&1 < /dev/null &
                    for i in $(seq 100); do test -e "$1@tmp/$mark" && break; sleep 0.1; done
                    rm "$1@tmp/$mark"
                    cat /proc/$!/task/$!/children""";
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            int status = direct(node, TaskListener.NULL)
                    .launch()
                    .cmds(
                            "sh",
                            "-c",
                            outside.replace("$", "$$"),
                            "sh",
                            workspace,
                            node.getRootPath().getRemote(),
                            inside.replace("$", "$$"))
                    .stdout(out)
                    .join();
            String pid = out.toString(StandardCharsets.UTF_8).trim();
            assertThat(pid + " " + status, pid.matches("[0-9]+"), is(true));
            return new TestContainer(pid, workspace);
        }

        /** Past all decorators, as a connection to a daemon is. */
        static Launcher direct(Node node, TaskListener listener) {
            return new Launcher.RemoteLauncher(listener, node.getChannel(), true);
        }

        List<String> entry() {
            return List.of("nsenter", "--user", "--preserve-credentials", "--mount", "--pid", "--target", pid);
        }

        void end() {
            ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    /** A step with a container around its body. */
    private abstract static class ContainerStep extends Step {
        @Override
        public StepExecution start(StepContext context) {
            return new Execution(context, this instanceof Docker);
        }

        private static final class Execution extends StepExecution {
            private static final long serialVersionUID = 1;

            private final boolean docker;

            Execution(StepContext context, boolean docker) {
                super(context);
                this.docker = docker;
            }

            @Override
            public boolean start() throws Exception {
                Node node = getContext().get(Node.class);
                TestContainer container = before != null ? before : TestContainer.start(node, "p");
                LauncherDecorator decorator =
                        docker ? new WithContainerStepDecorator(container) : new ContainerExecDecorator(container);
                getContext()
                        .newBodyInvoker()
                        .withContext(BodyInvoker.mergeLauncherDecorators(
                                getContext().get(LauncherDecorator.class), decorator))
                        .withCallback(new End(before != null ? null : container))
                        .start();
                return false;
            }
        }

        private static final class End extends BodyExecutionCallback.TailCall {
            private static final long serialVersionUID = 1;

            private final TestContainer container;

            End(TestContainer container) {
                this.container = container;
            }

            @Override
            protected void finished(StepContext context) {
                if (container != null) {
                    container.end();
                }
            }
        }
    }

    /** Puts the client in front, with the variables that the agent does not have, and hands over. */
    private static final class WithContainerStepDecorator extends LauncherDecorator implements Serializable {
        private static final long serialVersionUID = 1;

        private final TestContainer container;

        WithContainerStepDecorator(TestContainer container) {
            this.container = container;
        }

        @NonNull
        @Override
        public Launcher decorate(@NonNull Launcher launcher, @NonNull Node node) {
            return new Launcher.DecoratedLauncher(launcher) {
                @Override
                public Proc launch(ProcStarter starter) throws IOException {
                    List<String> prefix = new ArrayList<>(container.entry());
                    FilePath directory = starter.pwd();
                    prefix.add("--wdns=" + (directory == null ? container.workspace : directory.getRemote()));
                    prefix.addAll(List.of("env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin"));
                    prefix.addAll(reduced(starter.envs(), node));
                    boolean[] masks =
                            starter.masks() == null ? new boolean[starter.cmds().size()] : starter.masks();
                    boolean[] extended = new boolean[prefix.size() + masks.length];
                    System.arraycopy(masks, 0, extended, prefix.size(), masks.length);
                    List<String> words = new ArrayList<>(prefix);
                    words.addAll(starter.cmds());
                    starter.cmds(words);
                    starter.masks(extended);
                    return super.launch(starter);
                }

                @Override
                public void kill(Map<String, String> modelEnvVars) throws IOException, InterruptedException {
                    ByteArrayOutputStream out = new ByteArrayOutputStream();
                    List<String> ps = new ArrayList<>(container.entry());
                    ps.addAll(List.of("ps", "-A", "-o", "pid,command", "e"));
                    getInner().launch().cmds(ps).stdout(out).quiet(true).join();
                    List<String> kill = new ArrayList<>(container.entry());
                    kill.add("kill");
                    out.toString(StandardCharsets.UTF_8)
                            .lines()
                            .filter(l -> modelEnvVars.entrySet().stream()
                                    .allMatch(e -> l.contains(e.getKey() + "=" + e.getValue())))
                            .map(l -> l.trim().split(" ")[0])
                            .forEach(kill::add);
                    getInner().launch().cmds(kill).quiet(true).join();
                }
            };
        }
    }

    private static Set<String> reduced(String[] variables, Node node) throws IOException {
        Set<String> reduced = new TreeSet<>(Arrays.asList(variables));
        try {
            EnvVars agents = node.toComputer().getEnvironment();
            reduced.removeIf(v -> v.startsWith("PATH=")
                    || agents.entrySet().stream().anyMatch(e -> v.equals(e.getKey() + "=" + e.getValue())));
        } catch (InterruptedException x) {
            throw new IOException(x);
        }
        return reduced;
    }

    /** Types a line into a shell of the container, and never asks the launcher that it decorates. */
    private static final class ContainerExecDecorator extends LauncherDecorator implements Serializable {
        private static final long serialVersionUID = 1;

        private final TestContainer container;

        ContainerExecDecorator(TestContainer container) {
            this.container = container;
        }

        @NonNull
        @Override
        public Launcher decorate(@NonNull Launcher launcher, @NonNull Node node) {
            return new Launcher.DecoratedLauncher(launcher) {
                @Override
                public Proc launch(ProcStarter starter) throws IOException {
                    StringBuilder script = new StringBuilder("cd \"" + starter.pwd() + "\"\n");
                    for (String variable : reduced(starter.envs(), node)) {
                        int equals = variable.indexOf('=');
                        if (variable.substring(0, equals).matches("[a-zA-Z_][a-zA-Z0-9_]*")) {
                            script.append("export ")
                                    .append(variable, 0, equals)
                                    .append("='")
                                    .append(variable.substring(equals + 1)
                                            .replace("$$", "$")
                                            .replace("'", "'\\''"))
                                    .append("'\n");
                        }
                    }
                    for (String word : starter.cmds()) {
                        script.append('"')
                                .append(word.replace("$$", "\\$").replace("\"", "\\\""))
                                .append("\" ");
                    }
                    script.append("\nexit $?\n");
                    List<String> shell = new ArrayList<>(container.entry());
                    shell.addAll(List.of("env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "sh"));
                    return new Silent(TestContainer.direct(node, getListener())
                            .launch()
                            .cmds(shell)
                            .quiet(true)
                            .stdin(new ByteArrayInputStream(script.toString().getBytes(StandardCharsets.UTF_8)))
                            .stdout(starter.stdout() == null ? OutputStream.nullOutputStream() : starter.stdout())
                            .start());
                }

                @Override
                public void kill(Map<String, String> modelEnvVars) throws IOException {
                    if (modelEnvVars.size() != 1) {
                        throw new AbortException("one variable was expected: " + modelEnvVars);
                    }
                }
            };
        }
    }

    /** No stream can be read, and nothing is ended. */
    private static final class Silent extends Proc {
        private final Proc proc;

        Silent(Proc proc) {
            this.proc = proc;
        }

        @Override
        public boolean isAlive() throws IOException, InterruptedException {
            return proc.isAlive();
        }

        @Override
        public void kill() {}

        @Override
        public int join() throws IOException, InterruptedException {
            return proc.join();
        }

        @Override
        public InputStream getStdout() {
            return null;
        }

        @Override
        public InputStream getStderr() {
            return null;
        }

        @Override
        public OutputStream getStdin() {
            return null;
        }
    }

    private abstract static class Described extends StepDescriptor {
        @Override
        public boolean takesImplicitBlockArgument() {
            return true;
        }

        @Override
        public Set<? extends Class<?>> getRequiredContext() {
            return Set.of(Node.class, FilePath.class, TaskListener.class);
        }
    }

    public static final class Docker extends ContainerStep {
        @DataBoundConstructor
        public Docker() {}

        @TestExtension
        public static final class DescriptorImpl extends Described {
            @Override
            public String getFunctionName() {
                return "withDockerContainer";
            }
        }
    }

    public static final class Kubernetes extends ContainerStep {
        @DataBoundConstructor
        public Kubernetes() {}

        @TestExtension
        public static final class DescriptorImpl extends Described {
            @Override
            public String getFunctionName() {
                return "container";
            }
        }
    }

    public static final class ContainerWrapper extends BuildWrapper {
        @DataBoundConstructor
        public ContainerWrapper() {}

        @Override
        public Launcher decorateLauncher(AbstractBuild build, Launcher launcher, BuildListener listener) {
            return new DockerDecoratedLauncher(launcher);
        }

        @Override
        public Environment setUp(AbstractBuild build, Launcher launcher, BuildListener listener) {
            return new Environment() {};
        }

        @TestExtension
        public static final class DescriptorImpl extends BuildWrapperDescriptor {
            @Override
            public boolean isApplicable(AbstractProject<?, ?> item) {
                return true;
            }
        }
    }

    /** Puts the client in front of each command, as docker-custom-build-environment does. */
    private static final class DockerDecoratedLauncher extends Launcher.DecoratedLauncher {
        DockerDecoratedLauncher(Launcher launcher) {
            super(launcher);
        }

        @Override
        public Proc launch(ProcStarter starter) throws IOException {
            List<String> words = new ArrayList<>(before.entry());
            words.add("--wdns=" + starter.pwd().getRemote());
            words.addAll(starter.cmds());
            return super.launch(starter.cmds(words).masks((boolean[]) null));
        }
    }

    /** Somebody else's step, that launches with what its context has, and has not said so. */
    public static final class Undeclared extends LaunchStep {
        @DataBoundConstructor
        public Undeclared() {
            super("status");
        }

        @TestExtension
        public static final class DescriptorImpl extends LaunchStep.Described {
            @Override
            public String getFunctionName() {
                return "undeclared";
            }

            @Override
            public Set<? extends Class<?>> getRequiredContext() {
                return Set.of(FilePath.class, TaskListener.class);
            }
        }
    }

    public static final class Prefix extends PrefixStep {
        @DataBoundConstructor
        public Prefix() {}

        @TestExtension
        public static final class DescriptorImpl extends PrefixStep.Described {}
    }
}
