package io.jenkins.plugins.sandbox.pipeline;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import java.util.Set;
import org.jenkinsci.plugins.workflow.graph.BlockStartNode;
import org.jenkinsci.plugins.workflow.graph.FlowNode;
import org.jenkinsci.plugins.workflow.graph.StepNode;
import org.jenkinsci.plugins.workflow.steps.StepDescriptor;

/** Steps of other plugins whose block runs in a container. */
public final class ContainerBlocks {
    /** docker-workflow's, which is also {@code docker.inside} and {@code agent { docker }}, and the Kubernetes plugin's. */
    private static final Set<String> NAMES = Set.of("withDockerContainer", "container");

    private ContainerBlocks() {}

    /** @return whether a step is one of them */
    public static boolean isOne(@CheckForNull StepDescriptor step) {
        return step != null && NAMES.contains(step.getFunctionName());
    }

    /** @return whether there is one around a step, on the node that the step runs on */
    public static boolean isAround(FlowNode step) {
        for (BlockStartNode around : step.iterateEnclosingBlocks()) {
            StepDescriptor descriptor = around instanceof StepNode of ? of.getDescriptor() : null;
            if (isOne(descriptor)) {
                return true;
            }
            if (descriptor != null && descriptor.getFunctionName().equals("node")) {
                return false;
            }
        }
        return false;
    }
}
