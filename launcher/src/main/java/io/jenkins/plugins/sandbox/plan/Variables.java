package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Which environment variables the command gets. The launcher inherits those of the process that launches, the agent's secrets
 * among them, and those that the step sets; only names are known here, never values.
 *
 * @param only whether {@code names} are the only ones that stay, instead of those that go
 * @param names in alphabetical order
 */
record Variables(boolean only, Set<String> names) {
    /** The launcher's own bound. */
    private static final int MOST = 1024;

    private static final Rules RULES = Rules.of(DataFile.read("environment.txt"));

    private record Rules(List<Pattern> drop, List<Pattern> but, List<Pattern> only, List<String> exact) {
        static Rules of(Map<String, List<String>> file) {
            return new Rules(
                    patterns(file.get("drop")),
                    patterns(file.get("but")),
                    patterns(file.get("only")),
                    file.get("only").stream().filter(n -> !n.contains("*")).toList());
        }

        private static List<Pattern> patterns(List<String> names) {
            return names.stream()
                    .map(n -> Pattern.compile(
                            Pattern.quote(n).replace("*", "\\E.*\\Q"), Pattern.CASE_INSENSITIVE | Pattern.DOTALL))
                    .toList();
        }

        private static boolean fits(List<Pattern> patterns, String name) {
            return patterns.stream().anyMatch(p -> p.matcher(name).matches());
        }

        boolean drops(String name) {
            return fits(drop, name) && !fits(but, name);
        }

        boolean keeps(String name) {
            return fits(only, name) && !drops(name);
        }
    }

    /**
     * @param policy what is asked for
     * @param own the names of the launching process' own variables
     * @return what goes or stays; nothing goes without the row
     */
    static Variables of(Policy policy, Collection<String> own) throws SandboxException {
        Variables variables = choose(policy, own);
        if (variables.names.size() > MOST) {
            throw new SandboxException("The plan names " + variables.names.size()
                    + " environment variables, the launcher takes " + MOST
                    + ": start the launching process with fewer.");
        }
        return variables;
    }

    static boolean isDropped(String name) {
        return RULES.drops(name);
    }

    private static Variables choose(Policy policy, Collection<String> own) {
        Profile profile = policy.profile();
        Set<String> names = new TreeSet<>();
        if (!profile.primitives().contains(Primitive.ENVIRONMENT)) {
            return new Variables(false, names);
        }
        if (profile.environment() == Profile.Environment.NAMED) {
            names.addAll(RULES.exact);
            own.stream().filter(RULES::keeps).forEach(names::add);
            names.addAll(policy.variables());
            return new Variables(true, names);
        }
        own.stream().filter(RULES::drops).forEach(names::add);
        policy.variables().forEach(names::remove);
        return new Variables(false, names);
    }

    List<String> words() {
        List<String> words = new ArrayList<>();
        // The launcher drops what has no name without being told.
        names.stream()
                .filter(n -> !n.isEmpty() && n.indexOf('=') < 0)
                .forEach(n -> words.addAll(List.of(only ? "--keep-env" : "--unset-env", n)));
        return words;
    }

    /** For people; names only. */
    String describe() {
        if (names.isEmpty()) {
            return only ? "  none\n" : "  all, for none of this process' own looks like a secret\n";
        }
        return (only ? "  only " : "  without ") + String.join(" ", names) + "\n";
    }
}
