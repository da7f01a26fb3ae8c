package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.plan.Owner;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;
import java.util.UUID;

/**
 * Everything in a directory that only this user can enter: the launcher under its hash, and one directory for each launch.
 * For commands that run where this process' {@code /proc} cannot be seen, and for JVMs without JNA.
 */
final class FileTransport implements Transport {
    static final String NAME = "file";

    private final Path directory;
    private final byte[] binary;
    private final Path launcher;

    /**
     * @param directory made when it is missing
     * @param binary the launcher
     */
    FileTransport(Path directory, byte[] binary) {
        this.directory = directory;
        this.binary = binary;
        this.launcher = directory.resolve("launcher-" + LauncherBinary.sha256(binary));
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Wire open(String id) throws SandboxException {
        try {
            privateDirectory(directory);
            Owner.check("Directory", directory);
            keepLauncher();
            // access(2) says so for a file on such a file system, whatever its mode.
            if (!Files.isExecutable(launcher)) {
                throw new SandboxException("The launcher in " + Quoted.of(directory)
                        + " cannot be executed, since its file system is mounted noexec: mount it without noexec, or"
                        + " name a directory on another.");
            }
            return new Folder(directory.resolve("launch-" + id));
        } catch (SandboxException e) {
            throw e;
        } catch (IOException e) {
            throw new SandboxException(
                    "Directory " + Quoted.of(directory) + " for the launcher cannot be used (" + e
                            + "): check its owner and rights and the room on its disk, or name another.",
                    e);
        }
    }

    private static void privateDirectory(Path path) throws IOException {
        Set<PosixFilePermission> onlyMe = PosixFilePermissions.fromString("rwx------");
        Files.createDirectories(path.toAbsolutePath().getParent());
        try {
            Files.createDirectory(path, PosixFilePermissions.asFileAttribute(onlyMe));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                throw e;
            }
            // Fails for a directory of another user, except for root: the owner is checked as well.
            Files.setPosixFilePermissions(path, onlyMe);
        }
    }

    /** Whoever has this user's rights can write here, so the file is never trusted for having been right once. */
    private void keepLauncher() throws IOException {
        try {
            if (Files.isRegularFile(launcher, LinkOption.NOFOLLOW_LINKS)
                    && Files.size(launcher) == binary.length
                    && Files.isExecutable(launcher)
                    && Owner.isThisUser(launcher)
                    && Arrays.equals(Files.readAllBytes(launcher), binary)) {
                return;
            }
        } catch (NoSuchFileException e) {
            // Removed by somebody in between: written anew below.
        }
        // Beside and renamed: another launch may be executing it, and would make writing it fail with ETXTBSY.
        Path beside = directory.resolve(".launcher-" + UUID.randomUUID());
        try {
            create(beside, binary, "r-xr-xr-x");
            Files.move(beside, launcher, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    private static void create(Path path, byte[] content, String mode) throws IOException {
        FileAttribute<?> writable = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        try (SeekableByteChannel out =
                Files.newByteChannel(path, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), writable)) {
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        }
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
    }

    /** One launch. */
    private final class Folder implements Wire {
        private final Path folder;
        private final Path report;
        private final Path gate;
        // Held open: whatever is put in their place later is not what the launcher opened. And no channels, which an
        // interrupt would close for good.
        private final RandomAccessFile reportIn;
        private final RandomAccessFile gateOut;
        private boolean closed;

        Folder(Path folder) throws IOException {
            this.folder = folder;
            report = folder.resolve("report");
            gate = folder.resolve("gate");
            Files.createDirectory(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            RandomAccessFile in = null;
            RandomAccessFile out = null;
            try {
                create(report, new byte[0], "rw-------");
                create(gate, new byte[0], "rw-------");
                in = new RandomAccessFile(report.toFile(), "r");
                out = new RandomAccessFile(gate.toFile(), "rw");
            } finally {
                if (out == null) {
                    if (in != null) {
                        in.close();
                    }
                    TreeRemover.remove(folder);
                }
            }
            reportIn = in;
            gateOut = out;
        }

        @Override
        public String launcher() {
            return launcher.toString();
        }

        @Override
        public String report() {
            return report.toString();
        }

        @Override
        public String gate() {
            return gate.toString();
        }

        @Override
        public String put(String name, byte[] content) throws SandboxException {
            Path file = folder.resolve(name);
            try {
                create(file, content, "r--------");
                return file.toString();
            } catch (IOException e) {
                throw new SandboxException(
                        "The " + name + " cannot be written to " + Quoted.of(file) + " (" + e
                                + "): check the room on its disk.",
                        e);
            }
        }

        @Override
        public synchronized byte[] read(int max) throws SandboxException {
            if (closed) {
                return null;
            }
            byte[] buffer = new byte[max];
            try {
                return Arrays.copyOf(buffer, Math.max(0, reportIn.read(buffer)));
            } catch (IOException e) {
                throw new SandboxException("The report " + Quoted.of(report) + " cannot be read: " + e + ".", e);
            }
        }

        @Override
        public void await(int max) throws InterruptedException {
            Thread.sleep(max);
        }

        @Override
        public void reportBegun() {
            // A file does not end.
        }

        @Override
        public synchronized void gate(char word) throws SandboxException {
            if (closed) {
                throw new SandboxException("The launch is over: its gate cannot be opened any more.");
            }
            try {
                gateOut.write(word);
            } catch (IOException e) {
                throw new SandboxException("The gate " + Quoted.of(gate) + " cannot be reached: " + e + ".", e);
            }
        }

        @Override
        public synchronized void close() {
            if (closed) {
                return;
            }
            closed = true;
            try {
                reportIn.close();
                gateOut.close();
                TreeRemover.remove(folder);
            } catch (IOException e) {
                // The descriptors are gone whatever close(2) answers; a folder that stays holds no secrets.
                return;
            }
        }
    }
}
