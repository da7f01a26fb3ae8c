package io.jenkins.plugins.sandbox.freestyle;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.Extension;
import hudson.Launcher;
import hudson.model.AbstractBuild;
import hudson.model.AbstractProject;
import hudson.model.BuildListener;
import hudson.model.Node;
import hudson.tasks.BuildWrapper;
import hudson.tasks.BuildWrapperDescriptor;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import io.jenkins.plugins.sandbox.config.Choices;
import io.jenkins.plugins.sandbox.config.EffectivePolicy;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.config.SandboxSettings;
import io.jenkins.plugins.sandbox.config.Setting;
import io.jenkins.plugins.sandbox.controller.SandboxDecorator;
import io.jenkins.plugins.sandbox.pipeline.SandboxStep;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jenkinsci.Symbol;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.verb.POST;

/**
 * Launches all processes of a freestyle job in a sandbox: those of its steps, of what comes after them, and of its source
 * control tool as far as that is launched on the agent.
 *
 * <p>Not a {@code SimpleBuildWrapper}: Pipeline would offer that in its {@code wrap} step, and never ask it for a launcher.
 */
public final class SandboxWrapper extends BuildWrapper {
    private SandboxSettings settings = SandboxSettings.NOTHING;

    @DataBoundConstructor
    public SandboxWrapper() {}

    /** A job whose file says nothing asks for nothing. */
    private Object readResolve() {
        if (settings == null) {
            settings = SandboxSettings.NOTHING;
        }
        return this;
    }

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
    @SuppressWarnings("rawtypes") // as declared in core
    public Launcher decorateLauncher(AbstractBuild build, Launcher launcher, BuildListener listener)
            throws AbortException {
        Node node = build.getBuiltOn();
        if (node == null) {
            throw new AbortException(Messages.SandboxWrapper_NoNode());
        }
        EffectivePolicy.of(SandboxConfiguration.get().floor(), settings)
                .raised()
                .forEach(sentence -> listener.getLogger().println("[sandbox] " + sentence));
        String block = UUID.randomUUID().toString().replace("-", "");
        return new SandboxDecorator(new BuildOwner(build), block, settings).decorate(launcher, node);
    }

    /** The launcher is all there is to it; what its launches leave behind is removed when the build is over. */
    @Override
    @SuppressWarnings("rawtypes") // as declared in core
    public Environment setUp(AbstractBuild build, Launcher launcher, BuildListener listener) {
        return new Environment() {};
    }

    /** Comes last, so that it has the first say about a command: inside of a container of another wrapper. */
    @Extension(ordinal = -Double.MAX_VALUE)
    @Symbol("sandbox")
    public static final class DescriptorImpl extends BuildWrapperDescriptor {
        private static final Set<Setting> OWN_HELP =
                EnumSet.of(Setting.PROFILE, Setting.MINIMUM_LEVEL, Setting.ON_SHORTFALL);

        /** Most settings do here what they do in a step. */
        public DescriptorImpl() {
            EnumSet.complementOf(EnumSet.copyOf(OWN_HELP))
                    .forEach(s -> addHelpFileRedirect(s.key(), SandboxStep.class, s.key()));
        }

        @NonNull
        @Override
        public String getDisplayName() {
            return Messages.SandboxWrapper_DisplayName();
        }

        @Override
        public boolean isApplicable(AbstractProject<?, ?> item) {
            return true;
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
