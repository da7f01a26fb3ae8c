package io.jenkins.plugins.sandbox.pipeline;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.lessThan;
import static org.hamcrest.Matchers.sameInstance;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import hudson.FilePath;
import hudson.model.Result;
import hudson.model.Slave;
import hudson.remoting.VirtualChannel;
import io.jenkins.plugins.sandbox.Pipelines;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/**
 * Steps that take all they can get, on a real agent: each ends by a limit that the log names, and the agent and the other
 * steps on it do not notice. All of them run at once, three at a time, beside a step that says every so often that it lives.
 */
@WithJenkins
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class AttacksOnAgentTest {
    /** What a build does to its agent, and what its log has to say. */
    private enum Attack {
        FORK_BOMB(
                "pids: 40, wallTime: 3",
                "perl -e 'fork while 1'",
                "limit on processes and threads, 40, was reached. Raise it with pids in the step"),
        PROCESSES_THAT_STAY(
                "pids: 40, wallTime: 60",
                "for i in $(seq 200); do sleep 20 & done",
                "limit on processes and threads, 40, was reached. Raise it with pids in the step"),
        MANY_SMALL_PARTS(
                "memory: '64m', wallTime: 60",
                "perl -e 'push @all, q(x) x 10000 while 1'",
                "limit on memory, 64 MiB, was reached and the kernel killed for it. Raise it with memory in the step"),
        ONE_MAPPING(
                "memory: '64m', wallTime: 60",
                "perl -e '$all = q(x) x (400 << 20)'",
                "limit on memory, 64 MiB, was reached and the kernel killed for it. Raise it with memory in the step"),
        MEMORY_FILES(
                "profile: 'locked', memory: '64m', wallTime: 60",
                "head -c 400M /dev/zero > /dev/shm/all",
                "limit on memory, 64 MiB, was reached and the kernel killed for it. Raise it with memory in the step"),
        MANY_SMALL_PROCESSES(
                "memory: '64m', wallTime: 60",
                "for i in $(seq 40); do perl -e '$all = q(x) x (8 << 20); sleep 20' & done; wait",
                "limit on memory, 64 MiB, was reached and the kernel killed for it. Raise it with memory in the step"),
        SPINNERS(
                "cpuTime: 2, wallTime: 60",
                "for i in 1 2 3 4; do (while :; do :; done) & done; wait",
                "limit on CPU time, 2 s, was reached. Raise it with cpuTime in the step"),
        ONE_DEAF_SPINNER(
                "cpuTime: 2, wallTime: 60",
                "trap '' XCPU TERM; while :; do :; done",
                "limit on CPU time, 2 s, was reached. Raise it with cpuTime in the step"),
        SLEEPER(
                "wallTime: 2",
                "trap '' TERM INT HUP; setsid sleep 1000 & sleep 1000",
                "limit on wall time, 2 s, was reached. Raise it with wallTime in the step"),
        /** A child of the shell is sent SIGXFSZ: init does not hear of it, and the shell's status is a hint. */
        BIG_LOG_FILE(
                "fileSize: '1m', wallTime: 60",
                "head -c 10G /dev/zero > big.log",
                "Exit status 153 is what a shell says of a process that SIGXFSZ ended, so a process likely reached the limit"
                        + " on the size of a file, 1 MiB. Raise it with fileSize in the step"),
        /** The step's own log is a file like any other, and the wrapper that writes the status writes there too. */
        ENDLESS_OUTPUT(
                "fileSize: '1m', wallTime: 60",
                "yes",
                "The limit on the size of a file, 1 MiB, was reached. Raise it with fileSize in the step"),
        DISK_FILLER(
                "fileSize: '4m', wallTime: 60",
                "cat /dev/zero > /tmp/all",
                "so a process likely reached the limit on the size of a file, 4 MiB. Raise it with fileSize in the step"),
        OPEN_FILES(
                "openFiles: 200, wallTime: 60",
                "perl -e 'for (1 .. 100000) { open($f[$_], q(<), q(/dev/null)) or die $! }'",
                "it said \"Too many open files\": openFiles (--files) 200. Raise it by that name in the step");

        private final String limits;
        private final String payload;
        private final String told;

        Attack(String limits, String payload, String told) {
            this.limits = limits;
            this.payload = payload;
            this.told = told;
        }

        private boolean needsControlGroup() {
            return limits.contains("memory");
        }

        /** What is after the block shows that the node still takes commands. */
        private String script() {
            return """
                    node('attacked') {
                      catchError { sandbox(%s) { sh '''echo REACHED
                    %s''' } }
                      sh 'echo AFTERWARDS'
                    }
                    """.formatted(limits, payload.replace("'", "\\'"));
        }
    }

    @RegisterExtension
    private static final UnprivilegedAgent AGENTS = new UnprivilegedAgent().shared();

    private static final Map<Attack, WorkflowRun> BUILDS = new EnumMap<>(Attack.class);

    private static JenkinsRule r;
    private static Slave agent;
    private static VirtualChannel channel;
    private static WorkflowRun neighbour;
    private static FilePath beats;
    private static boolean delegated;

    @BeforeAll
    static void attack(JenkinsRule rule) throws Exception {
        r = rule;
        delegated = AGENTS.delegateControlGroup();
        agent = AGENTS.start(r, "attacked");
        channel = Objects.requireNonNull(agent.getChannel());
        r.jenkins.setQuietPeriod(0);
        neighbour = Pipelines.define(
                        r,
                        "neighbour",
                        "node('attacked') { sandbox(wallTime: 300) { sh 'set +x; while test ! -e stop; do echo beat >> beats; sleep 0.2; done' } }")
                .scheduleBuild2(0)
                .waitForStart();
        beats = Objects.requireNonNull(agent.getWorkspaceRoot()).child("neighbour/beats");
        awaitBeat(0);
        for (Attack attack : Attack.values()) {
            if (delegated || !attack.needsControlGroup()) {
                WorkflowJob job = Pipelines.define(r, attack.name(), attack.script());
                BUILDS.put(attack, job.scheduleBuild2(0).waitForStart());
            }
        }
    }

    @AfterAll
    static void stop() throws Exception {
        beats.sibling("stop").write("", null);
        r.assertBuildStatusSuccess(r.waitForCompletion(neighbour));
        r.after();
    }

    private static long awaitBeat(long before) throws Exception {
        long start = System.nanoTime();
        while (!beats.exists() || beats.length() <= before) {
            assertThat("the neighbour lives", System.nanoTime() - start, is(lessThan(TimeUnit.SECONDS.toNanos(60))));
            Thread.sleep(50);
        }
        return beats.length();
    }

    @ParameterizedTest
    @EnumSource
    void aLimitEndsItAndIsNamed(Attack attack) throws Exception {
        assumeTrue(
                delegated || !attack.needsControlGroup(),
                "this machine lacks a control group that a test can delegate");
        WorkflowRun b = Objects.requireNonNull(BUILDS.get(attack));
        long before = beats.length();
        r.assertBuildStatus(Result.FAILURE, r.waitForCompletion(b));
        r.assertLogContains("\nREACHED\n", b);
        r.assertLogContains(attack.told, b);
        r.assertLogContains("\nAFTERWARDS\n", b);
        // Nothing comes of the wait for a control directory in which nothing happens.
        r.assertLogNotContains("apparently the process was killed", b);
        assertThat(neighbour.isBuilding(), is(true));
        assertThat(awaitBeat(before), is(greaterThan(before)));
        assertThat(agent.getChannel(), is(sameInstance(channel)));
    }

    /** The log of a step comes to the controller as fast as it is written: what ends it has to be on the agent. */
    @Test
    void endlessOutputDoesNotFillTheController() throws Exception {
        WorkflowRun b = r.waitForCompletion(Objects.requireNonNull(BUILDS.get(Attack.ENDLESS_OUTPUT)));
        assertThat(b.getLogText().length(), is(lessThan(3L << 20)));
        assertThat(b.getLogText().length(), is(greaterThan(1L << 20)));
    }
}
