package io.jenkins.plugins.sandbox.outcome;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.model.Action;
import hudson.model.Job;
import hudson.model.Run;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import jenkins.model.TransientActionFactory;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;

/**
 * Memory and CPU time over the latest builds of a job: a page of its own, and a link to it on the job's. Whoever may see the
 * job may see it. Builds are loaded from disk one by one, so only so many are looked at, however many there are.
 */
public final class JobUsage implements Action {
    /** So many builds are looked at for the page. */
    static final int BUILDS = 100;

    /** So many are for the link to it, which every page of the job asks for. The list of builds beside it has more. */
    static final int BUILDS_FOR_LINK = 5;

    private final Job<?, ?> job;

    JobUsage(Job<?, ?> job) {
        this.job = job;
    }

    /** Named as {@code l:layout} and the pages of jobs expect it. */
    @Restricted(NoExternalUse.class)
    public Job<?, ?> getObject() {
        return job;
    }

    @Restricted(NoExternalUse.class)
    public int getLookedAt() {
        return BUILDS;
    }

    /** @return the builds that are over and in which something was launched in a sandbox, oldest first */
    @Restricted(NoExternalUse.class)
    public List<BuildUsage> getBuilds() {
        return latest(BUILDS);
    }

    @Restricted(NoExternalUse.class)
    public List<BuildUsage> newestFirst(List<BuildUsage> builds) {
        List<BuildUsage> reversed = new ArrayList<>(builds);
        Collections.reverse(reversed);
        return reversed;
    }

    @Restricted(NoExternalUse.class)
    public BarChart memory(List<BuildUsage> builds) {
        return BarChart.ofMemory(builds);
    }

    @Restricted(NoExternalUse.class)
    public BarChart cpu(List<BuildUsage> builds) {
        return BarChart.ofCpu(builds);
    }

    private List<BuildUsage> latest(int number) {
        List<BuildUsage> usages = new ArrayList<>();
        for (Run<?, ?> run : job.getBuilds().limit(number)) {
            BuildUsage usage = run.isBuilding() ? null : BuildUsage.of(run);
            if (usage != null) {
                usages.add(usage);
            }
        }
        return newestFirst(usages);
    }

    @Override
    @CheckForNull
    public String getIconFileName() {
        return latest(BUILDS_FOR_LINK).isEmpty() ? null : "symbol-shield-check plugin-process-sandbox";
    }

    @NonNull
    @Override
    public String getDisplayName() {
        return Messages.JobUsage_DisplayName();
    }

    @NonNull
    @Override
    public String getUrlName() {
        return "sandbox";
    }

    @Extension
    @SuppressWarnings("rawtypes") // as declared in core
    public static final class Factory extends TransientActionFactory<Job> {
        @Override
        public Class<Job> type() {
            return Job.class;
        }

        @NonNull
        @Override
        public Collection<? extends Action> createFor(@NonNull Job job) {
            return List.of(new JobUsage(job));
        }
    }
}
