package io.jenkins.plugins.sandbox.config;

import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import java.util.List;

/** The drop-downs and checks that the pages have in common. */
public final class Choices {
    private Choices() {}

    /** What a check does; it ends with an exception when something is wrong. */
    @FunctionalInterface
    public interface Check {
        void run();
    }

    public static ListBoxModel builtInProfiles() {
        ListBoxModel items = new ListBoxModel();
        items.add(Messages.Choices_standard(), "standard");
        items.add(Messages.Choices_strict(), "strict");
        items.add(Messages.Choices_offline(), "offline");
        items.add(Messages.Choices_locked(), "locked");
        return items;
    }

    /**
     * @param current what is chosen now: it stays in the list when there is no such profile any more, or storing the form
     *     would silently choose another one
     */
    public static ListBoxModel profiles(String current) {
        ListBoxModel items = builtInProfiles();
        SandboxConfiguration.get().getProfiles().forEach(p -> items.add(p.getName()));
        if (!current.isBlank() && items.stream().noneMatch(i -> i.value.equals(current))) {
            items.add(Messages.Choices_Gone(current), current);
        }
        return items;
    }

    /** @return the same, and first of all the choice to leave it to the administrator */
    public static ListBoxModel optional(ListBoxModel items) {
        return optional(items, Messages.Choices_Default());
    }

    /** @return the same, and first of all the choice to say nothing */
    static ListBoxModel optional(ListBoxModel items, String label) {
        items.add(0, new ListBoxModel.Option(label, ""));
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
        items.add(Messages.Choices_unstable(), OnShortfall.UNSTABLE.word());
        items.add(Messages.Choices_warn(), OnShortfall.WARN.word());
        return items;
    }

    public static ListBoxModel networks() {
        ListBoxModel items = new ListBoxModel();
        items.add(Messages.Choices_networkNone(), "none");
        items.add(Messages.Choices_networkHost(), "host");
        return items;
    }

    public static ListBoxModel homes() {
        ListBoxModel items = new ListBoxModel();
        items.add(Messages.Choices_homeEmpty(), "empty");
        items.add(Messages.Choices_homeScratch(), "scratch");
        items.add(Messages.Choices_homeOverlay(), "overlay");
        items.add(Messages.Choices_homeJob(), "job");
        items.add(Messages.Choices_homeHost(), "host");
        return items;
    }

    public static ListBoxModel git() {
        ListBoxModel items = new ListBoxModel();
        items.add(Messages.Choices_gitReadOnly(), "read-only");
        items.add(Messages.Choices_gitOverlay(), "overlay");
        items.add(Messages.Choices_gitProtected(), "protected");
        return items;
    }

    /** Says what an exception says. */
    public static FormValidation check(Check check) {
        try {
            check.run();
            return FormValidation.ok();
        } catch (IllegalArgumentException x) {
            return FormValidation.error(x.getMessage());
        }
    }

    /** Says when a profile is unknown. Empty is fine: the default is used. */
    public static FormValidation checkProfile(String profile) {
        if (profile.isBlank()) {
            return FormValidation.ok();
        }
        try {
            new Profiles(SandboxConfiguration.get().getProfiles()).get(Profiles.checkName(profile));
            return FormValidation.ok();
        } catch (IllegalArgumentException x) {
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

    /** Says when a primitive is unknown, or is not part of the profile, so that it can never have been applied. */
    public static FormValidation checkRequiredPrimitives(String lines, String profile) {
        try {
            List<String> names = lines.lines()
                    .filter(l -> !l.isBlank())
                    .map(Setting.REQUIRED_PRIMITIVES::check)
                    .toList();
            if (profile.isBlank()) {
                return FormValidation.ok();
            }
            List<Primitive> asked = new Profiles(SandboxConfiguration.get().getProfiles())
                    .get(profile)
                    .definition()
                    .primitives();
            List<String> missing = names.stream()
                    .filter(n -> asked.stream().noneMatch(p -> p.wireName().equals(n)))
                    .toList();
            return missing.isEmpty()
                    ? FormValidation.ok()
                    : FormValidation.warning(Messages.Choices_NotInProfile(String.join(", ", missing), profile));
        } catch (IllegalArgumentException x) {
            return FormValidation.error(x.getMessage());
        }
    }
}
