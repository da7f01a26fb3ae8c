package io.jenkins.plugins.sandbox.compulsory;

import hudson.FilePath;
import hudson.model.Node;
import hudson.model.TaskListener;
import hudson.remoting.VirtualChannel;
import hudson.slaves.WorkspaceList;
import io.jenkins.plugins.sandbox.agent.SweepCall;
import io.jenkins.plugins.sandbox.controller.AgentCalls;
import io.jenkins.plugins.sandbox.model.Quoted;
import java.io.IOException;
import java.util.List;
import org.jenkinsci.plugins.workflow.graph.FlowNode;
import org.jenkinsci.plugins.workflow.graph.StepNode;
import org.jenkinsci.plugins.workflow.steps.DynamicContext.DelegatedContext;
import org.jenkinsci.plugins.workflow.steps.StepDescriptor;

/**
 * What happens before a checkout. The git plugin runs git in the agent's own process, outside of every sandbox, also in a sandbox
 * block and where a sandbox is compulsory; and what a build has put into {@code .git} would be obeyed.
 */
final class CheckoutSweep {
    /** Of a plugin that this one does not need. */
    private static final String SCM_STEP = "org.jenkinsci.plugins.workflow.steps.scm.SCMStep";

    /** For a workspace with millions of files; a checkout waits in a thread of its own. */
    private static final int SECONDS = 300;

    private static final int MAX_NOTES = 100;
    private static final int MAX_NOTE = 1000;

    private CheckoutSweep() {}

    /**
     * Sweeps the directory of a step that checks something out, and returns at once for any other.
     *
     * @throws IOException when that cannot be done; the step must not go on then
     */
    static void run(DelegatedContext context, Node node) throws IOException, InterruptedException {
        FlowNode step = context.get(FlowNode.class);
        if (!(step instanceof StepNode of) || !isCheckout(of.getDescriptor())) {
            return;
        }
        FilePath directory = context.get(FilePath.class);
        VirtualChannel channel = directory == null ? null : directory.getChannel();
        if (channel == null) {
            return;
        }
        SweepCall call = new SweepCall(directory.getRemote(), suffix(directory));
        List<String> notes = AgentCalls.limited(
                Messages.CheckoutSweep_Sweeping(), node.getDisplayName(), SECONDS, () -> channel.call(call));
        TaskListener listener = context.get(TaskListener.class);
        if (notes != null && listener != null) {
            notes.stream()
                    .limit(MAX_NOTES)
                    .map(n -> Quoted.visible(String.valueOf(n), MAX_NOTE))
                    .forEach(n -> listener.getLogger().println(Messages.CheckoutSweep_Note(n)));
        }
    }

    private static String suffix(FilePath directory) {
        FilePath temporary = WorkspaceList.tempDir(directory);
        return temporary == null
                ? "@tmp"
                : temporary.getName().substring(directory.getName().length());
    }

    private static boolean isCheckout(StepDescriptor descriptor) {
        for (Class<?> c = descriptor == null ? null : descriptor.clazz; c != null; c = c.getSuperclass()) {
            if (c.getName().equals(SCM_STEP)) {
                return true;
            }
        }
        return false;
    }
}
