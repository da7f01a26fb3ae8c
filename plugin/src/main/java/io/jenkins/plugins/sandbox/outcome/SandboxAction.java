package io.jenkins.plugins.sandbox.outcome;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.BulkChange;
import hudson.model.Api;
import hudson.model.BuildBadgeAction;
import hudson.model.Run;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.Level;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jenkins.model.RunAction2;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.StaplerResponse2;
import org.kohsuke.stapler.WebMethod;
import org.kohsuke.stapler.export.ExportConfig;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;
import org.kohsuke.stapler.export.Flavor;
import org.kohsuke.stapler.export.ModelBuilder;

/**
 * What was applied to the launches of one build: its summary on the build page and a page of its own. There is one for each
 * build; it is changed under the lock of the build, and can be read without.
 */
@ExportedBean
public final class SandboxAction implements RunAction2, BuildBadgeAction {
    /** So many launches are listed in a build; more are counted only. About 120 bytes of build.xml for each. */
    static final int MAX_LAUNCHES = 500;

    /** So many running launches can be ended, beyond what is listed. About 250 bytes of build.xml for each while it runs. */
    static final int MAX_RUNNING = 2000;

    /** So many different findings are kept in a build. About 300 bytes of build.xml for each, and the rows once. */
    static final int MAX_GROUPS = 100;

    private static final ModelBuilder MODELS = new ModelBuilder();

    // Copied on write: whoever else saves the build reads them without our lock.
    private final List<LaunchGroup> groups = new CopyOnWriteArrayList<>();
    private final List<Scratch> scratches = new CopyOnWriteArrayList<>();
    private int uncounted;

    private transient Run<?, ?> run;

    private SandboxAction() {}

    /** As it was stored. */
    SandboxAction(List<LaunchGroup> groups, List<Scratch> scratches, int uncounted) {
        this.groups.addAll(groups);
        this.scratches.addAll(scratches);
        this.uncounted = uncounted;
    }

    /** How it is stored; XStream finds it by its name. */
    @Restricted(NoExternalUse.class)
    public static final class ConverterImpl extends StoredForm {}

    /**
     * Adds a launch to a build and stores the build.
     *
     * @throws IOException when the build cannot be stored
     */
    public static void record(Run<?, ?> run, Finding finding, Launch launch) throws IOException {
        change(run, action -> action.add(finding, launch));
    }

    /**
     * Remembers a directory that has to be removed at the end of its block, and stores the build, so that it is still known
     * after a restart.
     *
     * @throws IOException when the build cannot be stored
     */
    public static void expect(Run<?, ?> run, Scratch scratch) throws IOException {
        synchronized (run) {
            SandboxAction action = run.getAction(SandboxAction.class);
            if (action != null && action.scratches.contains(scratch)) {
                return;
            }
        }
        change(run, action -> action.scratches.add(scratch));
    }

    /**
     * Hands out directories, once.
     *
     * @return those that {@link #expect} was told about and that are asked for
     * @throws IOException when the build cannot be stored
     */
    public static List<Scratch> take(Run<?, ?> run, Predicate<Scratch> which) throws IOException {
        synchronized (run) {
            SandboxAction action = run.getAction(SandboxAction.class);
            List<Scratch> taken = action == null
                    ? List.of()
                    : action.scratches.stream().filter(which).toList();
            if (!taken.isEmpty()) {
                change(run, changed -> changed.scratches.removeAll(taken));
            }
            return taken;
        }
    }

    private static void change(Run<?, ?> run, Consumer<SandboxAction> change) throws IOException {
        synchronized (run) {
            try (BulkChange all = new BulkChange(run)) {
                SandboxAction action = run.getAction(SandboxAction.class);
                if (action == null) {
                    action = new SandboxAction();
                    run.addAction(action);
                }
                change.accept(action);
                all.commit();
            }
        }
    }

    private void add(Finding finding, Launch launch) {
        LaunchGroup group = groups.stream()
                .filter(g -> g.getFinding().equals(finding))
                .findFirst()
                .orElse(null);
        if (group == null) {
            if (groups.size() >= MAX_GROUPS) {
                uncounted++;
                return;
            }
            group = new LaunchGroup(finding);
            groups.add(group);
        }
        int remembered = groups.stream().mapToInt(LaunchGroup::remembered).sum();
        if (remembered >= MAX_LAUNCHES) {
            groups.stream()
                    .filter(g -> remembered >= MAX_RUNNING || g.hasEndedOnes())
                    .max(Comparator.comparingInt(LaunchGroup::remembered))
                    .ifPresent(LaunchGroup::forgetOldest);
        }
        group.add(launch);
    }

