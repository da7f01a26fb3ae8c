package io.jenkins.plugins.sandbox.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.conformance.NativeLaunch.Result;
import io.jenkins.plugins.sandbox.conformance.NativeLaunch.Running;
import io.jenkins.plugins.sandbox.model.Report;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Start, gate, end: who waits for whom, who dies with whom, and what the caller hears of it. */
@Tag("kernel")
class LifeTest {
    private static final String IGNORES_TERM = "trap '' TERM HUP INT; : > up; while :; do sleep 0.05; done";

    @TempDir
    private Path directory;

    private Path workspace;
    private NativeLaunch launch;

    @BeforeEach
    void makeWorkspace() throws Exception {
        workspace = Files.createDirectory(directory.resolve("workspace"));
        launch = new NativeLaunch(directory);
    }

    private void awaitFile(String name) throws Exception {
        for (int i = 0; i < 6000 && !Files.exists(workspace.resolve(name)); i++) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(workspace.resolve(name)).exists();
    }

    private static void awaitGone(long pid) throws Exception {
        for (int i = 0; i < 6000 && ProcessHandle.of(pid).isPresent(); i++) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(ProcessHandle.of(pid)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "exit 0,0,exit code 0",
        "exit 7,7,exit code 7",
        "kill -9 $$,137,exit signal 9",
        "kill -15 $$,143,exit signal 15"
    })
    void theStatusIsTheCommands(String script, int status, String ending) throws Exception {
        Running running = launch.strict(workspace).start("sh", "-c", script);
        Result result = running.result();
        assertThat(result.status()).isEqualTo(status);
        running.ended();
        assertThat(Files.readAllLines(launch.report())).contains(ending);
    }

    @ParameterizedTest
    @CsvSource({
        "/does/not/exist,127,ENOENT",
        "no-such-command-anywhere,127,ENOENT",
        "/etc/passwd,126,EACCES",
        "/etc,126,EACCES"
    })
    void aCommandThatCannotBeStartedIsNamedInTheReport(String command, int status, String errno) throws Exception {
        Running running = launch.strict(workspace).start(command);
        Result result = running.result();
        assertThat(result.status()).isEqualTo(status);
        assertThat(result.out() + result.err()).isEmpty();
        assertThat(running.ended().ending().execError()).isEqualTo(errno + ", " + command);
    }

