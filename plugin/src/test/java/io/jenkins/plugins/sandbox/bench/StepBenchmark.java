package io.jenkins.plugins.sandbox.bench;

import hudson.model.Result;
import hudson.model.Slave;
import hudson.remoting.Channel;
import hudson.remoting.Request;
import hudson.remoting.Response;
import io.jenkins.plugins.sandbox.Pipelines;
import io.jenkins.plugins.sandbox.UnprivilegedAgent;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.outcome.Finding;
import io.jenkins.plugins.sandbox.outcome.Launch;
import io.jenkins.plugins.sandbox.outcome.Origin;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/**
 * What {@code sandbox} adds to {@code sh}. Asserts nothing about time, and its name keeps it out of the tests: {@code bench/run
 * jenkins} starts it. One line for each figure goes to the file that the system property {@code bench.output} names:
 * {@code NAME<tab>WHICH<tab>NUMBER}, one for each round.
 */
@WithJenkins
class StepBenchmark {
    private static final Pattern FIGURE = Pattern.compile("^FIGURE (\\S+) (\\d+)$", Pattern.MULTILINE);
    private static final int IN_A_ROW = 20;
    private static final int BRANCHES = 200;
    private static final byte[] ENDING =
            ("exit code 0\nusage wall_ms=10 user_ms=4 system_ms=3 max_rss_kib=1024 peak_kib=2048"
                            + " peak_source=process tasks=3\n")
                    .getBytes(StandardCharsets.UTF_8);

    @RegisterExtension
    private final UnprivilegedAgent agents = new UnprivilegedAgent();

