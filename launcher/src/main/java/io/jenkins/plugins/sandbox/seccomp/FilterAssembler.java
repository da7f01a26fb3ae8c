package io.jenkins.plugins.sandbox.seccomp;

import static io.jenkins.plugins.sandbox.seccomp.BpfInstruction.JMP_JEQ_K;
import static io.jenkins.plugins.sandbox.seccomp.BpfInstruction.JMP_JGE_K;
import static io.jenkins.plugins.sandbox.seccomp.BpfInstruction.JMP_JSET_K;

import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Test;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes a filter: first the architecture, then the calls with argument checks, then a binary tree over the rest.
 *
 * <p>The tree: neighbouring numbers with the same verdict form one interval, and a comparison at each node halves the
 * intervals that are left, so that no call pays for the length of the list (a chain of comparisons costs the last call
 * hundreds of steps). Since Linux 5.11 the kernel works out beforehand which numbers are allowed whatever their arguments
 * and does not run the filter for those at all; the calls with argument checks are never among them, so they come first.
 *
 * <p>A conditional jump skips at most 255 instructions. Code is built from the leaves up, so the length of what has to be
 * skipped is always known, and where it is longer, an unconditional jump (32 bits) does it. Nothing is ever cut off.
 */
final class FilterAssembler {
    /** {@code __X32_SYSCALL_BIT}: the x32 calls, which an AMD64 kernel shows under the same architecture value. */
    private static final int X32_BIT = 0x40000000;

    private FilterAssembler() {}

    /** Numbers from {@code start}, unsigned, up to the next interval's start. */
    private record Interval(int start, Verdict verdict) {}

    /**
     * Assembles and verifies a filter.
     *
     * @param verdicts final verdicts by number
     * @param checks argument checks by number, asked in this order; such a number's entry in {@code verdicts} is not used
     * @param otherwise for every other number, for x32, and for calls of any other architecture: an i386 program on an
     *     AMD64 kernel uses other numbers, and read as AMD64's they would mean anything
     */
    static BpfProgram assemble(
            Architecture architecture,
            SortedMap<Integer, Verdict> verdicts,
            Map<Integer, ArgumentCheck> checks,
            Verdict.Deny otherwise) {
        List<BpfInstruction> code = new ArrayList<>();
        code.add(BpfInstruction.load(BpfInstruction.OFFSET_ARCH));
        code.add(BpfInstruction.jumpIf(JMP_JEQ_K, architecture.auditArch(), 1, 0));
        code.add(BpfInstruction.ret(otherwise));
        code.add(BpfInstruction.load(BpfInstruction.OFFSET_NR));
        if (architecture == Architecture.X86_64) {
            code.add(BpfInstruction.jumpIf(JMP_JSET_K, X32_BIT, 0, 1));
            code.add(BpfInstruction.ret(otherwise));
        }
        checks.forEach((number, check) -> code.addAll(ifNumber(number, check(check))));
        List<Interval> intervals = intervals(verdicts, otherwise);
        code.addAll(tree(intervals));
        return new BpfProgram(architecture, code);
    }

    /** A filter that allows these numbers, whatever their arguments, and refuses all others with {@code errno}. */
    static BpfProgram allowList(Architecture architecture, Collection<Integer> numbers, int errno) {
        SortedMap<Integer, Verdict> verdicts = new TreeMap<>();
        numbers.forEach(number -> verdicts.put(number, Verdict.ALLOW));
        return assemble(architecture, verdicts, new LinkedHashMap<>(), new Verdict.Deny(errno));
    }

    /** Runs {@code block}, which never falls out at its end, for that number; the accumulator holds the number. */
    private static List<BpfInstruction> ifNumber(int number, List<BpfInstruction> block) {
        List<BpfInstruction> code = new ArrayList<>();
        if (block.size() <= BpfInstruction.MAX_CONDITIONAL_JUMP) {
            code.add(BpfInstruction.jumpIf(JMP_JEQ_K, number, 0, block.size()));
        } else {
            code.add(BpfInstruction.jumpIf(JMP_JEQ_K, number, 1, 0));
            code.add(BpfInstruction.jump(block.size()));
        }
        code.addAll(block);
        return code;
    }

