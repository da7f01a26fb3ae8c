package io.jenkins.plugins.sandbox.compulsory;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.Extension;
import hudson.FilePath;
import hudson.Launcher;
import hudson.model.Computer;
import hudson.model.Node;
import hudson.model.Run;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jenkinsci.plugins.structs.describable.UninstantiatedDescribable;
import org.jenkinsci.plugins.workflow.flow.StepListener;
import org.jenkinsci.plugins.workflow.steps.Step;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepDescriptor;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;

/**
 * Keeps steps that work in the agent's own JVM inside the job's workspace, on nodes where the sandbox is enforced. No sandbox holds what
 * that JVM does, so a step is judged by its arguments before it starts: see {@code steps.txt}. An unknown step that takes the agent's
 * file system or launcher is refused. A listener's exception is only logged and the step starts, so this one fails the context.
 */
@Extension
@Restricted(NoExternalUse.class)
public final class FileStepGuard implements StepListener {
    /** A step that asks for none of these cannot reach the agent. */
    static final Set<Class<?>> OF_AGENT = Set.of(FilePath.class, Launcher.class, Computer.class, Node.class);

    @Override
    public void notifyOfNewStep(@NonNull Step step, @NonNull StepContext context) {
        try {
            String refusal = refusal(step, context);
            if (refusal != null) {
                context.onFailure(new AbortException(refusal));
            }
        } catch (IOException | RuntimeException x) {
            context.onFailure(x);
        } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
            context.onFailure(x);
        }
    }

    @CheckForNull
    private static String refusal(Step step, StepContext context) throws IOException, InterruptedException {
        StepDescriptor descriptor = step.getDescriptor();
        String function = descriptor.getFunctionName();
        // `dir`, `ws` and `load` ask for nothing that names the agent, or ask late: they are known by name.
        boolean reaches = descriptor.getRequiredContext().stream().anyMatch(OF_AGENT::contains);
        if (!reaches && StepTreatment.of(function).isEmpty()) {
            return null;
        }
        Node node = context.get(Node.class);
        if (node == null || !CompulsoryRule.covers(node)) {
            return null;
        }
        Run<?, ?> run = context.get(Run.class);
        if (run == null || CompulsoryRule.excepts(run.getParent())) {
            return null;
        }
        UninstantiatedDescribable described;
        try {
            described = descriptor.uninstantiate(step);
        } catch (UnsupportedOperationException x) {
            // A step without getters hides its arguments.
            described = null;
        }
        String name = nameOf(descriptor, described);
        if (SandboxConfiguration.get().getCompulsory().allowsStep(name)) {
            return null;
        }
        StepTreatment treatment = StepTreatment.of(name).orElse(null);
        if (treatment == null || described == null && treatment.judgesArguments()) {
            return Messages.FileStepGuard_Unknown(name, node.getDisplayName());
        }
        String why = described == null ? null : treatment.refusal(flat(described.getArguments()));
        return why == null ? null : Messages.FileStepGuard_Refused(name, node.getDisplayName(), why);
    }

    /** `step` and `wrap` run an extension of core: its symbol, or its class, says which. */
    private static String nameOf(StepDescriptor descriptor, @CheckForNull UninstantiatedDescribable described) {
        if (!descriptor.isMetaStep() || described == null) {
            return descriptor.getFunctionName();
        }
        for (Object value : described.getArguments().values()) {
            if (value instanceof UninstantiatedDescribable delegate) {
                return delegate.getSymbol() != null ? delegate.getSymbol() : String.valueOf(delegate.getKlass());
            }
        }
        return descriptor.getFunctionName();
    }

    private static Map<String, Object> flat(Map<String, ?> arguments) {
        Map<String, Object> flat = new HashMap<>();
        arguments.forEach((name, value) -> flat.put(name, flat(value)));
        return flat;
    }

    @CheckForNull
    private static Object flat(@CheckForNull Object value) {
        if (value instanceof UninstantiatedDescribable described) {
            return flat(described.getArguments());
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> texts = new HashMap<>();
            map.forEach((k, v) -> texts.put(String.valueOf(k), flat(v)));
            return texts;
        }
        if (value instanceof Collection<?> values) {
            List<Object> list = new ArrayList<>();
            values.forEach(v -> list.add(flat(v)));
            return list;
        }
        return value;
    }
}
