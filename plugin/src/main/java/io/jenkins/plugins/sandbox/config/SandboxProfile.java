package io.jenkins.plugins.sandbox.config;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.model.AbstractDescribableImpl;
import hudson.model.Descriptor;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.pipeline.SandboxStep;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.List;
import java.util.stream.Stream;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.verb.POST;

/**
 * A profile of the administrator's own: a built-in one, and what is different about it. It may be weaker than the one that it
 * is based on; that is for the administrator to decide.
 */
public final class SandboxProfile extends AbstractDescribableImpl<SandboxProfile> {
    private final String name;
    private final String base;
    private SandboxSettings settings = SandboxSettings.NOTHING;

    /** Lines; {@code null} for none. */
    @CheckForNull
    private String syscalls;

    private boolean choosable;

    /**
     * @param name {@code [a-z0-9-]}, at most 32 characters, and none of a built-in profile
     * @param base the name of a built-in profile
     * @throws IllegalArgumentException when one of them is not that
     */
    @DataBoundConstructor
    public SandboxProfile(String name, String base) {
        this.name = checkName(name);
        this.base = checkBase(base);
    }

    private static String checkName(@CheckForNull String name) {
        String checked = Profiles.checkName(String.valueOf(name));
        if (Profile.BUILT_IN.contains(checked)) {
            throw new IllegalArgumentException(
                    "The name '" + checked + "' is taken by a built-in profile: choose another.");
        }
        return checked;
    }

    private static String checkBase(@CheckForNull String base) {
        if (!Profile.BUILT_IN.contains(base)) {
            throw new IllegalArgumentException("A profile cannot be based on '" + base + "': use one of "
                    + String.join(", ", Profile.BUILT_IN) + ".");
        }
        return base;
    }

    public String getName() {
        return name;
    }

    public String getBase() {
        return base;
    }

    public boolean isChoosable() {
        return choosable;
    }

    /** @param choosable whether jobs may choose it even where it is weaker than the default profile */
    @DataBoundSetter
    public void setChoosable(boolean choosable) {
        this.choosable = choosable;
    }

    @CheckForNull
    public List<String> getSyscalls() {
        return syscalls == null ? null : syscalls.lines().toList();
    }

    /** @return the same as lines; for forms */
    @Restricted(NoExternalUse.class)
    @CheckForNull
    public String getSyscallsText() {
        return syscalls;
    }

    /** @return everything that is different; for forms */
    @Restricted(NoExternalUse.class)
    public SandboxSettings getSettings() {
        return settings;
    }

    /** @param syscalls groups of system calls that are allowed as well, and with a {@code -} before it those that are not */
    @DataBoundSetter
    public void setSyscalls(@CheckForNull List<String> syscalls) {
        List<String> groups = syscalls == null
                ? List.of()
                : syscalls.stream()
                        .flatMap(s -> Stream.of(s.strip().split("\\s+")))
                        .filter(s -> !s.isEmpty())
                        .distinct()
                        .toList();
        this.syscalls = groups.isEmpty() ? null : String.join("\n", groups);
    }

    @CheckForNull
    public String getNetwork() {
        return settings.word(Setting.NETWORK);
    }

    /** @param network {@code host} or {@code none}; empty for the one of the base */
    @DataBoundSetter
    public void setNetwork(@CheckForNull String network) {
        settings = settings.with(Setting.NETWORK, network);
    }

    @CheckForNull
    public String getHome() {
        return settings.word(Setting.HOME);
    }

    /** @param home {@code host}, {@code job}, {@code overlay}, {@code scratch} or {@code empty}; empty for the one of the base */
    @DataBoundSetter
    public void setHome(@CheckForNull String home) {
        settings = settings.with(Setting.HOME, home);
    }

    @CheckForNull
    public String getGit() {
        return settings.word(Setting.GIT);
    }

    /** @param git {@code protected}, {@code overlay} or {@code read-only}; empty for the one of the base */
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

