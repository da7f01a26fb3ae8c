package io.jenkins.plugins.sandbox.pipeline;

import static io.jenkins.plugins.sandbox.Repositories.step;
import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.lessThan;
import static org.hamcrest.Matchers.not;

import com.cloudbees.plugins.credentials.CredentialsProvider;
import com.cloudbees.plugins.credentials.CredentialsScope;
import com.cloudbees.plugins.credentials.CredentialsStore;
import com.cloudbees.plugins.credentials.SecretBytes;
import com.cloudbees.plugins.credentials.domains.Domain;
import hudson.model.Node;
import hudson.model.Result;
import hudson.util.Secret;
import io.jenkins.plugins.sandbox.Pipelines;
import io.jenkins.plugins.sandbox.Processes;
import io.jenkins.plugins.sandbox.Repositories;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jenkinsci.plugins.durabletask.BourneShellScript;
import org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl;
import org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** On a real agent of an ordinary user, whose root directory lies in its home directory. */
@WithJenkins
class InboundAgentTest extends PipelineSuite {
    private static final String STUBBORN = Processes.own("stubborn");

    @RegisterExtension
    private static final UnprivilegedAgent AGENTS = new UnprivilegedAgent().shared();

    private static JenkinsRule r;
    private static Node agent;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        r = rule;
        agent = AGENTS.start(r, "linux");
        addCredentials();
    }

    @AfterAll
    static void stop() throws Exception {
        r.after();
    }

    @Override
    JenkinsRule r() {
        return r;
    }

    @Override
    Node node() {
        return agent;
    }

    private static void addCredentials() throws Exception {
        CredentialsStore store =
                CredentialsProvider.lookupStores(r.jenkins).iterator().next();
        for (String id : new String[] {"one", "two"}) {
            store.addCredentials(
                    Domain.global(),
                    new FileCredentialsImpl(
                            CredentialsScope.GLOBAL,
                            id,
                            null,
                            id + ".key",
                            SecretBytes.fromBytes(("file " + id).getBytes(StandardCharsets.UTF_8))));
        }
        store.addCredentials(
                Domain.global(),
                new StringCredentialsImpl(CredentialsScope.GLOBAL, "text", null, Secret.fromString("bound-text")));
    }

    @Test
    void theAgentsOwnSecretsAreGoneAndTheStepsAreThere() throws Exception {
        WorkflowRun b = run("secrets", Result.SUCCESS, """
                sh 'echo "control <$JENKINS_SECRET|$AWS_SECRET_ACCESS_KEY|$AGENT_CANARY>"'
                sandbox(minimumLevel: 'FULL') {
                  sh 'echo "inside <$JENKINS_SECRET|$AWS_SECRET_ACCESS_KEY|$AGENT_CANARY>"; if env -0 | grep -qz agents-own; then echo LEAKED; fi'
                  withEnv(['AWS_SECRET_ACCESS_KEY=steps$own', 'JENKINS_SECRET=steps']) {
                    sh 'echo "other <$JENKINS_SECRET|$AWS_SECRET_ACCESS_KEY>"'
                  }
                  withEnv(['AWS_SECRET_ACCESS_KEY=agents-own-key']) {
                    sh 'echo "same <$JENKINS_SECRET|$AWS_SECRET_ACCESS_KEY>"'
                  }
                  withCredentials([string(credentialsId: 'text', variable: 'JENKINS_SECRET')]) {
                    sh 'test "$JENKINS_SECRET" = "bound""-text"; echo "bound <$AWS_SECRET_ACCESS_KEY>"'
                  }
                }
                withEnv(['AWS_SECRET_ACCESS_KEY=agents-own-key']) {
                  sandbox(profile: 'locked', minimumLevel: 'FULL') {
                    sh 'echo "locked <$JENKINS_SECRET|$AWS_SECRET_ACCESS_KEY|$AGENT_CANARY|$JOB_NAME>"'
                  }
                }
                """);
        r().assertLogContains("\ncontrol <agents-own-secret|agents-own-key|inherited>", b);
        r().assertLogContains("\ninside <||inherited>", b);
        r().assertLogNotContains("LEAKED\n", b);
        r().assertLogContains("\nother <steps|steps$own>", b);
        r().assertLogContains("\nsame <|agents-own-key>", b);
        r().assertLogContains("\nbound <>", b);
        r().assertLogContains("\nlocked <|agents-own-key||secrets>", b);
    }

    @Test
    void gitOutsideObeysNothingThatABlockLeft() throws Exception {
        WorkflowRun control = run(
                "obeyed",
                Result.SUCCESS,
                step(Repositories.MAKE) + step(Repositories.ATTACK) + step(Repositories.NEXT));
        r().assertLogContains("\nOBEYED\n", control);
        WorkflowRun b = run(
                "safe",
                Result.SUCCESS,
                step(Repositories.MAKE) + "sandbox(minimumLevel: 'FULL') {\n" + step(Repositories.ATTACK)
                        + step("git log --format='INSIDE %s'; git config core.fsmonitor\n") + "}\n"
                        + step(Repositories.NEXT));
        r().assertLogContains("\nATTACKED\n", b);
        r().assertLogContains("\nINSIDE inside\nINSIDE one\ntouch ", b);
        r().assertLogContains("workspace/safe/sub/.git was made by the build: its commits are kept", b);
        r().assertLogContains("\nLOG one\nSUB one\nSAFE\n", b);
    }

    /** Git of a checkout is no launch: it runs in the agent's own process, in a block too. */
    @Test
    void gitOfACheckoutInTheBlockObeysNothingOfIt() throws Exception {
        String attack = "sandbox(minimumLevel: 'FULL') {\n" + step("git init -q .\n" + Repositories.ATTACK);
        String next = "\n" + step(Repositories.NEXT) + "}\n";
        WorkflowRun control = run("no-checkout", Result.SUCCESS, attack + next);
        r().assertLogContains("\nOBEYED\n", control);
        for (String checkout :
                new String[] {"checkout([$class: 'NullSCM'])", "dir('sub') { checkout([$class: 'NullSCM']) }"}) {
            WorkflowRun b = run("checkout", Result.SUCCESS, "deleteDir()\n" + attack + checkout + next);
            r().assertLogContains("\nATTACKED\n", b);
            r().assertLogContains("[sandbox] ", b);
            r().assertLogContains("workspace/checkout/.git was made by the build: its commits are kept", b);
            r().assertLogContains("workspace/checkout/sub/.git was made by the build: its commits are kept", b);
            r().assertLogContains("\nLOG inside\nSUB one\nSAFE\n", b);
        }
    }

    /** The other branch's file lies in the same directory. */
    @Test
    void aStepSeesItsOwnSecretFileAndNoOther() throws Exception {
        for (String profile : new String[] {"strict", "locked"}) {
            WorkflowRun b = run("files", Result.SUCCESS, """
                    withCredentials([file(credentialsId: 'one', variable: 'ONE')]) {
                      sh 'test "$(ls -A "$WORKSPACE_TMP/secretFiles" | wc -l)" = 1; echo CONTROL'
                      withEnv(['ONE=']) {
                        sandbox(profile: '%s', minimumLevel: 'FULL') {
                          withCredentials([file(credentialsId: 'two', variable: 'TWO')]) {
                            sh 'test "$(cat "$TWO")" = "file"" two"; echo OWN-READ'
                            sh 'set +x; if (: >> "$TWO") 2> /dev/null; then echo WRITTEN; else echo OWN-READ-ONLY; fi'
                            sh 'set +x; ls -A "$WORKSPACE_TMP/secretFiles" | wc -l | tr -d " " | sed s/^/VISIBLE-/'
                            sh 'set +x; unset TWO; echo mine > "$WORKSPACE_TMP/mine"; cat "$WORKSPACE_TMP/mine"'
                          }
                          sh 'set +x; test -z "$(cat "$WORKSPACE_TMP"/secretFiles/*/* 2> /dev/null)"; echo NOTHING-ELSE'
                        }
                      }
                    }
                    sh 'test ! -e "$WORKSPACE_TMP/mine"; echo END'
                    """.formatted(profile));
            for (String marker :
                    new String[] {"CONTROL", "OWN-READ", "OWN-READ-ONLY", "VISIBLE-1", "mine", "NOTHING-ELSE", "END"}) {
                r().assertLogContains("\n" + marker + "\n", b);
            }
        }
        assertNothingLeftBehind("files");
    }

    /** Ignores every signal that can be ignored, and has nothing in its environment to be found by. */
    private static String stubborn(String marker) {
        return "env -i PATH=\"$PATH\" sh -c \"trap '' TERM INT HUP QUIT; echo READY; while :; do sleep 1; done\" "
                + marker;
    }

    /** And nobody may look at its environment: prctl(PR_SET_DUMPABLE, 0). */
    private static String hidden(String marker) {
        int prctl = System.getProperty("os.arch").equals("aarch64") ? 167 : 157;
        return "env -i PATH=\"$PATH\" perl -e 'syscall(" + prctl + ", 4, 0, 0, 0, 0) == 0 or die;"
                + " $SIG{$_} = \"IGNORE\" for qw(TERM INT HUP QUIT); $| = 1; print \"READY\", chr(10); sleep 1 while 1' "
                + marker;
    }

    private static void awaitNone(String marker) throws Exception {
        long start = System.nanoTime();
        while (Processes.exist(marker)) {
            assertThat(
                    Processes.with(marker).toString(),
                    System.nanoTime() - start,
                    lessThan(TimeUnit.SECONDS.toNanos(30)));
            Thread.sleep(100);
        }
    }

    @Test
    void anAbortOutsideOfASandboxLeavesAStubbornProcess() throws Exception {
        WorkflowJob p = Pipelines.define(
                r(), "control", "node('linux') { sh '''exec " + stubborn(STUBBORN + "-control") + "''' }");
        WorkflowRun b = p.scheduleBuild2(0).waitForStart();
        r().waitForMessage("\nREADY", b);
        b.doStop();
        r().assertBuildStatus(Result.ABORTED, r().waitForCompletion(b));
        Thread.sleep(2_000);
        List<ProcessHandle> left = Processes.with(STUBBORN + "-control");
        left.forEach(ProcessHandle::destroyForcibly);
        assertThat(left, is(not(empty())));
    }

    /** Twenty of twenty: each way to be stubborn, in the foreground and behind it, aborted by hand and by the clock. */
    @Test
    void anAbortEndsAStubbornProcess() throws Exception {
        Map<String, String> scripts = new LinkedHashMap<>();
        for (int round = 1; round <= 5; round++) {
            for (boolean background : new boolean[] {false, true}) {
                String name = STUBBORN + "-" + round + (background ? "-background" : "-foreground");
                String payload = round % 2 == 0 ? hidden(name) : stubborn(name);
                String sh = "sandbox { sh '''" + (background ? payload + " & " + Processes.sleep() : "exec " + payload)
                        + "''' }";
                scripts.put(name + "-aborted", "node('linux') { " + sh + " }");
                scripts.put(name + "-late", "node('linux') { timeout(time: 30, unit: 'SECONDS') { " + sh + " } }");
            }
        }
        List<WorkflowRun> builds = new ArrayList<>();
        for (Map.Entry<String, String> each : scripts.entrySet()) {
            builds.add(Pipelines.define(r(), each.getKey(), each.getValue())
                    .scheduleBuild2(0)
                    .waitForStart());
        }
        for (WorkflowRun b : builds) {
            r().waitForMessage("\nREADY", b);
        }
        for (WorkflowRun b : builds) {
            if (b.getParent().getName().endsWith("-aborted")) {
                assertThat(Processes.with(b.getParent().getName().replace("-aborted", "")), is(not(empty())));
                b.doStop();
            }
        }
        for (WorkflowRun b : builds) {
            r().assertBuildStatus(Result.ABORTED, r().waitForCompletion(b));
        }
        for (int round = 1; round <= 5; round++) {
            awaitNone(STUBBORN + "-" + round);
        }
        for (String job : scripts.keySet()) {
            assertNothingLeftBehind(job);
        }
    }

    @Test
    void anAbortLeavesAloneWhatIsLaunchedAfterIt() throws Exception {
        WorkflowRun b =
                run("afterwards", Result.ABORTED, """
                sandbox {
                  catchError(buildResult: 'SUCCESS', catchInterruptions: true) {
                    timeout(time: 10, unit: 'SECONDS') { sh '''%s & %s''' }
                  }
                  sh 'set +x; for i in $(seq 15); do sleep 1; done; echo AFTERWARDS'
                }
                """.formatted(stubborn(STUBBORN + "-before"), Processes.sleep()));
        r().assertLogContains("\nREADY", b);
        r().assertLogContains("\nAFTERWARDS", b);
        assertThat(Processes.exist(STUBBORN + "-before"), is(false));
    }

    /** Durable task's other wrapper: a program in the caches of the agent, which goes on as a daemon. */
    @Test
    void theBinaryWrapperOfDurableTask() throws Exception {
        BourneShellScript.USE_BINARY_WRAPPER = true;
        try {
            WorkflowRun b = run("binary", Result.SUCCESS, """
                    sandbox(minimumLevel: 'FULL') {
                      sh 'ps -ef > /dev/null 2>&1; echo from-binary; tr "\\0" " " < /proc/$PPID/cmdline'
                      echo "<${sh(script: 'exit 9', returnStatus: true)}>"
                    }
                    """);
            r().assertLogContains("durable_task_monitor", b);
            r().assertLogContains("\nfrom-binary\n", b);
            r().assertLogContains("<9>", b);
        } finally {
            BourneShellScript.USE_BINARY_WRAPPER = false;
        }
        assertNothingLeftBehind("binary");
    }
}
