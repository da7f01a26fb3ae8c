package io.jenkins.plugins.sandbox.config;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.BulkChange;
import hudson.Extension;
import hudson.ExtensionList;
import hudson.init.InitMilestone;
import hudson.init.Initializer;
import hudson.model.PersistentDescriptor;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jenkins.model.GlobalConfiguration;
import jenkins.model.GlobalConfigurationCategory;
import jenkins.model.Jenkins;
import net.sf.json.JSONArray;
import net.sf.json.JSONObject;
import org.jenkinsci.Symbol;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
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
    private static final Logger LOGGER = Logger.getLogger(SandboxConfiguration.class.getName());

    // Words, as people write them: a file from another version, or one edited by hand, must still load.
    private String profile = Profiles.DEFAULT;
    private List<SandboxProfile> profiles = new ArrayList<>();
    private String minimumLevel = Level.BASELINE.name();
    private List<String> requiredPrimitives = new ArrayList<>();
    private String onShortfall = OnShortfall.FAIL.word();
    private List<String> relaxations = new ArrayList<>();
    private List<String> allowedPaths = new ArrayList<>();
    private Compulsory compulsory = new Compulsory();

    /** Whether several properties are being changed, to be stored together. */
    private transient boolean changing;

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

    /** @param profile the name of the default profile; it need not be defined yet, since nobody says what is set first */
    @DataBoundSetter
    public void setProfile(String profile) {
        this.profile = Profiles.checkName(profile);
        save();
    }

    public List<SandboxProfile> getProfiles() {
        return List.copyOf(profiles);
    }

    /** @param profiles the administrator's own ones */
    @DataBoundSetter
    public void setProfiles(@CheckForNull List<SandboxProfile> profiles) {
        List<SandboxProfile> own = profiles == null ? List.of() : profiles;
        new Profiles(own);
        this.profiles = new ArrayList<>(own);
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

    public List<String> getRequiredPrimitives() {
        return List.copyOf(requiredPrimitives);
    }

    /** @param requiredPrimitives what must have been applied whatever the level is */
    @DataBoundSetter
    public void setRequiredPrimitives(@CheckForNull List<String> requiredPrimitives) {
        this.requiredPrimitives = words(requiredPrimitives, Setting.REQUIRED_PRIMITIVES::check);
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

    public List<String> getRelaxations() {
        return List.copyOf(relaxations);
    }

    /** @param relaxations what jobs may loosen: some of {@link Relaxation}'s words */
    @DataBoundSetter
    public void setRelaxations(@CheckForNull List<String> relaxations) {
        this.relaxations = words(relaxations, w -> Relaxation.parse(w).word());
        save();
    }

    public List<String> getAllowedPaths() {
        return List.copyOf(allowedPaths);
    }

    /** @param allowedPaths directories and files that jobs may name, with everything below them */
    @DataBoundSetter
    public void setAllowedPaths(@CheckForNull List<String> allowedPaths) {
        this.allowedPaths = words(allowedPaths, Setting.WRITE_PATHS::check);
        save();
    }

    /** @param values single words, or several lines of them, as text areas send them */
    private static List<String> words(@CheckForNull List<String> values, UnaryOperator<String> check) {
        return values == null
                ? new ArrayList<>()
                : values.stream()
                        .flatMap(String::lines)
                        .filter(w -> !w.isBlank())
                        .map(check)
                        .distinct()
                        .collect(Collectors.toCollection(ArrayList::new));
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

    /**
     * Configuration as Code sets one property after the other, in any order, and saves when it has set all: only then can be told
     * whether they go together.
     *
     * @throws IllegalStateException when several were changed at once, and do not; nothing is stored then, and no build launches
     *     anything until that is put right
     */
    @Override
    public synchronized void save() {
        if (BulkChange.contains(this)) {
            changing = true;
            return;
        }
        if (changing) {
            changing = false;
            try {
                floor();
            } catch (AbortException x) {
                throw new IllegalStateException(x.getMessage(), x);
            }
        }
        super.save();
    }

    @Override
    public boolean configure(StaplerRequest2 req, JSONObject json) throws FormException {
        // What has no element is not sent at all.
        Stream.of("profiles", "relaxations").filter(k -> !json.has(k)).forEach(k -> json.put(k, new JSONArray()));
        SandboxConfiguration tried = new SandboxConfiguration();
        try (BulkChange trial = new BulkChange(tried);
                BulkChange all = new BulkChange(this)) {
            // All or nothing: a mistake in one field must not leave half of the others changed.
            req.bindJSON(tried, json);
            tried.floor();
            req.bindJSON(this, json);
            all.commit();
        } catch (IOException x) {
            throw new FormException(Messages.SandboxConfiguration_NotStored(x.getMessage()), x, "");
        } catch (RuntimeException | LinkageError x) {
            // However deep data binding has wrapped it.
            Throwable cause = x;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            throw new FormException(Messages.SandboxConfiguration_NotStored(cause.getMessage()), x, "");
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
    public Floor floor() throws AbortException {
        try {
            Profiles known = new Profiles(profiles);
            return new Floor(
                    known.get(profile),
                    Levels.parse(minimumLevel),
                    OnShortfall.parse(onShortfall),
                    requiredPrimitives.stream()
                            .map(Setting.REQUIRED_PRIMITIVES::check)
                            .map(n -> Primitive.named(n).orElseThrow())
                            .collect(Collectors.toSet()),
                    relaxations.stream().map(Relaxation::parse).collect(Collectors.toSet()),
                    allowedPaths.stream().map(SandboxPath::parse).toList(),
                    known);
        } catch (IllegalArgumentException x) {
            throw new AbortException(Messages.SandboxConfiguration_Unusable(x.getMessage()));
        }
    }

    /** What was stored may have been written by hand, or by another version. */
    @Initializer(after = InitMilestone.JOB_CONFIG_ADAPTED)
    public static void check() {
        try {
            get().floor();
        } catch (AbortException x) {
            LOGGER.severe(x.getMessage());
        }
    }

    @POST
    public ListBoxModel doFillProfileItems(@QueryParameter String profile) {
        return Choices.profiles(profile);
    }

    @POST
    public ListBoxModel doFillMinimumLevelItems() {
        return Choices.levels();
    }

    @POST
    public ListBoxModel doFillOnShortfallItems() {
        return Choices.onShortfall();
    }

    /** @return words as a text area shows them; for forms */
    @Restricted(NoExternalUse.class)
    public String lines(List<String> words) {
        return String.join("\n", words);
    }

    @POST
    public FormValidation doCheckMinimumLevel(@QueryParameter String value, @QueryParameter String profile) {
        Jenkins.get().checkPermission(Jenkins.SYSTEM_READ);
        return Choices.checkMinimumLevel(value, profile);
    }

    @POST
    public FormValidation doCheckOnShortfall(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.SYSTEM_READ);
        try {
            return OnShortfall.parse(value) == OnShortfall.FAIL
                    ? FormValidation.ok()
                    : FormValidation.warning(Messages.SandboxConfiguration_WarnMeansUnprotected());
        } catch (IllegalArgumentException x) {
            return FormValidation.error(x.getMessage());
        }
    }

    @POST
    public FormValidation doCheckProfile(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.SYSTEM_READ);
        return Choices.checkProfile(value);
    }

    @POST
    public FormValidation doCheckRequiredPrimitives(@QueryParameter String value, @QueryParameter String profile) {
        Jenkins.get().checkPermission(Jenkins.SYSTEM_READ);
        return Choices.checkRequiredPrimitives(value, profile);
    }

    @POST
    public FormValidation doCheckAllowedPaths(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.SYSTEM_READ);
        return Choices.check(() -> words(List.of(value), Setting.WRITE_PATHS::check));
    }
}
