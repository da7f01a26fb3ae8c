package io.jenkins.plugins.sandbox.node;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.ExtensionList;
import hudson.FilePath;
import hudson.model.Computer;
import hudson.model.Node;
import hudson.model.TaskListener;
import hudson.remoting.VirtualChannel;
import hudson.slaves.ComputerListener;
import hudson.slaves.OfflineCause;
import io.jenkins.plugins.sandbox.agent.ProbeCall;
import io.jenkins.plugins.sandbox.controller.AgentCalls;
import java.io.IOException;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * What nodes can do: tried when one connects, known as long as it is connected. A connection is one of a running kernel's, so that
 * nothing is known of a kernel that was booted since, but for an agent that was moved to another machine while it ran; and for
 * that, as for settings that somebody changed, there is {@link SandboxMonitor}, every hour.
 */
@Extension
public final class NodeReports extends ComputerListener {
    private static final Logger LOGGER = Logger.getLogger(NodeReports.class.getName());

    /** In seconds. The first call loads classes and sends the launcher. */
    private static final int SECONDS = 60;

    private final Map<Computer, NodeReport> reports = Collections.synchronizedMap(new WeakHashMap<>());

    static NodeReports get() {
        return ExtensionList.lookupSingleton(NodeReports.class);
    }

    /** @return what is known; {@code null} while the node is not connected, and until it has answered */
    @CheckForNull
    NodeReport of(Computer computer) {
        return reports.get(computer);
    }

    void put(Computer computer, NodeReport report) {
        reports.put(computer, report);
    }

    /**
     * Tries it now. Waits for the agent.
     *
     * @return what was found; {@code null} when the node is not connected, or no longer in the same way
     */
    @CheckForNull
    NodeReport refresh(Computer computer) {
        Node node = computer.getNode();
        VirtualChannel channel = computer.getChannel();
        FilePath root = node == null ? null : node.getRootPath();
        if (channel == null || root == null) {
            reports.remove(computer);
            return null;
        }
        NodeReport report;
        try {
            report = AgentCalls.limited(
                    Messages.NodeReports_Probing(),
                    computer.getDisplayName(),
                    SECONDS,
                    () -> NodeReport.of(
                            channel.call(new ProbeCall(root.getRemote())), root.getRemote(), Instant.now()));
        } catch (IOException x) {
            LOGGER.log(Level.FINE, "no probe of " + computer.getDisplayName(), x);
            report = NodeReport.failed(String.valueOf(x.getMessage()), Instant.now());
        }
        // What was asked over an earlier connection says nothing about this one, nor takes the place of what does.
        if (computer.getChannel() != channel) {
            return null;
        }
        put(computer, report);
        if (computer.getChannel() != channel) {
            reports.remove(computer, report);
            return null;
        }
        return report;
    }

    @Override
    public void onOnline(@NonNull Computer computer, @NonNull TaskListener listener) {
        Computer.threadPoolForRemoting.execute(() -> refresh(computer));
    }

    @Override
    public void onOffline(@NonNull Computer computer, @CheckForNull OfflineCause cause) {
        reports.remove(computer);
    }
}
