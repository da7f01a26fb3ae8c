package io.jenkins.plugins.sandbox.seccomp;

import java.util.List;

/**
 * Checks a program before anybody gets to see it: what the kernel would refuse (bpf_check_classic and
 * seccomp_check_filter), and beyond that our own promise, that a filter allows or returns an errno and never kills.
 *
 * <p>The kernel would refuse a bad program too, but on the agent, in the middle of a launch, with a bare EINVAL; and a
 * program that is well-formed with a jump cut to its lower 8 bits it would take.
 */
final class BpfVerifier {
    /** {@code BPF_MAXINSNS} in linux/bpf_common.h. */
    static final int MAX_INSTRUCTIONS = 4096;

    /** {@code sizeof(struct seccomp_data)}. */
    private static final int DATA_SIZE = 64;

    private BpfVerifier() {}

    /** Throws {@link IllegalStateException}, naming the instruction, when the program is not acceptable. */
    static void verify(List<BpfInstruction> program) {
        int size = program.size();
        if (size < 1 || size > MAX_INSTRUCTIONS) {
            throw new IllegalStateException("a filter has 1 to " + MAX_INSTRUCTIONS + " instructions, not " + size
                    + "; fewer single system calls in the profile make it shorter");
        }
        boolean[] reachable = new boolean[size];
        reachable[0] = true;
        for (int i = 0; i < size; i++) {
            BpfInstruction instruction = program.get(i);
            if (!reachable[i]) {
                throw bad(i, instruction, "is never reached");
            }
            switch (instruction.code()) {
                case BpfInstruction.LD_W_ABS -> {
                    int offset = instruction.k();
                    if (offset < 0 || offset >= DATA_SIZE || offset % 4 != 0) {
                        throw bad(i, instruction, "loads from outside struct seccomp_data");
                    }
                    reach(program, reachable, i, 0);
                }
                case BpfInstruction.ALU_AND_K -> reach(program, reachable, i, 0);
                case BpfInstruction.JMP_JA -> reach(program, reachable, i, instruction.k());
                case BpfInstruction.JMP_JEQ_K, BpfInstruction.JMP_JGE_K, BpfInstruction.JMP_JSET_K -> {
                    if (instruction.jt() > BpfInstruction.MAX_CONDITIONAL_JUMP
                            || instruction.jf() > BpfInstruction.MAX_CONDITIONAL_JUMP) {
                        throw bad(i, instruction, "jumps further than a byte can say");
                    }
                    reach(program, reachable, i, instruction.jt());
                    reach(program, reachable, i, instruction.jf());
                }
                case BpfInstruction.RET_K -> {
                    int errno = instruction.k() & 0xFFFF;
                    boolean allows = instruction.k() == BpfInstruction.RET_ALLOW;
                    boolean refuses = (instruction.k() & 0xFFFF0000) == BpfInstruction.RET_ERRNO;
                    if (!allows && !(refuses && errno >= 1 && errno <= 4095)) {
                        throw bad(i, instruction, "neither allows nor returns an errno");
                    }
                }
                default -> throw bad(i, instruction, "is no operation that these filters use");
            }
        }
    }

    /** Marks where control goes. It only goes forward, so one pass sees every instruction after all that lead to it. */
    private static void reach(List<BpfInstruction> program, boolean[] reachable, int index, int skip) {
        // A negative skip is a jump backwards, or a JA beyond 2^31: out of bounds either way.
        if (skip < 0 || skip >= program.size() - index - 1) {
            throw bad(index, program.get(index), "leads out of the program");
        }
        reachable[index + 1 + skip] = true;
    }

    private static IllegalStateException bad(int index, BpfInstruction instruction, String what) {
        return new IllegalStateException(
                "bad filter: instruction " + index + " (" + instruction.describe(index) + ") " + what);
    }
}
