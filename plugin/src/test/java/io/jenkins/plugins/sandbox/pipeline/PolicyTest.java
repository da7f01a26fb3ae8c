package io.jenkins.plugins.sandbox.pipeline;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;

import hudson.FilePath;
import hudson.model.Node;
import hudson.model.Result;
import io.jenkins.plugins.sandbox.Pipelines;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.config.SandboxProfile;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jenkinsci.plugins.workflow.actions.WarningAction;
import org.jenkinsci.plugins.workflow.graphanalysis.DepthFirstScanner;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** What a Jenkinsfile says about its sandbox, and what comes of it on an agent. */
@WithJenkins
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class PolicyTest {
    @RegisterExtension
    private static final UnprivilegedAgent AGENTS = new UnprivilegedAgent().shared();

    private static JenkinsRule r;
    private static Node agent;
    private static Path shared;

    private SandboxConfiguration floor;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        r = rule;
        agent = AGENTS.start(r, "linux");
        shared = Files.createTempDirectory(Path.of("/tmp"), "shared");
        Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    @AfterAll
    static void stop() throws Exception {
        new FilePath(shared.toFile()).deleteRecursive();
        r.after();
    }

    @BeforeEach
    void reset() {
        floor = SandboxConfiguration.get();
        floor.setProfiles(List.of());
        floor.setProfile("strict");
        floor.setMinimumLevel("BASELINE");
        floor.setOnShortfall("fail");
        floor.setRequiredPrimitives(List.of());
        floor.setRelaxations(List.of());
        floor.setAllowedPaths(List.of());
    }

    private static WorkflowRun run(String job, Result expected, String script) throws Exception {
        return Pipelines.run(r, job, expected, "node('linux') { " + script + " }");
    }

    /** Nothing is launched, and the log has these words. */
    private static void refused(String job, String script, String... words) throws Exception {
        WorkflowRun b = run(job, Result.FAILURE, script);
        String log = JenkinsRule.getLog(b);
        assertThat(log, not(containsString("\nRAN")));
        for (String word : words) {
            assertThat(log, containsString(word));
        }
        assertThat(b.getAction(SandboxAction.class), is(nullValue()));
    }

    @Test
    void everySettingReachesTheAgent() throws Exception {
        WorkflowRun b = run("all", Result.SUCCESS, """
                sandbox(profile: 'strict', minimumLevel: 'FULL', network: 'none', home: 'empty', openFiles: 128,
                        fileSize: '64m', hidePaths: ['/usr/share'], requiredPrimitives: ['network_namespace']) {
                  sh '''
                    set +x
                    echo files=$(ulimit -n)
                    echo interfaces=$(tail -n +3 /proc/net/dev | cut -d: -f1)
                    ls -A ~ | wc -l
                    ls /usr/share > seen 2>&1 && test ! -s seen && echo EMPTY || echo HIDDEN
                  '''
                }
                sh 'test -d /usr/share/doc && echo CONTROL'
                """);
        r.assertLogContains("\nfiles=128", b);
        r.assertLogContains("\ninterfaces= lo\n", b);
        r.assertLogContains("\nCONTROL", b);
        SandboxAction action = Pipelines.action(b);
        assertThat(action.getLevel(), is("FULL"));
        assertThat(
                action.getGroups().get(0).getFinding().getAskedRows().toString()
                        + action.getGroups().get(0).getFinding().getRows().stream()
                                .filter(x -> x.isApplied())
                                .map(x -> x.getPrimitive())
                                .toList(),
                containsString("rlimit_fsize"));
    }

    /** It lies in the workspace, so who was there before could put a link in its place, and the agent would follow it. */
    @Test
    void aControlDirectoryThatAnotherLaunchMayReplaceIsAShortfall() throws Exception {
        WorkflowRun b = run("beside", Result.SUCCESS, """
                parallel first: {
                  sandbox(minimumLevel: 'FULL') {
                    dir('a') { sh 'touch up; for i in $(seq 600); do test -e ../go && break; sleep 0.1; done' }
                  }
                }, second: {
                  waitUntil(initialRecurrencePeriod: 100, quiet: true) { fileExists 'a/up' }
                  sandbox(minimumLevel: 'FULL') {
                    sh '''set +x
                      ls -d a@tmp/durable-* && echo SEEN; mv a@tmp moved && echo MOVED; echo TRIED'''
                    catchError(buildResult: 'SUCCESS') { dir('b') { sh 'echo RAN' } }
                  }
                  sandbox(minimumLevel: 'PARTIAL') { dir('b') { sh 'echo WARNED' } }
                  sh 'ls -d a@tmp/durable-* && echo CONTROL; touch go'
                }
                """);
        r.assertLogContains("TRIED\n", b);
        r.assertLogContains("CONTROL\n", b);
        r.assertLogNotContains("SEEN\n", b);
        r.assertLogNotContains("MOVED\n", b);
        r.assertLogNotContains(" RAN\n", b);
        r.assertLogContains("/b@tmp/durable-", b);
        r.assertLogContains("another launch, which still runs, may write there", b);
        r.assertLogContains("Give parallel branches workspaces of their own", b);
        r.assertLogContains("WARNED\n", b);
        assertThat(Pipelines.action(b).getLevel(), is("PARTIAL"));
    }

    @Test
    void whatAnEarlierStepLeftRunningIsAnotherLaunchToo() throws Exception {
        String left = "sandbox(minimumLevel: 'FULL') { sh 'sleep 1000 > /dev/null 2>&1 &'; %s }";
        WorkflowRun b = run("left", Result.FAILURE, left.formatted("dir('x') { sh 'echo RAN' }"));
        r.assertLogContains("another launch, which still runs, may write there", b);
        r.assertLogNotContains("RAN\n", b);
        assertThat(
                Pipelines.action(run("left", Result.SUCCESS, left.formatted("sh 'mkdir -p x; cd x; echo RAN'")))
                        .getLevel(),
                is("FULL"));
    }

    /** The heartbeat of a step's wrapper outlives it for seconds. */
    @Test
    void oneStepAfterTheOtherIsNoShortfall() throws Exception {
        WorkflowRun b = run("sequence", Result.SUCCESS, """
                sandbox(minimumLevel: 'FULL') {
                  sh 'true'
                  dir('x') { sh 'true'; sh 'true'; dir('deeper') { sh 'echo DEEPER' } }
                  dir('y') { sh 'true' }
                }
                dir('x') { sandbox(minimumLevel: 'FULL') { sh 'true'; sh 'echo LAST' } }
                """);
        r.assertLogContains("DEEPER\n", b);
        r.assertLogContains("LAST\n", b);
        assertThat(Pipelines.action(b).getLevel(), is("FULL"));
    }

    @Test
    void aPathIsWrittenToOnlyWhereItIsAllowedAndNamed() throws Exception {
        String name = "sandbox(writePaths: ['" + shared + "/cache']) { sh 'echo RAN > " + shared + "/cache/it' }";
        Files.createDirectory(shared.resolve("cache"));
        Files.setPosixFilePermissions(shared.resolve("cache"), PosixFilePermissions.fromString("rwxrwxrwx"));

        refused("paths", name, "writePaths: '" + shared + "/cache'", "they may add none", "Leave it out");
        floor.setAllowedPaths(List.of(shared + "/cache2", "/opt"));
        refused("paths", name, "those in " + shared + "/cache2, /opt");

        floor.setAllowedPaths(List.of(shared.toString()));
        run("paths", Result.SUCCESS, name);
        assertThat(Files.exists(shared.resolve("cache/it")), is(true));
        run("paths", Result.FAILURE, "sandbox { sh 'echo again > " + shared + "/cache/it' }");
        assertThat(Files.readString(shared.resolve("cache/it")), is("RAN\n"));
    }

    /** Whoever can write where jobs may name paths could have put it there. */
    @Test
    void aSymbolicLinkDoesNotLeadOutOfTheAllowedPaths() throws Exception {
        Path allowed = Files.createDirectory(shared.resolve("allowed"));
        Files.createSymbolicLink(allowed.resolve("link"), Path.of("/etc"));
        floor.setAllowedPaths(List.of(allowed.toString()));
        refused(
                "links",
                "sandbox(readPaths: ['" + allowed + "/link/passwd']) { sh 'echo RAN' }",
                "is really '/etc/passwd'",
                "jobs may add only what lies in " + allowed);
        refused(
                "links",
                "sandbox(readPaths: ['" + allowed + "/missing']) { sh 'echo RAN' }",
                "does not exist on the agent");
        Files.createDirectory(allowed.resolve("real"));
        Files.createSymbolicLink(allowed.resolve("inner"), allowed.resolve("real"));
        run("links", Result.SUCCESS, "sandbox(readPaths: ['" + allowed + "/inner']) { sh 'echo RAN' }");
    }

    @Test
    void whatLoosensIsRefusedBeforeAnythingRuns() throws Exception {
        floor.setProfile("offline");
        for (String[] each : new String[][] {
            {"network: 'host'", "network: 'host' is below"},
            {"home: 'host'", "home: 'host' is below"},
            {"openFiles: 100000", "openFiles: '100000' is below"},
            {"environment: ['AGENT_CANARY']", "environment: 'AGENT_CANARY' is below"},
            {"execPaths: ['@workspace']", "execPaths: '@workspace' is no path that jobs may add"},
            {"readPaths: ['etc/passwd']", "The path 'etc/passwd' is relative"},
            {"readPaths: ['/opt/../etc']", "has '.' or '..' in it"},
            {"readPaths: ['~/.ssh']", "is relative"},
            {"memory: 'lots'", "memory 'lots' is no size"},
            {"wallTime: 'soon'", "wallTime 'soon' is no time"},
            {"pids: -1", "pids '-1' is no whole number"},
            {"pids: 0", "out of range"},
            {"network: 'some'", "network cannot be 'some'"},
            {"requiredPrimitives: ['luck']", "there is no primitive 'luck'"},
            {"profile: 'nosuch'", "There is no profile 'nosuch'"},
            {"profile: '../etc'", "is no name of a profile"},
        }) {
            refused("loose", "sandbox(" + each[0] + ") { sh 'echo RAN' }", each[1]);
        }
    }

    @Test
    void whatTheAdministratorAllowsReachesTheAgent() throws Exception {
        floor.setProfile("locked");
        floor.setRelaxations(List.of("environment", "network", "home", "limits"));
        floor.setAllowedPaths(List.of("@workspace"));
        WorkflowRun b = run("allowed", Result.SUCCESS, """
                writeFile file: 'mine', text: '#!/bin/sh\\necho EXECUTED'
                sh 'chmod +x mine'
                sandbox { sh './mine || echo NOT-EXECUTED' }
                sandbox(execPaths: ['@workspace'], environment: ['AGENT_CANARY'], openFiles: 100000) {
                  sh './mine; echo canary=$AGENT_CANARY; ulimit -n'
                }
                """);
        r.assertLogContains("\nNOT-EXECUTED", b);
        r.assertLogContains("\nEXECUTED", b);
        r.assertLogContains("\ncanary=inherited", b);
    }

    @Test
    void theHomeOfAJobStaysForItsNextBuildAndGoesWithTheJob() throws Exception {
        floor.setRelaxations(List.of("home"));
        String script = "sandbox(home: 'job') { sh 'cat ~/kept || echo FIRST; echo KEPT > ~/kept' }";
        Set<String> before = jobHomes();
        r.assertLogContains("\nFIRST", run("home", Result.SUCCESS, script));
        WorkflowRun second = run("home", Result.SUCCESS, script);
        r.assertLogContains("\nKEPT", second);
        r.assertLogNotContains("\nFIRST", second);
        r.assertLogContains("\nFIRST", run("another", Result.SUCCESS, script));
        Set<String> kept = jobHomes();
        kept.removeAll(before);
        assertThat(kept.toString(), kept.size(), is(2));
        r.jenkins.getItemByFullName("home").delete();
        r.jenkins.getItemByFullName("another").delete();
        while (!Collections.disjoint(jobHomes(), kept)) {
            Thread.sleep(100);
        }
    }

    private static Set<String> jobHomes() throws Exception {
        return new FilePath(agent.getChannel(), "/var/tmp")
                .listDirectories().stream()
                        .map(FilePath::getName)
                        .filter(n -> n.startsWith("process-sandbox-job-"))
                        .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void aShortfallCanMakeTheBuildUnstable() throws Exception {
        floor.setProfile("standard");
        floor.setOnShortfall("warn");
        WorkflowRun b = run(
                "unstable",
                Result.UNSTABLE,
                "sandbox(minimumLevel: 'FULL', onShortfall: 'unstable') { sh 'echo RAN' }");
        r.assertLogContains("\nRAN", b);
        r.assertLogContains("the minimum is FULL", b);
        assertThat(
                new DepthFirstScanner()
                        .findFirstMatch(b.getExecution(), n -> n.getPersistentAction(WarningAction.class) != null),
                is(notNullValue()));
        r.assertLogContains("\nRAN", run("warned", Result.SUCCESS, "sandbox(minimumLevel: 'FULL') { sh 'echo RAN' }"));
    }

    @Test
    void aRequiredPrimitiveThatTheProfileLacksFailsTheLaunch() throws Exception {
        WorkflowRun b =
                run("required", Result.FAILURE, "sandbox(requiredPrimitives: ['network_namespace']) { sh 'echo RAN' }");
        r.assertLogNotContains("\nRAN", b);
        r.assertLogContains("Required, but not applied: network_namespace", b);
        assertThat(Pipelines.action(b).isShortfall(), is(true));
    }

    @Test
    void anOwnProfileHoldsAndOneThatIsDeletedIsAnError() throws Exception {
        SandboxProfile own = new SandboxProfile("quiet", "strict");
        own.setNetwork("none");
        own.setOpenFiles("99");
        floor.setProfiles(List.of(own));
        String script = "sandbox(profile: 'quiet') { sh 'set +x; echo files=$(ulimit -n); tail -n +3 /proc/net/dev' }";
        WorkflowRun b = run("own", Result.SUCCESS, script);
        r.assertLogContains("\nfiles=99", b);
        r.assertLogContains("[sandbox] quiet: FULL", b);

        floor.setProfiles(List.of());
        refused("own", script, "There is no profile 'quiet'");
        floor.setProfile("quiet");
        refused("own", "sandbox { sh 'echo RAN' }", "There is no profile 'quiet'", "Manage Jenkins");
    }

    /** What holds is asked anew for each launch. */
    @Test
    void aProfileThatIsDeletedWithinABlockIsAnErrorAtTheNextLaunch() throws Exception {
        floor.setProfiles(List.of(new SandboxProfile("brief", "offline")));
        WorkflowRun b = Pipelines.define(r, "brief", """
                        node('linux') { sandbox(profile: 'brief') {
                          sh 'set +x; echo READY; for i in $(seq 300); do test -e go && break; sleep 0.2; done'
                          sh 'echo RAN'
                        } }""").scheduleBuild2(0).waitForStart();
        r.waitForMessage("\nREADY", b);
        floor.setProfiles(List.of());
        agent.getWorkspaceFor(b.getParent()).child("go").write("", null);
        r.assertBuildStatus(Result.FAILURE, r.waitForCompletion(b));
        r.assertLogNotContains("\nRAN", b);
        r.assertLogContains("There is no profile 'brief'", b);
    }

    @Test
    void nestedBlocksOnlyTighten() throws Exception {
        floor.setRelaxations(List.of("network", "limits"));
        WorkflowRun b = run("nested", Result.SUCCESS, """
                sandbox(network: 'none', openFiles: 200) {
                  sandbox(network: 'host', openFiles: 300, home: 'empty') {
                    sh 'set +x; echo files=$(ulimit -n) interfaces=$(tail -n +3 /proc/net/dev | cut -d: -f1)'
                  }
                }
                """);
        r.assertLogContains("\nfiles=200 interfaces= lo\n", b);
        r.assertLogContains("network raised from host to none: a block can only tighten the one around it", b);
        assertThat(Pipelines.action(b).getCount(), is(1));
    }

    @Test
    void declarativeOptionsOfThePipelineAndOfAStage() throws Exception {
        WorkflowRun b = Pipelines.run(r, "declarative", Result.SUCCESS, """
                pipeline {
                  agent { label 'linux' }
                  options { sandbox(openFiles: '200', hidePaths: ['/usr/share/doc']) }
                  stages {
                    stage('open') { steps { sh 'set +x; echo one=$(ulimit -n)' } }
                    stage('shut') {
                      options { sandbox(network: 'none', openFiles: '100') }
                      steps { sh 'set +x; echo two=$(ulimit -n) $(tail -n +3 /proc/net/dev | cut -d: -f1)' }
                    }
                  }
                }""");
        r.assertLogContains("\none=200", b);
        r.assertLogContains("\ntwo=100 lo\n", b);
        assertThat(Pipelines.action(b).getCount(), is(2));
    }

    @Test
    void oneBlockAroundSeveralNodes() throws Exception {
        WorkflowRun b = Pipelines.run(r, "nodes", Result.SUCCESS, """
                sandbox(openFiles: 200) {
                  node('linux') { sh 'set +x; echo one=$(ulimit -n)' }
                  node('built-in') { sh 'set +x; echo two=$(ulimit -n)' }
                }""");
        r.assertLogContains("\none=200", b);
        r.assertLogContains("\ntwo=200", b);
        assertThat(
                Pipelines.action(b).getGroups().stream()
                        .map(g -> g.getFinding().getNode())
                        .distinct()
                        .count(),
                is(2L));
    }

    /** A parameter is no more than what the Jenkinsfile says. */
    @Test
    void aForgedParameterCannotLoosen() throws Exception {
        WorkflowRun b = run("parameter", Result.SUCCESS, """
                def forged = [profile: 'standard', minimumLevel: 'NONE', onShortfall: 'warn']
                sandbox(forged) { sh 'grep -w Seccomp: /proc/self/status' }
                """);
        r.assertLogContains("Seccomp:\t2", b);
        r.assertLogContains("[sandbox] profile raised from standard to strict", b);
        refused("parameter", "sandbox([settings: [words: [:]]]) { sh 'echo RAN' }", "settings");
    }
}
