package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.plan.Host;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * Chooses a transport. Whether memory files work is tried once in each JVM, by executing the launcher from one: a container's
 * seccomp filter, vm.memfd_noexec, a hidden /proc or a JNA that does not load all show there, whatever their reason.
 */
final class Transports {
    private static final long SELF_TEST_SECONDS = 10;

    private static boolean tried;
    private static MemfdTransport memfd;
    private static String whyNot;

    private Transports() {}

    static Transport choose(TransportChoice choice, Host host) throws SandboxException {
        LauncherBinary.check(host);
        return switch (choice.kind()) {
            case MEMFD -> {
                MemfdTransport transport = memfd(host);
                if (transport == null) {
                    throw new SandboxException(
                            "Memory files do not work here (" + whyNot() + "): use the file transport.");
                }
                yield transport;
            }
            case FILE, CONTAINER -> file(choice, host);
            case AUTO -> {
                if (choice.directory() != null && HostFacts.isRestrictedByAppArmor()) {
                    yield file(choice, host); // a profile can name a file, and cannot name a memory file
                }
                MemfdTransport transport = memfd(host);
                yield transport != null ? transport : file(choice, host);
            }
        };
    }

    private static FileTransport file(TransportChoice choice, Host host) throws SandboxException {
        String name = choice.directory();
        if (name == null) {
            throw new SandboxException(
                    "Memory files do not work here (" + whyNot() + "), and there is no directory for files.");
        }
        Path directory;
        try {
            directory = Path.of(name);
        } catch (InvalidPathException e) {
            throw new SandboxException(
                    "Directory " + Quoted.of(name) + " for the launcher cannot be written in this process' encoding "
                            + host.encoding() + ": start it with LANG=C.UTF-8 in its environment.",
                    e);
        }
        if (!directory.isAbsolute()) {
            throw new SandboxException(
                    "Directory " + Quoted.of(name) + " for the launcher is not an absolute path: start it with '/'.");
        }
        return new FileTransport(directory, LauncherBinary.load(host));
    }

    private static synchronized MemfdTransport memfd(Host host) throws SandboxException {
        if (!tried) {
            byte[] binary = LauncherBinary.load(host);
            try {
                MemfdTransport made = new MemfdTransport(binary);
                whyNot = selfTest(made);
                memfd = whyNot == null ? made : null;
            } catch (InterruptedException e) {
                // Says nothing about memory files: the next launch tries again.
                Thread.currentThread().interrupt();
                throw new SandboxException("Interrupted while the launcher was tried out.", e);
            } catch (SandboxException | LinkageError e) {
                whyNot = e.toString();
            }
            tried = true;
        }
        return memfd;
    }

    private static synchronized String whyNot() {
        return whyNot == null ? "not tried" : whyNot;
    }

    /** The reason why it does not work, or null. */
    private static String selfTest(Transport transport) throws SandboxException, InterruptedException {
        try (Transport.Wire wire = transport.open("self-test")) {
            Process process = new ProcessBuilder(wire.launcher(), "--version")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                if (!process.waitFor(SELF_TEST_SECONDS, TimeUnit.SECONDS)) {
                    return "the launcher did not answer within " + SELF_TEST_SECONDS + " s";
                }
                return process.exitValue() == 0 ? null : "the launcher answered with status " + process.exitValue();
            } finally {
                process.destroyForcibly();
            }
        } catch (SandboxException e) {
            throw e;
        } catch (IOException e) {
            return e.getMessage();
        }
    }
}
