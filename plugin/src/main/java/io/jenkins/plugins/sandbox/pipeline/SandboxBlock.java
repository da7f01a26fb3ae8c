package io.jenkins.plugins.sandbox.pipeline;

import io.jenkins.plugins.sandbox.config.SandboxSettings;
import java.io.Serializable;

/** In the context of every step of a sandbox block: that there is one, and what it asks for. */
public final class SandboxBlock implements Serializable {
    private static final long serialVersionUID = 1;

    private final SandboxSettings settings;

    /** @param settings the block's own and those of all blocks around it, the stricter of each */
    SandboxBlock(SandboxSettings settings) {
        this.settings = settings;
    }

    SandboxSettings settings() {
        return settings;
    }
}
