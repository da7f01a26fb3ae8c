package io.jenkins.plugins.sandbox.controller;

import hudson.Extension;
import hudson.ExtensionList;
import hudson.ExtensionPoint;
import hudson.XmlFile;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.outcome.Scratch;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/** The blocks that could not be ended on their agents yet, over restarts. */
@Extension
public final class LeftScratch implements ExtensionPoint {
    private static final Logger LOGGER = Logger.getLogger(LeftScratch.class.getName());

    /** Beyond this, the oldest are given up. */
    private static final int MAX = 1000;

    private List<Left> blocks;

    /** What one block left on one agent. Immutable. Not a record: XStream cannot read those. */
    static final class Left {
        private final Scratch scratch;

        /** Pairs of process id and start time. */
        private final List<Long> inits;

        Left(Scratch scratch, List<InitProcess> inits) {
            this.scratch = scratch;
            this.inits = new ArrayList<>();
            for (InitProcess init : inits) {
                this.inits.add(init.pid());
                this.inits.add(init.startTime());
            }
        }

        Scratch scratch() {
            return scratch;
        }

        /** @return the first processes of launches that may still be there */
        List<InitProcess> inits() {
            List<InitProcess> all = new ArrayList<>();
            for (int i = 0; i + 1 < inits.size(); i += 2) {
                all.add(new InitProcess(inits.get(i), inits.get(i + 1)));
            }
            return all;
        }
    }

    static LeftScratch get() {
        return ExtensionList.lookupSingleton(LeftScratch.class);
    }

    synchronized void add(Left block) {
        load();
        blocks.removeIf(b -> b.scratch().equals(block.scratch()));
        blocks.add(block);
        while (blocks.size() > MAX) {
            blocks.remove(0);
        }
        save();
    }

    synchronized boolean isEmpty() {
        load();
        return blocks.isEmpty();
    }

    /** @return those of a node, which are forgotten with this */
    synchronized List<Left> take(String node) {
        load();
        List<Left> taken =
                blocks.stream().filter(b -> b.scratch().node().equals(node)).toList();
        if (blocks.removeAll(taken)) {
            save();
        }
        return taken;
    }

    private void load() {
        if (blocks == null) {
            blocks = new ArrayList<>();
            try {
                if (file().exists() && file().read() instanceof ArrayList<?> read) {
                    read.stream()
                            .filter(Left.class::isInstance)
                            .map(Left.class::cast)
                            .forEach(blocks::add);
                }
            } catch (IOException x) {
                LOGGER.log(Level.WARNING, "cannot read " + file(), x);
            }
        }
    }

    private void save() {
        try {
            file().write(blocks);
        } catch (IOException x) {
            LOGGER.log(Level.WARNING, "cannot write " + file(), x);
        }
    }

    private static XmlFile file() {
        return new XmlFile(new File(Jenkins.get().getRootDir(), "process-sandbox-scratch.xml"));
    }
}
