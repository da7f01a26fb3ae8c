package io.jenkins.plugins.sandbox.escape;

import io.jenkins.plugins.sandbox.policy.Policy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * One way in which a build might get at something that is not its own.
 *
 * <p>The scripts are run by {@code sh}, with the variables of {@link Scene#assignments} set.
 *
 * @param name of the test
 * @param group what it is about
 * @param title for the table: what a build would have achieved
 * @param cves published weaknesses of this kind; the attempt ends where the interface that they are about answers
 * @param script the attempt. Prints {@link #REACHED} before the decisive step, and {@link #ESCAPED} after it where that
 *     can be seen from inside
 * @param twin something harmless and much alike, which must go on working in every profile: ends with status 0
 * @param stoppedBy the built-in profiles that stop it once everything that is planned is there
 * @param walls the rows that stop it where they hold, whatever else does not
 * @param refusedBy the profiles under which the launch itself does not happen
 * @param proof whether it succeeded
 * @param setting where it is tried
 */
record Attempt(
        String name,
        Group group,
        String title,
        List<String> cves,
        String script,
        String twin,
        Set<String> stoppedBy,
        Walls walls,
        Set<String> refusedBy,
        Proof proof,
        Setting setting) {
    static final String REACHED = "REACHED";
    static final String ESCAPED = "ESCAPED";

    /** This kernel has no such thing, so that nothing can be shown; followed by what it is. */
    static final String LACKING = "LACKING ";

    enum Group {
        FILES("Files"),
        MOUNTS("Mounts"),
        PROCESSES("Processes"),
        SYSCALLS("System calls"),
        NETWORK("Network"),
        IPC("Communication between processes"),
        TERMINALS("Terminals"),
        ENVIRONMENT("Environment variables"),
        REPORTS("The sandbox's own report and init"),
        CONTROL_DIRECTORY("The step's control directory");

        private final String title;

        Group(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }
    }

    @FunctionalInterface
    interface Proof {
        /** What the attempt itself says; where it would say so of a private copy as well, {@link Scene} is asked. */
        Proof SAID = (scene, result) -> result.says(ESCAPED);

        boolean holds(Scene scene, Result result) throws IOException, InterruptedException;
    }

    /** What the launch is like in which it is tried. */
    enum Start {
        ORDINARY,
        /** The same, and never with other attempts: its parent is to be init, or it takes away what they need. */
        ALONE,
        /** As root of a user namespace, which stands in for an agent that runs as root. */
        AS_ROOT,
        /** With the launcher and its files on disk. */
        FILES,
        /** By the command line, behind {@link Setting#stage}. */
        STAGED
    }

    /** How it is shown that it would succeed. */
    enum Control {
        /** The very same without a sandbox, as the same user. */
        NONE,
        /**
         * In the sandbox of profile {@code strict} without the rows capabilities, Landlock and seccomp: what is attempted needs root in
         * a mount namespace of its own, and there is none without a sandbox.
         */
        WITHOUT_PRIVILEGE_ROWS,
        /** In a chroot instead of a sandbox: the thing to break out of. */
        CHROOT
    }

    /**
     * @param start what the launch is like
     * @param control how it is shown that it would succeed
     * @param behind a script in front of the launch, and of the control; ends with {@code exec "$@"}
     * @param stage a script that root of a user namespace runs in a mount namespace before everything else
     * @param directory the working directory, a variable of the scene
     * @param policy changes to the policy, given the workspace
     */
    record Setting(
            Start start,
            Control control,
            String behind,
            String stage,
            String directory,
            BiFunction<Path, Policy.Builder, Policy.Builder> policy) {
        static final Setting ORDINARY =
                new Setting(Start.ORDINARY, Control.NONE, "exec \"$@\"", "", "WS", (workspace, builder) -> builder);

        Setting withBehind(String newBehind) {
            return new Setting(start, control, newBehind, stage, directory, policy);
        }
    }

    static Builder attempt(Group group, String name, String title) {
        return new Builder(group, name, title);
    }

    /** Where a variable of the scene that only a neighbour can tell is used. */
    boolean hasNeighbour() {
        return (script + setting.behind() + twin)
                .matches("(?s).*(neighbour[.]|\\$(" + String.join("|", Neighbour.VARIABLES) + ")).*");
    }

    static final class Builder {
        private final Group group;
        private final String name;
        private final String title;
        private List<String> cves = List.of();
        private String script;
        private Set<String> refusedBy = Set.of();
        private Proof proof = Proof.SAID;
        private Setting setting = Setting.ORDINARY;

        private Builder(Group group, String name, String title) {
            this.group = group;
            this.name = name;
            this.title = title;
        }

        Builder cve(String... numbers) {
            cves = List.of(numbers);
            return this;
        }

        /** The whole of it is decisive. */
        Builder does(String command) {
            script = "echo " + REACHED + "\n" + command;
            return this;
        }

        /** It succeeds when this has status 0. */
        Builder gets(String command) {
            return does("if " + command + "; then echo " + ESCAPED + "; fi");
        }

        /** An attempt of {@code try_escape}, which takes the shell's place: its parent is the shell's. */
        Builder calls(String words) {
            script = "exec \"$T\" " + words;
            return this;
        }

        /** The same, after something harmless. */
        Builder calls(String words, String before) {
            script = before + "\nexec \"$T\" " + words;
            return this;
        }

        /** It succeeds when this is so outside. */
        Builder outside(Proof newProof) {
            proof = newProof;
            return this;
        }

        /** These profiles stop it by refusing the launch itself. */
        Builder isRefusedBy(Set<String> profiles) {
            refusedBy = profiles;
            return this;
        }

        Builder behind(String newBehind) {
            return set(new Setting(
                    setting.start, setting.control, newBehind, setting.stage, setting.directory, setting.policy));
        }

        /** As root of a user namespace, see {@link Start#AS_ROOT}. */
        Builder asRoot(Control control) {
            return set(new Setting(
                    Start.AS_ROOT,
                    control,
                    "exec unshare --user --map-root-user --mount -- \"$@\"",
                    setting.stage,
                    setting.directory,
                    setting.policy));
        }

        /** See {@link Start#ALONE}. */
        Builder alone() {
            return set(new Setting(
                    Start.ALONE, setting.control, setting.behind, setting.stage, setting.directory, setting.policy));
        }

        Builder withFiles() {
            return set(new Setting(
                    Start.FILES, setting.control, setting.behind, setting.stage, setting.directory, setting.policy));
        }

        Builder stage(String newStage) {
            return set(new Setting(
                    Start.STAGED, setting.control, setting.behind, newStage, setting.directory, setting.policy));
        }

        Builder in(String directory) {
            return set(new Setting(
                    setting.start, setting.control, setting.behind, setting.stage, directory, setting.policy));
        }

        Builder policy(BiFunction<Path, Policy.Builder, Policy.Builder> newPolicy) {
            return set(new Setting(
                    setting.start, setting.control, setting.behind, setting.stage, setting.directory, newPolicy));
        }

        private Builder set(Setting newSetting) {
            setting = newSetting;
            return this;
        }

        Attempt stoppedBy(Set<String> profiles, Walls walls, String twin) {
            return new Attempt(name, group, title, cves, script, twin, profiles, walls, refusedBy, proof, setting);
        }
    }
}
