package io.jenkins.plugins.sandbox.launch;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Removes a directory with everything in it. Never follows a symbolic link, and gets into directories without any rights: an
 * overlay's work directory has mode 000, and a build may leave others.
 */
public final class TreeRemover {
    private TreeRemover() {}

    /**
     * @param path what to remove; nothing happens when it is not there
     * @return whether it is gone
     */
    public static boolean remove(Path path) {
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            try {
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
            } catch (IOException e) {
                // Somebody else's: the attempt below says whether that matters.
            }
            try (DirectoryStream<Path> children = Files.newDirectoryStream(path)) {
                children.forEach(TreeRemover::remove);
            } catch (IOException | java.nio.file.DirectoryIteratorException e) {
                return false;
            }
        }
        try {
            Files.deleteIfExists(path);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
