package io.jenkins.plugins.sandbox.agent;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/** What the agent says to a {@link LaunchRequest}. It comes from the agent: every part of it is to be checked. */
public sealed interface Prepared extends Serializable {
    /**
     * This machine cannot do it at all.
     *
     * @param reason why, in a sentence
     */
    record Unsupported(String reason) implements Prepared {}

    /**
     * A sandbox to launch in.
     *
     * @param id the id of the launch
     * @param prefix the words to put in front of the command
     * @param scratch the directory that has to be removed at the end of the block
     * @param endings how earlier launches of the block ended, by id, as their launchers wrote it
     */
    record Ready(String id, List<String> prefix, String scratch, Map<String, byte[]> endings) implements Prepared {}
}
