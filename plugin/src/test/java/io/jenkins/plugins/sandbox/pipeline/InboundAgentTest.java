package io.jenkins.plugins.sandbox.pipeline;


import com.cloudbees.plugins.credentials.CredentialsProvider;
import com.cloudbees.plugins.credentials.CredentialsScope;
import com.cloudbees.plugins.credentials.CredentialsStore;
import com.cloudbees.plugins.credentials.SecretBytes;
import com.cloudbees.plugins.credentials.domains.Domain;
import hudson.model.Node;
import hudson.model.Result;
import hudson.util.Secret;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import java.nio.charset.StandardCharsets;
import org.jenkinsci.plugins.durabletask.BourneShellScript;
import org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl;
import org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl;
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
