package io.jenkins.plugins.sandbox.compulsory;

import hudson.model.Job;
import hudson.model.Node;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;

/** Whether a sandbox is compulsory, as the administrator's settings and those of nodes say together. */
public final class CompulsoryRule {
    private CompulsoryRule() {}

    /** @return whether the builds on a node are sandboxed, but for those of excepted jobs */
    public static boolean covers(Node node) {
        return node.getNodeProperty(CompulsoryProperty.class) != null
                || SandboxConfiguration.get().getCompulsory().covers(node);
    }

    /** @return whether the builds of a job are sandboxed on no node, unless they ask for it */
    public static boolean excepts(Job<?, ?> job) {
        return SandboxConfiguration.get().getCompulsory().excepts(job);
    }
}
