package io.jenkins.plugins.sandbox.freestyle;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.FilePath;
import hudson.model.AbstractBuild;
import hudson.model.Run;
import io.jenkins.plugins.sandbox.controller.LaunchOwner;
import io.jenkins.plugins.sandbox.outcome.Origin;
import java.util.Set;

/** A build of a freestyle job, on whose behalf its steps launch processes. It does not outlive the controller. */
public final class BuildOwner implements LaunchOwner {
    private static final long serialVersionUID = 1;

    private final transient AbstractBuild<?, ?> build;

    public BuildOwner(AbstractBuild<?, ?> build) {
        this.build = build;
    }

    @NonNull
    @Override
    public Run<?, ?> run() {
        return build;
    }

    @CheckForNull
    @Override
    public FilePath directory() {
        return build.getWorkspace();
    }

    /** Nothing says which of the job's steps is launching. */
    @CheckForNull
    @Override
    public Origin origin(String step) {
        return null;
    }

    /** One step comes after the other, and waits for its command. */
    @NonNull
    @Override
    public Set<String> runningLaunches() {
        return Set.of();
    }

    /** Its launcher says so. */
    @Override
    public boolean isInContainer() {
        return false;
    }

    @Override
    public void warn(Origin origin, String message) {
        // There are no steps to mark: the log and the build page say it.
    }
}
