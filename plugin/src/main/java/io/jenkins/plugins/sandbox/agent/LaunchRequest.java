package io.jenkins.plugins.sandbox.agent;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.model.InitProcess;
import java.io.Serializable;
import java.util.List;
import java.util.Set;

/**
 * What the controller knows about a launch. Paths are the agent's, and none of them has been looked at.
 *
 * @param nodeRoot the root directory of the agent
 * @param workspace the job's own workspace on that agent, the one of its variants that is in use
 * @param temporary the directory beside it for temporary files, {@code <workspace>@tmp}
 * @param directory where the command starts; {@code workspace} or below
 * @param current the directory beside that for temporary files, {@code <directory>@tmp}; {@code temporary}, or below the
 *     workspace
 * @param control the name of the launch's control directory below {@code current}; {@code null} when it has none there
 * @param block the id of the block, {@code [0-9a-f]+}; launches of one block share their temporary files
 * @param running the ids of the block's launches whose step has not ended yet
 * @param inits the first processes of the build's launches on this agent that are not known to have ended
 * @param variables the names of the environment variables that are meant for the command
 * @param files what the environment names below {@code temporary} and {@code current}
 * @param programs what the command names and Jenkins may have put outside of the workspace
 * @param job stands for the job, {@code [0-9a-f]+}; launches of one job share what its builds keep
 * @param terms what is to hold for it
 * @param container whether the command runs in a container that shares {@code workspace} and {@code temporary} with the agent
 */
public record LaunchRequest(
        String nodeRoot,
        String workspace,
        String temporary,
        String directory,
        String current,
        @CheckForNull String control,
        String block,
        Set<String> running,
        List<InitProcess> inits,
        Set<String> variables,
        Set<String> files,
        Set<String> programs,
        String job,
        LaunchTerms terms,
        boolean container)
        implements Serializable {}
