package io.jenkins.plugins.sandbox.escape;

import io.jenkins.plugins.sandbox.escape.Attempt.Setting;
import io.jenkins.plugins.sandbox.escape.Attempt.Start;
import io.jenkins.plugins.sandbox.launch.TransportChoice;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.Status;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The whole of this suite on a machine on which only some rows hold: every attempt that a profile is to stop, in as few launches
 * as there are ways to start one. What the applied rows are to stop has to be stopped.
 */
public final class Breakouts {
    /** Names of the attempts that only root can make. */
    public static final Set<String> NEEDING_ROOT = names(a -> a.setting().start() == Start.AS_ROOT);

    private static final String BEGIN = "ATTEMPT ";

    private final Profile profile;
    private final Function<String, TransportChoice> transport;

    /** By the way they are started. */
    private final List<List<Attempt>> batches;

    /**
     * @param transport to be used, given a directory for the launcher's files
     */
    public Breakouts(String profile, Function<String, TransportChoice> transport) throws IOException {
        this.profile = Profile.named(profile);
        this.transport = transport;
        this.batches = batches(a -> a.stoppedBy().contains(profile));
    }

    /**
     * What became of one.
     *
     * @param walls the rows that are to stop it
     * @param guarded whether those hold here
     * @param trouble why it shows nothing; {@code null} when it does
     */
    public record Finding(String attempt, String walls, boolean guarded, boolean escaped, String trouble) {
        /**
         * @return whether a row said `applied` and did not stop it, or nothing can be said
         */
        public boolean isWrong() {
            return guarded && (escaped || trouble != null);
        }
    }

    /** Names of all attempts that a profile is to stop. */
    public static Set<String> names(String profile) {
        return names(a -> a.stoppedBy().contains(profile));
    }

    private static Set<String> names(Predicate<Attempt> wanted) {
        return Attempts.all().stream().filter(wanted).map(Attempt::name).collect(Collectors.toCollection(TreeSet::new));
    }

    private static List<List<Attempt>> batches(Predicate<Attempt> wanted) {
        Map<List<Object>, List<Attempt>> batches = new LinkedHashMap<>();
        for (Attempt attempt : Attempts.all()) {
            if (wanted.test(attempt)) {
                Setting setting = attempt.setting();
                String alone = setting.start() == Start.ALONE ? attempt.name() : "";
                batches.computeIfAbsent(
                                List.of(
                                        setting.start(),
                                        setting.behind(),
                                        setting.directory(),
                                        setting.policy(),
                                        alone),
                                k -> new ArrayList<>())
                        .add(attempt);
            }
        }
        return List.copyOf(batches.values());
    }

    /**
     * Makes all attempts but those that cannot be prepared on this machine.
     *
     * @param base of the {@link Stage}
     */
    public List<Finding> run(Path base) throws Exception {
        List<Finding> findings = new ArrayList<>();
        for (List<Attempt> batch : batches) {
            Setting setting = batch.get(0).setting();
            if (setting.start() == Start.AS_ROOT && isRoot()) {
                setting = setting.withBehind(Setting.ORDINARY.behind());
            }
            try (Scene scene = setting.start() == Start.STAGED
                    ? Scene.on(base)
                    : new Scene(batch.stream().anyMatch(Attempt::hasNeighbour))) {
                Runs runs = new Runs(
                        setting,
                        scene,
                        transport.apply(scene.launcherDirectory().toString()));
                if (!runs.canBePrepared()) {
                    continue;
                }
                Result result = runs.asFarAsItGoes(profile, script(batch));
                Set<Primitive> applied = applied(runs.report().orElseThrow());
                Map<String, Result> results = split(result);
                for (Attempt attempt : batch) {
                    findings.add(finding(attempt, result.refusal(), results.get(attempt.name()), scene, applied));
                }
            }
        }
        return findings;
    }

    private Finding finding(Attempt attempt, String refusal, Result result, Scene scene, Set<Primitive> applied)
            throws Exception {
        boolean guarded = attempt.walls().hold(applied);
        String trouble = null;
        Result shown = result == null ? Result.refused(refusal) : result;
        boolean escaped = attempt.proof().holds(scene, shown);
        if (refusal != null) {
            trouble = attempt.refusedBy().contains(profile.name()) ? null : "refused: " + refusal;
        } else if (result == null) {
            trouble = "not begun";
        } else if (!result.says(Attempt.REACHED) && result.lacking() == null && !hasNoInternet(result)) {
            trouble = "the decisive step was not reached: " + String.join(" / ", result.out());
        }
        return new Finding(attempt.name(), attempt.walls().toString(), guarded, escaped, trouble);
    }

    static Set<Primitive> applied(Report report) {
        return report.outcomes().stream()
                .filter(o -> o.status() == Status.APPLIED)
                .map(Outcome::primitive)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Primitive.class)));
    }

    /** Each attempt in a shell of its own, but for those that are alone. */
    private static String script(List<Attempt> batch) {
        Attempt first = batch.get(0);
        if (first.setting().start() == Start.ALONE) {
            return "echo " + BEGIN + first.name() + "\nexec 2>&1\n" + first.script();
        }
        StringBuilder script = new StringBuilder();
        for (Attempt attempt : batch) {
            script.append("echo ")
                    .append(BEGIN)
                    .append(attempt.name())
                    .append("\n(\n")
                    .append(attempt.script())
                    .append("\n) 2>&1\n");
        }
        return script.toString();
    }

    private static Map<String, Result> split(Result whole) {
        Map<String, List<String>> parts = new LinkedHashMap<>();
        List<String> lines = new ArrayList<>();
        for (String line : whole.out()) {
            if (line.startsWith(BEGIN)) {
                lines = new ArrayList<>();
                parts.put(line.substring(BEGIN.length()), lines);
            } else {
                lines.add(line);
            }
        }
        Map<String, Result> results = new LinkedHashMap<>();
        parts.forEach(
                (name, said) -> results.put(name, Result.of(String.join("\n", said), whole.err(), whole.ending())));
        return results;
    }

    /** There is not even a socket to reach the decisive step with. */
    private static boolean hasNoInternet(Result said) {
        return said.out().contains("try_escape: socket: Address family not supported by protocol");
    }

    private static boolean isRoot() throws IOException {
        return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
    }

    /**
     * Names of ordinary attempts that do not succeed without a sandbox when they are made one after the other, as in a batch:
     * those that an earlier one disturbs.
     */
    static List<String> disturbed() throws Exception {
        List<String> disturbed = new ArrayList<>();
        for (List<Attempt> batch : batches(a -> !a.stoppedBy().isEmpty()
                && a.setting().start() == Start.ORDINARY
                && a.setting().control() == Attempt.Control.NONE)) {
            try (Scene scene = new Scene(true)) {
                Runs runs = new Runs(batch.get(0).setting(), scene, TransportChoice.memfd());
                Map<String, Result> results = split(runs.control(script(batch)));
                for (Attempt attempt : batch) {
                    Result result = results.get(attempt.name());
                    if (result == null
                            || result.lacking() == null && !attempt.proof().holds(scene, result)) {
                        disturbed.add(attempt.name() + ": " + result);
                    }
                }
            }
        }
        return disturbed;
    }
}
