package io.jenkins.plugins.sandbox.pipeline;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.allOf;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.everyItem;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;

import hudson.FilePath;
import hudson.model.Node;
import hudson.model.Result;
import hudson.slaves.WorkspaceList;
import io.jenkins.plugins.sandbox.DropVariable;
import io.jenkins.plugins.sandbox.Leftovers;
import io.jenkins.plugins.sandbox.Pipelines;
import io.jenkins.plugins.sandbox.Processes;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.outcome.Finding;
import io.jenkins.plugins.sandbox.outcome.Launch;
import io.jenkins.plugins.sandbox.outcome.LaunchGroup;
import io.jenkins.plugins.sandbox.outcome.Row;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jenkins.tasks.filters.EnvVarsFilterGlobalConfiguration;
import org.jenkinsci.plugins.workflow.actions.WarningAction;
import org.jenkinsci.plugins.workflow.graph.FlowNode;
import org.jenkinsci.plugins.workflow.graphanalysis.DepthFirstScanner;
import org.jenkinsci.plugins.workflow.graphanalysis.NodeStepTypePredicate;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.jvnet.hudson.test.JenkinsRule;

/** What has to work on every node. One Jenkins for all of it: each test has a job of its own. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
abstract class PipelineSuite {
    abstract JenkinsRule r();

    abstract Node node();

    /** @return its name in a script; the built-in node has a label for it */
    private String label() {
        return node().getNodeName().isEmpty() ? "built-in" : node().getNodeName();
    }

    final WorkflowRun run(String job, Result expected, String body) throws Exception {
        return Pipelines.run(r(), job, expected, "node('" + label() + "') {\n" + body + "\n}");
    }

    private String log(WorkflowRun b) throws Exception {
        return JenkinsRule.getLog(b);
    }

    @AfterEach
    void loosenTheFloor() {
        SandboxConfiguration floor = SandboxConfiguration.get();
        floor.setProfile("strict");
        floor.setMinimumLevel("BASELINE");
        floor.setOnShortfall("fail");
    }

    @Test
    void severalInARowShareTheirTemporaryFilesAndHome() throws Exception {
        WorkflowRun b = run("row", Result.SUCCESS, """
                sandbox(profile: 'strict', minimumLevel: 'FULL') {
                  sh 'grep -w NoNewPrivs: /proc/self/status; grep -w Seccomp: /proc/self/status'
                  sh 'echo from-one > /tmp/shared; echo home-one > ~/shared; echo kept > kept.txt'
                  sh 'cat /tmp/shared; cat ~/shared'
                  echo "<${sh(script: 'printf output', returnStdout: true)}>"
                  echo "<${sh(script: 'exit 7', returnStatus: true)}>"
                }
                sh 'test ! -e /tmp/shared; test ! -e ~/shared; cat kept.txt'
                """);
        String log = log(b);
        assertThat(log, containsString("NoNewPrivs:\t1"));
        assertThat(log, containsString("Seccomp:\t2"));
        assertThat(log, containsString("from-one"));
        assertThat(log, containsString("home-one"));
        assertThat(log, containsString("<output>"));
        assertThat(log, containsString("<7>"));
        assertThat(log, containsString("kept\n"));
        Matcher lines = Pattern.compile("\\[sandbox] strict: FULL, (\\d+) of \\1 applied")
                .matcher(log);
        assertThat(lines.results().count(), is(5L));

        SandboxAction action = Pipelines.action(b);
        assertThat(action.getCount(), is(5));
        assertThat(action.getLevel(), is("FULL"));
        assertThat(action.isShortfall(), is(false));
        LaunchGroup group = action.getGroups().get(0);
        assertThat(action.getGroups(), hasSize(1));
        assertThat(group.getFinding().getMinimumLevel(), is("FULL"));
        assertThat(group.getFinding().getNode(), is(node().getDisplayName()));
        assertThat(group.getFinding().getAskedRows(), hasSize(greaterThan(10)));
        assertThat(
                group.getFinding().getAskedRows().stream().map(Row::getStatus).toList(), everyItem(is("applied")));
        assertThat(group.getLaunches().stream().map(Launch::getStep).toList(), everyItem(is("sh")));
        List<String> nodes =
                group.getLaunches().stream().map(Launch::getFlowNode).toList();
        assertThat(
                nodes,
                is(steps(b, "sh").stream()
                        .map(FlowNode::getId)
                        .filter(nodes::contains)
                        .toList()));
        assertNothingLeftBehind("row");
    }

    private static List<FlowNode> steps(WorkflowRun b, String function) {
        List<FlowNode> nodes =
                new DepthFirstScanner().filteredNodes(b.getExecution(), new NodeStepTypePredicate(function));
        return nodes.stream()
                .sorted(java.util.Comparator.comparingInt(n -> Integer.parseInt(n.getId())))
                .toList();
    }

    final void assertNothingLeftBehind(String job) throws Exception {
        FilePath workspace = node().getWorkspaceFor(r().jenkins.getItemByFullName(job, WorkflowJob.class));
        FilePath temporary = WorkspaceList.tempDir(workspace);
        assertThat(Leftovers.in(temporary), is(empty()));
        Leftovers.awaitNone(node());
    }

    @Test
    void theHostIsReadOnlyAndHomeChangesStayInside() throws Exception {
        WorkflowRun b = run("host", Result.SUCCESS, """
                sh 'echo control > ../unsandboxed; rm ../unsandboxed'
                sandbox {
                  sh 'touch ../escaped || echo refused'
                  sh 'if touch /usr/escaped; then echo ESCAPED; else echo USR-REFUSED; fi'
                  sh 'touch ~/escaped; echo HOME-ALLOWED'
                  sh 'touch benign; echo WORKSPACE-ALLOWED'
                }
                sh 'test ! -e ~/escaped; test ! -e ../escaped; test -e benign'
                """);
        r().assertLogNotContains("\nESCAPED", b);
        for (String marker : List.of("USR-REFUSED", "HOME-ALLOWED", "WORKSPACE-ALLOWED")) {
            r().assertLogContains("\n" + marker, b);
        }
    }

    @Test
    void parallelBranchesRunAtTheSameTime() throws Exception {
        WorkflowRun b = run("parallel", Result.SUCCESS, """
                sandbox(minimumLevel: 'FULL') {
                  parallel a: {
                    sh 'echo a > ~/mine; touch /tmp/a; set +x; for i in $(seq 300); do test -e /tmp/b && break; sleep 0.2; done; cat ~/mine | tr a A'
                  }, b: {
                    sh 'echo b > ~/mine; touch /tmp/b; set +x; for i in $(seq 300); do test -e /tmp/a && break; sleep 0.2; done; cat ~/mine | tr b B'
                  }
                }
                """);
        r().assertLogContains("A\n", b);
        r().assertLogContains("B\n", b);
        assertThat(Pipelines.action(b).getCount(), is(2));
        assertNothingLeftBehind("parallel");
    }

    @Test
    void aBackgroundProcessOutlivesItsStep() throws Exception {
        run("background", Result.SUCCESS, """
                sandbox {
                  sh '(sleep 2; echo late > late.txt) > /dev/null 2>&1 &'
                  sh 'test ! -e late.txt; echo NOT-YET'
                  sh 'set +x; for i in $(seq 300); do test -e late.txt && break; sleep 0.2; done; cat late.txt'
                }
                """);
    }

    @Test
    void aFailingCommandFailsTheStep() throws Exception {
        WorkflowRun b = run("failing", Result.FAILURE, "sandbox { sh 'echo before; exit 3' }");
        r().assertLogContains("before", b);
        r().assertLogContains("script returned exit code 3", b);
        assertThat(Pipelines.action(b).isShortfall(), is(false));
        assertNothingLeftBehind("failing");
    }

    @Test
    void anAbortEndsEverything() throws Exception {
        WorkflowJob p = Pipelines.define(
                r(), "abort", "node('" + label() + "') { sandbox { sh 'echo READY; " + Processes.sleep() + "' } }");
        WorkflowRun b = p.scheduleBuild2(0).waitForStart();
        r().waitForMessage("\nREADY", b);
        b.doStop();
        r().assertBuildStatus(Result.ABORTED, r().waitForCompletion(b));
        Processes.awaitNone(Processes.sleep());
        assertNothingLeftBehind("abort");
    }

    /** Its block never ends: it is the end of the build that cleans up. */
    @Test
    void aBuildThatIsKilledLeavesNothingBehind() throws Exception {
        WorkflowJob p = Pipelines.define(
                r(),
                "kill",
                "node('" + label()
                        + "') { sandbox { sh 'echo READY; for i in $(seq 600); do test -e go && break; sleep 0.2; done' } }");
        WorkflowRun b = p.scheduleBuild2(0).waitForStart();
        r().waitForMessage("\nREADY", b);
        assertThat(Pipelines.action(b).getScratches(), hasSize(1));
        b.doKill();
        r().waitForCompletion(b);
        node().getWorkspaceFor(p).child("go").write("", null);
        while (true) {
            try {
                assertNothingLeftBehind("kill");
                return;
            } catch (AssertionError x) {
                Thread.sleep(100);
            }
        }
    }

    /** The heartbeat of a durable task would outlive it for seconds; it ends with the block, and what was used is known then. */
    @Test
    void whatLaunchesUsedIsKnownInTheEnd() throws Exception {
        WorkflowRun b = run("usage", Result.FAILURE, """
                sandbox(minimumLevel: 'FULL') {
                  sh 'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done'
                  catchError(buildResult: 'SUCCESS') { sandbox { sh 'exit 7' } }
                  error 'over'
                }
                """);
        SandboxAction action = Pipelines.action(b);
        assertThat(action.getTotals().ended(), is(2));
        assertThat(action.getCount(), is(2));
        assertThat(action.getTotals().limited(), is(0));
        assertThat(action.getTotals().wallMillis(), is(greaterThan(0L)));
        assertThat(action.getTotals().cpuMillis(), is(greaterThan(0L)));
        assertThat(action.getTotals().peakKiB(), is(greaterThan(0L)));
        for (LaunchGroup group : action.getGroups()) {
            for (Launch launch : group.getLaunches()) {
                assertThat(launch.isStillRunning(), is(false));
                // Not 0: that would be the status of the process that Jenkins launched, which left the work to others.
                assertThat(launch.getEnd().getCode(), is(nullValue()));
            }
        }
        assertNothingLeftBehind("usage");
    }

    /** What comes after the block must not have the build's processes beside it, whatever they do about signals. */
    @Test
    void whatIsLeftRunningEndsBeforeTheBlockDoes() throws Exception {
        String left = Processes.sleep();
        WorkflowJob p = Pipelines.define(
                r(),
                "leftover",
                "node('" + label() + "') {\n"
                        + """
                sandbox {
                  sh '(trap "" TERM; exec LEFT) > /dev/null 2>&1 &'
                  sh 'echo READY; for i in $(seq 600); do test -e go && break; sleep 0.2; done'
                }
                sh 'set +x; cat /proc/[0-9]*/cmdline 2> /dev/null | tr "\\\\0" " " | grep -q "[s]LEFT" && echo STILL-THERE || echo ALL-GONE'
                }
                """.replace("[s]LEFT", "[s]" + left.substring(1)).replace("LEFT", left));
        WorkflowRun b = p.scheduleBuild2(0).waitForStart();
        r().waitForMessage("\nREADY", b);
        assertThat(Processes.exist(left), is(true));
        node().getWorkspaceFor(p).child("go").write("", null);
        r().assertBuildStatus(Result.SUCCESS, r().waitForCompletion(b));
        r().assertLogContains("ALL-GONE", b);
        assertThat(Processes.exist(left), is(false));
        assertThat(Pipelines.action(b).getTotals().ended(), is(2));
        assertNothingLeftBehind("leftover");
    }

    /** It ends the wrapper too, whose result the step waits for. */
    @Test
    void aStepEndsWithTheLimitThatEndedItsCommand() throws Exception {
        WorkflowRun b = run("limit", Result.FAILURE, """
                sandbox(wallTime: '2s') { dir('below') { sh 'sleep 1000' } }
                """);
        r().assertLogContains("[sandbox] the limit on wall time, 2 s, was reached: all processes were killed", b);
        r().assertLogContains("Raise it with wallTime", b);
        r().assertLogContains("script returned exit code 137", b);
        assertNothingLeftBehind("limit");
    }

    @Test
    void theBlockMayBeAroundTheNode() throws Exception {
        WorkflowRun b = Pipelines.run(
                r(),
                "around",
                Result.SUCCESS,
                "sandbox(minimumLevel: 'FULL') { node('" + label() + "') { sh 'pwd' } }");
        r().assertLogContains("strict: FULL", b);
        assertNothingLeftBehind("around");
    }

    @Test
    void declarativeOptions() throws Exception {
        WorkflowRun b = Pipelines.run(r(), "declarative", Result.SUCCESS, """
                pipeline {
                  agent none
                  options { sandbox(minimumLevel: 'FULL') }
                  stages {
                    stage('one') { agent { label '%1$s' }; steps { sh 'echo in-one' } }
                    stage('two') {
                      agent { label '%1$s' }
                      options { sandbox(profile: 'strict') }
                      steps { sh 'echo in-two' }
                    }
                  }
                }""".formatted(label()));
        r().assertLogContains("\nin-one\n", b);
        r().assertLogContains("\nin-two\n", b);
        SandboxAction action = Pipelines.action(b);
        assertThat(action.getCount(), is(2));
        assertThat(action.getGroups(), hasSize(1));
        assertThat(action.getGroups().get(0).getFinding().getMinimumLevel(), is("FULL"));
    }

    @Test
    void directoriesInTheWorkspace() throws Exception {
        WorkflowRun b = run("dirs", Result.SUCCESS, """
                sandbox(minimumLevel: 'FULL') {
                  dir('sub/dir with spaces/ünï') { sh 'pwd; touch here' }
                  dir('sub') { echo sh(script: 'ls "dir with spaces/ünï"', returnStdout: true) }
                }
                """);
        r().assertLogContains("/sub/dir with spaces/ünï\n", b);
        r().assertLogContains("\nhere\n", b);
    }

    /** There it lies in the workspace, where a command may otherwise do as it likes. */
    @Test
    void theControlDirectoryBelowADirectoryOfTheWorkspaceIsSafe() throws Exception {
        String attempts = """
                sh '''set +ex
                  for d in "../x y@tmp"/durable-*; do
                    ln -s /etc/passwd "$d/link" 2>/dev/null && echo LINKED
                    mkfifo "$d/pipe" 2>/dev/null && echo PIPED
                  done
                  cat "../x y@tmp/secretFiles/other" 2>/dev/null
                  cat "$KEY"
                  mv "../x y@tmp" ../moved 2>/dev/null && { echo MOVED; mv ../moved "../x y@tmp"; }
                  echo TRIED
                '''
                """;
        WorkflowRun b = run("control", Result.SUCCESS, """
                dir('x y@tmp/secretFiles') {
                  writeFile file: 'mine', text: 'MINE\\n'
                  writeFile file: 'other', text: 'OTHER\\n'
                }
                withEnv(["KEY=${pwd()}/x y@tmp/secretFiles/mine"]) {
                  dir('x y') { %1$s }
                  echo '<<<'
                  sandbox(profile: 'strict', minimumLevel: 'FULL') {
                    dir('x y') {
                      %1$s
                      sh '#!/bin/sh\\nread line < "$0"; echo "INTERPRETER $line"'
                      echo "<${sh(script: 'printf output', returnStdout: true)}>"
                      echo "<${sh(script: 'exit 7', returnStatus: true)}>"
                      dir('deeper') { sh 'pwd; touch here' }
                      sh '(sleep 1; echo LATER > later) > background 2>&1 &'
                    }
                    sh 'while ! test -s "x y/later"; do sleep 0.1; done; ls "x y" "x y/deeper"'
                  }
                }
                """.formatted(attempts));
        String[] log = log(b).split("<<<", 2);
        for (String done : List.of("LINKED\n", "PIPED\n", "OTHER\n", "MINE\n", "MOVED\n", "TRIED\n")) {
            assertThat(log[0], containsString(done));
        }
        for (String done : List.of("MINE\n", "TRIED\n", "INTERPRETER #!/bin/sh", "<output>", "<7>", "here\n")) {
            assertThat(log[1], containsString(done));
        }
        for (String done : List.of("LINKED\n", "PIPED\n", "OTHER\n", "MOVED\n")) {
            assertThat(log[1], not(containsString(done)));
        }
        assertThat(Pipelines.action(b).getLevel(), is("FULL"));
    }

    @Test
    void jobNamesWithSpacesAndNonAscii() throws Exception {
        r().createFolder("ein Ordner");
        WorkflowJob job = r().jenkins
                .getItemByFullName("ein Ordner", org.jvnet.hudson.test.MockFolder.class)
                .createProject(WorkflowJob.class, "grüß 你好 it's");
        // durable-task itself cannot cope with a quote in a path.
        job.renameTo("grüß 你好 (it)");
        WorkflowRun b = run(
                "ein Ordner/grüß 你好 (it)",
                Result.SUCCESS,
                "sandbox(minimumLevel: 'FULL') { sh 'pwd > where; cat where' }");
        r().assertLogContains("ein Ordner/grüß 你好 (it)\n", b);
    }

    @Test
    void aWorkspaceOutsideIsRefused() throws Exception {
        // Jenkins itself makes the control directory there before anything is launched.
        FilePath outside = new FilePath(node().getChannel(), "/tmp/outside of " + label());
        try {
            WorkflowRun b = run("outside", Result.FAILURE, """
                    sandbox { dir('%s') { sh 'touch escaped' } }
                    """.formatted(outside.getRemote()));
            r().assertLogContains("'" + outside.getRemote() + "' is outside of '", b);
            r().assertLogContains("Use a directory in the workspace", b);
            r().assertLogNotContains("+ touch", b);
            assertThat(outside.child("escaped").exists(), is(false));
        } finally {
            outside.deleteRecursive();
            WorkspaceList.tempDir(outside).deleteRecursive();
        }
        WorkflowRun ws = run("outside", Result.FAILURE, """
                sandbox { ws(pwd() + '/../neighbour') { sh 'touch escaped' } }
                """);
        r().assertLogContains("is outside of '", ws);
        r().assertLogNotContains("+ touch", ws);
    }

    @Test
    void theEnvironmentDoesNotMoveTheWorkspace() throws Exception {
        WorkflowRun b = run("env", Result.SUCCESS, """
                withEnv(['WORKSPACE=/usr', 'WORKSPACE_TMP=/usr', 'PROCESS_SANDBOX_STEP=3']) {
                  sandbox { sh 'if touch /usr/escaped; then echo ESCAPED; else echo REFUSED; fi; env | sort > env.txt' }
                }
                echo readFile('env.txt')
                """);
        r().assertLogContains("\nREFUSED", b);
        r().assertLogNotContains("PROCESS_SANDBOX_STEP", b);
        assertThat(Pipelines.action(b).getGroups().get(0).getLaunches().get(0).getFlowNode(), is(not("3")));
    }

    @Test
    void aSymbolicLinkDoesNotMoveTheWorkspace() throws Exception {
        WorkflowRun b = run("link", Result.FAILURE, """
                sh 'rm -f link; ln -s /var/tmp link'
                sandbox { dir('link') { sh 'touch escaped' } }
                """);
        r().assertLogContains("outside of the workspace", b);
        r().assertLogContains("Remove the symbolic link", b);
        r().assertLogNotContains("+ touch", b);
    }

    @Test
    void concurrentBuildsGetTheirOwnWorkspace() throws Exception {
        WorkflowJob p = Pipelines.define(r(), "twice", "node('" + label() + """
                ') {
                  sandbox(minimumLevel: 'FULL') { sh 'echo $BUILD_NUMBER > mine; echo READY; set +x; for i in $(seq 300); do test -e go && break; sleep 0.2; done; cat mine' }
                }""");
        WorkflowRun one = p.scheduleBuild2(0).waitForStart();
        r().waitForMessage("\nREADY", one);
        WorkflowRun two = p.scheduleBuild2(0).waitForStart();
        r().waitForMessage("\nREADY", two);
        FilePath workspace = node().getWorkspaceFor(p);
        workspace.child("go").write("", null);
        workspace.sibling(workspace.getName() + "@2").child("go").write("", null);
        r().assertBuildStatusSuccess(r().waitForCompletion(one));
        r().assertBuildStatusSuccess(r().waitForCompletion(two));
        r().assertLogContains("@2", two);
    }

    @Test
    void environmentFiltersOfCoreStillApply() throws Exception {
        var rules = EnvVarsFilterGlobalConfiguration.getAllActivatedGlobalRules();
        var rule = new DropVariable("FILTERED");
        rules.add(rule);
        try {
            WorkflowRun b = run(
                    "filters",
                    Result.SUCCESS,
                    "withEnv(['FILTERED=leaked', 'OTHER=kept']) { sandbox { sh 'echo \"<$FILTERED|$OTHER>\"' } }");
            r().assertLogContains("<|kept>", b);
        } finally {
            rules.remove(rule);
        }
    }

    @Test
    void aShortfallFailsTheStepAndNothingRuns() throws Exception {
        SandboxConfiguration.get().setProfile("standard");
        WorkflowRun b = run("short", Result.FAILURE, """
                sandbox(profile: 'standard', minimumLevel: 'FULL') { sh 'touch ran; echo RAN' }
                """);
        r().assertLogNotContains("RAN\n", b);
        r().assertLogContains("standard: BASELINE, ", b);
        r().assertLogContains("The level is BASELINE, the minimum is FULL.", b);
        FilePath workspace = node().getWorkspaceFor(b.getParent());
        assertThat(workspace.child("ran").exists(), is(false));
        SandboxAction action = Pipelines.action(b);
        assertThat(action.isShortfall(), is(true));
        assertThat(action.getWorst().getVerdict(), is(Finding.Verdict.REFUSED));
        assertThat(action.getWorst().getMinimumLevel(), is("FULL"));
        FlowNode sh = steps(b, "sh").get(0);
        assertThat(sh.getPersistentAction(WarningAction.class).getMessage(), containsString("the minimum is FULL"));
        assertNothingLeftBehind("short");
    }

    @Test
    void aShortfallWithWarnRunsAndSaysSo() throws Exception {
        SandboxConfiguration.get().setProfile("standard");
        SandboxConfiguration.get().setOnShortfall("warn");
        WorkflowRun b = run("warned", Result.SUCCESS, """
                sandbox(profile: 'standard', minimumLevel: 'FULL', onShortfall: 'warn') { sh 'echo RAN' }
                """);
        r().assertLogContains("\nRAN\n", b);
        r().assertLogContains("[sandbox] standard: BASELINE, ", b);
        r().assertLogContains("the minimum is FULL", b);
        assertThat(Pipelines.action(b).getWorst().getVerdict(), is(Finding.Verdict.WARNED));
        assertThat(steps(b, "sh").get(0).getPersistentAction(WarningAction.class), is(notNullValue()));
    }

    @Test
    void standardReachesBaseline() throws Exception {
        SandboxConfiguration.get().setProfile("standard");
        WorkflowRun b = run("standard", Result.SUCCESS, """
                sandbox(profile: 'standard', minimumLevel: 'BASELINE') { sh 'grep -w NoNewPrivs: /proc/self/status' }
                """);
        r().assertLogContains("NoNewPrivs:\t1", b);
        r().assertLogContains("[sandbox] standard: BASELINE, ", b);
        assertThat(steps(b, "sh").get(0).getPersistentAction(WarningAction.class), is(nullValue()));
    }

    @Test
    void aJenkinsfileCannotLoosenTheFloor() throws Exception {
        SandboxConfiguration.get().setMinimumLevel("FULL");
        WorkflowRun b = run("floor", Result.SUCCESS, """
                sandbox(profile: 'standard', minimumLevel: 'NONE', onShortfall: 'warn') { sh 'echo ran' }
                """);
        r().assertLogContains("[sandbox] profile raised from standard to strict", b);
        r().assertLogContains("[sandbox] minimumLevel raised from NONE to FULL", b);
        r().assertLogContains("[sandbox] onShortfall raised from warn to fail", b);
        Finding finding = Pipelines.action(b).getGroups().get(0).getFinding();
        assertThat(finding.getProfile(), is("strict"));
        assertThat(finding.getMinimumLevel(), is("FULL"));
    }

    @Test
    void nestedBlocksGetTheStricterOfEachAndOneSandbox() throws Exception {
        SandboxConfiguration.get().setProfile("standard");
        SandboxConfiguration.get().setMinimumLevel("NONE");
        WorkflowRun b = run("nested", Result.SUCCESS, """
                sandbox(profile: 'strict', minimumLevel: 'PARTIAL') {
                  sandbox(profile: 'standard', minimumLevel: 'FULL') { sh 'echo inner; cat /proc/sys/kernel/ns_last_pid || true' }
                  sandbox { sh 'echo second' }
                }
                """);
        SandboxAction action = Pipelines.action(b);
        assertThat(action.getCount(), is(2));
        assertThat(
                action.getGroups().stream()
                        .map(g -> g.getFinding().getProfile() + " "
                                + g.getFinding().getMinimumLevel())
                        .sorted()
                        .toList(),
                contains("strict FULL", "strict PARTIAL"));
        assertNothingLeftBehind("nested");
    }

    @Test
    void offlineAndLockedRunEveryKindOfShellStep() throws Exception {
        for (String profile : List.of("offline", "locked")) {
            WorkflowRun b = run("network", Result.SUCCESS, """
                    sh 'echo CONTROL-$(ls /sys/class/net /proc/self/net/dev > /dev/null && grep -c : /proc/self/net/dev)'
                    sandbox(profile: '%s', minimumLevel: 'FULL') {
                      sh 'echo "interfaces: $(grep : /proc/self/net/dev | cut -d: -f1 | tr -d " \\n")"'
                      echo "<${sh(script: 'printf output', returnStdout: true)}>"
                      echo "<${sh(script: 'exit 7', returnStatus: true)}>"
                      sh 'echo from-one > /tmp/shared; echo kept > kept.txt'
                      sh 'cat /tmp/shared || echo EMPTY-TMP; cat kept.txt'
                      dir('sub') { sh 'pwd; touch here' }
                      parallel a: { sh 'echo IN-A' }, b: { sh 'echo IN-B' }
                    }
                    """.formatted(profile));
            for (String line : List.of("interfaces: lo", "<output>", "<7>", "kept", "IN-A", "IN-B")) {
                r().assertLogContains(line + "\n", b);
            }
            SandboxAction action = Pipelines.action(b);
            assertThat(action.getLevel(), is("FULL"));
            assertThat(action.getCount(), is(8));
            assertThat(action.getGroups().get(0).getFinding().getProfile(), is(profile));
        }
        assertNothingLeftBehind("network");
    }

    @Test
    void nothingButWhatIsNamedExistsUnderLocked() throws Exception {
        WorkflowRun b = run("locked", Result.SUCCESS, """
                sh 'test -e /etc/hostname; test -d /home; echo CONTROL'
                sandbox(profile: 'locked', minimumLevel: 'FULL') {
                  sh 'set +x; if test -e /etc/hostname || test -e /home || test -e /srv; then echo THERE; else echo GONE; fi'
                  sh 'printf "#!/bin/sh\\necho EXECUTED\\n" > script; chmod +x script; ./script || echo NOT-EXECUTED; sh ./script'
                }
                """);
        r().assertLogContains("\nGONE\n", b);
        r().assertLogContains("\nNOT-EXECUTED\n", b);
    }

    @Test
    void unknownWordsAreClearErrors() throws Exception {
        r().assertLogContains(
                        "There is no profile 'strickt'",
                        run("typo", Result.FAILURE, "sandbox(profile: 'strickt') { echo 'RAN' }"));
        r().assertLogContains(
                        "There is no level 'MOST'",
                        run("typo", Result.FAILURE, "sandbox(minimumLevel: 'MOST') { echo 'RAN' }"));
    }

    @Test
    void launchesAreStoredWithTheBuild() throws Exception {
        WorkflowRun b = run("stored", Result.SUCCESS, "sandbox { sh 'echo one'; sh 'echo two' }");
        int number = b.getNumber();
        WorkflowJob job = b.getParent();
        job.doReload();
        WorkflowRun again =
                r().jenkins.getItemByFullName("stored", WorkflowJob.class).getBuildByNumber(number);
        assertThat(again, is(not(org.hamcrest.Matchers.sameInstance(b))));
        LaunchGroup group = Pipelines.action(again).getGroups().get(0);
        assertThat(group.getCount(), is(2));
        assertThat(group.getFinding(), is(Pipelines.action(b).getGroups().get(0).getFinding()));
        assertThat(group.getFinding().getReason(), is(nullValue()));
        assertThat(group.getLaunches().get(1).getId(), allOf(notNullValue(), is(not(""))));
    }
}
