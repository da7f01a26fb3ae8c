package io.jenkins.plugins.sandbox.outcome;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.model.Ending;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** Launches with one and the same {@link Finding}. Changed by its {@link SandboxAction} only, and can be read at any time. */
@ExportedBean
public final class LaunchGroup {
    private final Finding finding;
    private final List<Launch> launches;
    private volatile Totals totals;

    LaunchGroup(Finding finding) {
        this(finding, List.of(), Totals.NONE);
    }

    /** As it was stored. */
    LaunchGroup(Finding finding, List<Launch> launches, Totals totals) {
        this.finding = finding;
        this.launches = new CopyOnWriteArrayList<>(launches);
        this.totals = totals;
    }

    void add(Launch launch) {
        totals = totals.launched();
        launches.add(launch);
    }

    /** Forgets the oldest launch, which stays counted; one that runs only when it must be. */
    void forgetOldest() {
        for (Launch launch : launches) {
            if (launch.running() == null) {
                launches.remove(launch);
                return;
            }
        }
        launches.remove(0);
    }

    boolean hasEndedOnes() {
        return launches.stream().anyMatch(l -> l.running() == null);
    }

    /**
     * Notes how a launch ended.
     *
     * @return it; {@code null} when none of this id runs here
     */
    @CheckForNull
    Launch end(String id, Ending ending) {
        for (int i = 0; i < launches.size(); i++) {
            Launch launch = launches.get(i);
            Launch.Running running = launch.running();
            if (running != null && id.equals(launch.getId())) {
                End end = End.of(ending, running.detached());
                Launch ended = launch.ended(end);
                launches.set(i, ended);
                totals = totals.ended(end);
                return ended;
            }
        }
        return null;
    }

    /** Gives up those that run: nothing more will be heard of them. */
    void giveUp(Predicate<Launch.Running> which) {
        launches.replaceAll(l -> l.running() != null && which.test(l.running()) ? l.ended(null) : l);
    }

    int remembered() {
        return launches.size();
    }

    @Exported(inline = true)
    public Finding getFinding() {
        return finding;
    }

    /** @return the latest launches, in the order in which they were started; fewer than {@link #getCount} in a long build */
    @Exported(inline = true)
    public List<Launch> getLaunches() {
        return List.copyOf(launches);
    }

    /** @return how many launches there were */
    @Exported
    public int getCount() {
        return totals.launches();
    }

    @Exported(inline = true)
    public Totals getTotals() {
        return totals;
    }

    /** @return how many launches are counted, but no longer listed */
    public int getForgotten() {
        return Math.max(0, getCount() - launches.size());
    }
}
