package io.jenkins.plugins.sandbox.outcome;

import java.util.Objects;

/** A directory on an agent that has to go when its block has ended. Immutable; stored with the build until then. */
public final class Scratch {
    private final String block;
    private final String node;
    private final String path;

    /**
     * @param block the id of the block
     * @param node the name of the node, empty for the built-in one
     * @param path the directory on that node
     */
    public Scratch(String block, String node, String path) {
        this.block = block;
        this.node = node;
        this.path = path;
    }

    public String block() {
        return block;
    }

    public String node() {
        return node;
    }

    public String path() {
        return path;
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Scratch other
                && block.equals(other.block)
                && node.equals(other.node)
                && path.equals(other.path);
    }

    @Override
    public int hashCode() {
        return Objects.hash(block, node, path);
    }
}
