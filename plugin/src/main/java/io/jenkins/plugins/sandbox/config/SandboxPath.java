package io.jenkins.plugins.sandbox.config;

import java.io.Serializable;
import java.util.List;

/**
 * A path on an agent, as people write it: absolute, or {@code @workspace} for the build's own workspace, which every agent and
 * every job has somewhere else. What it really leads to is looked at on the agent.
 *
 * @param text without a slash at its end
 */
public record SandboxPath(String text) implements Serializable {
    /** Stands for the workspace of the build. */
    public static final String WORKSPACE = "@workspace";

    /** PATH_MAX of Linux. */
    private static final int MAX_LENGTH = 4096;

    /**
     * Reads a path.
     *
     * @throws IllegalArgumentException when it is relative, climbs, or has a character in it that no log can show
     */
    public static SandboxPath parse(String written) {
        String path = written.strip();
        if (path.length() > MAX_LENGTH || path.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(
                    "The path '" + path.replaceAll("\\p{Cntrl}", "?").substring(0, Math.min(path.length(), 100))
                            + "' is too long, or has a control character in it: name another.");
        }
        boolean workspace = path.equals(WORKSPACE) || path.startsWith(WORKSPACE + "/");
        if (!workspace && !path.startsWith("/")) {
            throw new IllegalArgumentException("The path '" + path
                    + "' is relative: start it with '/', or with '@workspace' for the workspace of the build.");
        }
        if (List.of(path.split("/")).stream().anyMatch(n -> n.equals(".") || n.equals(".."))) {
            throw new IllegalArgumentException(
                    "The path '" + path + "' has '.' or '..' in it: write where it leads to.");
        }
        String normal = path.replaceAll("/+", "/");
        return new SandboxPath(
                normal.length() > 1 && normal.endsWith("/") ? normal.substring(0, normal.length() - 1) : normal);
    }

    /** @return whether this is that path, or lies below it, by what is written */
    boolean isIn(SandboxPath other) {
        return text.equals(other.text) || text.startsWith(other.text.equals("/") ? "/" : other.text + "/");
    }

    boolean isRoot() {
        return text.equals("/");
    }

    /** @return the absolute path, in a workspace */
    public String in(String workspace) {
        return text.startsWith("@") ? workspace + text.substring(WORKSPACE.length()) : text;
    }

    @Override
    public String toString() {
        return text;
    }
}
