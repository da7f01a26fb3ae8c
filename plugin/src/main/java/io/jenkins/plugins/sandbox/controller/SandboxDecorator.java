package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Launcher;
import hudson.LauncherDecorator;
import hudson.model.Node;
import io.jenkins.plugins.sandbox.config.SandboxSettings;
import java.io.Serializable;

/**
 * Puts a {@link SandboxLauncher} around whatever launcher a step asks for. Kept in the Pipeline's program. {@code decorate} is
 * called for many a launcher that never launches, so it only notes things down.
 */
public final class SandboxDecorator extends LauncherDecorator implements Serializable {
    private static final long serialVersionUID = 1;

    private final LaunchOwner owner;
    private final String block;
    private final SandboxSettings settings;

    /**
     * @param owner on whose behalf
     * @param block the id of the block, {@code [0-9a-f]+}; its launches share their temporary files
     * @param settings what is asked for
     */
    public SandboxDecorator(LaunchOwner owner, String block, SandboxSettings settings) {
        this.owner = owner;
        this.block = block;
        this.settings = settings;
    }

    @NonNull
    @Override
    public Launcher decorate(@NonNull Launcher launcher, @NonNull Node node) {
        if (launcher instanceof SandboxLauncher outer) {
            // A block in a block: its own settings already hold the outer's, and one sandbox is enough.
            return new SandboxLauncher(outer.getInner(), node, owner, block, settings.inside(outer.settings()));
        }
        return new SandboxLauncher(launcher, node, owner, block, settings);
    }
}
