package io.jenkins.plugins.sandbox.compulsory;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.Launcher;
import hudson.LauncherDecorator;
import hudson.model.Node;
import hudson.model.TaskListener;
import io.jenkins.plugins.sandbox.controller.LaunchOwner;

/**
 * Puts a {@link CompulsoryLauncher} around every launcher of a node on which a sandbox is compulsory, whoever asks for one.
 * Comes last, so that no other such decorator can launch past it; those of steps still can, see {@link ContainerGuard}.
 */
@Extension(ordinal = -Double.MAX_VALUE)
public final class CompulsoryDecorator extends LauncherDecorator {
    /** Set while a launcher is made for somebody who is known. */
    private static final ThreadLocal<LaunchOwner> OWNER = new ThreadLocal<>();

    /** @return a launcher of the node, as {@link Node#createLauncher} makes it, that knows on whose behalf it launches */
    static Launcher createLauncher(Node node, TaskListener listener, LaunchOwner owner) {
        LaunchOwner outer = OWNER.get();
        OWNER.set(owner);
        try {
            return node.createLauncher(listener);
        } finally {
            set(outer);
        }
    }

    private static void set(@CheckForNull LaunchOwner owner) {
        if (owner == null) {
            OWNER.remove();
        } else {
            OWNER.set(owner);
        }
    }

    @NonNull
    @Override
    public Launcher decorate(@NonNull Launcher launcher, @NonNull Node node) {
        return CompulsoryRule.covers(node) ? new CompulsoryLauncher(launcher, node, OWNER.get()) : launcher;
    }
}
