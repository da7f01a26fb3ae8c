package io.jenkins.plugins.sandbox.controller;

import hudson.Extension;
import hudson.model.Computer;
import hudson.model.Item;
import hudson.model.Job;
import hudson.model.listeners.ItemListener;
import hudson.remoting.VirtualChannel;
import io.jenkins.plugins.sandbox.agent.RemoveJobHomeCall;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/** What builds of a job keep for the next one under {@code home: 'job'}. It goes with the job. */
@Extension
public final class JobHome extends ItemListener {
    private static final Logger LOGGER = Logger.getLogger(JobHome.class.getName());

    @Override
    public void onDeleted(Item item) {
        remove(item, item.getFullName());
    }

    @Override
    public void onLocationChanged(Item item, String oldFullName, String newFullName) {
        remove(item, oldFullName);
    }

    /** In the background, and on agents that are there: on the others the machine itself clears its temporary files. */
    private static void remove(Item item, String name) {
        if (!(item instanceof Job)) {
            return;
        }
        for (Computer computer : Jenkins.get().getComputers()) {
            VirtualChannel channel = computer.getChannel();
            if (channel != null) {
                try {
                    channel.callAsync(new RemoveJobHomeCall(id(name, computer.getName())));
                } catch (IOException x) {
                    LOGGER.log(Level.FINE, x, () -> "what " + name + " kept on " + computer.getName() + " stays there");
                }
            }
        }
    }

    /**
     * By what the agent finds it again. Another controller may have a job of that name, and an agent on the same machine.
     *
     * @param job the full name of the job
     * @param node the name of the node; two agents may share a machine, and a user
     * @return {@code [0-9a-f]+}
     */
    static String id(String job, String node) {
        try {
            String all = Jenkins.get().getLegacyInstanceId() + "\n" + job + "\n" + node;
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(all.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 16);
        } catch (NoSuchAlgorithmException x) {
            throw new AssertionError("every JVM has it", x);
        }
    }
}
