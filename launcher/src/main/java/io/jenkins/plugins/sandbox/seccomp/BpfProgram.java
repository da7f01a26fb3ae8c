package io.jenkins.plugins.sandbox.seccomp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** A verified seccomp filter for one architecture. Immutable. */
public final class BpfProgram {
    private static final int INSTRUCTION_BYTES = 8;

    private final Architecture architecture;
    private final List<BpfInstruction> instructions;

    /** Throws {@link IllegalStateException} for a program that {@link BpfVerifier} does not accept. */
    BpfProgram(Architecture architecture, List<BpfInstruction> instructions) {
        this.architecture = architecture;
        this.instructions = List.copyOf(instructions);
        BpfVerifier.verify(this.instructions);
    }

    /** The architecture that it was compiled for; on any other it refuses every call. */
    public Architecture architecture() {
        return architecture;
    }

    /** How many instructions, 1 to 4096 (the kernel's {@code BPF_MAXINSNS}). */
    public int size() {
        return instructions.size();
    }

    /**
     * An array of {@code struct sock_filter}, 8 bytes each, as {@code seccomp(2)} takes it.
     *
     * <p>In little-endian order, which is native on every {@link Architecture}.
     */
    public byte[] bytes() {
        ByteBuffer buffer =
                ByteBuffer.allocate(instructions.size() * INSTRUCTION_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (BpfInstruction instruction : instructions) {
            buffer.putShort((short) instruction.code());
            buffer.put((byte) instruction.jt());
            buffer.put((byte) instruction.jf());
            buffer.putInt(instruction.k());
        }
        return buffer.array();
    }

    /** The program as text, one instruction a line, jump targets as line numbers. */
    public String disassemble() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < instructions.size(); i++) {
            text.append("%4d  %s\n".formatted(i, instructions.get(i).describe(i)));
        }
        return text.toString();
    }
}
