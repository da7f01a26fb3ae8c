package io.jenkins.plugins.sandbox.config;

import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.List;

/** The drop-downs and checks that the pages have in common. */
public final class Choices {
    private Choices() {}

    public static ListBoxModel profiles() {
        ListBoxModel items = new ListBoxModel();
        items.add(Messages.Choices_standard(), "standard");
        items.add(Messages.Choices_strict(), "strict");
        items.add(Messages.Choices_offline(), "offline");
        items.add(Messages.Choices_locked(), "locked");
        return items;
    }

    /** @return the same, and first of all the choice to leave it to the administrator */
    public static ListBoxModel optional(ListBoxModel items) {
        items.add(0, new ListBoxModel.Option(Messages.Choices_Default(), ""));
        return items;
    }

    public static ListBoxModel levels() {
        ListBoxModel items = new ListBoxModel();
        items.add(Messages.Choices_FULL(), Level.FULL.name());
        items.add(Messages.Choices_PARTIAL(), Level.PARTIAL.name());
        items.add(Messages.Choices_BASELINE(), Level.BASELINE.name());
        items.add(Messages.Choices_NONE(), Level.NONE.name());
        return items;
    }

    public static ListBoxModel onShortfall() {
        ListBoxModel items = new ListBoxModel();
        items.add(Messages.Choices_fail(), OnShortfall.FAIL.word());
        items.add(Messages.Choices_warn(), OnShortfall.WARN.word());
        return items;
    }

    /** Says when a profile is unknown, or needs what this version cannot do yet. Empty is fine: the default is used. */
    public static FormValidation checkProfile(String profile) {
        if (profile.isBlank()) {
            return FormValidation.ok();
        }
        try {
            List<String> missing = Profile.named(Profiles.check(profile)).notBuiltYet();
            return missing.isEmpty()
                    ? FormValidation.ok()
                    : FormValidation.error(Messages.Choices_NotBuiltYet(profile, String.join(", ", missing)));
        } catch (IllegalArgumentException | SandboxException x) {
            return FormValidation.error(x.getMessage());
        }
    }

    /** Says when a level is unknown, or out of the profile's reach. Empty is fine: the default is used. */
    public static FormValidation checkMinimumLevel(String level, String profile) {
        if (level.isBlank()) {
            return FormValidation.ok();
        }
        try {
            Level minimum = Levels.parse(level);
            if (minimum == Level.NONE) {
                return FormValidation.warning(Messages.Choices_NoneMeansUnprotected());
            }
            return "standard".equals(profile) && minimum.compareTo(Level.BASELINE) > 0
                    ? FormValidation.warning(Messages.Choices_OutOfReach(minimum))
                    : FormValidation.ok();
        } catch (IllegalArgumentException x) {
            return FormValidation.error(x.getMessage());
        }
    }
}
