package io.jenkins.plugins.sandbox.outcome;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** Launches with one and the same {@link Finding}. Changed by its {@link SandboxAction} only, and can be read at any time. */
@ExportedBean
public final class LaunchGroup {
    private final Finding finding;
    private final List<Launch> launches = new CopyOnWriteArrayList<>();
    private int count;

    LaunchGroup(Finding finding) {
        this.finding = finding;
    }

    void add(Launch launch) {
        count++;
        launches.add(launch);
    }

    /** Forgets the oldest launch, which stays counted. */
    void forgetOldest() {
        launches.remove(0);
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
        return count;
    }

    /** @return how many launches are counted, but no longer listed */
    public int getForgotten() {
        return Math.max(0, count - launches.size());
    }
}
