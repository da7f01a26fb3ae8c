package io.jenkins.plugins.sandbox.launch;

import java.io.Serializable;

/**
 * How the four things of a launch (launcher, plan, report, gate) get to it.
 *
 * @param kind the way
 * @param directory absolute path of a directory for files, made when it is missing; used by {@link Kind#FILE} and
 *     {@link Kind#CONTAINER}, and by {@link Kind#AUTO} where memory files do not work. {@code null} for {@link Kind#MEMFD}
 */
public record TransportChoice(Kind kind, String directory) implements Serializable {
    /** The ways there are. */
    public enum Kind {
        /**
         * Memory files where they work, else files. Found out once in each JVM. Files too where AppArmor lets only programs with
         * a profile use user namespaces: a profile names a path.
         */
        AUTO,
        /** Sealed memory files and pipes of this JVM: nothing on disk. For commands in this process' own /proc. */
        MEMFD,
        /** Files: where memory files do not work. */
        FILE,
        /** Files, for a command that runs in a container with a file system of its own, which cannot be looked at from here. */
        CONTAINER
    }

    /**
     * @param directory for the case that memory files do not work
     * @return memory files where they work, else files
     */
    public static TransportChoice auto(String directory) {
        return new TransportChoice(Kind.AUTO, directory);
    }

    /**
     * @return memory files, or an error
     */
    public static TransportChoice memfd() {
        return new TransportChoice(Kind.MEMFD, null);
    }

    /**
     * @param directory the launcher keeps its binary and each launch's files in it; has to be seen under the same path by
     *     the command
     * @return files
     */
    public static TransportChoice file(String directory) {
        return new TransportChoice(Kind.FILE, directory);
    }

    /**
     * A command in a container that shares the workspace with this machine, and some directory beside it, and nothing else.
     *
     * @param directory as for {@link #file}
     * @return files, and a plan without this machine's home directory and tools. What this machine hides is hidden there as well
     */
    public static TransportChoice container(String directory) {
        return new TransportChoice(Kind.CONTAINER, directory);
    }
}
