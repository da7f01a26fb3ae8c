package io.jenkins.plugins.sandbox.seccomp;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BpfVerifierTest {
    private static final BpfInstruction LOAD = BpfInstruction.load(0);
    private static final BpfInstruction ALLOW = BpfInstruction.ret(Verdict.ALLOW);
    private static final BpfInstruction DENY = BpfInstruction.ret(new Verdict.Deny(1));

    @Test
    void aGoodProgramPasses() {
        assertThatCode(() -> BpfVerifier.verify(List.of(
                        LOAD,
                        BpfInstruction.and(0xFF),
                        BpfInstruction.jumpIf(BpfInstruction.JMP_JEQ_K, 1, 0, 1),
                        BpfInstruction.jump(1),
                        ALLOW,
                        DENY)))
                .doesNotThrowAnyException();
    }

    @Test
    void lengthIsLimitedAsInTheKernel() {
        assertBad(List.of(), "1 to 4096 instructions, not 0");
        List<BpfInstruction> longest = new ArrayList<>(Collections.nCopies(4095, LOAD));
        longest.add(ALLOW);
        assertThatCode(() -> BpfVerifier.verify(longest)).doesNotThrowAnyException();
        longest.add(0, LOAD);
        assertBad(longest, "1 to 4096 instructions, not 4097");
    }

    @Test
    void runningOffTheEndIsBad() {
        assertBad(List.of(LOAD), "instruction 0 (ld   nr) leads out of the program");
        assertBad(List.of(LOAD, BpfInstruction.and(1)), "instruction 1 (and  0x1) leads out of the program");
    }

    @Test
    void jumpsOutOfTheProgramAreBad() {
        assertBad(List.of(BpfInstruction.jump(1), ALLOW), "leads out of the program");
        assertBad(List.of(BpfInstruction.jumpIf(BpfInstruction.JMP_JEQ_K, 0, 1, 0), ALLOW), "leads out of the program");
        assertBad(List.of(BpfInstruction.jumpIf(BpfInstruction.JMP_JGE_K, 0, 0, 1), ALLOW), "leads out of the program");
        assertBad(
                List.of(BpfInstruction.jumpIf(BpfInstruction.JMP_JSET_K, 0, 0, 1), ALLOW), "leads out of the program");
    }

    /** In the kernel k is unsigned and added modulo 2^32: -2 would go back. */
    @ParameterizedTest
    @ValueSource(ints = {-1, -2, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void jumpsBackwardsAreBad(int skip) {
        assertBad(List.of(LOAD, BpfInstruction.jump(skip), ALLOW), "leads out of the program");
    }

    @Test
    void aConditionalJumpOfMoreThanAByteIsBadAndCannotEvenBeMade() {
        List<BpfInstruction> program = new ArrayList<>();
        program.add(new BpfInstruction(BpfInstruction.JMP_JEQ_K, 256, 0, 0));
        program.addAll(Collections.nCopies(300, LOAD));
        program.add(ALLOW);
        assertBad(program, "jumps further than a byte can say");
        assertThatThrownBy(() -> BpfInstruction.jumpIf(BpfInstruction.JMP_JEQ_K, 0, 256, 0))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> BpfInstruction.jumpIf(BpfInstruction.JMP_JEQ_K, 0, 0, 256))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void deadCodeIsBadSinceSomethingWasMeantByIt() {
        assertBad(List.of(ALLOW, DENY), "instruction 1 (ret  ERRNO EPERM) is never reached");
        assertBad(List.of(BpfInstruction.jump(1), LOAD, ALLOW), "instruction 1 (ld   nr) is never reached");
    }

    @ParameterizedTest
    @ValueSource(ints = {-4, 2, 61, 64, 0x40000000})
    void loadsFromOutsideTheDataAreBad(int offset) {
        assertBad(List.of(BpfInstruction.load(offset), ALLOW), "loads from outside struct seccomp_data");
    }

    /** KILL_PROCESS, KILL_THREAD, TRAP, USER_NOTIF, TRACE, LOG, errno 0 and an errno beyond the kernel's limit. */
    @ParameterizedTest
    @ValueSource(
            ints = {0x80000000, 0, 0x00030000, 0x7FC00000, 0x7FF00000, 0x7FFC0000, 0x00050000, 0x00051000, 0x7FFF0001})
    void returningAnythingButAllowOrAnErrnoIsBad(int value) {
        assertBad(
                List.of(new BpfInstruction(BpfInstruction.RET_K, 0, 0, value)), "neither allows nor returns an errno");
    }

    /** LDX, a division, an absolute byte load and a return of the accumulator. */
    @ParameterizedTest
    @ValueSource(ints = {0x01, 0x34, 0x30, 0x16, 0x10020})
    void unknownOperationsAreBad(int code) {
        assertBad(List.of(new BpfInstruction(code, 0, 0, 0), ALLOW), "is no operation that these filters use");
    }

    private static void assertBad(List<BpfInstruction> program, String message) {
        assertThatThrownBy(() -> BpfVerifier.verify(program))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(message);
    }
}
