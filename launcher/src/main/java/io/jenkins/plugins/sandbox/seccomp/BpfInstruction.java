package io.jenkins.plugins.sandbox.seccomp;

/**
 * One {@code struct sock_filter}: the subset of classic BPF that these filters are made of.
 *
 * @param code operation, 16 bits unsigned
 * @param jt how many instructions a jump skips when its condition holds, 0 to 255
 * @param jf the same for when it does not hold
 * @param k operand, 32 bits unsigned
 */
record BpfInstruction(int code, int jt, int jf, int k) {
    /** Load a word of {@code struct seccomp_data} from offset k into the accumulator. */
    static final int LD_W_ABS = 0x20;
    /** Accumulator &= k. */
    static final int ALU_AND_K = 0x54;
    /** Skip k instructions; the one jump that is not limited to 255. */
    static final int JMP_JA = 0x05;
    /** Jump if accumulator == k. */
    static final int JMP_JEQ_K = 0x15;
    /** Jump if accumulator &gt;= k, unsigned. */
    static final int JMP_JGE_K = 0x35;
    /** Jump if accumulator &amp; k. */
    static final int JMP_JSET_K = 0x45;
    /** End with verdict k. */
    static final int RET_K = 0x06;

    /** How far a conditional jump reaches: jt and jf are bytes. */
    static final int MAX_CONDITIONAL_JUMP = 255;

    /** Offsets into {@code struct seccomp_data}. */
    static final int OFFSET_NR = 0;

    static final int OFFSET_ARCH = 4;

    /** {@code SECCOMP_RET_ALLOW}. */
    static final int RET_ALLOW = 0x7FFF0000;
    /** {@code SECCOMP_RET_ERRNO}, to be combined with the errno in the lower 16 bits. */
    static final int RET_ERRNO = 0x00050000;

    static BpfInstruction load(int offset) {
        return new BpfInstruction(LD_W_ABS, 0, 0, offset);
    }

    /** Loads the lower half of an argument; both architectures are little-endian, so it comes first. */
    static BpfInstruction loadLow(int argument) {
        return load(16 + 8 * argument);
    }

    static BpfInstruction loadHigh(int argument) {
        return load(20 + 8 * argument);
    }

    static BpfInstruction and(int mask) {
        return new BpfInstruction(ALU_AND_K, 0, 0, mask);
    }

    static BpfInstruction jump(int skip) {
        return new BpfInstruction(JMP_JA, 0, 0, skip);
    }

    /** A conditional jump; distances that do not fit into their byte are an error, never cut off. */
    static BpfInstruction jumpIf(int code, int k, int jt, int jf) {
        if (jt < 0 || jt > MAX_CONDITIONAL_JUMP || jf < 0 || jf > MAX_CONDITIONAL_JUMP) {
            throw new IllegalStateException("conditional jump too long: " + jt + ", " + jf);
        }
        return new BpfInstruction(code, jt, jf, k);
    }

    static BpfInstruction ret(Verdict verdict) {
        if (verdict instanceof Verdict.Allow) {
            return new BpfInstruction(RET_K, 0, 0, RET_ALLOW);
        }
        if (verdict instanceof Verdict.Deny deny) {
            return new BpfInstruction(RET_K, 0, 0, RET_ERRNO | deny.errno());
        }
        throw new IllegalArgumentException("no final verdict: " + verdict);
    }

    /** As text, for the instruction at {@code index}; jump targets are absolute. */
    String describe(int index) {
        return switch (code) {
            case LD_W_ABS -> "ld   " + field(k);
            case ALU_AND_K -> "and  " + hex(k);
            case JMP_JA -> "ja   " + target(index, k);
            case JMP_JEQ_K -> "jeq  " + hex(k) + branches(index);
            case JMP_JGE_K -> "jge  " + hex(k) + branches(index);
            case JMP_JSET_K -> "jset " + hex(k) + branches(index);
            case RET_K -> "ret  " + (k == RET_ALLOW ? "ALLOW" : "ERRNO " + Errno.name(k & 0xFFFF));
            default -> "?    " + hex(code) + " " + hex(k);
        };
    }

    private String branches(int index) {
        return " then " + target(index, jt) + " else " + target(index, jf);
    }

    private static String target(int index, int skip) {
        return Integer.toUnsignedString(index + 1 + skip);
    }

    private static String field(int offset) {
        return switch (offset) {
            case OFFSET_NR -> "nr";
            case OFFSET_ARCH -> "arch";
            case 8 -> "ip.low";
            case 12 -> "ip.high";
            default -> "arg" + (offset - 16) / 8 + (offset % 8 == 0 ? ".low" : ".high");
        };
    }

    private static String hex(int value) {
        return "0x" + Integer.toHexString(value);
    }
}
