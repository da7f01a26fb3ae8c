package io.jenkins.plugins.sandbox.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The generated tables beside the kernel headers of the machine, whichever Linux they are of. */
class KernelHeadersTest {
    private static final Pattern NUMBER = Pattern.compile("(?m)^#define __NR(?:3264)?_([a-z0-9_]+)\\s+(\\d+)\\s*$");

    @ParameterizedTest
    @CsvSource({
        "X86_64, /usr/include/x86_64-linux-gnu/asm/unistd_64.h",
        "AARCH64, /usr/aarch64-linux-gnu/include/asm-generic/unistd.h"
    })
    void everyNumberIsTheHeaders(Architecture architecture, String header) throws Exception {
        boolean there = Files.exists(Path.of(header));
        if (!there && System.getenv("PROCESS_SANDBOX_CI") != null) {
            throw new AssertionError(header + " is not there, and .ci/run should have installed it");
        }
        if (!there) {
            System.err.println("NOTE: not compared with the kernel's headers: " + header + " is not on this machine");
        }
        assumeTrue(there, header);
        Map<String, Integer> wrong = new TreeMap<>();
        int compared = 0;
        Matcher matcher = NUMBER.matcher(Files.readString(Path.of(header)));
        while (matcher.find()) {
            int number = Integer.parseInt(matcher.group(2));
            var name = SyscallTable.of(architecture).name(number);
            // Newer headers than the table know more; names that the headers define by another macro have two.
            if (name.isPresent()
                    && SyscallTable.of(architecture).number(matcher.group(1)).isPresent()) {
                compared++;
                if (!name.get().equals(matcher.group(1))) {
                    wrong.put(matcher.group(1), number);
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(compared).isGreaterThan(250);
    }
}
