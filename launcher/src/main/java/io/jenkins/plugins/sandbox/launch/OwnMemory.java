package io.jenkins.plugins.sandbox.launch;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Reads and writes this process' memory through the kernel: a wrong address is an error there, where a pointer would crash the
 * JVM.
 */
interface OwnMemory {
    /** The most specific way first; which of them a kernel or a container allows differs. */
    OwnMemory[] WAYS = {new Calls(), new File()};

    /** @throws IOException also when less can be read */
    byte[] read(long address, int length) throws IOException;

    /** @throws IOException also when less can be written; a part may be written then */
    void write(long address, byte[] bytes) throws IOException;

    /** process_vm_readv(2) and process_vm_writev(2) through JNA. */
    final class Calls implements OwnMemory {
        @Override
        public byte[] read(long address, int length) throws IOException {
            try (Memory local = new Memory(length)) {
                transfer(true, local, address, length);
                return local.getByteArray(0, length);
            } catch (LinkageError e) {
                throw new IOException("JNA does not load (" + e.getMessage() + ")", e);
            }
        }

        @Override
        public void write(long address, byte[] bytes) throws IOException {
            try (Memory local = new Memory(bytes.length)) {
                local.write(0, bytes, 0, bytes.length);
                transfer(false, local, address, bytes.length);
            } catch (LinkageError e) {
                throw new IOException("JNA does not load (" + e.getMessage() + ")", e);
            }
        }

        private static void transfer(boolean read, Memory local, long address, int length) throws IOException {
            String call = read ? "process_vm_readv" : "process_vm_writev";
            int pid = Math.toIntExact(ProcessHandle.current().pid());
            try (Memory from = vector(Pointer.nativeValue(local), length);
                    Memory to = vector(address, length)) {
                long count = read
                        ? LibC.process_vm_readv(pid, from, 1, to, 1, 0)
                        : LibC.process_vm_writev(pid, from, 1, to, 1, 0);
                if (count != length) {
                    throw new EOFException(call + " transferred " + count + " of " + length + " bytes");
                }
            } catch (LastErrorException e) {
                throw new IOException(call + " failed with errno " + e.getErrorCode(), e);
            }
        }

        /** A {@code struct iovec}. */
        private static Memory vector(long address, long length) {
            Memory vector = new Memory(2L * Native.POINTER_SIZE);
            vector.setLong(0, address);
            vector.setLong(Native.POINTER_SIZE, length);
            return vector;
        }

        private static final class LibC {
            static {
                Native.register(LibC.class, "c");
            }

            static native long process_vm_readv(
                    int pid, Pointer local, long localCount, Pointer remote, long remoteCount, long flags)
                    throws LastErrorException;

            static native long process_vm_writev(
                    int pid, Pointer local, long localCount, Pointer remote, long remoteCount, long flags)
                    throws LastErrorException;
        }
    }

    /** /proc/self/mem, without native code. */
    final class File implements OwnMemory {
        private static final Path MEMORY = Path.of("/proc/self/mem");

        @Override
        public byte[] read(long address, int length) throws IOException {
            check(address);
            ByteBuffer buffer = ByteBuffer.allocate(length);
            try (FileChannel memory = FileChannel.open(MEMORY, StandardOpenOption.READ)) {
                for (int n = 0; buffer.hasRemaining() && n >= 0; ) {
                    n = memory.read(buffer, address + buffer.position());
                }
            }
            if (buffer.hasRemaining()) {
                throw new EOFException(MEMORY + " has less at that address");
            }
            return buffer.array();
        }

        @Override
        public void write(long address, byte[] bytes) throws IOException {
            check(address);
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            try (FileChannel memory = FileChannel.open(MEMORY, StandardOpenOption.WRITE)) {
                while (buffer.hasRemaining()) {
                    memory.write(buffer, address + buffer.position());
                }
            }
        }

        /** The upper half is the kernel's, and no position of a channel. */
        private static void check(long address) throws IOException {
            if (address < 0) {
                throw new IOException(MEMORY + " has no such address");
            }
        }
    }
}