    /**
     * Notes how launches ended. Stored with the next change: whoever tells of endings has one to make.
     *
     * @param node the display name of the node that says so, which is believed about its own launches only
     * @param endings by the id of the launch; those that do not run in this build are ignored
     * @return the launches that are known to have ended now, and what had been found out about them
     */
    public static Map<Launch, Finding> ended(Run<?, ?> run, String node, Map<String, Ending> endings) {
        Map<Launch, Finding> all = new LinkedHashMap<>();
        synchronized (run) {
            SandboxAction action = run.getAction(SandboxAction.class);
            if (action != null) {
                endings.forEach((id, ending) -> action.groups.stream()
                        .filter(g -> g.getFinding().getNode().equals(node))
                        .forEach(g -> {
                            Launch ended = g.end(id, ending);
                            if (ended != null) {
                                all.put(ended, g.getFinding());
                            }
                        }));
            }
        }
        return all;
    }

    /**
     * Gives up what is not known to have ended in a block, and stores the build.
     *
     * @throws IOException when the build cannot be stored
     */
    public static void giveUp(Run<?, ?> run, Predicate<Launch.Running> which) throws IOException {
        if (run.getAction(SandboxAction.class) != null) {
            change(run, action -> action.groups.forEach(g -> g.giveUp(which)));
        }
    }

    /**
     * The running launches of some steps.
     *
     * @param flowNodes ids in the Pipeline's graph
     * @return the ids of those launches on their agents; those whose step is not known are always among them
     */
    public static Set<String> launchesOf(Run<?, ?> run, Set<String> flowNodes) {
        SandboxAction action = run.getAction(SandboxAction.class);
        return action == null
                ? new HashSet<>()
                : action.groups.stream()
                        .flatMap(g -> g.getLaunches().stream())
                        .filter(l ->
                                l.running() != null && (l.getFlowNode() == null || flowNodes.contains(l.getFlowNode())))
                        .map(Launch::getId)
                        .collect(Collectors.toCollection(HashSet::new));
    }

    /**
     * Whether a step has been warned of a launch that stays below its minimum, and was let go on.
     *
     * @param flowNode its id in the Pipeline's graph
     */
    public static boolean isWarnedOf(@CheckForNull Run<?, ?> run, String flowNode) {
        SandboxAction action = run == null ? null : run.getAction(SandboxAction.class);
        return action != null
                && action.groups.stream()
                        .filter(g -> g.getFinding().getVerdict() == Finding.Verdict.WARNED)
                        .flatMap(g -> g.getLaunches().stream())
                        .anyMatch(l -> flowNode.equals(l.getFlowNode()));
    }

    /**
     * The first processes of some launches, whether or not they are still there.
     *
     * @param cookie by what these launches are known
     */
    public static List<InitProcess> initsOf(Run<?, ?> run, String cookie) {
        SandboxAction action = run.getAction(SandboxAction.class);
        return action == null
                ? List.of()
                : action.groups.stream()
                        .flatMap(g -> g.getLaunches().stream())
                        .filter(l -> l.isKnownBy(cookie))
                        .map(l -> Objects.requireNonNull(l.running()).init())
                        .toList();
    }

    /**
     * The first processes of those launches of a block on one node that are not known to have ended.
     *
     * @param node the display name of the node
     */
    public static List<InitProcess> initsOf(Run<?, ?> run, String block, String node) {
        return running(run, node)
                .filter(r -> r.block().equals(block))
                .map(Launch.Running::init)
                .toList();
    }

    /** As {@link #initsOf(Run, String, String)}, of all blocks. */
    public static List<InitProcess> initsOn(Run<?, ?> run, String node) {
        return new ArrayList<>(running(run, node).map(Launch.Running::init).toList());
    }

    private static Stream<Launch.Running> running(Run<?, ?> run, String node) {
        SandboxAction action = run.getAction(SandboxAction.class);
        return action == null
                ? Stream.empty()
                : action.groups.stream()
                        .filter(g -> g.getFinding().getNode().equals(node))
                        .flatMap(g -> g.getLaunches().stream())
                        .map(Launch::running)
                        .filter(Objects::nonNull);
    }

