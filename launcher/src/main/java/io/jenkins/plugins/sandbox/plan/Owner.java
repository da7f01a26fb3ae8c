package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * Whose a file is. The owner of a directory can replace what is in it at any time, and the rights of root hide that: each
 * operation succeeds in another user's directory as well.
 */
public final class Owner {
    private Owner() {}

    /**
     * @param path no link in it is followed at its end
     * @return whether it belongs to the user of this process
     * @throws IOException when it cannot be read
     */
    public static boolean isThisUser(Path path) throws IOException {
        return of(path) == thisUser();
    }

    /**
     * @param what what the path is for, in messages
     * @param path a file or directory
     * @throws SandboxException when it belongs to another user
     */
    public static void check(String what, Path path) throws SandboxException {
        int owner;
        int user;
        try {
            owner = of(path);
            user = thisUser();
        } catch (IOException e) {
            throw new SandboxException(
                    what + " " + Quoted.of(path) + " has an owner that cannot be read (" + e
                            + "): check the rights of its parents.",
                    e);
        }
        if (owner != user) {
            throw new SandboxException(what + " " + Quoted.of(path) + " belongs to user " + owner
                    + ", and this process runs as user " + user + ": name one that belongs to the latter.");
        }
    }

    /** Effective; the owner of /proc/self is root for a process that may not be traced. */
    private static int thisUser() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"), StandardCharsets.ISO_8859_1)) {
            if (line.startsWith("Uid:")) {
                return Integer.parseInt(line.split("\\s+")[2]);
            }
        }
        throw new IOException("/proc/self/status has no line Uid");
    }

    private static int of(Path path) throws IOException {
        return (int) Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    }
}
