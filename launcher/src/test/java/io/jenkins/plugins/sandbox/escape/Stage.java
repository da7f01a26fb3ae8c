package io.jenkins.plugins.sandbox.escape;

import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A scene for a whole machine: what its agent starts with, and the mounts and services that stand around. */
public final class Stage implements AutoCloseable {
    private final Scene scene = new Scene(false);

    public Stage() throws IOException {
        Files.createDirectory(base().resolve("scenes"));
    }

    public Path workspace() {
        return scene.workspace();
    }

    public Path home() {
        return scene.home();
    }

    /** Everything of the scene that is not in /tmp or /dev/shm is below it. */
    public Path base() {
        return scene.home().getParent();
    }

    /** For the scenes of single launches. */
    public static Path scenes(Path base) {
        return base.resolve("scenes");
    }

    /** What the plugin would ask for, from directories alone. */
    public static Policy.Builder policy(Profile profile, Path base) throws SandboxException {
        return Scene.policy(profile, base);
    }

    /** Words that set the stage, in a mount namespace of its own, and start those behind them as the same user. */
    public List<String> words() throws IOException {
        return List.of(
                "unshare",
                "--user",
                "--map-root-user",
                "--mount",
                "--",
                "sh",
                "-ec",
                scene.assignments("none") + Attempts.STAGE
                        // Not in this shell's place: a container's runtime would wait for the services too.
                        + "\nunshare --user --map-user=" + id("uid")
                        + " --map-group=" + id("gid") + " -- \"$@\"\nexit $?",
                "sh");
    }

    private static String id(String name) throws IOException {
        return Files.getAttribute(Path.of("/proc/self"), "unix:" + name).toString();
    }

    @Override
    public void close() throws IOException {
        scene.close();
    }
}
