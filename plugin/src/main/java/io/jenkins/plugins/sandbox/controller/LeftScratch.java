package io.jenkins.plugins.sandbox.controller;

import hudson.Extension;
import hudson.ExtensionList;
import hudson.ExtensionPoint;
import hudson.XmlFile;
import io.jenkins.plugins.sandbox.outcome.Scratch;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/** The scratch directories that could not be removed yet, over restarts. */
@Extension
public final class LeftScratch implements ExtensionPoint {
    private static final Logger LOGGER = Logger.getLogger(LeftScratch.class.getName());

    /** Beyond this, the oldest are given up. */
    private static final int MAX = 1000;

    private List<Scratch> scratches;

    static LeftScratch get() {
        return ExtensionList.lookupSingleton(LeftScratch.class);
    }

    synchronized void add(Scratch scratch) {
        load();
        scratches.remove(scratch);
        scratches.add(scratch);
        while (scratches.size() > MAX) {
            scratches.remove(0);
        }
        save();
    }

    /** @return those of a node, which are forgotten with this */
    synchronized List<Scratch> take(String node) {
        load();
        List<Scratch> taken =
                scratches.stream().filter(s -> s.node().equals(node)).toList();
        if (scratches.removeAll(taken)) {
            save();
        }
        return taken;
    }

    private void load() {
        if (scratches == null) {
            scratches = new ArrayList<>();
            try {
                if (file().exists() && file().read() instanceof ArrayList<?> read) {
                    read.stream()
                            .filter(Scratch.class::isInstance)
                            .map(Scratch.class::cast)
                            .forEach(scratches::add);
                }
            } catch (IOException x) {
                LOGGER.log(Level.WARNING, "cannot read " + file(), x);
            }
        }
    }

    private void save() {
        try {
            file().write(scratches);
        } catch (IOException x) {
            LOGGER.log(Level.WARNING, "cannot write " + file(), x);
        }
    }

    private static XmlFile file() {
        return new XmlFile(new File(Jenkins.get().getRootDir(), "process-sandbox-scratch.xml"));
    }
}
