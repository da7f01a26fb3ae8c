package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.plan.Host;
import io.jenkins.plugins.sandbox.plan.Plan;
import io.jenkins.plugins.sandbox.plan.Scratch;
import io.jenkins.plugins.sandbox.policy.Policy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

/**
 * A plan written down, to run the launcher by hand: {@code args}, {@code filter}, an empty {@code report}, the launcher
 * itself and a scratch directory. There is no gate.
 *
 * @param path canonical path of the directory
 */
public record PlanDirectory(Path path) {
    /**
     * @param name made when it is missing
     * @return the directory
     * @throws SandboxException when it cannot be made
     */
    public static PlanDirectory create(String name) throws SandboxException {
        try {
            Path path = Files.createDirectories(Path.of(name)).toRealPath();
            Files.createDirectories(path.resolve("scratch"));
            return new PlanDirectory(path);
        } catch (IOException | InvalidPathException e) {
            throw new SandboxException(
                    "Output directory " + Quoted.of(name) + " cannot be made (" + e
                            + "): name one that may be written to.",
                    e);
        }
    }

    /**
     * @return the scratch directory to plan with
     */
    public Path scratch() {
        return path.resolve("scratch");
    }

    /**
     * @param policy what is asked for
     * @throws SandboxException when it cannot be planned or written
     */
    public void write(Policy policy) throws SandboxException {
        Host host = Host.current();
        try (Scratch scratch = Scratch.of(policy, host)) {
            Plan plan = Plan.of(policy, host, scratch);
            plan.makeMountPoints();
            Optional<byte[]> filter = plan.filter();
            Path filterFile = path.resolve("filter");
            if (filter.isPresent()) {
                Files.write(filterFile, filter.get());
            }
            Path report = Files.write(path.resolve("report"), new byte[0]);
            Files.write(path.resolve("args"), plan.encode(plan.words(report.toString(), null, filterFile.toString())));
            Path launcher = path.resolve("sandbox-launcher");
            Files.deleteIfExists(launcher);
            Files.write(launcher, LauncherBinary.load(host));
            Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (SandboxException e) {
            throw e;
        } catch (IOException e) {
            throw new SandboxException(
                    "Output directory " + Quoted.of(path) + " cannot be written to (" + e
                            + "): check its rights and the room on its disk.",
                    e);
        }
    }
}