    /** @return the directories that have not been handed out */
    public List<Scratch> getScratches() {
        return List.copyOf(scratches);
    }

    /** @return the groups, those that reached least first */
    @Exported(inline = true)
    public List<LaunchGroup> getGroups() {
        return groups.stream()
                .sorted(Comparator.comparing(g -> rank(g.getFinding().getLevel())))
                .toList();
    }

    /** In the order in which they came up. */
    List<LaunchGroup> groups() {
        return List.copyOf(groups);
    }

    /** @return what all launches of this build used together */
    @Exported(inline = true)
    public Totals getTotals() {
        return groups.stream().map(LaunchGroup::getTotals).reduce(Totals.NONE, Totals::and);
    }

    @Restricted(NoExternalUse.class)
    public String getWall() {
        return Amounts.duration(getTotals().wallMillis());
    }

    @Restricted(NoExternalUse.class)
    public String getCpu() {
        return Amounts.duration(getTotals().cpuMillis());
    }

    @Restricted(NoExternalUse.class)
    public String getPeak() {
        return Amounts.memory(getTotals().peakKiB());
    }

    @Restricted(NoExternalUse.class)
    public String getBadgeText() {
        return isShortfall()
                ? Messages.SandboxAction_BadgeShortfall(getLevel(), getCount())
                : Messages.SandboxAction_Badge(getLevel(), getCount());
    }

    /** @return the number of launches in this build */
    @Exported
    public int getCount() {
        return uncounted + groups.stream().mapToInt(LaunchGroup::getCount).sum();
    }

    /** @return how many launches had a finding that is not kept, since there were too many different ones */
    @Exported
    public int getUncounted() {
        return uncounted;
    }

    /** @return the lowest level that a launch of this build reached; {@code null} before the first one */
    @Exported
    @CheckForNull
    public String getLevel() {
        return getGroups().stream()
                .findFirst()
                .map(g -> g.getFinding().getLevel())
                .orElse(null);
    }

    /** @return whether a launch stayed below its minimum */
    @Exported
    public boolean isShortfall() {
        return getGroups().stream().anyMatch(g -> g.getFinding().getVerdict() != Finding.Verdict.STARTED);
    }

    /** @return the finding of the first launch that stayed below its minimum, otherwise {@code null} */
    @CheckForNull
    public Finding getWorst() {
        return getGroups().stream()
                .map(LaunchGroup::getFinding)
                .filter(f -> f.getVerdict() != Finding.Verdict.STARTED)
                .findFirst()
                .orElse(null);
    }

    /** A level from another version ranks lowest: better looked at once too often. */
    private static int rank(String level) {
        for (Level each : Level.values()) {
            if (each.name().equals(level)) {
                return each.ordinal();
            }
        }
        return -1;
    }

    /** Named as {@code l:run-subpage} expects it. */
    @Restricted(NoExternalUse.class)
    public Run<?, ?> getObject() {
        return run;
    }

    /** {@code <build>/sandbox/api/}: everything here at depth 0. */
    @Restricted(NoExternalUse.class)
    public Api getApi() {
        return new Api(this);
    }

    /**
     * {@code <build>/sandbox/sandbox-report.json}: the same, to be kept. Whoever may see the build may see it.
     *
     * @throws IOException when the answer cannot be written
     */
    @Restricted(NoExternalUse.class)
    @WebMethod(name = "sandbox-report.json")
    public void doReport(StaplerResponse2 rsp) throws IOException {
        rsp.setContentType("application/json;charset=UTF-8");
        rsp.setHeader("Content-Disposition", "attachment; filename=\"sandbox-report.json\"");
        MODELS.get(SandboxAction.class)
                .writeTo(this, Flavor.JSON.createDataWriter(this, rsp.getWriter(), new ExportConfig()));
    }

    @Override
    public void onAttached(Run<?, ?> r) {
        run = r;
    }

    @Override
    public void onLoad(Run<?, ?> r) {
        run = r;
    }

    @Override
    @CheckForNull
    public String getIconFileName() {
        return getCount() == 0
                ? null
                : isShortfall() ? "symbol-shield-warning" : "symbol-shield-check plugin-process-sandbox";
    }

    @NonNull
    @Override
    public String getDisplayName() {
        return Messages.SandboxAction_DisplayName();
    }

    @NonNull
    @Override
    public String getUrlName() {
        return "sandbox";
    }
}
