package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.FilePath;
import hudson.model.Run;
import io.jenkins.plugins.sandbox.outcome.Origin;
import java.io.IOException;
import java.io.Serializable;
import java.util.Set;

/** On whose behalf processes are launched: a block of a Pipeline, or a build of a freestyle job. */
public interface LaunchOwner extends Serializable {
    /**
     * The variable that says which step is launching: its id in the Pipeline's graph, and behind it the names of the variables
     * that the steps around it set, each after an equals sign, which no name has. It is taken out before the command sees it.
     */
    String STEP_VARIABLE = "PROCESS_SANDBOX_STEP";

    /** @return the build, which gets to know what was found out */
    @NonNull
    Run<?, ?> run() throws IOException, InterruptedException;

    /** @return the directory in which the owner was started, for launches that name none; {@code null} when it had none */
    @CheckForNull
    FilePath directory() throws IOException, InterruptedException;

    /**
     * @param step the id that {@link #STEP_VARIABLE} held. Whoever writes the Jenkinsfile may have written it: it serves to show
     *     where a launch came from, and to nothing else
     * @return where that is; {@code null} when there is no such step
     */
    @CheckForNull
    Origin origin(String step);

    /** @return the ids of the launches whose step has not ended yet, and of all whose step is not known */
    @NonNull
    Set<String> runningLaunches() throws IOException, InterruptedException;

    /** @return whether there is a container around the owner, as far as its place says so */
    boolean isInContainer() throws IOException, InterruptedException;

    /** Marks a step with a warning. */
    void warn(Origin origin, String message);
}
