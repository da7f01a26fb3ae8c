package io.jenkins.plugins.sandbox.config;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.Util;
import hudson.model.AutoCompletionCandidates;
import hudson.model.Describable;
import hudson.model.Descriptor;
import hudson.model.Item;
import hudson.model.Job;
import hudson.model.Label;
import hudson.model.Node;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.verb.POST;

/**
 * Where builds are sandboxed whether or not they ask for it. What is stored and cannot be understood, for example in a file
 * that was edited by hand, counts as everywhere, and as no exception.
 */
public final class Compulsory implements Describable<Compulsory> {
    private static final Logger LOGGER = Logger.getLogger(Compulsory.class.getName());

    /** On which nodes. */
    private enum Where {
        /** On those only that say so themselves. */
        NOWHERE,
        /** On those as well that match the label expression. */
        LABEL,
        /** On all. */
        EVERYWHERE;

        private String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        private static Where parse(String word) {
            for (Where each : values()) {
                if (each.name().equalsIgnoreCase(word.trim())) {
                    return each;
                }
            }
            throw new IllegalArgumentException(
                    "A sandbox cannot be compulsory '" + word + "': use 'nowhere', 'label' or 'everywhere'.");
        }
    }

    // Words, as people write them: a file from another version, or one edited by hand, must still load.
    private String where = Where.NOWHERE.word();
    private String label;
    private String exceptions;
    private String allowedSteps;

    @DataBoundConstructor
    public Compulsory() {}

    @NonNull
    public String getWhere() {
        return where;
    }

    /**
     * @param where {@code nowhere}, {@code label} or {@code everywhere}
     * @throws IllegalArgumentException when it is none of them
     */
    @DataBoundSetter
    public void setWhere(@NonNull String where) {
        this.where = Where.parse(where).word();
    }

    @CheckForNull
    public String getLabel() {
        return label;
    }

    /**
     * @param label a label expression; only used with {@code label}
     * @throws IllegalArgumentException when it cannot be parsed
     */
    @DataBoundSetter
    public void setLabel(@CheckForNull String label) {
        String given = Util.fixEmptyAndTrim(label);
        if (given != null) {
            parse(given);
        }
        this.label = given;
    }

    @CheckForNull
    public String getExceptions() {
        return exceptions;
    }

    /** @param exceptions full names of jobs, or of folders for all that is in them, one a line */
    @DataBoundSetter
    public void setExceptions(@CheckForNull String exceptions) {
        this.exceptions = Util.fixEmptyAndTrim(exceptions);
    }

    @CheckForNull
    public String getAllowedSteps() {
        return allowedSteps;
    }

    /** @param allowedSteps function names or symbols of steps, separated by blanks, commas or line ends */
    @DataBoundSetter
    public void setAllowedSteps(@CheckForNull String allowedSteps) {
        String given = Util.fixEmptyAndTrim(allowedSteps);
        if (given != null) {
            for (String name : given.split("[,\\s]+")) {
                if (!name.matches("[A-Za-z_$][\\w$.]*")) {
                    throw new IllegalArgumentException(
                            "allowedSteps: '" + name + "' is not the name of a step: write for example readTrusted.");
                }
            }
        }
        this.allowedSteps = given;
    }

    /** @return whether an administrator lets a step work on nodes where the sandbox is enforced, whatever its arguments are */
    public boolean allowsStep(String name) {
        return allowedSteps != null && Arrays.asList(allowedSteps.split("[,\\s]+")).contains(name);
    }

    private static Label parse(String expression) {
        try {
            return Label.parseExpression(expression);
        } catch (IllegalArgumentException x) {
            throw new IllegalArgumentException("The label expression '" + expression + "' cannot be parsed ("
                    + x.getMessage() + "): write it as in a job, for example 'linux && !trusted'.");
        }
    }

    /** @return whether all builds on a node are sandboxed */
    public boolean covers(Node node) {
        try {
            return switch (Where.parse(String.valueOf(where))) {
                case NOWHERE -> false;
                case EVERYWHERE -> true;
                case LABEL -> label == null || parse(label).matches(node);
            };
        } catch (IllegalArgumentException x) {
            LOGGER.log(
                    Level.WARNING, "{0} The sandbox is compulsory everywhere until this is corrected.", x.getMessage());
            return true;
        }
    }

    /** @return whether the builds of a job are not sandboxed unless they ask for it, on whatever node */
    public boolean excepts(Job<?, ?> job) {
        return exceptions != null && names(exceptions).stream().anyMatch(n -> isIn(job.getFullName(), n));
    }

    private static boolean isIn(String job, String name) {
        return job.equals(name) || job.startsWith(name + "/");
    }

    private static List<String> names(String lines) {
        return Arrays.stream(lines.split("\\R"))
                .map(l -> l.trim().replaceAll("^/+|/+$", ""))
                .filter(l -> !l.isEmpty())
                .toList();
    }

    @Extension
    public static final class DescriptorImpl extends Descriptor<Compulsory> {
        @NonNull
        @Override
        public String getDisplayName() {
            return Messages.Compulsory_DisplayName();
        }

        @POST
        public ListBoxModel doFillWhereItems() {
            ListBoxModel items = new ListBoxModel();
            items.add(Messages.Compulsory_nowhere(), Where.NOWHERE.word());
            items.add(Messages.Compulsory_label(), Where.LABEL.word());
            items.add(Messages.Compulsory_everywhere(), Where.EVERYWHERE.word());
            return items;
        }

        @POST
        public FormValidation doCheckLabel(@QueryParameter String value, @QueryParameter String where) {
            Jenkins.get().checkPermission(Jenkins.ADMINISTER);
            String expression = Util.fixEmptyAndTrim(value);
            if (!Where.LABEL.word().equals(where)) {
                return FormValidation.ok();
            }
            if (expression == null) {
                return FormValidation.warning(Messages.Compulsory_NoLabel());
            }
            try {
                Label parsed = parse(expression);
                return Jenkins.get().getNodes().stream().anyMatch(parsed::matches) || parsed.matches(Jenkins.get())
                        ? FormValidation.ok()
                        : FormValidation.warning(Messages.Compulsory_NoNode(expression));
            } catch (IllegalArgumentException x) {
                return FormValidation.error(x.getMessage());
            }
        }

        @POST
        public AutoCompletionCandidates doAutoCompleteLabel(@QueryParameter String value) {
            Jenkins.get().checkPermission(Jenkins.ADMINISTER);
            return hudson.model.labels.LabelExpression.autoComplete(value);
        }

        @POST
        public FormValidation doCheckExceptions(@QueryParameter String value) {
            Jenkins.get().checkPermission(Jenkins.ADMINISTER);
            List<String> unknown = names(value).stream()
                    .filter(n -> Jenkins.get().getItemByFullName(n, Item.class) == null)
                    .toList();
            return unknown.isEmpty()
                    ? FormValidation.ok()
                    : FormValidation.warning(Messages.Compulsory_NoJob(String.join(", ", unknown)));
        }
    }
}
