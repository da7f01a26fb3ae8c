package io.jenkins.plugins.sandbox.seccomp;

import java.util.List;

/**
 * A decision by a call's arguments. The first rule whose tests all match decides; when none does, {@code otherwise}.
 *
 * <p>A filter sees the six argument registers and nothing that they point to.
 *
 * @param text for {@code explain}: when the call is refused, and how
 * @param rules asked in this order
 * @param otherwise {@link Verdict.Allow} or {@link Verdict.Deny}
 */
record ArgumentCheck(String text, List<Rule> rules, Verdict otherwise) {

    ArgumentCheck {
        rules = List.copyOf(rules);
        requireFinal(otherwise);
    }

    /** One way to decide: when all tests match, that is the outcome. */
    record Rule(Verdict outcome, List<Test> tests) {
        Rule(Verdict outcome, Test... tests) {
            this(outcome, List.of(tests));
        }

        Rule {
            tests = List.copyOf(tests);
            requireFinal(outcome);
        }
    }

    /**
     * A look at one argument.
     *
     * <p>The width matters. Most kernel functions take an {@code int} and ignore the register's upper half, so a check
     * that includes it is one that any caller can slip past by setting a bit there (CVE-2019-10063). Where the kernel
     * really takes 64 bits, looking at the lower half alone is the same mistake turned round.
     */
    sealed interface Test {
        /** 0 to 5. */
        int argument();

        /** The lower 32 bits, masked, are one of the values. */
        record Low32In(int argument, int mask, List<Integer> values) implements Test {
            Low32In(int argument, int mask, Integer... values) {
                this(argument, mask, List.of(values));
            }

            public Low32In {
                requireArgument(argument);
                values = List.copyOf(values);
                for (int value : values) {
                    if ((value & ~mask) != 0) {
                        throw new IllegalArgumentException("can never match: " + value + " under mask " + mask);
                    }
                }
                if (values.isEmpty()) {
                    throw new IllegalArgumentException("can never match: no value");
                }
            }
        }

        /** At least one of these bits is set in the lower 32 bits. */
        record Low32AnyBit(int argument, int bits) implements Test {
            public Low32AnyBit {
                requireArgument(argument);
                if (bits == 0) {
                    throw new IllegalArgumentException("can never match: no bit");
                }
            }
        }

        /** All 64 bits, masked, equal the value. */
        record Full64Equals(int argument, long mask, long value) implements Test {
            public Full64Equals {
                requireArgument(argument);
                if ((value & ~mask) != 0) {
                    throw new IllegalArgumentException("can never match: " + value + " under mask " + mask);
                }
            }
        }

        /** At least one of these bits is set among all 64. */
        record Full64AnyBit(int argument, long bits) implements Test {
            public Full64AnyBit {
                requireArgument(argument);
                if (bits == 0) {
                    throw new IllegalArgumentException("can never match: no bit");
                }
            }
        }

        private static void requireArgument(int argument) {
            if (argument < 0 || argument > 5) {
                throw new IllegalArgumentException("a system call has arguments 0 to 5, not " + argument);
            }
        }
    }

    private static void requireFinal(Verdict verdict) {
        if (verdict instanceof Verdict.Conditional) {
            throw new IllegalArgumentException("a rule must decide");
        }
    }
}
