package io.jenkins.plugins.sandbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the command line says without running anything. */
class MainTest {
    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int execute(String... arguments) {
        return Main.execute(Console.of(new PrintWriter(out), new PrintWriter(err)), arguments);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "run --bogus -- true                         | Unknown option: '--bogus'",
                "run --profile nix -- true                   | Unknown profile 'nix': use one of standard, strict",
                "run --profile ./nix -- true                 | Profile file './nix' does not exist",
                "run --min-level HIGH -- true                | Unknown level 'HIGH': use one of NONE, BASELINE",
                "run --require seccomp,nope -- true          | Unknown primitive 'nope': use one of session",
                "run --require cgroup -- true                | cgroup is not part of profile 'strict'",
                "run --on-shortfall ignore -- true           | --on-shortfall cannot be 'ignore': use one of fail, warn",
                "run --home none -- true                     | --home cannot be 'none': use one of host, overlay, scratch",
                "run --git yes -- true                       | --git cannot be 'yes': use one of host, protected, overlay, read-only",
                "run --profile standard --git overlay -- true | --git needs the primitive filesystem",
                "run --home job -- true                      | there is no job",
                "run --profile standard --network none -- true | Profile 'standard' has no user namespace",
                "run --network some -- true                  | --network cannot be 'some': use one of host, none",
                "run --hide /nonexistent -- true             | Hidden path '/nonexistent' does not exist",
                "run --hide / -- true                        | Hidden path '/' would leave nothing to run",
                "run --hide /etc --read /etc -- true         | '/etc' is to be hidden and to be seen",
                "run --hide . -- true                        | cannot be hidden: it is the workspace",
                "run --profile standard --hide /etc -- true  | Profile 'standard' hides nothing",
                "run --exec /nonexistent -- true             | Execute path '/nonexistent' does not exist",
                "run --read /proc/1 -- true                  | cannot be named: the launch has a /proc of its own",
                "run --profile locked --read / -- true       | would make everything exist",
                "run --pids 0 -- true                        | A limit of 0 processes is out of range",
                "run --wall-time 0 -- true                   | Wall time of 0 s is out of range",
                "run --cpus 3-1 -- true                      | CPUs '3-1' are no list of processors",
                "run --limit-address-space -- true           | A limit on address space is a multiple of the memory limit",
                "run --file-size 5 -- true                   | File size of 5 bytes is out of range",
                "run --memory lots -- true                   | --memory 'lots' is no size",
                "run --memory 1K -- true                     | Memory of 1024 bytes is out of range",
                "run --cpu-time soon -- true                 | Invalid value for option '--cpu-time'",
                "run --cpu-time 0 -- true                    | CPU time of 0 s is out of range",
                "run --files 1 -- true                       | A limit of 1 open file is out of range",
                "run --env =x -- true                        | --env '=x' has no name",
                "run --env NO_SUCH_VARIABLE_X -- true        | there is no such variable",
                "run --workspace / -- true                   | Workspace '/' would make the whole machine writable",
                "run --workspace /nonexistent -- true        | Workspace '/nonexistent' does not exist",
                "run --workspace /etc/passwd -- true         | Workspace '/etc/passwd' is not a directory",
                "run --write /nonexistent -- true            | Write path '/nonexistent' does not exist",
                "run --read /nonexistent -- true             | Read path '/nonexistent' does not exist",
                "run --report /nonexistent/r.json -- true    | Report file '/nonexistent/r.json' cannot be written",
                "run                                         | There is no command",
                "run --profile                               | Missing required parameter for option '--profile'",
                "run --quiet --quiet -- true                 | should be specified only once",
                "plan                                        | Missing required option: '--output=DIR'",
                "plan --output /proc/x                       | Output directory '/proc/x' cannot be made",
                "explain --syscall opne                      | unknown system call 'opne'",
                "explain --workspace /nonexistent            | Workspace '/nonexistent' does not exist",
                "fly                                         | Unmatched argument at index 0: 'fly'",
                "--bogus                                     | Unknown option: '--bogus'"
            })
    void badInputIsOneLineAnd125(String line, String message) throws Exception {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        long before = scratchDirectories(temporary);
        assertThat(execute(line.strip().split(" "))).isEqualTo(125);
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString())
                .startsWith("sandbox: ")
                .contains(message)
                .doesNotContain("\tat ")
                .hasLineCount(1);
        assertThat(scratchDirectories(temporary)).isEqualTo(before);
    }

    private static long scratchDirectories(Path temporary) throws Exception {
        try (Stream<Path> files = Files.list(temporary)) {
            String user = System.getProperty("user.name");
            return files.filter(f -> f.getFileName().toString().startsWith("process-sandbox-"))
                    .filter(f -> isOwnedBy(f, user))
                    .count();
        }
    }

    private static boolean isOwnedBy(Path file, String user) {
        try {
            return Files.getOwner(file).getName().equals(user);
        } catch (java.io.IOException e) {
            return false;
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--help",
                "run --help",
                "probe --help",
                "explain --help",
                "plan --help",
                "--version",
                "run --version"
            })
    void helpIsAnAnswer(String line) {
        assertThat(execute(line.split(" "))).isZero();
        assertThat(out.toString()).isNotEmpty();
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void helpNamesEveryCommand() {
        assertThat(execute()).isEqualTo(125);
        assertThat(err.toString()).contains("run", "probe", "explain", "plan");
    }

    @ParameterizedTest
    @CsvSource({
        "mount, strict, mount: refused with EPERM",
        "read, strict, read: allowed",
        "mount, standard, 'mount: allowed, profile standard has no filter'"
    })
    void explainsSystemCalls(String call, String profile, String answer) {
        assertThat(execute("explain", "--profile", profile, "--syscall", call)).isZero();
        assertThat(out.toString()).isEqualTo(answer + "\n");
    }

    @Test
    void explainsThePlanAndMakesNothing() throws Exception {
        assertThat(execute("explain", "--workspace", directory.toString(), "--memory", "1G", "--cpu-time", "5"))
                .isZero();
        assertThat(out.toString())
                .contains(
                        "rlimit_cpu",
                        "each process cpu 6",
                        "the launch   memory 1073741824",
                        "writable  " + directory.toRealPath());
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).isEmpty();
        }
    }
}
