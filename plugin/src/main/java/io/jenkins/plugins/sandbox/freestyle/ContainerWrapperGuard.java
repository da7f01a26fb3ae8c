package io.jenkins.plugins.sandbox.freestyle;

import hudson.Extension;
import hudson.Launcher;
import hudson.model.AbstractBuild;
import hudson.model.BuildListener;
import hudson.model.Environment;
import hudson.model.Run;
import hudson.model.listeners.RunListener;
import io.jenkins.plugins.sandbox.controller.Confining;
import io.jenkins.plugins.sandbox.controller.ContainerLaunchers;
import java.io.IOException;

/**
 * Stops a freestyle build whose wrappers put a container in front of the sandbox: what that runs is confined by nobody. Comes
 * when all wrappers have had the launcher, and before anything is launched with it.
 */
@Extension(ordinal = Double.MAX_VALUE)
public final class ContainerWrapperGuard extends RunListener<Run<?, ?>> {
    @Override
    @SuppressWarnings("rawtypes") // as declared in core
    public Environment setUpEnvironment(AbstractBuild build, Launcher launcher, BuildListener listener)
            throws IOException, InterruptedException {
        Confining confining = ContainerLaunchers.passedBy(launcher);
        if (confining != null) {
            confining.passedBy(Messages.ContainerWrapperGuard_PassedBy());
        }
        return new Environment() {};
    }
}
