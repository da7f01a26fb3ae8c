package io.jenkins.plugins.sandbox.agent;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The directory that holds a block's temporary files and changed home. */
final class ScratchDirectory {
    static final String PREFIX = "process-sandbox-";

    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rwx------");

    private ScratchDirectory() {}

    /** @return where it is, whether or not it exists */
    static Path of(Path parent, String block) {
        return parent.resolve(PREFIX + block);
    }

    /**
     * Makes it, unless an earlier launch of the block did.
     *
     * @return whether it was made by this call
     * @throws IOException when it cannot be made, or something else is in its place
     */
    static boolean make(Path directory) throws IOException {
        FileAttribute<Set<PosixFilePermission>> mode = PosixFilePermissions.asFileAttribute(PRIVATE);
        try {
            Files.createDirectory(directory, mode);
            return true;
        } catch (FileAlreadyExistsException x) {
            // Its parent may be open to everybody; what only we can write to is ours.
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
                    || !Files.getPosixFilePermissions(directory, LinkOption.NOFOLLOW_LINKS)
                            .equals(PRIVATE)
                    || !Files.isWritable(directory)) {
                throw x;
            }
            return false;
        }
    }

    /** Whether it is there and nobody else can have made it: its parent may be open to everybody. */
    static boolean isOne(Path directory) throws IOException {
        try {
            return Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
                    && Files.getOwner(directory, LinkOption.NOFOLLOW_LINKS)
                            .equals(Files.getOwner(Path.of("/proc/self")))
                    && Files.getPosixFilePermissions(directory, LinkOption.NOFOLLOW_LINKS)
                            .equals(PRIVATE);
        } catch (NoSuchFileException x) {
            // Its block has just ended.
            return false;
        }
    }

    /**
     * Removes it with everything in it. Its contents come from builds, whose processes may still be running: no symbolic link
     * is followed, whatever happens meanwhile, and no depth of directories takes more than a few open files.
     *
     * @throws IOException when something could not be removed
     */
    static void remove(Path directory) throws IOException {
        Path parent = directory.getParent();
        Path name = directory.getFileName();
        if (!directory.isAbsolute()
                || parent == null
                || name == null
                || !name.toString().startsWith(PREFIX)) {
            throw new IOException("'" + directory + "' is not a scratch directory");
        }
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(parent)) {
            if (!(stream instanceof SecureDirectoryStream<Path> secure)) {
                throw new IOException("this file system cannot be cleaned safely: " + parent);
            }
            new Removal(parent, name).run(secure);
        } catch (NoSuchFileException x) {
            // The whole workspace may have been removed.
            return;
        }
    }

    /** One pass takes away what is at most {@link #MAX_DEPTH} deep, and brings up what is deeper for the next. */
    private static final class Removal {
        private static final int MAX_DEPTH = 64;
        private static final int MAX_PASSES = 1000;

        private final Path parentPath;
        private final Path name;
        private int broughtUp;

        Removal(Path parentPath, Path name) {
            this.parentPath = parentPath;
            this.name = name;
        }

        void run(SecureDirectoryStream<Path> parent) throws IOException {
            if (!exists(parent, name)) {
                return;
            }
            for (int pass = 0; pass < MAX_PASSES; pass++) {
                int before = broughtUp;
                try (SecureDirectoryStream<Path> top = open(parent, parentPath, name)) {
                    clear(top, parentPath.resolve(name), top, 1);
                }
                if (broughtUp == before) {
                    break;
                }
            }
            parent.deleteDirectory(name);
        }

        private void clear(SecureDirectoryStream<Path> directory, Path path, SecureDirectoryStream<Path> top, int depth)
                throws IOException {
            // All names first: removing while reading may skip some.
            List<Path> names = new ArrayList<>();
            directory.forEach(child -> names.add(child.getFileName()));
            for (Path child : names) {
                if (!isDirectory(directory, child)) {
                    delete(() -> directory.deleteFile(child));
                } else if (depth == MAX_DEPTH) {
                    broughtUp++;
                    directory.move(child, top, Path.of("brought-up-" + broughtUp));
                } else {
                    try (SecureDirectoryStream<Path> below = open(directory, path, child)) {
                        clear(below, path.resolve(child), top, depth + 1);
                    }
                    delete(() -> directory.deleteDirectory(child));
                }
            }
        }

        private static void delete(Deletion deletion) throws IOException {
            try {
                deletion.run();
            } catch (NoSuchFileException x) {
                // A process of the block was faster.
                return;
            }
        }
    }

    @FunctionalInterface
    private interface Deletion {
        void run() throws IOException;
    }

    private static boolean exists(SecureDirectoryStream<Path> parent, Path name) throws IOException {
        try {
            attributes(parent, name);
            return true;
        } catch (NoSuchFileException x) {
            return false;
        }
    }

    private static boolean isDirectory(SecureDirectoryStream<Path> parent, Path name) throws IOException {
        try {
            return attributes(parent, name).isDirectory();
        } catch (NoSuchFileException x) {
            return false;
        }
    }

    private static BasicFileAttributes attributes(SecureDirectoryStream<Path> parent, Path name) throws IOException {
        return parent.getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                .readAttributes();
    }

    /** The kernel leaves a directory without any rights in the work directory of an overlay, and builds do what they like. */
    private static SecureDirectoryStream<Path> open(SecureDirectoryStream<Path> parent, Path parentPath, Path name)
            throws IOException {
        Path path = parentPath.resolve(name);
        try {
            SecureDirectoryStream<Path> opened = parent.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS);
            if (Files.isWritable(path)) {
                return opened;
            }
            opened.close();
        } catch (AccessDeniedException x) {
            // And once more, with the rights.
        }
        // There is no way to do this without a path. At worst it gives the owner rights to a file of his own.
        Files.setPosixFilePermissions(path, PRIVATE);
        return parent.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS);
    }
}