    /** As in a container, whose processes the agent cannot name. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theEndOfTheBlockEndsWhatTheCommandLeftBehind(boolean removed) throws Exception {
        Path block = Files.createFile(directory.resolve("block"));
        Running running = launch.strict(workspace)
                .options("--block", block.toString())
                .start("sh", "-c", "sleep 300 < /dev/null > /dev/null 2>&1 & exit 3");
        assertThat(running.result().status()).isEqualTo(3);
        long init = running.initPid();
        NativeLaunch other = new NativeLaunch(directory);
        Running twin = other.strict(workspace).start("sh", "-c", "sleep 300 < /dev/null > /dev/null 2>&1 & exit 3");
        assertThat(twin.result().status()).isEqualTo(3);
        assertThat(ProcessHandle.of(init)).as("control").isPresent();
        if (removed) {
            Files.delete(block);
        } else {
            Files.writeString(block, "over");
        }
        awaitGone(init);
        assertThat(running.ended().ending()).isNotNull();
        assertThat(ProcessHandle.of(twin.initPid()))
                .as("a launch that watches nothing")
                .isPresent();
        ProcessHandle.of(twin.initPid()).ifPresent(ProcessHandle::destroyForcibly);
    }

    @Test
    void aBlockThatIsOverStartsNothing() throws Exception {
        Path block = directory.resolve("block");
        Result gone =
                launch.strict(workspace).options("--block", block.toString()).run("echo ran");
        assertThat(gone.status()).isEqualTo(125);
        assertThat(gone.out()).isEmpty();
        assertThat(gone.report()).contains("refused --block " + block + ": No such file or directory");
        Files.createFile(directory.resolve("empty"));
        Result there = new NativeLaunch(directory)
                .strict(workspace)
                .options("--block", directory.resolve("empty").toString())
                .run("echo ran");
        assertThat(there.out()).isEqualTo("ran\n");
    }

    @Test
    void outputInputAndEnvironmentPassThrough() throws Exception {
        Result result = launch.strict(workspace)
                .behind("env", "GREETING=hallo")
                .run("echo $GREETING; echo aside >&2; cat | wc -c; pwd");
        assertThat(result.out()).isEqualTo("hallo\n0\n" + workspace + "\n");
        assertThat(result.err()).isEqualTo("aside\n");
    }

    /**
     * The shape in which durable-task starts every `sh`: the started shell ends at once, the job goes on behind it, in a
     * subshell without stdout and stderr. An init that ended with its first child would take the job with it.
     */
    @Test
    void aJobOutlivesTheShellThatStartedIt() throws Exception {
        String wrapper = "( { while [ -d . -a ! -f result ]; do touch log; sleep 0.05; done } & "
                + "sh -xe script > log 2>&1; echo $? > result.tmp; mv result.tmp result; wait ) >&- 2>&- &";
        Files.writeString(
                workspace.resolve("script"), "while [ ! -f go-on ]; do sleep 0.05; done; echo worked; exit 3\n");
        Running running = launch.strict(workspace).start("nohup", "sh", "-c", wrapper);
        Result front = running.result();
        assertThat(front.status()).isZero();
        assertThat(workspace.resolve("result")).doesNotExist();
        assertThat(front.report()).endsWith("ready\n");

        Files.createFile(workspace.resolve("go-on"));
        Report report = running.ended();
        assertThat(Files.readString(workspace.resolve("result"))).isEqualTo("3\n");
        assertThat(Files.readString(workspace.resolve("log"))).contains("worked\n");
        assertThat(report.ending().exit().code()).isZero(); // the started shell's; the job's own is in its file
        awaitGone(report.init().pid());
    }

