package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A file in a block's scratch directory. Each launch of the block in a container watches it, and ends when it is removed: the
 * agent cannot signal the processes of a container, whose numbers mean nothing outside. A build that gets at the file can only
 * end its own launches.
 */
public final class BlockFile {
    private static final Path NAME = Path.of("block");

    private BlockFile() {}

    /** Creates the file unless it is there. */
    static Path make(Path scratch) throws SandboxException {
        Path file = scratch.resolve(NAME);
        try {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r--------")));
        } catch (FileAlreadyExistsException e) {
            return file;
        } catch (IOException e) {
            throw new SandboxException(
                    "File " + Quoted.of(file) + " cannot be created (" + e
                            + "): check the rights of its directory and the room on its disk.",
                    e);
        }
        return file;
    }

    /**
     * Ends the launches that watch the file. Follows no link below the scratch directory's parent.
     *
     * @param scratch the scratch directory of a block that has ended
     * @return whether there was such a file
     * @throws IOException when it cannot be removed
     */
    public static boolean remove(Path scratch) throws IOException {
        Path absolute = scratch.toAbsolutePath().normalize();
        try (DirectoryStream<Path> parent = Files.newDirectoryStream(absolute.getParent())) {
            if (!(parent instanceof SecureDirectoryStream<Path> secure)) {
                return Files.deleteIfExists(absolute.resolve(NAME));
            }
            try (SecureDirectoryStream<Path> directory =
                    secure.newDirectoryStream(absolute.getFileName(), LinkOption.NOFOLLOW_LINKS)) {
                directory.deleteFile(NAME);
                return true;
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            return false;
        }
    }
}
