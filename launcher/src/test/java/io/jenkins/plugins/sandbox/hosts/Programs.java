package io.jenkins.plugins.sandbox.hosts;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Programs that a developer's machine may do without; on a CI machine they are installed, so that nothing is left out there. */
public final class Programs {
    private Programs() {}

    /** Skips a test, and fails it where .ci/run has installed what is missing. */
    public static void require(String... programs) {
        List<String> missing = Arrays.stream(programs)
                .filter(program -> Arrays.stream(System.getenv("PATH").split(":"))
                        .noneMatch(directory -> Files.isExecutable(Path.of(directory, program))))
                .toList();
        if (!missing.isEmpty() && System.getenv("PROCESS_SANDBOX_CI") != null) {
            throw new AssertionError(missing + " is not there, and .ci/run should have installed it");
        }
        assumeTrue(
                missing.isEmpty(),
                () -> "this machine lacks " + missing
                        + ": apt-get install bubblewrap crun musl-tools busybox-static nodejs golang-go");
    }
}
