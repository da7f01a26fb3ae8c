package io.jenkins.plugins.sandbox.compulsory;

import hudson.model.Run;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import jenkins.model.Jenkins;

/** All of a build that is in no sandbox block is one block: its launches on a node share their temporary files. */
final class BuildBlock {
    private BuildBlock() {}

    /** @return the block's id: the same after a restart, and that of no other build, of no other Jenkins either */
    static String of(Run<?, ?> run) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(String.join(
                                    "\n",
                                    Jenkins.get().getLegacyInstanceId(),
                                    run.getExternalizableId(),
                                    "" + run.getTimeInMillis())
                            .getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 16);
        } catch (NoSuchAlgorithmException x) {
            throw new AssertionError("every JVM has it", x);
        }
    }
}
