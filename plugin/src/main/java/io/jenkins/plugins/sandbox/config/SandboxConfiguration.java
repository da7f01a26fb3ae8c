package io.jenkins.plugins.sandbox.config;

import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.BulkChange;
import hudson.Extension;
import hudson.ExtensionList;
import hudson.model.PersistentDescriptor;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import io.jenkins.plugins.sandbox.model.Level;
import java.io.IOException;
import java.util.Objects;
import jenkins.model.GlobalConfiguration;
import jenkins.model.GlobalConfigurationCategory;
import jenkins.model.Jenkins;
import net.sf.json.JSONObject;
import org.jenkinsci.Symbol;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.verb.POST;

/**
 * The administrator's settings: <em>Manage Jenkins &gt; Security &gt; Process Sandbox</em>, {@code security: processSandbox:}
 * in Configuration as Code. They are what a step gets that says nothing, and a floor for one that does.
 */
@Extension
@Symbol("processSandbox")
public final class SandboxConfiguration extends GlobalConfiguration implements PersistentDescriptor {
    // Words, as people write them: a file from another version, or one edited by hand, must still load.
    private String profile = Profiles.DEFAULT;
    private String minimumLevel = Level.BASELINE.name();
    private String onShortfall = OnShortfall.FAIL.word();
    private Compulsory compulsory = new Compulsory();

    /** @return the one instance */
    public static SandboxConfiguration get() {
        return ExtensionList.lookupSingleton(SandboxConfiguration.class);
    }

    @NonNull
    @Override
    public String getDisplayName() {
        return Messages.SandboxConfiguration_DisplayName();
    }

    @NonNull
    @Override
    public GlobalConfigurationCategory getCategory() {
        return GlobalConfigurationCategory.get(GlobalConfigurationCategory.Security.class);
    }

    public String getProfile() {
        return profile;
    }

    @DataBoundSetter
    public void setProfile(String profile) {
        this.profile = Profiles.check(profile);
        save();
    }

    public String getMinimumLevel() {
        return minimumLevel;
    }

    @DataBoundSetter
    public void setMinimumLevel(String minimumLevel) {
        this.minimumLevel = Levels.parse(minimumLevel).name();
        save();
    }

    public String getOnShortfall() {
        return onShortfall;
    }

    @DataBoundSetter
    public void setOnShortfall(String onShortfall) {
        this.onShortfall = OnShortfall.parse(onShortfall).word();
        save();
    }

    @NonNull
    public Compulsory getCompulsory() {
        return compulsory;
    }

    @DataBoundSetter
    public void setCompulsory(@NonNull Compulsory compulsory) {
        this.compulsory = Objects.requireNonNull(compulsory);
        save();
    }

    @Override
    public boolean configure(StaplerRequest2 req, JSONObject json) throws FormException {
        try (BulkChange all = new BulkChange(this)) {
            req.bindJSON(this, json);
            all.commit();
        } catch (IOException x) {
            throw new FormException(
                    "The settings of the process sandbox could not be stored: " + x.getMessage(), x, "");
        }
        return true;
    }

    /**
     * The floor for a launch.
     *
     * @return complete settings
     * @throws AbortException when what is stored cannot be understood; launching with anything weaker than what was meant
     *     is not an option
     */
    public SandboxSettings floor() throws AbortException {
        try {
            return new SandboxSettings(
                    Profiles.check(profile), Levels.parse(minimumLevel), OnShortfall.parse(onShortfall));
        } catch (IllegalArgumentException x) {
            throw new AbortException(Messages.SandboxConfiguration_Unusable(x.getMessage()));
        }
    }

    @POST
    public ListBoxModel doFillProfileItems() {
        return Choices.profiles();
    }

    @POST
    public ListBoxModel doFillMinimumLevelItems() {
        return Choices.levels();
    }

    @POST
    public ListBoxModel doFillOnShortfallItems() {
        return Choices.onShortfall();
    }

    @POST
    public FormValidation doCheckMinimumLevel(@QueryParameter String value, @QueryParameter String profile) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        return Choices.checkMinimumLevel(value, profile);
    }

    @POST
    public FormValidation doCheckOnShortfall(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        try {
            return OnShortfall.parse(value) == OnShortfall.WARN
                    ? FormValidation.warning(Messages.SandboxConfiguration_WarnMeansUnprotected())
                    : FormValidation.ok();
        } catch (IllegalArgumentException x) {
            return FormValidation.error(x.getMessage());
        }
    }

    @POST
    public FormValidation doCheckProfile(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        return Choices.checkProfile(value);
    }
}
