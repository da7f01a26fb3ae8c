package io.jenkins.plugins.sandbox.launch;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;

/**
 * The few calls of libc that Java has no word for, mapped directly (JNA, "Direct Mapping"). Loading this class fails with a
 * {@link LinkageError} where JNA is missing, cannot unpack its library (a noexec temporary directory) or cannot load it
 * (musl), and calling it fails with one where libc is too old.
 */
final class LibC {
    static final int O_RDONLY = 0;
    static final int O_NONBLOCK = 04000;
    static final int O_CLOEXEC = 02000000;
    static final int MFD_CLOEXEC = 1;
    static final int MFD_ALLOW_SEALING = 2;
    /** Both since Linux 6.3; EINVAL before that, and not needed there. */
    static final int MFD_EXEC = 0x10;

    static final int MFD_NOEXEC_SEAL = 8;

    static final int F_ADD_SEALS = 1033;
    /** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE: nothing about the file can change any more. */
    static final int ALL_SEALS = 1 | 2 | 4 | 8;

    static final int POLLIN = 1;

    static final int EINTR = 4;
    static final int EAGAIN = 11;
    static final int EINVAL = 22;

    static {
        Native.register(LibC.class, "c");
    }

    private LibC() {}

    static native int memfd_create(String name, int flags) throws LastErrorException;

    static native int fcntl(int fd, int command, int argument) throws LastErrorException;

    static native int open(String path, int flags) throws LastErrorException;

    static native int pipe2(int[] ends, int flags) throws LastErrorException;

    /** One {@code struct pollfd} is two of these: the descriptor, and events below what came of them (little-endian). */
    static native int poll(int[] descriptors, long count, int milliseconds) throws LastErrorException;

    static native long read(int fd, byte[] buffer, long size) throws LastErrorException;

    static native long write(int fd, byte[] buffer, long size) throws LastErrorException;

    static native int close(int fd) throws LastErrorException;
}
