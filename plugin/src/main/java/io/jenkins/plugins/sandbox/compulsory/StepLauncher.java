package io.jenkins.plugins.sandbox.compulsory;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.Launcher;
import hudson.model.Node;
import hudson.model.TaskListener;
import io.jenkins.plugins.sandbox.pipeline.SandboxBlock;
import java.io.IOException;
import java.io.ObjectStreamException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import org.jenkinsci.plugins.workflow.steps.DynamicContext;

/**
 * Gives steps of Pipelines the launcher that they would get anyway, but one that knows which step it is for. The decorators of
 * the blocks around the step are applied to it as always, the container's last; so whoever must not launch in a container gets
 * no launcher at all, see {@link ContainerGuard}. Every launcher that a step asks its context for comes through here, declared
 * or not, if no other extension is faster.
 */
@Extension(ordinal = Double.MAX_VALUE)
public final class StepLauncher extends DynamicContext.Typed<Launcher> {
    @NonNull
    @Override
    protected Class<Launcher> type() {
        return Launcher.class;
    }

    @CheckForNull
    @Override
    protected Launcher get(DelegatedContext context) throws IOException, InterruptedException {
        Node node = context.get(Node.class);
        if (node != null) {
            CheckoutSweep.run(context, node);
        }
        boolean compulsory = node != null && CompulsoryRule.covers(node);
        if (!compulsory && (node == null || context.get(SandboxBlock.class) == null)) {
            return null;
        }
        Launcher launcher = CompulsoryDecorator.createLauncher(node, new LazyListener(context), new StepOwner(context));
        ContainerGuard.check(context, node, launcher);
        return compulsory ? launcher : null;
    }

    /** Opens the step's log when something is written to it: a step that waits asks for a launcher again and again. */
    private static final class LazyListener implements TaskListener {
        private static final long serialVersionUID = 1;

        private final transient DelegatedContext context;
        private transient TaskListener opened;

        LazyListener(DelegatedContext context) {
            this.context = context;
        }

        @NonNull
        @Override
        public PrintStream getLogger() {
            return opened().getLogger();
        }

        private synchronized TaskListener opened() {
            if (opened == null) {
                try {
                    opened = context.get(TaskListener.class);
                } catch (IOException x) {
                    throw new UncheckedIOException(x);
                } catch (InterruptedException x) {
                    Thread.currentThread().interrupt();
                }
            }
            return opened == null ? TaskListener.NULL : opened;
        }

        private Object writeReplace() throws ObjectStreamException {
            return opened();
        }
    }
}
