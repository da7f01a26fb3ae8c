package io.jenkins.plugins.sandbox.launch;

import java.io.Serializable;

/**
 * Where a probe makes its directories, as launches have theirs there, since what an overlay can be made of depends on the file
 * system. They are gone when the probe is over.
 *
 * @param workspaces absolute path of a directory for a workspace
 * @param scratches absolute path of a directory for a scratch directory
 * @param agentRoot absolute path of the Jenkins agent's root directory; {@code null} without Jenkins
 */
public record ProbePlace(String workspaces, String scratches, String agentRoot) implements Serializable {}
