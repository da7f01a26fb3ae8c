package io.jenkins.plugins.sandbox.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Rule;
import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Test.Full64AnyBit;
import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Test.Full64Equals;
import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Test.Low32AnyBit;
import io.jenkins.plugins.sandbox.seccomp.ArgumentCheck.Test.Low32In;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FilterAssemblerTest {
    private static final int X86 = Architecture.X86_64.auditArch();
    private static final int EXDEV = SyntheticLists.EXDEV;
    private static final Verdict.Deny DENY = new Verdict.Deny(EXDEV);

    static Stream<Arguments> lists() {
        return Stream.of(Architecture.values()).flatMap(architecture -> SyntheticLists.all().entrySet().stream()
                .map(list -> Arguments.of(architecture, list.getKey(), list.getValue())));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("lists")
    void listsOfEveryLengthAllowTheirNumbersAndNoOthers(Architecture architecture, String name, List<Integer> numbers) {
        BpfProgram program = FilterAssembler.allowList(architecture, numbers, EXDEV);
        BpfInterpreter interpreter = new BpfInterpreter(program.bytes());
        Set<Integer> listed = new HashSet<>(numbers);
        IntStream.concat(IntStream.range(0, 3000), IntStream.of(-1, 4096, 65536, Integer.MAX_VALUE, Integer.MIN_VALUE))
                .forEach(number -> assertThat(interpreter.run(architecture.auditArch(), number, -1, -1))
                        .as("%s of %s", number, name)
                        .isEqualTo(listed.contains(number) ? BpfInterpreter.ALLOW : BpfInterpreter.errno(EXDEV)));
    }

    /** The longest possible list is what overflows jumps; make sure that the lists above do reach that. */
    @Test
    void theLongListsDoNeedJumpsOfMoreThanAByte() {
        List<Integer> numbers = SyntheticLists.all().get("500 even");
        String text =
                FilterAssembler.allowList(Architecture.X86_64, numbers, EXDEV).disassemble();
        assertThat(text.lines().filter(line -> line.contains("  ja   "))).hasSizeGreaterThanOrEqualTo(3);
        assertThat(text.lines().count()).isGreaterThan(2000);
    }

    @Test
    void aTreeNotAChain() {
        List<Integer> numbers = SyntheticLists.all().get("500 even");
        BpfInterpreter interpreter = new BpfInterpreter(
                FilterAssembler.allowList(Architecture.X86_64, numbers, EXDEV).bytes());
        int worst = 0;
        for (int number = 0; number < 3000; number++) {
            interpreter.run(X86, number);
            worst = Math.max(worst, interpreter.steps());
        }
        // 6 of preamble, ten comparisons for a thousand intervals, some with a long jump, and the return.
        assertThat(worst).isLessThanOrEqualTo(22);
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void anEmptyListAllowsNothing(Architecture architecture) {
        BpfInterpreter interpreter = new BpfInterpreter(
                FilterAssembler.allowList(architecture, List.of(), EXDEV).bytes());
        for (int number : new int[] {0, 1, 500, -1}) {
            assertThat(interpreter.run(architecture.auditArch(), number)).isEqualTo(BpfInterpreter.errno(EXDEV));
        }
    }

    @Test
    void numberZeroIsANumberLikeAnyOther() {
        BpfInterpreter interpreter =
                new BpfInterpreter(FilterAssembler.allowList(Architecture.X86_64, List.of(0), EXDEV)
                        .bytes());
        assertThat(interpreter.run(X86, 0)).isEqualTo(BpfInterpreter.ALLOW);
        assertThat(interpreter.run(X86, 1)).isEqualTo(BpfInterpreter.errno(EXDEV));
    }

    /** Nobody lists one, but if so: the check in front decides, not the tree. */
    @Test
    void x32NumbersAreRefusedEvenWhereListed() {
        int x32 = 0x40000000 | 39;
        BpfProgram program = FilterAssembler.allowList(Architecture.X86_64, List.of(39, x32), EXDEV);
        BpfInterpreter interpreter = new BpfInterpreter(program.bytes());
        assertThat(interpreter.run(X86, 39)).isEqualTo(BpfInterpreter.ALLOW);
        assertThat(interpreter.run(X86, x32)).isEqualTo(BpfInterpreter.errno(EXDEV));
        assertThat(interpreter.run(X86, x32 | 0x80000000)).isEqualTo(BpfInterpreter.errno(EXDEV));
    }

    @Test
    void aNegativeNumberIsAnError() {
        assertThatThrownBy(() -> FilterAssembler.allowList(Architecture.X86_64, List.of(-1), EXDEV))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1");
    }

    @Test
    void aListThatIsTooLongForTheKernelIsAnErrorNotATruncatedFilter() {
        List<Integer> numbers = IntStream.range(0, 1200).map(i -> 2 * i).boxed().toList();
        assertThatThrownBy(() -> FilterAssembler.allowList(Architecture.X86_64, numbers, EXDEV))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("1 to 4096 instructions");
    }

    @Test
    void neighboursWithTheSameVerdictShareOneInterval() {
        List<Integer> contiguous = SyntheticLists.all().get("500 contiguous");
        // 6 of preamble, then three intervals: below, the list, above.
        assertThat(FilterAssembler.allowList(Architecture.X86_64, contiguous, EXDEV)
                        .size())
                .isEqualTo(6 + 5);
    }

    /** struct sock_filter: code in two bytes, jt, jf, k in four, little-endian. */
    @Test
    void theBytesAreThoseOfTheKernelsStructure() {
        byte[] bytes =
                FilterAssembler.allowList(Architecture.AARCH64, List.of(), 1).bytes();
        assertThat(bytes)
                .containsExactly(
                        0x20, 0, 0, 0, 4, 0, 0, 0, // ld arch
                        0x15, 0, 1, 0, 0xB7, 0, 0, 0xC0, // jeq AUDIT_ARCH_AARCH64
                        0x06, 0, 0, 0, 1, 0, 5, 0, // ret ERRNO 1
                        0x20, 0, 0, 0, 0, 0, 0, 0, // ld nr
                        0x06, 0, 0, 0, 1, 0, 5, 0); // ret ERRNO 1
    }

    @Test
    void disassemblyShowsTargetsAsLineNumbers() {
        assertThat(FilterAssembler.allowList(Architecture.AARCH64, List.of(7), 38)
                        .disassemble())
                .isEqualTo("""
                           0  ld   arch
                           1  jeq  0xc00000b7 then 3 else 2
                           2  ret  ERRNO ENOSYS
                           3  ld   nr
                           4  jge  0x7 then 6 else 5
                           5  ret  ERRNO ENOSYS
                           6  jge  0x8 then 8 else 7
                           7  ret  ALLOW
                           8  ret  ERRNO ENOSYS
                        """);
    }

    @ParameterizedTest
    @ValueSource(ints = {100, 255, 256, 257, 1000})
    void anArgumentCheckOfAnyLengthIsSteppedOverByOtherCalls(int rules) {
        List<Rule> list = new ArrayList<>();
        for (int i = 0; i < rules; i++) {
            list.add(new Rule(DENY, new Low32In(0, -1, 1000 + i)));
        }
        BpfInterpreter interpreter = interpreter(new ArgumentCheck("long", list, Verdict.ALLOW), 9);
        assertThat(interpreter.run(X86, 9)).isEqualTo(BpfInterpreter.ALLOW);
        assertThat(interpreter.run(X86, 8)).isEqualTo(BpfInterpreter.ALLOW);
        assertThat(interpreter.run(X86, 10)).isEqualTo(BpfInterpreter.errno(EXDEV));
        assertThat(interpreter.run(X86, 9, 999)).isEqualTo(BpfInterpreter.ALLOW);
        assertThat(interpreter.run(X86, 9, 1000)).isEqualTo(BpfInterpreter.errno(EXDEV));
        assertThat(interpreter.run(X86, 9, 999 + rules)).isEqualTo(BpfInterpreter.errno(EXDEV));
        assertThat(interpreter.run(X86, 9, 1000 + rules)).isEqualTo(BpfInterpreter.ALLOW);
    }

    /** A filter with number 8 allowed and {@code number} checked. */
    private static BpfInterpreter interpreter(ArgumentCheck check, int number) {
        return new BpfInterpreter(FilterAssembler.assemble(
                        Architecture.X86_64, new TreeMap<>(Map.of(8, Verdict.ALLOW)), Map.of(number, check), DENY)
                .bytes());
    }

    private static boolean denied(ArgumentCheck.Test test, long value) {
        long[] arguments = new long[6];
        arguments[test.argument()] = value;
        BpfInterpreter interpreter =
                interpreter(new ArgumentCheck("", List.of(new Rule(DENY, test)), Verdict.ALLOW), 9);
        return interpreter.run(X86, 9, arguments) != BpfInterpreter.ALLOW;
    }

    @Test
    void low32TestsDoNotSeeTheUpperHalf() {
        for (int argument = 0; argument < 6; argument++) {
            assertThat(denied(new Low32In(argument, -1, 0x5412), 0x5412)).isTrue();
            assertThat(denied(new Low32In(argument, -1, 0x5412), 0x1_0000_5412L))
                    .isTrue();
            assertThat(denied(new Low32In(argument, -1, 0x5412), 0xFFFF_FFFF_0000_5412L))
                    .isTrue();
            assertThat(denied(new Low32In(argument, -1, 0x5412), 0x5413)).isFalse();
            assertThat(denied(new Low32In(argument, -1, 0x5412), 0x5412_0000_0000L))
                    .isFalse();
            assertThat(denied(new Low32AnyBit(argument, 6), 4L | 1L << 40)).isTrue();
            assertThat(denied(new Low32AnyBit(argument, 6), 9)).isFalse();
            assertThat(denied(new Low32AnyBit(argument, 6), 6L << 32)).isFalse();
        }
    }

    @Test
    void low32InMatchesEachOfItsValuesUnderTheMask() {
        ArgumentCheck.Test test = new Low32In(1, 0xF, 1, 2, 5);
        for (int value = 0; value < 64; value++) {
            assertThat(denied(test, value | 0x80000)).isEqualTo(Set.of(1, 2, 5).contains(value % 16));
        }
    }

    @Test
    void full64TestsSeeBothHalves() {
        for (int argument = 0; argument < 6; argument++) {
            Full64Equals equals = new Full64Equals(argument, -1L, 0x1_8000_0000L);
            assertThat(denied(equals, 0x1_8000_0000L)).isTrue();
            assertThat(denied(equals, 0x8000_0000L)).isFalse();
            assertThat(denied(equals, 0x1_0000_0000L)).isFalse();
            assertThat(denied(equals, 0x3_8000_0000L)).isFalse();
            Full64Equals masked = new Full64Equals(argument, 0xFF_0000_00FFL, 0x12_0000_0034L);
            assertThat(denied(masked, 0xAB12_CDEF_AB34L)).isTrue();
            assertThat(denied(masked, 0xAB13_CDEF_AB34L)).isFalse();
            assertThat(denied(masked, 0xAB12_CDEF_AB35L)).isFalse();
            Full64AnyBit bits = new Full64AnyBit(argument, 0x1_0000_0001L);
            assertThat(denied(bits, 0x1_0000_0000L)).isTrue();
            assertThat(denied(bits, 1)).isTrue();
            assertThat(denied(bits, 0x1_0000_0001L)).isTrue();
            assertThat(denied(bits, 0xFFFF_FFFE_FFFF_FFFEL)).isFalse();
        }
    }

    @Test
    void rulesAreAskedInOrderAndAllTestsOfOneMustMatch() {
        ArgumentCheck check = new ArgumentCheck(
                "",
                List.of(
                        new Rule(
                                Verdict.ALLOW,
                                new Low32In(0, -1, 1),
                                new Full64Equals(1, -1, 2),
                                new Low32AnyBit(2, 4)),
                        new Rule(new Verdict.Deny(1), new Low32In(0, -1, 1))),
                new Verdict.Deny(2));
        BpfInterpreter interpreter = interpreter(check, 9);
        assertThat(interpreter.run(X86, 9, 1, 2, 4)).isEqualTo(BpfInterpreter.ALLOW);
        assertThat(interpreter.run(X86, 9, 1, 2, 3)).isEqualTo(BpfInterpreter.errno(1));
        assertThat(interpreter.run(X86, 9, 1, 3, 4)).isEqualTo(BpfInterpreter.errno(1));
        assertThat(interpreter.run(X86, 9, 1, 1L << 32 | 2, 4)).isEqualTo(BpfInterpreter.errno(1));
        assertThat(interpreter.run(X86, 9, 2, 2, 4)).isEqualTo(BpfInterpreter.errno(2));
    }

    /** Against an evaluator that knows only the definition of the tests. */
    @Test
    void randomChecksDecideAsTheirDefinitionSays() {
        Random random = new Random(20);
        int[] outcomes = new int[2];
        for (int round = 0; round < 400; round++) {
            List<Rule> rules = new ArrayList<>();
            for (int i = random.nextInt(4); i >= 0; i--) {
                rules.add(
                        new Rule(random.nextBoolean() ? Verdict.ALLOW : DENY, randomTest(random), randomTest(random)));
            }
            ArgumentCheck check = new ArgumentCheck("", rules, random.nextBoolean() ? Verdict.ALLOW : DENY);
            BpfInterpreter interpreter = interpreter(check, 9);
            for (int i = 0; i < 50; i++) {
                long[] arguments = random.longs(6, 0, 4)
                        .map(v -> v | random.nextInt(4) << 2)
                        .toArray();
                arguments[random.nextInt(6)] |= (long) random.nextInt(3) << 32;
                boolean allowed = Reference.evaluate(check, arguments) instanceof Verdict.Allow;
                outcomes[allowed ? 1 : 0]++;
                assertThat(interpreter.run(X86, 9, arguments) == BpfInterpreter.ALLOW)
                        .as("%s of %s", check, arguments)
                        .isEqualTo(allowed);
            }
        }
        assertThat(outcomes[0]).isGreaterThan(2000);
        assertThat(outcomes[1]).isGreaterThan(2000);
    }

    private static ArgumentCheck.Test randomTest(Random random) {
        int argument = random.nextInt(6);
        return switch (random.nextInt(4)) {
            case 0 -> new Low32In(argument, 0xF, random.nextInt(16), random.nextInt(16), random.nextInt(16));
            case 1 -> new Low32AnyBit(argument, 1 + random.nextInt(15));
            case 2 -> new Full64Equals(argument, 3L << 32 | 3, (long) random.nextInt(2) << 32 | random.nextInt(4));
            default -> new Full64AnyBit(argument, 1L << 32 | random.nextInt(4));
        };
    }

    @Test
    void testsThatCanNeverMatchAreErrors() {
        assertThatThrownBy(() -> new Low32In(0, 0xF, 0x10)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Low32In(0, 0xF)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Low32AnyBit(0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Full64Equals(0, 1, 2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Full64AnyBit(0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Low32In(6, -1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Full64AnyBit(-1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Rule(new Verdict.Conditional("x"))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new ArgumentCheck("", List.of(), new Verdict.Conditional("x")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** A rule without tests would decide for all rules below it. */
    @Test
    void aRuleThatHidesTheOnesBelowIsAnError() {
        ArgumentCheck check = new ArgumentCheck("", List.of(new Rule(Verdict.ALLOW)), DENY);
        assertThatThrownBy(() -> interpreter(check, 9))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is never reached");
    }
}
