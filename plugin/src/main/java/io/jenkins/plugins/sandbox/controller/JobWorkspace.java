package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.AbortException;
import hudson.FilePath;
import hudson.model.Item;
import hudson.model.Node;
import hudson.model.Run;
import hudson.model.TopLevelItem;
import hudson.slaves.WorkspaceList;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The directory that a launch may write to: the job's own workspace on the node, as the node itself names it, or one of the
 * variants that concurrent builds get. Neither the environment nor the current directory is asked, since a Jenkinsfile could
 * point them to any place of the agent.
 *
 * @param path the workspace
 * @param temporary the directory beside it for temporary files
 * @param current the same of the directory in it where the command starts, which is where durable tasks look for it
 */
record JobWorkspace(String path, String temporary, String current) {
    /**
     * @param own what the node names as the job's workspace
     * @param directory where the command starts
     * @throws AbortException when that is neither in the workspace nor in one of its variants
     */
    static JobWorkspace containing(String own, String directory) throws AbortException {
        Matcher m = Pattern.compile(
                        "(" + Pattern.quote(own) + "(?:" + Pattern.quote(WorkspaceList.COMBINATOR)
                                + "[0-9]+)?)(?:/.*)?",
                        Pattern.DOTALL)
                .matcher(directory);
        if (!m.matches() || climbsOut(directory)) {
            throw new AbortException(Messages.JobWorkspace_Outside(directory, own));
        }
        return new JobWorkspace(
                m.group(1), m.group(1) + WorkspaceList.TMP_DIR_SUFFIX, directory + WorkspaceList.TMP_DIR_SUFFIX);
    }

    private static boolean climbsOut(String directory) {
        return ("/" + directory + "/").contains("/../");
    }

    /**
     * Asks the node for the workspace of a job. May ask the agent.
     *
     * @throws AbortException when the node is gone, or the job has none
     */
    static FilePath own(Node node, Run<?, ?> run) throws AbortException {
        Item item = run.getParent();
        while (!(item instanceof TopLevelItem) && item.getParent() instanceof Item parent) {
            item = parent;
        }
        FilePath workspace = item instanceof TopLevelItem top ? node.getWorkspaceFor(top) : null;
        if (workspace == null) {
            throw new AbortException(Messages.JobWorkspace_None(node.getDisplayName()));
        }
        return workspace;
    }

    /**
     * Finds the control directory of a durable task in the words of its command. It lies where the secret files of other steps
     * lie as well, so it is this one directory that the command gets and no other.
     *
     * @return its name in {@link #current}, {@code durable-} and hexadecimal digits; {@code null} when there is none
     * @throws AbortException when there is more than one
     */
    @CheckForNull
    String controlDirectory(Collection<String> words) throws AbortException {
        // The shell wrapper doubles every dollar, the binary one does not.
        String written = Pattern.quote(current).replace("$", "\\E\\$\\$?\\Q");
        Pattern pattern = Pattern.compile("(?<![^\\s'\"=])" + written + "/(durable-[0-9a-f]+)(?![\\w.-])");
        Set<String> found = new TreeSet<>();
        for (String word : words) {
            Matcher m = pattern.matcher(word);
            while (m.find()) {
                found.add(m.group(1));
            }
        }
        if (found.size() > 1) {
            throw new AbortException(Messages.JobWorkspace_Ambiguous(String.join(", ", found)));
        }
        return found.isEmpty() ? null : found.iterator().next();
    }
}