    @Test
    void measure(JenkinsRule r) throws Exception {
        int rounds = Integer.getInteger("bench.rounds", 5);
        r.jenkins.setNumExecutors(2);
        r.jenkins.setLabelString("built-in");
        Slave inbound = agents.start(r, "inbound");
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(Path.of(System.getProperty("bench.output"))));
                SlowLink link = new SlowLink(r.getURL(), 25)) {
            inARow(r, out, "built-in", rounds);
            inARow(r, out, "inbound", rounds);
            roundTrips(r, out, (Channel) inbound.getChannel());
            parallel(r, out, Math.max(1, rounds / 2));
            buildXml(r, out);
            heap(r, out);
            agents.through(link.url()).start(r, "distant");
            inARow(r, out, "distant", Math.max(1, rounds / 2));
        }
    }

    /** Turns of some launches each, in one build: the time of a step is what its build waits for. */
    private static void inARow(JenkinsRule r, PrintWriter out, String label, int rounds) throws Exception {
        figures(out, label, Pipelines.run(r, "row-" + label, Result.SUCCESS, """
                node('%s') {
                  sh 'true'
                  sandbox { sh 'true' }
                  for (int i = 0; i < %d; i++) {
                    long start = System.currentTimeMillis()
                    for (int n = 0; n < %d; n++) { sh 'true' }
                    long middle = System.currentTimeMillis()
                    sandbox { for (int n = 0; n < %d; n++) { sh 'true' } }
                    long end = System.currentTimeMillis()
                    echo "FIGURE plain ${middle - start}"
                    echo "FIGURE sandboxed ${end - middle}"
                  }
                }""".formatted(
                        label, rounds, IN_A_ROW, IN_A_ROW)));
    }

    private static void parallel(JenkinsRule r, PrintWriter out, int rounds) throws Exception {
        figures(out, "parallel", Pipelines.run(r, "parallel", Result.SUCCESS, """
                def all(body) {
                  def branches = [:]
                  for (int i = 0; i < %d; i++) { branches["b${i}"] = body }
                  parallel(branches)
                }
                node('inbound') {
                  for (int i = 0; i < %d; i++) {
                    long start = System.currentTimeMillis()
                    all { sh 'true' }
                    long middle = System.currentTimeMillis()
                    sandbox { all { sh 'true' } }
                    long end = System.currentTimeMillis()
                    echo "FIGURE plain ${middle - start}"
                    echo "FIGURE sandboxed ${end - middle}"
                  }
                }""".formatted(BRANCHES, rounds)));
    }

    private static void figures(PrintWriter out, String which, WorkflowRun build) throws IOException {
        Matcher matcher = FIGURE.matcher(JenkinsRule.getLog(build));
        while (matcher.find()) {
            out.println(which + "\t" + matcher.group(1) + "\t" + matcher.group(2));
        }
    }

    /** Calls from the controller that wait for an answer of the agent. */
    private static void roundTrips(JenkinsRule r, PrintWriter out, Channel channel) throws Exception {
        AtomicInteger answers = new AtomicInteger();
        Channel.Listener counter = new Channel.Listener() {
            @Override
            public void onResponse(Channel from, Request<?, ?> request, Response<?, ?> response, long totalTime) {
                answers.incrementAndGet();
            }
        };
        channel.addListener(counter);
        try {
            for (int round = 0; round < 3; round++) {
                for (int twice = 0; twice < 2; twice++) {
                    for (String which : List.of("plain", "sandboxed")) {
                        String steps = "for (int n = 0; n < " + IN_A_ROW * (1 + twice) + "; n++) { sh 'true' }";
                        String body = which.equals("plain") ? steps : "sandbox { " + steps + " }";
                        int before = answers.get();
                        Pipelines.run(r, "trips-" + which, Result.SUCCESS, "node('inbound') { " + body + " }");
                        out.println("trips\t" + which + (twice == 1 ? "-twice" : "") + "\t" + (answers.get() - before));
                    }
                }
            }
        } finally {
            channel.removeListener(counter);
        }
    }

    /** What a build's own file grows by. */
    private static void buildXml(JenkinsRule r, PrintWriter out) throws Exception {
        String[][] bodies = {
            {"none", "sh 'true'"},
            {"none-hundred-and-one", "for (int n = 0; n < 101; n++) { sh 'true' }"},
            {"one", "sandbox { sh 'true' }"},
            {"hundred-and-one", "sandbox { for (int n = 0; n < 101; n++) { sh 'true' } }"},
            {
                "three-distinct",
                "sandbox { sh 'true' }; sandbox(profile: 'offline') { sh 'true' }; sandbox(profile: 'locked') { sh 'true' }"
            },
        };
        for (String[] body : bodies) {
            WorkflowRun build =
                    Pipelines.run(r, "xml-" + body[0], Result.SUCCESS, "node('inbound') { " + body[1] + " }");
            Path directory = build.getRootDir().toPath();
            out.println("xml\t" + body[0] + "\t" + Files.size(directory.resolve("build.xml")));
            Path launches = directory.resolve("process-sandbox-launches");
            if (Files.exists(launches)) {
                out.println("xml\tlog-of-" + body[0] + "\t" + Files.size(launches));
            }
        }
    }

    /** What the controller keeps of a launch as long as its build is in memory. */
    private static void heap(JenkinsRule r, PrintWriter out) throws Exception {
        List<WorkflowRun> builds = new ArrayList<>();
        for (WorkflowJob job : r.jenkins.allItems(WorkflowJob.class)) {
            job.getBuilds().stream()
                    .filter(b -> b.getAction(SandboxAction.class) != null)
                    .forEach(builds::add);
        }
        long before = used();
        int launches = 0;
        for (WorkflowRun build : builds) {
            Finding finding =
                    build.getAction(SandboxAction.class).getGroups().get(0).getFinding();
            for (int i = build.getAction(SandboxAction.class).getCount(); i < 400; i++) {
                String id = "%016x".formatted(launches++);
                Launch.Running running = new Launch.Running("b", "c", new InitProcess(1000 + i, i), true);
                SandboxAction.record(build, finding, new Launch(id, new Origin("sh", "" + i), running));
                SandboxAction.ended(build, finding.getNode(), Map.of(id, ReportParser.parseEnding(ENDING)));
            }
        }
        out.println("heap\tlaunch\t" + (used() - before) / launches);
        if (builds.stream().anyMatch(b -> b.getAction(SandboxAction.class).getCount() < 400)) {
            throw new AssertionError("they were to be in memory until now");
        }
    }

    private static long used() throws InterruptedException {
        for (int i = 0; i < 5; i++) {
            System.gc();
            Thread.sleep(100);
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
