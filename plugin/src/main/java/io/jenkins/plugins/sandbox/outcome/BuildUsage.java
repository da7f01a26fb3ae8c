package io.jenkins.plugins.sandbox.outcome;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Run;

/**
 * What the launches of one build used.
 *
 * @param name of the build, as its page says it; whoever may configure the build chose it
 * @param url of the record on the build's page, below Jenkins' own
 * @param totals of all launches
 */
public record BuildUsage(String name, String url, Totals totals) {
    /** @return {@code null} when no launch of the build has said what it used */
    @CheckForNull
    static BuildUsage of(Run<?, ?> run) {
        SandboxAction action = run.getAction(SandboxAction.class);
        if (action == null) {
            return null;
        }
        Totals totals = action.getTotals();
        return totals.ended() == 0
                ? null
                : new BuildUsage(run.getDisplayName(), run.getUrl() + action.getUrlName() + "/", totals);
    }

    public String cpu() {
        return Amounts.duration(totals.cpuMillis());
    }

    public String memory() {
        return Amounts.memory(totals.peakKiB());
    }

    public String wall() {
        return Amounts.duration(totals.wallMillis());
    }

    public boolean isLimited() {
        return totals.limited() != 0;
    }
}
