package io.jenkins.plugins.sandbox.launch;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * Removes a directory with everything in it, whatever a build has made of it: no symbolic link is followed, even one that is
 * put there meanwhile; directories without any rights are entered (an overlay's work directory is one); and a tree that is
 * deeper than a path can be long is brought up piece by piece.
 */
public final class TreeRemover {
    /** So deep that trees of names of 255 bytes still have paths below PATH_MAX, 4096 bytes, which chmod(2) needs. */
    private static final int MAX_DEPTH = 12;

    private static final Set<PosixFilePermission> OWNER = PosixFilePermissions.fromString("rwx------");

    private final Path root;
    private final SecureDirectoryStream<Path> top;
    /** Nothing that a build has made is called that. */
    private final String broughtUp = "brought-up-" + UUID.randomUUID() + "-";

    private int count;

    private TreeRemover(Path root, SecureDirectoryStream<Path> top) {
        this.root = root;
        this.top = top;
    }

    /**
     * @param path what to remove; nothing happens when it is not there
     * @throws IOException when something could not be removed
     */
    public static void remove(Path path) throws IOException {
        Path absolute = path.toAbsolutePath().normalize();
        Path name = absolute.getFileName();
        if (name == null) {
            throw new IOException("'" + path + "' is the root directory");
        }
        try (DirectoryStream<Path> opened = Files.newDirectoryStream(absolute.getParent())) {
            if (!(opened instanceof SecureDirectoryStream<Path> parent)) {
                throw new IOException("'" + path + "' is on a file system that cannot be cleaned safely");
            }
            if (!isDirectory(parent, name)) {
                parent.deleteFile(name);
                return;
            }
            enter(parent, absolute.getParent(), name);
            boolean again = true;
            while (again) {
                try (SecureDirectoryStream<Path> top = parent.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
                    TreeRemover remover = new TreeRemover(absolute, top);
                    remover.clear(top, absolute, 1);
                    again = remover.count > 0;
                }
            }
            parent.deleteDirectory(name);
        } catch (NoSuchFileException e) {
            // It was not there, or somebody else was faster.
            return;
        }
    }

    private void clear(SecureDirectoryStream<Path> directory, Path path, int depth) throws IOException {
        // All names first: removing while reading may skip some.
        List<Path> names = new ArrayList<>();
        directory.forEach(child -> names.add(child.getFileName()));
        for (Path name : names) {
            try {
                removeOne(directory, path, name, depth);
            } catch (NoSuchFileException e) {
                // A process of the build that still runs was faster.
                continue;
            }
        }
    }

    private void removeOne(SecureDirectoryStream<Path> directory, Path path, Path name, int depth) throws IOException {
        if (!isDirectory(directory, name)) {
            directory.deleteFile(name);
            return;
        }
        enter(directory, path, name);
        if (depth == MAX_DEPTH) {
            directory.move(name, top, root.getFileSystem().getPath(broughtUp + count++));
            return;
        }
        try (SecureDirectoryStream<Path> child = directory.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
            clear(child, path.resolve(name), depth + 1);
        }
        directory.deleteDirectory(name);
    }

    private static boolean isDirectory(SecureDirectoryStream<Path> directory, Path name) throws IOException {
        return attributes(directory, name).isDirectory();
    }

    private static PosixFileAttributes attributes(SecureDirectoryStream<Path> directory, Path name) throws IOException {
        return directory
                .getFileAttributeView(name, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                .readAttributes();
    }

    /** Makes sure of the owner's rights, without which a directory can neither be listed nor moved. */
    private static void enter(SecureDirectoryStream<Path> directory, Path path, Path name) throws IOException {
        if (!attributes(directory, name).permissions().containsAll(OWNER)) {
            // Java can do this by path only. At worst it gives this user rights to a file of his own.
            Files.setPosixFilePermissions(path.resolve(name), OWNER);
        }
    }
}
