package io.jenkins.plugins.sandbox.compulsory;

import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.model.Node;
import hudson.slaves.NodeProperty;
import hudson.slaves.NodePropertyDescriptor;
import org.jenkinsci.Symbol;
import org.kohsuke.stapler.DataBoundConstructor;

/** On a node: everything that builds launch here is sandboxed. */
public final class CompulsoryProperty extends NodeProperty<Node> {
    @DataBoundConstructor
    public CompulsoryProperty() {}

    @Extension
    @Symbol("compulsorySandbox")
    public static final class DescriptorImpl extends NodePropertyDescriptor {
        @NonNull
        @Override
        public String getDisplayName() {
            return Messages.CompulsoryProperty_DisplayName();
        }

        /** There is a setting for that, and nobody would look here. */
        @Override
        public boolean isApplicableAsGlobal() {
            return false;
        }
    }
}
