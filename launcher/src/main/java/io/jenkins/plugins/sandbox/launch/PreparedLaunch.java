package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Skeleton. */
public final class PreparedLaunch implements AutoCloseable {
    private PreparedLaunch() {}

    public static PreparedLaunch prepare(Policy policy, TransportChoice choice) throws SandboxException {
        throw new SandboxException("skeleton");
    }

    public String id() {
        return "";
    }

    public String transport() {
        return "";
    }

    public List<String> prefix() {
        return List.of();
    }

    public byte[] awaitReport(Duration max) throws SandboxException, InterruptedException {
        return new byte[0];
    }

    public void openGate() throws SandboxException {}

    public void abort() {}

    public Optional<byte[]> awaitEnding(Duration max) throws InterruptedException {
        return Optional.empty();
    }

    @Override
    public void close() {}
}
