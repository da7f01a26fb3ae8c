package io.jenkins.plugins.sandbox.node;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.model.Computer;
import hudson.node_monitors.AbstractNodeMonitorDescriptor;
import hudson.node_monitors.NodeMonitor;
import org.jenkinsci.Symbol;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.DataBoundConstructor;

/** A column of the list of nodes: the level that launches with the default profile can reach there. */
public final class SandboxMonitor extends NodeMonitor {
    @DataBoundConstructor
    public SandboxMonitor() {}

    /**
     * What one cell shows.
     *
     * @param level the level
     * @param unmet what is missing for the minimum; {@code null} when it can be reached
     */
    @Restricted(NoExternalUse.class)
    public record Cell(
            io.jenkins.plugins.sandbox.model.Level level,
            @CheckForNull String unmet) {
        public String getLevel() {
            return level.name();
        }

        /** @return to sort by */
        public int getRank() {
            return level.ordinal();
        }

        @CheckForNull
        public String getUnmet() {
            return unmet;
        }
    }

    @Extension
    @Symbol("processSandbox")
    public static final class DescriptorImpl extends AbstractNodeMonitorDescriptor<NodeReport> {
        /** Called every hour, for nodes that are online. What somebody changed on the machine shows then at the latest. */
        @Override
        @CheckForNull
        protected NodeReport monitor(Computer computer) {
            return NodeReports.get().refresh(computer);
        }

        /** @return {@code null} when nothing is known */
        @Restricted(NoExternalUse.class)
        @CheckForNull
        public Cell cell(Computer computer) {
            NodeReport report = NodeReports.get().of(computer);
            FloorPolicy policy = FloorPolicy.get();
            return report == null || policy == null
                    ? null
                    : new Cell(report.level(policy), report.unmet(policy).orElse(null));
        }

        @Override
        public boolean canTakeOffline() {
            return false;
        }

        @NonNull
        @Override
        public String getDisplayName() {
            return Messages.SandboxMonitor_DisplayName();
        }
    }
}
