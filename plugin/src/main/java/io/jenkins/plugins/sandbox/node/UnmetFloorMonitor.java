package io.jenkins.plugins.sandbox.node;

import hudson.Extension;
import hudson.model.AdministrativeMonitor;
import hudson.model.Computer;
import hudson.model.Node;
import hudson.security.Permission;
import io.jenkins.plugins.sandbox.compulsory.CompulsoryRule;
import java.util.Arrays;
import java.util.List;
import jenkins.model.Jenkins;
import org.jenkinsci.Symbol;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;

/** Says so where a sandbox is compulsory on a node that cannot reach the minimum: no build can launch anything there. */
@Extension
@Symbol("processSandboxUnmetFloor")
public final class UnmetFloorMonitor extends AdministrativeMonitor {
    /**
     * A node that cannot.
     *
     * @param computer the node
     * @param unmet what is missing, in sentences
     */
    @Restricted(NoExternalUse.class)
    public record Unmet(Computer computer, String unmet) {
        public Computer getComputer() {
            return computer;
        }

        public String getUnmet() {
            return unmet;
        }
    }

    @Override
    public String getDisplayName() {
        return Messages.UnmetFloorMonitor_DisplayName();
    }

    @Override
    public boolean isActivated() {
        return !getUnmet().isEmpty();
    }

    @Override
    public boolean isSecurity() {
        return true;
    }

    @Override
    public Permission getRequiredPermission() {
        return Jenkins.SYSTEM_READ;
    }

    /** @return the nodes that are connected and cannot */
    @Restricted(NoExternalUse.class)
    public List<Unmet> getUnmet() {
        FloorPolicy policy = FloorPolicy.get();
        return policy == null
                ? List.of()
                : Arrays.stream(Jenkins.get().getComputers())
                        .filter(UnmetFloorMonitor::isCovered)
                        .flatMap(computer -> unmet(computer, policy).stream())
                        .toList();
    }

    /** @return whether a sandbox is compulsory there */
    static boolean isCovered(Computer computer) {
        Node node = computer.getNode();
        return node != null && CompulsoryRule.covers(node);
    }

    private static List<Unmet> unmet(Computer computer, FloorPolicy policy) {
        NodeReport report = NodeReports.get().of(computer);
        return report == null
                ? List.of()
                : report.unmet(policy)
                        .map(text -> List.of(new Unmet(computer, text)))
                        .orElse(List.of());
    }
}
