package io.jenkins.plugins.sandbox.node;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.Util;
import hudson.model.Action;
import hudson.model.Computer;
import hudson.model.TransientComputerActionFactory;
import hudson.security.Permission;
import io.jenkins.plugins.sandbox.model.Level;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Map;
import jenkins.model.Jenkins;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.HttpRedirect;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.StaplerProxy;
import org.kohsuke.stapler.verb.POST;

/**
 * A page of each node: row by row what a sandbox can do there, and what to do about what it cannot. For those who may read the
 * node's configuration or the system's, since it tells more of a machine than others need to know.
 */
@Restricted(NoExternalUse.class)
public final class NodePage implements Action, StaplerProxy {
    private final Computer computer;

    NodePage(Computer computer) {
        this.computer = computer;
    }

    private static boolean isReadable(Computer computer) {
        return computer.hasPermission(Computer.EXTENDED_READ) || Jenkins.get().hasPermission(Jenkins.SYSTEM_READ);
    }

    @Override
    public Object getTarget() {
        if (!isReadable(computer)) {
            computer.checkPermission(Computer.EXTENDED_READ);
        }
        return this;
    }

    @Override
    @CheckForNull
    public String getIconFileName() {
        return isReadable(computer) ? "symbol-shield-check plugin-process-sandbox" : null;
    }

    @NonNull
    @Override
    public String getDisplayName() {
        return Messages.NodePage_DisplayName();
    }

    @NonNull
    @Override
    public String getUrlName() {
        return "process-sandbox";
    }

    public Computer getComputer() {
        return computer;
    }

    public Permission getRefreshPermission() {
        return Computer.CONFIGURE;
    }

    @CheckForNull
    public NodeReport getReport() {
        return NodeReports.get().of(computer);
    }

    public List<NodeRow> getRows() {
        NodeReport report = getReport();
        return report == null ? List.of() : report.rows();
    }

    public Map<String, String> getFacts() {
        NodeReport report = getReport();
        return report == null ? Map.of() : report.facts();
    }

    /** @return why nothing could be tried; {@code null} when it could */
    @CheckForNull
    public String getProblem() {
        NodeReport report = getReport();
        return report == null ? null : report.problem();
    }

    @CheckForNull
    public String getTime() {
        NodeReport report = getReport();
        return report == null
                ? null
                : Util.XS_DATETIME_FORMATTER2.format(Date.from(report.time()).toInstant());
    }

    public String getProfile() {
        FloorPolicy policy = FloorPolicy.get();
        return policy == null ? "" : policy.profile().name();
    }

    public String getMinimumLevel() {
        FloorPolicy policy = FloorPolicy.get();
        return policy == null ? "" : policy.minimum().level().name();
    }

    @CheckForNull
    public Level getLevel() {
        NodeReport report = getReport();
        FloorPolicy policy = FloorPolicy.get();
        return report == null || policy == null ? null : report.level(policy);
    }

    /** @return what is missing for the minimum; {@code null} when it can be reached */
    @CheckForNull
    public String getUnmet() {
        NodeReport report = getReport();
        FloorPolicy policy = FloorPolicy.get();
        return report == null || policy == null ? null : report.unmet(policy).orElse(null);
    }

    public boolean isCompulsory() {
        return UnmetFloorMonitor.isCovered(computer);
    }

    /** @return whether launches with the default profile ask for a row */
    public boolean asksFor(NodeRow row) {
        FloorPolicy policy = FloorPolicy.get();
        return policy != null
                && policy.profile().primitives().contains(row.outcome().primitive());
    }

    @POST
    public HttpResponse doRefresh() {
        computer.checkPermission(Computer.CONFIGURE);
        NodeReports.get().refresh(computer);
        return HttpRedirect.DOT;
    }

    @Extension
    public static final class Factory extends TransientComputerActionFactory {
        @NonNull
        @Override
        public Collection<? extends Action> createFor(@NonNull Computer target) {
            return List.of(new NodePage(target));
        }
    }
}
