package io.jenkins.plugins.sandbox.controller;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What builds of a job keep for the next one under {@code home: 'job'}. */
final class JobHome {
    private JobHome() {}

    /**
     * By what the agent finds it again.
     *
     * @param job the full name of the job
     * @param node the name of the node; two agents may share a machine, and a user
     * @return {@code [0-9a-f]+}
     */
    static String id(String job, String node) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256").digest((job + "\n" + node).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 16);
        } catch (NoSuchAlgorithmException x) {
            throw new AssertionError("every JVM has it", x);
        }
    }
}