    @Test
    void theOutputPipeIsFreeAsSoonAsTheCommandLetsGoOfIt() throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                NativeLaunch.launcher().toString(),
                "--report",
                launch.report().toString(),
                "--primitive",
                "user_namespace",
                "--primitive",
                "pid_namespace",
                "--",
                "sh",
                "-c",
                "echo first; exec >&- 2>&-; while [ ! -f " + workspace + "/go-on ]; do sleep 0.05; done");
        Process process = builder.redirectErrorStream(true).start();
        // Comes back although the command runs on; front or init holding the pipe would make it hang.
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(out).isEqualTo("first\n");
        assertThat(process.isAlive()).isTrue();
        Files.createFile(workspace.resolve("go-on"));
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void termToInitEndsEvenWhatIgnoresIt() throws Exception {
        Running running = launch.strict(workspace).options("--grace", "1").start("sh", "-c", IGNORES_TERM);
        awaitFile("up");
        long init = running.initPid();
        assertThat(ProcessHandle.of(init).orElseThrow().destroy()).isTrue();
        assertThat(running.result().status()).isEqualTo(137);
        assertThat(running.ended().ending().exit().cause()).isEqualTo("terminated");
        awaitGone(init);
    }

    @Test
    void termReachesTheCommandWhichMayEndInItsOwnWay() throws Exception {
        Running running = launch.strict(workspace)
                .options("--grace", "60")
                .start("sh", "-c", "trap 'echo cleaned up; exit 4' TERM; : > up; while :; do sleep 0.05; done");
        awaitFile("up");
        running.process().destroy(); // TERM to front, which passes it on
        Result result = running.result();
        assertThat(result.status()).isEqualTo(4);
        assertThat(result.out()).isEqualTo("cleaned up\n");
    }

    @Test
    void killOfTheFrontEndsEverything() throws Exception {
        Running running = launch.strict(workspace).options("--grace", "1").start("sh", "-c", IGNORES_TERM);
        awaitFile("up");
        long init = running.initPid();
        running.process().destroyForcibly();
        assertThat(running.result().status()).isEqualTo(137);
        running.ended();
        awaitGone(init);
    }

    @Test
    void killOfInitEndsEverything() throws Exception {
        Running running = launch.strict(workspace).start("sh", "-c", "setsid sh -c \"" + IGNORES_TERM + "\" & wait");
        awaitFile("up");
        long init = running.initPid();
        List<Long> inside = ProcessHandle.of(init)
                .orElseThrow()
                .descendants()
                .map(ProcessHandle::pid)
                .toList();
        assertThat(inside).hasSizeGreaterThan(1);
        assertThat(ProcessHandle.of(init).orElseThrow().destroyForcibly()).isTrue();
        assertThat(running.result().status()).isEqualTo(137);
        for (long pid : inside) {
            awaitGone(pid);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatRunsInTheBackgroundCanBeEndedWithTheCommand(boolean pidNamespace) throws Exception {
        NativeLaunch with = pidNamespace
                ? launch.strict(workspace)
                : launch.primitives(List.of("no_new_privs")).in(workspace);
        String script = "setsid sh -c \"" + IGNORES_TERM + "\" & while [ ! -f up ]; do sleep 0.05; done; exit 5";
        Running running = with.options("--background", "kill", "--grace", "0").start("sh", "-c", script);
        assertThat(running.result().status()).isEqualTo(5);
        Report report = running.ended(); // comes only when nobody is left
        assertThat(report.ending().exit().code()).isEqualTo(5);
        awaitGone(report.init().pid());
    }

    @Test
    void theCommandStartsOnlyWhenTheGateOpens() throws Exception {
        Path gate = Files.createFile(directory.resolve("gate"));
        Running running =
                launch.strict(workspace).options("--gate", gate.toString()).start("sh", "-c", ": > started");
        running.await("ready");
        TimeUnit.MILLISECONDS.sleep(200);
        assertThat(workspace.resolve("started")).doesNotExist();
        Files.writeString(gate, "o");
        assertThat(running.result().status()).isZero();
        assertThat(workspace.resolve("started")).exists();
    }

    @Test
    void aGateMayBeAPipe() throws Exception {
        Path gate = directory.resolve("gate");
        assertThat(new ProcessBuilder("mkfifo", gate.toString()).start().waitFor())
                .isZero();
        // Held open for both, as the driver holds its pipes.
        Process holder =
                new ProcessBuilder("sh", "-c", "exec 3<>" + gate + "; read go; printf o >&3; read end").start();
        try {
            Running running =
                    launch.strict(workspace).options("--gate", gate.toString()).start("sh", "-c", "echo started");
            running.await("ready");
            holder.outputWriter().append("go\n").flush();
            Result result = running.result();
            assertThat(result.status()).isZero();
            assertThat(result.out()).isEqualTo("started\n");
        } finally {
            holder.destroyForcibly().waitFor();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "a,60,refused gate closed",
        "ready to open,60,refused gate closed",
        "'',1,refused gate timed out after 1 s"
    })
    void aGateThatDoesNotOpenRunsNothing(String content, String timeout, String ending) throws Exception {
        Path gate = Files.writeString(directory.resolve("gate"), content);
        Result result = launch.strict(workspace)
                .options("--gate", gate.toString(), "--gate-timeout", timeout)
                .run(": > started");
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.report()).endsWith("ready\n" + ending + "\n");
        assertThat(workspace.resolve("started")).doesNotExist();
    }

    @Test
    void aLaunchLeftAtTheGateEndsWithItsFront() throws Exception {
        Path gate = Files.createFile(directory.resolve("gate"));
        Running running =
                launch.strict(workspace).options("--gate", gate.toString()).start("sh", "-c", ": > started");
        running.await("ready");
        long init = running.initPid();
        running.process().destroyForcibly();
        awaitGone(init);
        Files.writeString(gate, "o");
        assertThat(workspace.resolve("started")).doesNotExist();
        assertThat(Files.readString(launch.report())).endsWith("ready\nrefused terminated\n");
    }

    @Test
    void theCommandCannotReachInit() throws Exception {
        String script = "cat /proc/%s/environ > /dev/null && echo environ; true > /proc/%s/mem && echo mem; "
                + "ls -l /proc/%s/fd/ | grep -q /dev/null && echo fd";
        Result attempt = launch.strict(workspace).run("echo attempt; " + script.replace("%s", "1"));
        assertThat(attempt.out()).isEqualTo("attempt\n");
        // The same on a process of its own works, so it is init's shield that holds and not the shape of the attempt.
        Result own = new NativeLaunch(directory)
                .strict(workspace)
                .run("sleep 9 > /dev/null & sleep 0.2; p=$!; " + script.replace("%s", "$p") + "; kill $p");
        assertThat(own.out()).isEqualTo("environ\nmem\nfd\n");
    }

    @Test
    void signalsOfTheCommandDoNotEndInit() throws Exception {
        Result result = launch.strict(workspace).run("kill -9 1; kill -9 -1; echo alone");
        assertThat(result.out()).isEqualTo("alone\n");
        assertThat(result.status()).isZero();
    }

    @Test
    void theCommandCannotPassForSomebodyOutsideWhoEndsIt() throws Exception {
        // kill -TERM, and with a forged sender by sigqueue, and to the process group it was started in
        Running running = launch.strict(workspace)
                .start(
                        "sh",
                        "-c",
                        "trap '' TERM; kill -TERM 1; env kill -TERM -q 7 1; kill -TERM 0; sleep 0.3; echo alive");
        assertThat(running.result().out()).isEqualTo("alive\n");
        assertThat(running.ended().ending().exit().cause()).isNull();
        assertThat(running.result().status()).isZero();
    }

    @Test
    void killOfItsOwnGroupEndsTheCommandAndNotTheLauncher() throws Exception {
        Running running = launch.strict(workspace).start("sh", "-c", "sleep 60 & kill -KILL 0");
        assertThat(running.result().status()).isEqualTo(137);
        assertThat(running.ended().ending().exit().signal()).isEqualTo(9);
    }

    @Test
    void aCallerThatIgnoresItsChildrenStillHearsTheStatus() throws Exception {
        Running running = launch.primitives(List.of("no_new_privs"))
                .behind("env", "--ignore-signal=CHLD")
                .start("sh", "-c", "exit 7");
        assertThat(running.result().status()).isEqualTo(7);
        assertThat(running.ended().ending().exit().code()).isEqualTo(7);
    }

    @Test
    void aGateWithNobodyAtTheOtherEndTimesOut() throws Exception {
        Path gate = directory.resolve("gate");
        assertThat(new ProcessBuilder("mkfifo", gate.toString()).start().waitFor())
                .isZero();
        Result result = launch.strict(workspace)
                .options("--gate", gate.toString(), "--gate-timeout", "1")
                .run(": > started");
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.report()).endsWith("refused gate timed out after 1 s\n");
    }

    @Test
    void aKilledLauncherLeavesAReportThatSaysSo() throws Exception {
        Path gate = Files.createFile(directory.resolve("gate"));
        Running running =
                launch.strict(workspace).options("--gate", gate.toString()).start("sh", "-c", ": > started");
        running.await("ready");
        assertThat(ProcessHandle.of(running.initPid()).orElseThrow().destroyForcibly())
                .isTrue();
        Result result = running.result();
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.report()).endsWith("ready\nrefused the launcher was killed\n");
        assertThat(workspace.resolve("started")).doesNotExist();
    }

    @Test
    void aSpinnerThatUsesUpItsCpuTimeIsNamedAndAForgedSignalIsNot() throws Exception {
        NativeLaunch limited = launch.primitives(List.of("rlimit_cpu")).options("--rlimit", "cpu=2");
        Running spinner = limited.start("sh", "-c", "while :; do :; done");
        assertThat(spinner.result().status()).isEqualTo(128 + 24);
        assertThat(spinner.ended().ending().exit().cause()).isEqualTo("cpu_time");
        Running forged = new NativeLaunch(directory)
                .primitives(List.of("rlimit_cpu"))
                .options("--rlimit", "cpu=2")
                .start("sh", "-c", "kill -XCPU $$");
        assertThat(forged.result().status()).isEqualTo(128 + 24);
        assertThat(forged.ended().ending().exit().cause()).isNull();
    }

    @Test
    void orphansAreReaped() throws Exception {
        Running running = launch.strict(workspace)
                .start(
                        "sh",
                        "-c",
                        "for i in 1 2 3 4 5; do sh -c '(sleep 0.1 &)'; done; sleep 0.5; grep -c Z /proc/[0-9]*/stat "
                                + "| grep -c ':1$'");
        assertThat(running.result().out()).isEqualTo("0\n");
    }

    @Test
    void usageCountsTheWholeTree() throws Exception {
        Running running = launch.strict(workspace)
                .start("sh", "-c", "(i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done) & wait");
        running.result();
        assertThat(running.ended().ending().usage().userMillis()).isPositive();
        assertThat(running.ended().ending().usage().maxRssKiB()).isPositive();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "process-sandbox-plan\0001\0",
                "process-sandbox-plan\0001\0--grace\0005\0",
                "#!/bin/sh\0001\0end\0"
            })
    void aPlanThatIsCutOrForeignRunsNothing(String content) throws Exception {
        Path args = Files.writeString(directory.resolve("args"), content);
        Result result = launch.in(workspace).options("--args", args.toString()).run(": > started");
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.parsed().refusal()).startsWith("--args: ");
        assertThat(workspace.resolve("started")).doesNotExist();
    }

    @Test
    void aPlanOfAnotherVersionIsNamed() throws Exception {
        Path args = Files.writeString(directory.resolve("args"), "process-sandbox-plan\0002\0end\0");
        Result result = launch.in(workspace).options("--args", args.toString()).run("true");
        assertThat(result.parsed().refusal()).isEqualTo("--args: a plan of version 2; this launcher reads version 1");
    }

    @Test
    void aPlanIsRead() throws Exception {
        Path args = Files.writeString(
                directory.resolve("args"), "process-sandbox-plan\0001\0--primitive\0no_new_privs\0end\0");
        Result result =
                launch.in(workspace).options("--args", args.toString()).run("grep ^NoNewPrivs /proc/self/status");
        assertThat(result.out()).isEqualTo("NoNewPrivs:\t1\n");
        Path large = Files.write(directory.resolve("large"), new byte[(1 << 20) + 1]);
        Result refused =
                new NativeLaunch(directory).options("--args", large.toString()).run("true");
        assertThat(refused.parsed().refusal()).isEqualTo("--args " + large + ": more than 1 MiB");
    }

    @Test
    void aFilterOfAWrongSizeIsRefused() throws Exception {
        Path filter = Files.write(directory.resolve("filter"), new byte[9]);
        Result result = launch.primitives(List.of("no_new_privs", "seccomp"))
                .options("--seccomp", filter.toString())
                .run("true");
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.parsed().refusal()).isEqualTo("--seccomp: not 1 to 4096 filter instructions");
    }

    @Test
    void anUnknownOptionIsNamed() throws Exception {
        Result result = launch.options("--nope").run("true");
        assertThat(result.status()).isEqualTo(125);
        assertThat(result.parsed().refusal()).isEqualTo("unknown option: --nope");
        assertThat(result.err()).isEmpty();
    }
}
