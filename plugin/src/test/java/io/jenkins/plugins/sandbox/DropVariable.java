package io.jenkins.plugins.sandbox;

import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.EnvVars;
import hudson.Launcher;
import hudson.model.Run;
import jenkins.tasks.filters.EnvVarsFilterGlobalRule;
import jenkins.tasks.filters.EnvVarsFilterRuleContext;

/** A rule of core's environment filters, as an administrator could set it. It is applied on the agent. */
public final class DropVariable implements EnvVarsFilterGlobalRule {
    private static final long serialVersionUID = 1;

    private final String name;

    public DropVariable(String name) {
        this.name = name;
    }

    @Override
    public boolean isApplicable(Run<?, ?> run, @NonNull Object builder, @NonNull Launcher launcher) {
        return true;
    }

    @Override
    public void filter(@NonNull EnvVars envVars, @NonNull EnvVarsFilterRuleContext context) {
        envVars.remove(name);
    }
}
