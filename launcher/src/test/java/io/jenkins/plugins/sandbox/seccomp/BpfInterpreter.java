package io.jenkins.plugins.sandbox.seccomp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Runs a filter as the kernel would, from its bytes, knowing nothing of how it was assembled.
 *
 * <p>Written from linux/bpf_common.h and linux/seccomp.h, not from the assembler. Anything that a filter of ours has no
 * business to contain is an error.
 */
final class BpfInterpreter {
    static final int ALLOW = 0x7FFF0000;

    private final byte[] program;
    private int steps;
    private boolean loadedArgument;

    BpfInterpreter(byte[] program) {
        if (program.length == 0 || program.length % 8 != 0) {
            throw new IllegalArgumentException("not an array of struct sock_filter: " + program.length + " bytes");
        }
        this.program = program;
    }

    static int errno(int errno) {
        return 0x00050000 | errno;
    }

    /** What the filter returns: {@link #ALLOW} or {@link #errno}, or whatever it has in its RET. */
    int run(int auditArch, int number, long... arguments) {
        ByteBuffer data = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        data.putInt(number).putInt(auditArch).putLong(0x0000_7FFF_DEAD_BEEFL);
        for (int i = 0; i < 6; i++) {
            data.putLong(i < arguments.length ? arguments[i] : 0);
        }
        ByteBuffer code = ByteBuffer.wrap(program).order(ByteOrder.LITTLE_ENDIAN);
        int instructions = program.length / 8;
        int accumulator = 0;
        steps = 0;
        loadedArgument = false;
        long pc = 0;
        while (true) {
            if (pc >= instructions) {
                throw new IllegalStateException("ran out of the program at " + pc);
            }
            int at = (int) pc * 8;
            int operation = Short.toUnsignedInt(code.getShort(at));
            int jt = Byte.toUnsignedInt(code.get(at + 2));
            int jf = Byte.toUnsignedInt(code.get(at + 3));
            int k = code.getInt(at + 4);
            steps++;
            pc++;
            switch (operation) {
                case 0x20 -> { // BPF_LD | BPF_W | BPF_ABS
                    if (k % 4 != 0) {
                        throw new IllegalStateException("unaligned load of " + k);
                    }
                    accumulator = data.getInt(k);
                    loadedArgument |= k >= 16;
                }
                case 0x54 -> accumulator &= k; // BPF_ALU | BPF_AND | BPF_K
                case 0x05 -> pc += Integer.toUnsignedLong(k); // BPF_JMP | BPF_JA
                case 0x15 -> pc += accumulator == k ? jt : jf; // BPF_JMP | BPF_JEQ | BPF_K
                case 0x25 -> pc += Integer.compareUnsigned(accumulator, k) > 0 ? jt : jf; // BPF_JMP | BPF_JGT | BPF_K
                case 0x35 -> pc += Integer.compareUnsigned(accumulator, k) >= 0 ? jt : jf; // BPF_JMP | BPF_JGE | BPF_K
                case 0x45 -> pc += (accumulator & k) != 0 ? jt : jf; // BPF_JMP | BPF_JSET | BPF_K
                case 0x06 -> { // BPF_RET | BPF_K
                    return k;
                }
                default -> throw new IllegalStateException("operation " + Integer.toHexString(operation));
            }
        }
    }

    /** How many instructions the last run took. */
    int steps() {
        return steps;
    }

    /** Whether the last run looked at an argument; if so, the kernel cannot work out the verdict beforehand. */
    boolean loadedArgument() {
        return loadedArgument;
    }
}
