package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.Sandbox;
import io.jenkins.plugins.sandbox.SandboxedProcess;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A JVM that is started as an agent is, and does what a test tells it, one line for each command. */
final class SecretHolder {
    private SecretHolder() {}

    /** Memory whose last word ends with another letter. */
    private static final class Other implements OwnMemory {
        private boolean written;
        /** And not the performance data, which are whole pages. */
        private boolean words;

        @Override
        public byte[] read(long address, int length) throws IOException {
            byte[] there = new File().read(address, length);
            words = length % 4096 != 0;
            if (words) {
                there[length - 2] ^= 1;
            }
            return there;
        }

        @Override
        public void write(long address, byte[] bytes) {
            written |= words;
        }
    }

    /** Memory that cannot be written to. */
    private static final class ReadOnly implements OwnMemory {
        @Override
        public byte[] read(long address, int length) throws IOException {
            return new File().read(address, length);
        }

        @Override
        public void write(long address, byte[] bytes) {}
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            System.out.println(
                    switch (words[0]) {
                        case "conceal" -> OwnSecrets.conceal();
                        case "calls" -> OwnSecrets.conceal(new OwnMemory.Calls());
                        case "file" -> OwnSecrets.conceal(new OwnMemory.File());
                        case "other" -> {
                            Other other = new Other();
                            yield OwnSecrets.conceal(other) + " written=" + other.written;
                        }
                        case "read-only" -> OwnSecrets.conceal(new ReadOnly());
                        case "restore" -> OwnSecrets.restore();
                        case "arguments" -> String.join(" ", arguments);
                        case "variable" -> System.getenv(words[1]);
                        case "sandboxed" -> sandboxed(words[1], words[2], words[3], words[4]);
                        default -> throw new IllegalArgumentException(line);
                    });
        }
    }

    private static String sandboxed(String root, String workspace, String scratch, String file) throws Exception {
        Policy policy = Policy.builder(Profile.named("strict"), workspace)
                .agentRoot(root)
                .scratch(scratch)
                .build();
        SandboxedProcess process = Sandbox.of(policy)
                .process(b -> b.redirectErrorStream(true))
                .start(List.of("sh", "-c", "test -s " + file + " && cat " + file + " || echo GONE"));
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return process.report().level() + " "
                + output.lines().reduce((a, b) -> b).orElse("");
    }
}
