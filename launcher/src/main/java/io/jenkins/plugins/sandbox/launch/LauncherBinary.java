package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.model.UnsupportedHostException;
import io.jenkins.plugins.sandbox.plan.Host;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The native launcher for this machine, from the resources of this build. */
final class LauncherBinary {
    /** Names a launcher file to use instead, for work on the launcher itself. */
    static final String OVERRIDE = "sandbox.launcher";

    private LauncherBinary() {}

    static byte[] load(Host host) throws SandboxException {
        String override = System.getProperty(OVERRIDE);
        if (override != null) {
            try {
                return Files.readAllBytes(Path.of(override));
            } catch (IOException e) {
                throw new SandboxException(
                        "Launcher " + Quoted.of(override) + ", named by the system property " + OVERRIDE
                                + ", cannot be read: build it, or leave the property out.",
                        e);
            }
        }
        check(host);
        String resource = "/io/jenkins/plugins/sandbox/native/linux-"
                + host.architecture().get().kernelName() + "/sandbox-launcher";
        try (InputStream in = LauncherBinary.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new UnsupportedHostException("This build has no launcher for " + machine()
                        + ": build it on such a machine, or with a C compiler for it.");
            }
            return in.readAllBytes();
        } catch (UnsupportedHostException e) {
            throw e;
        } catch (IOException e) {
            throw new SandboxException("The launcher cannot be read from this build: " + e.getMessage() + ".", e);
        }
    }

    /** No launch can work where this throws, whatever the transport. */
    static void check(Host host) throws UnsupportedHostException {
        if (host.architecture().isEmpty() && System.getProperty(OVERRIDE) == null) {
            throw new UnsupportedHostException(
                    "There is no sandbox for " + machine() + ": use a machine with Linux on x86_64 or aarch64.");
        }
    }

    private static String machine() {
        return System.getProperty("os.name") + " on " + System.getProperty("os.arch");
    }

    static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            // Every Java platform has it, see MessageDigest.
            throw new IllegalStateException(e);
        }
    }
}
