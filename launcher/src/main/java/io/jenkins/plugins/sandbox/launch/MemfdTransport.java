package io.jenkins.plugins.sandbox.launch;

import com.sun.jna.LastErrorException;
import io.jenkins.plugins.sandbox.model.Errno;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Everything in this JVM: launcher, plan and filter in sealed memory files, report and gate as pipes, all reached as
 * {@code /proc/PID/fd/N}. Nothing lies on a disk, so there is nothing to tamper with, to clean up, or to find mounted noexec.
 */
final class MemfdTransport implements Transport {
    private final String launcher;

    /**
     * @param binary the launcher, kept until this JVM ends
     * @throws SandboxException when the kernel refuses a memory file
     * @throws LinkageError when JNA does not work here
     */
    MemfdTransport(byte[] binary) throws SandboxException {
        try {
            launcher = path(sealed("sandbox-launcher", binary, true));
        } catch (LastErrorException e) {
            throw failure("the launcher", e);
        }
    }

    @Override
    public String name() {
        return "memfd";
    }

    @Override
    public Wire open(String id) throws SandboxException {
        return new Pipes();
    }

    private static String path(int fd) {
        return "/proc/" + ProcessHandle.current().pid() + "/fd/" + fd;
    }

    private static SandboxException failure(String what, LastErrorException e) {
        String remedy =
                switch (e.getErrorCode()) {
                    case 24, 23 -> "raise the limit on open files (ulimit -n) of this process";
                    default -> "use the file transport";
                };
        return new SandboxException(
                "No memory file or pipe for " + what + ": " + Errno.name(e.getErrorCode()) + "; " + remedy + ".", e);
    }

    /** A read-only descriptor of a memory file that nobody can change. */
    private static int sealed(String name, byte[] content, boolean executable) {
        int writable = create(name, executable);
        try {
            for (int at = 0; at < content.length; ) {
                byte[] rest = at == 0 ? content : Arrays.copyOfRange(content, at, content.length);
                at += (int) retry(() -> LibC.write(writable, rest, rest.length));
            }
            LibC.fcntl(writable, LibC.F_ADD_SEALS, LibC.ALL_SEALS);
            // execve(2) answers ETXTBSY as long as a writable descriptor is open, sealed or not.
            return LibC.open("/proc/self/fd/" + writable, LibC.O_RDONLY | LibC.O_CLOEXEC);
        } finally {
            LibC.close(writable);
        }
    }

    private static int create(String name, boolean executable) {
        int flags = LibC.MFD_CLOEXEC | LibC.MFD_ALLOW_SEALING;
        try {
            return LibC.memfd_create(name, flags | (executable ? LibC.MFD_EXEC : LibC.MFD_NOEXEC_SEAL));
        } catch (LastErrorException e) {
            if (e.getErrorCode() != LibC.EINVAL) {
                throw e;
            }
            return LibC.memfd_create(name, flags);
        }
    }

    private interface Call {
        long run();
    }

    private static long retry(Call call) {
        while (true) {
            try {
                return call.run();
            } catch (LastErrorException e) {
                if (e.getErrorCode() != LibC.EINTR) {
                    throw e;
                }
            }
        }
    }

    /** One launch. Synchronized, so that no descriptor is closed, and its number used again, under a reader. */
    private final class Pipes implements Wire {
        private final List<Integer> open = new ArrayList<>();
        private final int reportIn;
        private int reportOut;
        private final int gateIn;
        private final int gateOut;

        Pipes() throws SandboxException {
            try {
                int[] ends = pipe();
                reportIn = ends[0];
                reportOut = ends[1];
                ends = pipe();
                gateIn = ends[0];
                gateOut = ends[1];
            } catch (LastErrorException e) {
                close();
                throw failure("the report and the gate", e);
            }
        }

        private int[] pipe() {
            int[] ends = new int[2];
            // The launcher opens its own ends, which block as it likes.
            LibC.pipe2(ends, LibC.O_CLOEXEC | LibC.O_NONBLOCK);
            open.add(ends[0]);
            open.add(ends[1]);
            return ends;
        }

        @Override
        public String launcher() {
            return launcher;
        }

        @Override
        public String report() {
            return path(reportOut);
        }

        @Override
        public String gate() {
            return path(gateIn);
        }

        @Override
        public synchronized String put(String name, byte[] content) throws SandboxException {
            try {
                int fd = sealed("sandbox-" + name, content, false);
                open.add(fd);
                return path(fd);
            } catch (LastErrorException e) {
                throw failure("the " + name, e);
            }
        }

        @Override
        public synchronized byte[] read(int max) throws SandboxException {
            if (open.isEmpty()) {
                return null;
            }
            byte[] buffer = new byte[max];
            try {
                long n = retry(() -> LibC.read(reportIn, buffer, buffer.length));
                return n == 0 ? null : Arrays.copyOf(buffer, (int) n);
            } catch (LastErrorException e) {
                if (e.getErrorCode() == LibC.EAGAIN) {
                    return new byte[0];
                }
                throw new SandboxException("The report cannot be read: " + Errno.name(e.getErrorCode()) + ".", e);
            }
        }

        /** Not synchronized. Should the descriptor be closed meanwhile, or be another one, {@link #read} will know. */
        @Override
        public void await(int max) throws InterruptedException {
            try {
                LibC.poll(new int[] {reportIn, LibC.POLLIN}, 1, max);
            } catch (LastErrorException e) {
                // EINTR, or ENOMEM: without waiting for too long at least.
                Thread.sleep(1);
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }

        @Override
        public synchronized void reportBegun() {
            // With our own end gone, the pipe ends when the last process of the launch does.
            if (open.remove((Integer) reportOut)) {
                LibC.close(reportOut);
            }
        }

        @Override
        public synchronized void gate(char word) throws SandboxException {
            if (open.isEmpty()) {
                throw new SandboxException("The launch is over: its gate cannot be opened any more.");
            }
            try {
                retry(() -> LibC.write(gateOut, new byte[] {(byte) word}, 1));
            } catch (LastErrorException e) {
                throw new SandboxException("The gate cannot be reached: " + Errno.name(e.getErrorCode()) + ".", e);
            }
        }

        @Override
        public synchronized void close() {
            for (int fd : open) {
                try {
                    LibC.close(fd);
                } catch (LastErrorException e) {
                    // Linux frees the descriptor whatever it answers (close(2)).
                    continue;
                }
            }
            open.clear();
        }
    }
}