    /**
     * Puts it together. What is stored may come from another version or have been edited, so everything is looked at again.
     *
     * @throws IllegalArgumentException when it cannot be used; the message names the profile
     */
    KnownProfile resolve() {
        try {
            checkName(name);
            Profile definition = Profiles.builtIn(checkBase(base)).withName(name);
            if (settings == null) {
                throw new IllegalArgumentException("the stored settings are damaged: store them again.");
            }
            settings.check();
            Profile.Home home = settings.home();
            if (home != null) {
                if (!definition.primitives().contains(Primitive.FILESYSTEM) && home != Profile.Home.HOST) {
                    throw needs("home", "a view of the file system of its own");
                }
                definition = definition.withHome(home);
            }
            Profile.Git git = settings.git();
            if (git != null) {
                if (!definition.primitives().contains(Primitive.FILESYSTEM)) {
                    throw needs("git", "a view of the file system of its own");
                }
                definition = definition.withGit(git);
            }
            Profile.Network network = settings.network();
            if (network != null) {
                definition = definition.withNetwork(network);
            }
            if (syscalls != null) {
                if (!definition.primitives().contains(Primitive.SECCOMP)) {
                    throw needs("syscalls", "a filter on system calls");
                }
                definition = definition.withSyscalls(syscalls.lines().toList());
            }
            return new KnownProfile(
                    definition.withLimits(settings.limits(definition.limits().toBuilder())),
                    settings.paths(),
                    settings.environment(),
                    choosable);
        } catch (SandboxException | IllegalArgumentException x) {
            throw new IllegalArgumentException("Profile '" + name + "': " + x.getMessage(), x);
        }
    }

    private IllegalArgumentException needs(String setting, String what) {
        return new IllegalArgumentException(setting + " needs " + what + ", which profile '" + base
                + "' does not have. Base it on 'strict', or leave it out.");
    }

    @Extension
    public static final class DescriptorImpl extends Descriptor<SandboxProfile> {
        /** What a setting does is the same everywhere. */
        public DescriptorImpl() {
            for (Setting setting : Setting.values()) {
                addHelpFileRedirect(setting.key(), SandboxStep.class, setting.key());
            }
        }

        @NonNull
        @Override
        public String getDisplayName() {
            return Messages.SandboxProfile_DisplayName();
        }

        @POST
        public ListBoxModel doFillBaseItems() {
            return Choices.builtInProfiles();
        }

        @POST
        public ListBoxModel doFillNetworkItems() {
            return Choices.optional(Choices.networks(), Messages.Choices_OfBase());
        }

        @POST
        public ListBoxModel doFillGitItems() {
            return Choices.optional(Choices.git(), Messages.Choices_OfBase());
        }

        @POST
        public ListBoxModel doFillHomeItems() {
            return Choices.optional(Choices.homes(), Messages.Choices_OfBase());
        }

        /** No permission is needed, here and below: nothing is looked at but what was written. */
        @POST
        public FormValidation doCheckName(@QueryParameter String value) {
            return Choices.check(() -> checkName(value));
        }

        @POST
        public FormValidation doCheckSyscalls(@QueryParameter String value, @QueryParameter String base) {
            return Choices.check(() -> {
                SandboxProfile profile = new SandboxProfile("checked", base);
                profile.setSyscalls(List.of(value));
                profile.resolve();
            });
        }

        @POST
        public FormValidation doCheckHome(@QueryParameter String value, @QueryParameter String base) {
            return Choices.check(() -> {
                SandboxProfile profile = new SandboxProfile("checked", base);
                profile.setHome(value);
                profile.resolve();
            });
        }

        @POST
        public FormValidation doCheckGit(@QueryParameter String value, @QueryParameter String base) {
            return Choices.check(() -> {
                SandboxProfile profile = new SandboxProfile("checked", base);
                profile.setGit(value);
                profile.resolve();
            });
        }

        @POST
        public FormValidation doCheckNetwork(@QueryParameter String value, @QueryParameter String base) {
            return Choices.check(() -> {
                SandboxProfile profile = new SandboxProfile("checked", base);
                profile.setNetwork(value);
                profile.resolve();
            });
        }

        /** For every form that has the settings in it: the name of the setting follows in the path. */
        @POST
        public FormValidation doCheckSetting(StaplerRequest2 request, @QueryParameter String value) {
            return Choices.check(() -> {
                String key = request.getRestOfPath().replaceFirst("^/", "");
                Setting setting = Setting.of(key).orElseThrow(IllegalArgumentException::new);
                value.lines().filter(v -> !v.isBlank()).forEach(setting::check);
            });
        }
    }
}
