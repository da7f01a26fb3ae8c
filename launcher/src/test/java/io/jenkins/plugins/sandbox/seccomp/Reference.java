package io.jenkins.plugins.sandbox.seccomp;

/** What an argument check means, without BPF. */
final class Reference {
    private Reference() {}

    static Verdict evaluate(ArgumentCheck check, long... arguments) {
        return check.rules().stream()
                .filter(rule -> rule.tests().stream().allMatch(test -> matches(test, arguments[test.argument()])))
                .findFirst()
                .map(ArgumentCheck.Rule::outcome)
                .orElse(check.otherwise());
    }

    private static boolean matches(ArgumentCheck.Test test, long value) {
        if (test instanceof ArgumentCheck.Test.Low32In in) {
            return in.values().contains((int) value & in.mask());
        }
        if (test instanceof ArgumentCheck.Test.Low32AnyBit any) {
            return ((int) value & any.bits()) != 0;
        }
        if (test instanceof ArgumentCheck.Test.Full64Equals equals) {
            return (value & equals.mask()) == equals.value();
        }
        return (value & ((ArgumentCheck.Test.Full64AnyBit) test).bits()) != 0;
    }

    static int filterValue(Verdict verdict) {
        return verdict instanceof Verdict.Deny deny ? BpfInterpreter.errno(deny.errno()) : BpfInterpreter.ALLOW;
    }
}
