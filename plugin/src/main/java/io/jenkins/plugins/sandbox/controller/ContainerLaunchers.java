package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.Launcher;
import java.io.IOException;
import java.util.List;

/**
 * Launchers of other plugins that launch in containers. They have nothing in common but that their names are known, by which
 * others tell them too (pipeline-maven's {@code withMaven}).
 */
public final class ContainerLaunchers {
    /** docker-workflow's, both of the Kubernetes plugin, and docker-custom-build-environment's, which is for freestyle jobs. */
    private static final List<String> NAMES = List.of(
            "WithContainerStep", "ContainerExecDecorator", "ContainerListenDecorator", "DockerDecoratedLauncher");

    private ContainerLaunchers() {}

    private static boolean isOne(Launcher launcher) {
        String name = launcher.getClass().getName();
        return NAMES.stream().anyMatch(name::contains);
    }

    @CheckForNull
    private static Launcher inner(Launcher launcher) {
        return launcher instanceof Launcher.DecoratedLauncher decorated ? decorated.getInner() : null;
    }

    /** @return whether what this launcher is given ends up in a container; the owner is asked where that cannot be seen */
    static boolean isIn(Launcher launcher, LaunchOwner owner) throws IOException, InterruptedException {
        Launcher last = launcher;
        for (Launcher l = launcher; l != null; l = inner(l)) {
            if (isOne(l)) {
                return true;
            }
            last = l;
        }
        boolean seen = last instanceof Launcher.LocalLauncher || last instanceof Launcher.RemoteLauncher;
        return !seen && owner.isInContainer();
    }

    /**
     * Finds out whether a container comes before the sandbox. One such launcher then gets the client's command to confine, the
     * other nothing at all, and what the container runs is confined by neither.
     *
     * @return the launcher that is passed by; {@code null} when none is
     */
    @CheckForNull
    public static Confining passedBy(Launcher launcher) {
        boolean container = false;
        for (Launcher l = launcher; l != null; l = inner(l)) {
            if (l instanceof Confining confining) {
                return container ? confining : null;
            }
            container |= isOne(l);
        }
        return null;
    }
}
