package io.jenkins.plugins.sandbox.agent;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import java.io.Serializable;
import java.util.List;

/**
 * What the agent says to a {@link LaunchRequest}. It comes from the agent: every part of it is to be checked.
 *
 * @param unsupported why this machine cannot do it at all, in a sentence; {@code null} when it can, and then all else is set
 * @param id the id of the launch
 * @param prefix the words to put in front of the command
 * @param scratch the directory that has to be removed at the end of the block
 */
public record Prepared(
        @CheckForNull String unsupported,
        @CheckForNull String id,
        @CheckForNull List<String> prefix,
        @CheckForNull String scratch)
        implements Serializable {
    static Prepared unsupported(String reason) {
        return new Prepared(reason, null, null, null);
    }
}
