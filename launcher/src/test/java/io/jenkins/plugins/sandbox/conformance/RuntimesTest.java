package io.jenkins.plugins.sandbox.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.sandbox.Sandbox;
import io.jenkins.plugins.sandbox.SandboxedProcess;
import io.jenkins.plugins.sandbox.hosts.Programs;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.Exit;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.LimitHit;
import io.jenkins.plugins.sandbox.policy.Limits;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Programs of runtimes that reserve far more address space than they use, under a limit on memory that they keep to. Each
 * uses 100 MiB, and none of them starts where the limit is one on address space.
 */
@Tag("kernel")
class RuntimesTest {
    private static final long LIMIT = 512L << 20;

    private static final Map<String, String> SOURCES = Map.of(
            "Use.java",
            """
            class Use {
              public static void main(String[] args) {
                byte[] all = new byte[Integer.parseInt(args[0]) << 20];
                java.util.Arrays.fill(all, (byte) 1);
                System.out.println("DONE " + all[5]);
              }
            }
            """,
            "use.js",
            "const all = Buffer.alloc(100 << 20, 1); console.log('DONE', all[5]);\n",
            "use.go",
            """
            package main
            import "os"
            func main() {
              all := make([]byte, 100 << 20)
              for i := range all { all[i] = 1 }
              if all[5] == 1 { os.Stdout.WriteString("DONE 1\\n") }
            }
            """,
            "use.c",
            """
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            int main(void) {
              char *all = malloc(100 << 20);
              memset(all, 1, 100 << 20);
              printf("DONE %d\\n", all[5]);
              free(all);
              return 0;
            }
            """);

    private enum Runtime {
        JVM("java", null, System.getProperty("java.home") + "/bin/java -Xmx700m Use.java 100"),
        NODE("node", null, "node use.js"),
        GO("go", "go build -o use-go use.go", "./use-go"),
        /** But for its search for leaks, which traces the process itself: no profile has ptrace but one with the group debug. */
        ADDRESS_SANITIZER(
                "gcc", "gcc -fsanitize=address -o use-asan use.c", "env ASAN_OPTIONS=detect_leaks=0 ./use-asan");

        private final String program;
        private final String build;
        private final String run;

        Runtime(String program, String build, String run) {
            this.program = program;
            this.build = build;
            this.run = run;
        }
    }

    private Path workspace;
    private Path home;
    private Path scratch;

    @BeforeEach
    void directories(@TempDir Path temporary) throws IOException {
        Path directory = temporary.toRealPath();
        workspace = Files.createDirectory(directory.resolve("ws"));
        home = Files.createDirectory(directory.resolve("home"));
        scratch = Files.createDirectory(directory.resolve("scratch"));
        for (Map.Entry<String, String> source : SOURCES.entrySet()) {
            Files.writeString(workspace.resolve(source.getKey()), source.getValue());
        }
    }

    private static void needsControlGroup() {
        boolean delegated = !System.getProperty("sandbox.test.cgroup", "").isEmpty();
        assumeTrue(delegated, "this machine lacks a control group that a test can delegate");
    }

    @ParameterizedTest
    @EnumSource
    void itRunsUnderALimitOnMemory(Runtime runtime) throws Exception {
        needsControlGroup();
        prepare(runtime);
        Ending ending = sandboxed(runtime.run, "DONE 1\n");
        assertThat(ending.exit()).isEqualTo(new Exit(0, 0, null));
        assertThat(ending.limits()).isEmpty();
        assertThat(ending.usage().peakKiB()).isBetween(100L << 10, LIMIT >> 10);
    }

    @ParameterizedTest
    @EnumSource
    void itDoesNotStartUnderOneOnAddressSpace(Runtime runtime) throws Exception {
        prepare(runtime);
        assertThat(outside(runtime.run)).isEqualTo("DONE 1\n");
        assertThat(outside("ulimit -v " + (LIMIT >> 10) + "; " + runtime.run)).doesNotContain("DONE");
    }

    @Test
    void whatItIsGivenBeyondTheLimitItDoesNotGet() throws Exception {
        needsControlGroup();
        Ending ending = sandboxed(Runtime.JVM.run.replace(" 100", " 600"), "");
        assertThat(ending.exit()).isEqualTo(new Exit(0, 9, "memory"));
        assertThat(ending.limits()).containsExactly(new LimitHit(LimitHit.Kind.MEMORY, LIMIT));
    }

    private void prepare(Runtime runtime) throws Exception {
        Programs.require(runtime.program);
        if (runtime.build != null) {
            assertThat(outside(runtime.build)).isEmpty();
        }
    }

    private String outside(String command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder("sh", "-c", command)
                .directory(workspace.toFile())
                .redirectErrorStream(true);
        builder.environment().put("HOME", home.toString());
        builder.environment().put("GOCACHE", home + "/go");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes());
        process.waitFor();
        return output;
    }

    private Ending sandboxed(String command, String output) throws Exception {
        Policy policy = Policy.builder(Profile.named("strict"), workspace.toString())
                .home(home.toString())
                .scratch(scratch.toString())
                .limits(Limits.builder().memory(LIMIT).build())
                .minimumLevel(Level.FULL)
                .build();
        List<String> words = new ArrayList<>(List.of("sh", "-c", "exec " + command));
        SandboxedProcess process = Sandbox.of(policy)
                .process(b -> b.redirectError(ProcessBuilder.Redirect.INHERIT))
                .start(words);
        assertThat(new String(process.getInputStream().readAllBytes())).isEqualTo(output);
        process.waitFor();
        return process.awaitEnding(Duration.ofSeconds(60)).orElseThrow();
    }
}
