package io.jenkins.plugins.sandbox.pipeline;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.LauncherDecorator;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import io.jenkins.plugins.sandbox.config.Choices;
import io.jenkins.plugins.sandbox.config.EffectivePolicy;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.config.SandboxSettings;
import io.jenkins.plugins.sandbox.config.Setting;
import io.jenkins.plugins.sandbox.controller.SandboxDecorator;
import io.jenkins.plugins.sandbox.controller.ScratchRemoval;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jenkinsci.plugins.structs.describable.CustomDescribableModel;
import org.jenkinsci.plugins.workflow.steps.BodyExecutionCallback;
import org.jenkinsci.plugins.workflow.steps.BodyInvoker;
import org.jenkinsci.plugins.workflow.steps.GeneralNonBlockingStepExecution;
import org.jenkinsci.plugins.workflow.steps.Step;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepDescriptor;
import org.jenkinsci.plugins.workflow.steps.StepExecution;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
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
    private SandboxSettings settings = SandboxSettings.NOTHING;

    @DataBoundConstructor
    public SandboxStep() {}

    /** @return everything that is asked for; for forms */
    @Restricted(NoExternalUse.class)
    public SandboxSettings getSettings() {
        return settings;
    }

    @CheckForNull
    public String getProfile() {
        return settings.word(Setting.PROFILE);
    }

    /** @param profile the name of a profile; empty for the administrator's */
    @DataBoundSetter
    public void setProfile(@CheckForNull String profile) {
        settings = settings.with(Setting.PROFILE, profile);
    }

    @CheckForNull
    public String getMinimumLevel() {
        return settings.word(Setting.MINIMUM_LEVEL);
    }

    /** @param minimumLevel the name of a level; empty for the administrator's */
    @DataBoundSetter
    public void setMinimumLevel(@CheckForNull String minimumLevel) {
        settings = settings.with(Setting.MINIMUM_LEVEL, minimumLevel);
    }

    @CheckForNull
    public String getOnShortfall() {
        return settings.word(Setting.ON_SHORTFALL);
    }

    /** @param onShortfall {@code fail}, {@code unstable} or {@code warn}; empty for the administrator's */
    @DataBoundSetter
    public void setOnShortfall(@CheckForNull String onShortfall) {
        settings = settings.with(Setting.ON_SHORTFALL, onShortfall);
    }

    @CheckForNull
    public String getNetwork() {
        return settings.word(Setting.NETWORK);
    }

    /** @param network {@code host} or {@code none}; empty for the administrator's */
    @DataBoundSetter
    public void setNetwork(@CheckForNull String network) {
        settings = settings.with(Setting.NETWORK, network);
    }

    @CheckForNull
    public String getHome() {
        return settings.word(Setting.HOME);
    }

    /** @param home {@code host}, {@code job}, {@code overlay}, {@code scratch} or {@code empty}; empty for the administrator's */
    @DataBoundSetter
    public void setHome(@CheckForNull String home) {
        settings = settings.with(Setting.HOME, home);
    }

    @CheckForNull
    public String getGit() {
        return settings.word(Setting.GIT);
    }

    /** @param git {@code protected}, {@code overlay} or {@code read-only}; empty for the administrator's */
    @DataBoundSetter
    public void setGit(@CheckForNull String git) {
        settings = settings.with(Setting.GIT, git);
    }

    @CheckForNull
    public String getMemory() {
        return settings.word(Setting.MEMORY);
    }

    /** @param memory an amount, for example {@code 2g}; empty for no limit */
    @DataBoundSetter
    public void setMemory(@CheckForNull String memory) {
        settings = settings.with(Setting.MEMORY, memory);
    }

    public boolean isAddressSpace() {
        return settings.word(Setting.ADDRESS_SPACE) != null;
    }

    /** @param addressSpace whether the address space of each process is limited too, by {@code memory} */
    @DataBoundSetter
    public void setAddressSpace(boolean addressSpace) {
        settings = settings.with(Setting.ADDRESS_SPACE, addressSpace ? "true" : null);
    }

    @CheckForNull
    public String getPids() {
        return settings.word(Setting.PIDS);
    }

    /** @param pids a number of processes and threads; empty for no limit */
    @DataBoundSetter
    public void setPids(@CheckForNull String pids) {
        settings = settings.with(Setting.PIDS, pids);
    }

    @CheckForNull
    public String getCpuTime() {
        return settings.word(Setting.CPU_TIME);
    }

    /** @param cpuTime a time, for example {@code 600} or {@code 10m}; empty for no limit */
    @DataBoundSetter
    public void setCpuTime(@CheckForNull String cpuTime) {
        settings = settings.with(Setting.CPU_TIME, cpuTime);
    }

    @CheckForNull
    public String getWallTime() {
        return settings.word(Setting.WALL_TIME);
    }

    /** @param wallTime a time, for example {@code 600} or {@code 10m}; empty for no limit */
    @DataBoundSetter
    public void setWallTime(@CheckForNull String wallTime) {
        settings = settings.with(Setting.WALL_TIME, wallTime);
    }

    @CheckForNull
    public String getCpus() {
        return settings.word(Setting.CPUS);
    }

    /** @param cpus processors, for example {@code 0-3}; empty for no limit */
    @DataBoundSetter
    public void setCpus(@CheckForNull String cpus) {
        settings = settings.with(Setting.CPUS, cpus);
    }

    @CheckForNull
    public String getCpuQuota() {
        return settings.word(Setting.CPU_QUOTA);
    }

    /** @param cpuQuota per cent of one processor; empty for no limit */
    @DataBoundSetter
    public void setCpuQuota(@CheckForNull String cpuQuota) {
        settings = settings.with(Setting.CPU_QUOTA, cpuQuota);
    }

    @CheckForNull
    public String getOpenFiles() {
        return settings.word(Setting.OPEN_FILES);
    }

    /** @param openFiles a number of files; empty for no limit */
    @DataBoundSetter
    public void setOpenFiles(@CheckForNull String openFiles) {
        settings = settings.with(Setting.OPEN_FILES, openFiles);
    }

    @CheckForNull
    public String getFileSize() {
        return settings.word(Setting.FILE_SIZE);
    }

    /** @param fileSize an amount, for example {@code 1g}; empty for no limit */
    @DataBoundSetter
    public void setFileSize(@CheckForNull String fileSize) {
        settings = settings.with(Setting.FILE_SIZE, fileSize);
    }

    @CheckForNull
    public String getWorkspaceSize() {
        return settings.word(Setting.WORKSPACE_SIZE);
    }

    /** @param workspaceSize an amount, for example {@code 20g}; empty for no limit */
    @DataBoundSetter
    public void setWorkspaceSize(@CheckForNull String workspaceSize) {
        settings = settings.with(Setting.WORKSPACE_SIZE, workspaceSize);
    }

    @CheckForNull
    public String getStack() {
        return settings.word(Setting.STACK);
    }

    /** @param stack an amount, for example {@code 8m}; empty for no limit */
    @DataBoundSetter
    public void setStack(@CheckForNull String stack) {
        settings = settings.with(Setting.STACK, stack);
    }

    @CheckForNull
    public String getLockedMemory() {
        return settings.word(Setting.LOCKED_MEMORY);
    }

    /** @param lockedMemory an amount, for example {@code 64k}; empty for no limit */
    @DataBoundSetter
    public void setLockedMemory(@CheckForNull String lockedMemory) {
        settings = settings.with(Setting.LOCKED_MEMORY, lockedMemory);
    }

    @CheckForNull
    public List<String> getRequiredPrimitives() {
        return settings.words(Setting.REQUIRED_PRIMITIVES);
    }

    /** @param requiredPrimitives names of primitives */
    @DataBoundSetter
    public void setRequiredPrimitives(@CheckForNull List<String> requiredPrimitives) {
        settings = settings.with(Setting.REQUIRED_PRIMITIVES, requiredPrimitives);
    }

    @CheckForNull
    public List<String> getReadPaths() {
        return settings.words(Setting.READ_PATHS);
    }

    /** @param readPaths paths that must be readable */
    @DataBoundSetter
    public void setReadPaths(@CheckForNull List<String> readPaths) {
        settings = settings.with(Setting.READ_PATHS, readPaths);
    }

    @CheckForNull
    public List<String> getWritePaths() {
        return settings.words(Setting.WRITE_PATHS);
    }

    /** @param writePaths paths that may be written to */
    @DataBoundSetter
    public void setWritePaths(@CheckForNull List<String> writePaths) {
        settings = settings.with(Setting.WRITE_PATHS, writePaths);
    }

    @CheckForNull
    public List<String> getExecPaths() {
        return settings.words(Setting.EXEC_PATHS);
    }

    /** @param execPaths paths that must be there to be executed */
    @DataBoundSetter
    public void setExecPaths(@CheckForNull List<String> execPaths) {
        settings = settings.with(Setting.EXEC_PATHS, execPaths);
    }

    @CheckForNull
    public List<String> getHidePaths() {
        return settings.words(Setting.HIDE_PATHS);
    }

    /** @param hidePaths paths that must not be seen */
    @DataBoundSetter
    public void setHidePaths(@CheckForNull List<String> hidePaths) {
        settings = settings.with(Setting.HIDE_PATHS, hidePaths);
    }

    @CheckForNull
    public List<String> getEnvironment() {
        return settings.words(Setting.ENVIRONMENT);
    }

    /** @param environment names of variables of the agent's own environment */
    @DataBoundSetter
    public void setEnvironment(@CheckForNull List<String> environment) {
        settings = settings.with(Setting.ENVIRONMENT, environment);
    }

    @Override
    public StepExecution start(StepContext context) {
        return new Execution(context, settings);
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
            SandboxSettings all = outer == null ? settings : settings.inside(outer.settings());
            TaskListener listener = Objects.requireNonNull(context.get(TaskListener.class));
            EffectivePolicy.of(SandboxConfiguration.get().floor(), all)
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
                    finish();
                    context.onSuccess(result);
                });
            }

            @Override
            public void onFailure(StepContext context, Throwable t) {
                run(() -> {
                    try {
                        finish();
                    } catch (IOException | InterruptedException x) {
                        t.addSuppressed(x);
                    }
                    context.onFailure(t);
                });
            }
        }

        private void finish() throws IOException, InterruptedException {
            ScratchRemoval.remove(
                    Objects.requireNonNull(getContext().get(Run.class)),
                    block,
                    Objects.requireNonNull(getContext().get(TaskListener.class)));
        }
    }

    @Extension
    public static final class DescriptorImpl extends StepDescriptor implements CustomDescribableModel {
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

        /** {@code pids: 100} is as good as {@code pids: '100'}. */
        @NonNull
        @Override
        public Map<String, Object> customInstantiate(@NonNull Map<String, Object> arguments) {
            Map<String, Object> words = new HashMap<>(arguments);
            words.replaceAll(
                    (key, value) -> value instanceof Integer || value instanceof Long ? value.toString() : value);
            return words;
        }

        @POST
        public ListBoxModel doFillProfileItems(@QueryParameter String profile) {
            return Choices.optional(Choices.profiles(profile));
        }

        @POST
        public ListBoxModel doFillMinimumLevelItems() {
            return Choices.optional(Choices.levels());
        }

        @POST
        public ListBoxModel doFillOnShortfallItems() {
            return Choices.optional(Choices.onShortfall());
        }

        @POST
        public ListBoxModel doFillNetworkItems() {
            return Choices.optional(Choices.networks());
        }

        @POST
        public ListBoxModel doFillGitItems() {
            return Choices.optional(Choices.git());
        }

        @POST
        public ListBoxModel doFillHomeItems() {
            return Choices.optional(Choices.homes());
        }

        /** No permission is needed, here and below: what is checked is a word that everybody may read in the list. */
        @POST
        public FormValidation doCheckProfile(@QueryParameter String value) {
            return Choices.checkProfile(value);
        }

        @POST
        public FormValidation doCheckMinimumLevel(@QueryParameter String value, @QueryParameter String profile) {
            return Choices.checkMinimumLevel(value, profile);
        }

        @POST
        public FormValidation doCheckRequiredPrimitives(@QueryParameter String value, @QueryParameter String profile) {
            return Choices.checkRequiredPrimitives(value, profile);
        }
    }
}
