package io.jenkins.plugins.sandbox.freestyle;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.Extension;
import hudson.Launcher;
import hudson.Util;
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
import io.jenkins.plugins.sandbox.config.Levels;
import io.jenkins.plugins.sandbox.config.OnShortfall;
import io.jenkins.plugins.sandbox.config.Profiles;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.config.SandboxSettings;
import io.jenkins.plugins.sandbox.controller.SandboxDecorator;
import java.util.UUID;
import org.jenkinsci.Symbol;
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
    private String profile;
    private String minimumLevel;
    private String onShortfall;

    @DataBoundConstructor
    public SandboxWrapper() {}

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

    /** What is stored may come from another version, or have been edited by hand. */
    private SandboxSettings settings() throws AbortException {
        try {
            return new SandboxSettings(
                    profile == null ? null : Profiles.check(profile),
                    minimumLevel == null ? null : Levels.parse(minimumLevel),
                    onShortfall == null ? null : OnShortfall.parse(onShortfall));
        } catch (IllegalArgumentException x) {
            throw new AbortException(x.getMessage());
        }
    }

    @Override
    @SuppressWarnings("rawtypes") // as declared in core
    public Launcher decorateLauncher(AbstractBuild build, Launcher launcher, BuildListener listener)
            throws AbortException {
        Node node = build.getBuiltOn();
        if (node == null) {
            throw new AbortException(Messages.SandboxWrapper_NoNode());
        }
        SandboxSettings settings = settings();
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

    @Extension
    @Symbol("sandbox")
    public static final class DescriptorImpl extends BuildWrapperDescriptor {
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