    private static List<BpfInstruction> check(ArgumentCheck check) {
        List<BpfInstruction> code = new ArrayList<>();
        for (ArgumentCheck.Rule rule : check.rules()) {
            List<BpfInstruction> block = List.of(BpfInstruction.ret(rule.outcome()));
            for (int i = rule.tests().size() - 1; i >= 0; i--) {
                block = concat(test(rule.tests().get(i), block.size()), block);
            }
            code.addAll(block);
        }
        code.add(BpfInstruction.ret(check.otherwise()));
        return code;
    }

    /** Code that falls out at its end when the test matches and else skips {@code skip} further instructions. */
    private static List<BpfInstruction> test(Test test, int skip) {
        List<BpfInstruction> code = new ArrayList<>();
        if (test instanceof Test.Low32In in) {
            code.add(BpfInstruction.loadLow(in.argument()));
            addMask(code, in.mask());
            int last = in.values().size() - 1;
            for (int i = 0; i <= last; i++) {
                code.add(BpfInstruction.jumpIf(JMP_JEQ_K, in.values().get(i), last - i, i == last ? skip : 0));
            }
        } else if (test instanceof Test.Low32AnyBit any) {
            code.add(BpfInstruction.loadLow(any.argument()));
            code.add(BpfInstruction.jumpIf(JMP_JSET_K, any.bits(), 0, skip));
        } else if (test instanceof Test.Full64Equals equals) {
            List<BpfInstruction> low = new ArrayList<>();
            low.add(BpfInstruction.loadLow(equals.argument()));
            addMask(low, (int) equals.mask());
            low.add(BpfInstruction.jumpIf(JMP_JEQ_K, (int) equals.value(), 0, skip));
            code.add(BpfInstruction.loadHigh(equals.argument()));
            addMask(code, (int) (equals.mask() >>> 32));
            code.add(BpfInstruction.jumpIf(JMP_JEQ_K, (int) (equals.value() >>> 32), 0, low.size() + skip));
            code.addAll(low);
        } else if (test instanceof Test.Full64AnyBit any) {
            code.add(BpfInstruction.loadHigh(any.argument()));
            code.add(BpfInstruction.jumpIf(JMP_JSET_K, (int) (any.bits() >>> 32), 2, 0));
            code.add(BpfInstruction.loadLow(any.argument()));
            code.add(BpfInstruction.jumpIf(JMP_JSET_K, (int) any.bits(), 0, skip));
        } else {
            throw new AssertionError(test);
        }
        return code;
    }

    private static void addMask(List<BpfInstruction> code, int mask) {
        if (mask != 0xFFFFFFFF) {
            code.add(BpfInstruction.and(mask));
        }
    }

    /** The whole range of numbers, cut where the verdict changes. The first interval starts at 0. */
    private static List<Interval> intervals(SortedMap<Integer, Verdict> verdicts, Verdict otherwise) {
        List<Interval> intervals = new ArrayList<>();
        int next = 0;
        for (Map.Entry<Integer, Verdict> entry : verdicts.entrySet()) {
            int number = entry.getKey();
            if (number < 0) {
                throw new IllegalArgumentException("negative system call number: " + number);
            }
            if (number > next) {
                append(intervals, next, otherwise);
            }
            append(intervals, number, entry.getValue());
            next = number + 1;
        }
        append(intervals, next, otherwise);
        return intervals;
    }

    private static void append(List<Interval> intervals, int start, Verdict verdict) {
        if (intervals.isEmpty()
                || !intervals.get(intervals.size() - 1).verdict().equals(verdict)) {
            intervals.add(new Interval(start, verdict));
        }
    }

    private static List<BpfInstruction> tree(List<Interval> intervals) {
        if (intervals.size() == 1) {
            return List.of(BpfInstruction.ret(intervals.get(0).verdict()));
        }
        int middle = intervals.size() / 2;
        List<BpfInstruction> below = tree(intervals.subList(0, middle));
        List<BpfInstruction> above = tree(intervals.subList(middle, intervals.size()));
        int start = intervals.get(middle).start();
        List<BpfInstruction> code = new ArrayList<>();
        if (below.size() <= BpfInstruction.MAX_CONDITIONAL_JUMP) {
            code.add(BpfInstruction.jumpIf(JMP_JGE_K, start, below.size(), 0));
        } else {
            code.add(BpfInstruction.jumpIf(JMP_JGE_K, start, 0, 1));
            code.add(BpfInstruction.jump(below.size()));
        }
        code.addAll(below);
        code.addAll(above);
        return code;
    }

    private static List<BpfInstruction> concat(List<BpfInstruction> first, List<BpfInstruction> second) {
        List<BpfInstruction> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }
}
