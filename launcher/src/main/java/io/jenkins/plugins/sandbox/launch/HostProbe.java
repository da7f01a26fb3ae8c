package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.model.Status;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * What one machine can do: every row tried there, with what stands in the way of those that do not hold, and what to do about
 * it. Made on the machine and read elsewhere; it changes with the machine's settings, so that it is good for one connection of
 * an agent.
 *
 * @param facts settings of the machine, by name, in a fixed order: kernel, architecture, user and so on
 * @param transport how the launcher was handed over: {@code memfd} or {@code file}; {@code null} with a problem
 * @param level what launches of profile {@code offline}, and so of {@code strict}, can reach; rows that only limits ask for have
 *     no part in it. {@code NONE} with a problem
 * @param rows those that were tried, in the order of the sequence; empty with a problem
 * @param problem why nothing could be tried, with what to do about it; {@code null} when it could
 */
public record HostProbe(Map<String, String> facts, String transport, Level level, List<Row> rows, String problem)
        implements Serializable {
    private static final List<Primitive> OF_LEVEL = ofLevel();

    public HostProbe {
        rows = List.copyOf(rows);
    }

    /**
     * One row.
     *
     * @param outcome what became of it
     * @param cause what stands in its way; {@link Cause#NONE} when it was applied
     * @param remedy what to do, one or two sentences; empty when it was applied
     * @param paste lines for a shell or a configuration file that do it; empty where there are none
     */
    public record Row(Outcome outcome, Cause cause, String remedy, String paste) implements Serializable {
        /**
         * @return whether it holds on this machine
         */
        public boolean isApplied() {
            return outcome.status() == Status.APPLIED;
        }

        /**
         * @return whether the level depends on it; if not, only limits and profiles of one's own ask for it
         */
        public boolean isOfLevel() {
            return OF_LEVEL.contains(outcome.primitive());
        }
    }

    /**
     * Tries everything, within some 50 ms, and leaves nothing behind. On a machine for which there is no sandbox at all, and
     * where the launcher does not start, the result says so.
     *
     * @param choice how to hand the launcher over
     * @param place where to make a launch's directories; where that is not possible, the row {@code filesystem} says why, and
     *     everything else is tried
     * @return what holds here
     * @throws InterruptedException when this thread was interrupted
     */
    public static HostProbe run(TransportChoice choice, ProbePlace place) throws InterruptedException {
        HostFacts facts = HostFacts.read();
        try {
            return of(NativeProbe.run(choice, place), facts);
        } catch (SandboxException e) {
            return new HostProbe(facts.values(), null, Level.NONE, List.of(), e.getMessage());
        }
    }

    static HostProbe of(NativeProbe probe, HostFacts facts) {
        List<Row> rows = probe.report().outcomes().stream()
                .filter(o -> o.status() != Status.SKIPPED)
                .map(o -> row(o, facts, probe))
                .toList();
        Level level = Level.of(
                false, rows.stream().filter(Row::isOfLevel).map(Row::outcome).toList());
        return new HostProbe(facts.values(), probe.transport(), level, rows, null);
    }

    private static List<Primitive> ofLevel() {
        try {
            return Profile.named(NativeProbe.PROFILE).primitives();
        } catch (SandboxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Row row(Outcome outcome, HostFacts facts, NativeProbe probe) {
        if (outcome.primitive() == Primitive.FILESYSTEM
                && outcome.status() == Status.APPLIED
                && probe.untried() != null) {
            Outcome untried = new Outcome(Primitive.FILESYSTEM, Status.UNAVAILABLE, 0, probe.untried());
            return new Row(untried, Cause.DIRECTORIES, Cause.DIRECTORIES.remedy(), "");
        }
        if (outcome.status() == Status.APPLIED) {
            return new Row(outcome, Cause.NONE, "", "");
        }
        Cause cause = Diagnosis.of(outcome, facts);
        return new Row(outcome, cause, cause.remedy(), cause.paste(outcome.primitive(), probe.launcher()));
    }
}
