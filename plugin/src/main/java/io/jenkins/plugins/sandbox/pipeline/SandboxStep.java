package io.jenkins.plugins.sandbox.pipeline;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.LauncherDecorator;
import hudson.Util;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import io.jenkins.plugins.sandbox.config.Choices;
import io.jenkins.plugins.sandbox.config.EffectivePolicy;
import io.jenkins.plugins.sandbox.config.Levels;
import io.jenkins.plugins.sandbox.config.OnShortfall;
import io.jenkins.plugins.sandbox.config.Profiles;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.config.SandboxSettings;
import io.jenkins.plugins.sandbox.controller.SandboxDecorator;
import io.jenkins.plugins.sandbox.controller.ScratchRemoval;
import java.io.IOException;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jenkinsci.plugins.workflow.steps.BodyExecutionCallback;
import org.jenkinsci.plugins.workflow.steps.BodyInvoker;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import org.jenkinsci.plugins.workflow.steps.GeneralNonBlockingStepExecution;
import org.jenkinsci.plugins.workflow.steps.Step;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepDescriptor;
import org.jenkinsci.plugins.workflow.steps.StepExecution;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.verb.POST;

/**
 * Launches all processes of its block in a sandbox, on whatever agent they are launched:
 *
 * <pre>sandbox(profile: 'strict', minimumLevel: 'FULL') { sh 'make' }</pre>
 *
 * Every setting is optional, and the administrator's are a floor; see {@link EffectivePolicy}.
 */
public final class SandboxStep extends Step {
    private String profile;
    private String minimumLevel;
    private String onShortfall;

    @DataBoundConstructor
    public SandboxStep() {}

    @CheckForNull
    public String getProfile() {
        return profile;
    }

    /** @param profile the name of a profile; empty for the administrator's */
    @DataBoundSetter
    public void setProfile(@CheckForNull String profile) {
        String given = Util.fixEmptyAndTrim(profile);
        this.profile = given == null ? null : Profiles.check(given);
    }

    @CheckForNull
    public String getMinimumLevel() {
        return minimumLevel;
    }

    /** @param minimumLevel the name of a level; empty for the administrator's */
    @DataBoundSetter
    public void setMinimumLevel(@CheckForNull String minimumLevel) {
        String given = Util.fixEmptyAndTrim(minimumLevel);
        this.minimumLevel = given == null ? null : Levels.parse(given).name();
    }

    @CheckForNull
    public String getOnShortfall() {
        return onShortfall;
    }

    /** @param onShortfall {@code fail} or {@code warn}; empty for what the administrator chose */
    @DataBoundSetter
    public void setOnShortfall(@CheckForNull String onShortfall) {
        String given = Util.fixEmptyAndTrim(onShortfall);
        this.onShortfall = given == null ? null : OnShortfall.parse(given).word();
    }

    private SandboxSettings settings() {
        return new SandboxSettings(
                profile,
                minimumLevel == null ? null : Levels.parse(minimumLevel),
                onShortfall == null ? null : OnShortfall.parse(onShortfall));
    }

    @Override
    public StepExecution start(StepContext context) {
        return new Execution(context, settings());
    }

    private static final class Execution extends GeneralNonBlockingStepExecution {
        private static final long serialVersionUID = 1;

        private final SandboxSettings settings;

        /** Not the step's id in the graph: that is the same in every build, and agents outlive builds. */
        private final String block = UUID.randomUUID().toString().replace("-", "");

        Execution(StepContext context, SandboxSettings settings) {
            super(context);
            this.settings = settings;
        }

        /** Runs on the thread of the Pipeline's program: no agent is asked for anything here. */
        @Override
        public boolean start() throws Exception {
            StepContext context = getContext();
            SandboxBlock outer = context.get(SandboxBlock.class);
            SandboxSettings all = outer == null ? settings : settings.and(outer.settings());
            TaskListener listener = Objects.requireNonNull(context.get(TaskListener.class));
            EffectivePolicy.of(SandboxConfiguration.get().floor(), settings)
                    .raised()
                    .forEach(sentence -> listener.getLogger().println("[sandbox] " + sentence));
            context.newBodyInvoker()
                    .withContexts(
                            new SandboxBlock(all),
                            BodyInvoker.mergeLauncherDecorators(
                                    context.get(LauncherDecorator.class),
                                    new SandboxDecorator(new BlockOwner(context), block, all)))
                    .withCallback(new End())
                    .start();
            return false;
        }

        /** As {@link TailCall}, which does not tell how the body ended. */
        private final class End extends BodyExecutionCallback {
            private static final long serialVersionUID = 1;

            @Override
            public void onSuccess(StepContext context, Object result) {
                run(() -> {
                    finish(false);
                    context.onSuccess(result);
                });
            }

            @Override
            public void onFailure(StepContext context, Throwable t) {
                run(() -> {
                    try {
                        // Whoever aborts a build knows why, and does not want to wait.
                        finish(!(t instanceof FlowInterruptedException));
                    } catch (IOException | InterruptedException x) {
                        t.addSuppressed(x);
                    }
                    context.onFailure(t);
                });
            }
        }

        private void finish(boolean failed) throws IOException, InterruptedException {
            ScratchRemoval.remove(
                    Objects.requireNonNull(getContext().get(Run.class)),
                    block,
                    failed,
                    Objects.requireNonNull(getContext().get(TaskListener.class)));
        }
    }

    @Extension
    public static final class DescriptorImpl extends StepDescriptor {
        @Override
        public String getFunctionName() {
            return "sandbox";
        }

        @NonNull
        @Override
        public String getDisplayName() {
            return Messages.SandboxStep_DisplayName();
        }

        @Override
        public boolean takesImplicitBlockArgument() {
            return true;
        }

        /** Neither a launcher nor a workspace: so it can stand in the options of a Declarative Pipeline, and around nodes. */
        @Override
        public Set<? extends Class<?>> getRequiredContext() {
            return Set.of(Run.class, TaskListener.class);
        }

        @POST
        public ListBoxModel doFillProfileItems() {
            return Choices.optional(Choices.profiles());
        }

        @POST
        public ListBoxModel doFillMinimumLevelItems() {
            return Choices.optional(Choices.levels());
        }

        @POST
        public ListBoxModel doFillOnShortfallItems() {
            return Choices.optional(Choices.onShortfall());
        }

        /** No permission is needed: what is checked is a word that everybody may read in the list. */
        @POST
        public FormValidation doCheckProfile(@QueryParameter String value) {
            return Choices.checkProfile(value);
        }

        @POST
        public FormValidation doCheckMinimumLevel(@QueryParameter String value, @QueryParameter String profile) {
            return Choices.checkMinimumLevel(value, profile);
        }
    }
}
