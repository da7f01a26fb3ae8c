package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The order of the mounts: what hides (devices, temporary directories, home) comes before what shows (workspace, write
 * paths), since a later mount covers an earlier one and a workspace may well lie in the home directory or in /tmp.
 */
final class Mounts {
    private static final List<String> TEMPORARY = List.of("/tmp", "/var/tmp");

    /** The launcher's own bound. */
    private static final int MOST = 256;

    private Mounts() {}

    static List<Mount> of(
            Policy policy, Host host, Scratch scratch, Path workspace, List<Path> readable, List<Path> writable)
            throws SandboxException {
        Profile profile = policy.profile();
        List<Mount> mounts = new ArrayList<>();
        if (profile.devices() == Profile.Devices.MINIMAL) {
            mounts.add(Mount.devices("/dev"));
        }
        if (profile.temporary() == Profile.Temporary.PRIVATE) {
            temporary(mounts, TEMPORARY.get(0), scratch == null ? null : scratch.temporary());
            temporary(mounts, TEMPORARY.get(1), scratch == null ? null : scratch.variableTemporary());
        }
        Optional<Path> home = home(policy, host, workspace);
        if (home.isPresent()) {
            mounts.add(home(profile, home.get(), scratch));
        }
        for (Path path : readable) {
            if (isCovered(mounts, path)) {
                mounts.add(Mount.readOnly(path.toString()));
            }
        }
        Set<Path> shown = new LinkedHashSet<>();
        shown.add(workspace);
        shown.addAll(writable);
        shown.forEach(p -> mounts.add(Mount.bind(p.toString(), p.toString())));
        if (mounts.size() > MOST) {
            throw new SandboxException("The plan has " + mounts.size() + " mounts, the launcher takes " + MOST
                    + ". Name fewer write paths, for example a directory above several of them.");
        }
        return mounts;
    }

    /** An overlay shows what it covers; whatever else was mounted so far does not. */
    private static boolean isCovered(List<Mount> mounts, Path path) {
        return mounts.stream().anyMatch(m -> !m.showsWhatItCovers() && path.startsWith(m.target()));
    }

    /** Where /var/tmp is a link to /tmp, it needs no mount of its own; the launcher refuses links. */
    private static void temporary(List<Mount> mounts, String target, Path source) {
        Path path = Path.of(target);
        if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        mounts.add(source == null ? Mount.tmpfs(target) : Mount.bind(source.toString(), target));
    }

    private static Optional<Path> home(Policy policy, Host host, Path workspace) throws SandboxException {
        if (policy.profile().home() == Profile.Home.HOST) {
            return Optional.empty();
        }
        String name = policy.home() == null ? host.home() : policy.home();
        Path home;
        try {
            // An account without a home directory is common in containers, and no mistake.
            if (!Path.of(name).isAbsolute() || !Files.isDirectory(Path.of(name))) {
                return Optional.empty();
            }
            home = host.canonicalDirectory("Home directory", name);
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
        // "/" is read-only already; the workspace is writable anyway; a private /tmp is as good as a scratch home.
        boolean elsewhere =
                home.getNameCount() == 0 || home.startsWith(workspace) || TEMPORARY.contains(home.toString());
        return elsewhere ? Optional.empty() : Optional.of(home);
    }

    private static Mount home(Profile profile, Path home, Scratch scratch) throws SandboxException {
        String what = "Profile '" + profile.name() + "' changes the home directory " + Quoted.of(home);
        if (scratch == null) {
            throw new SandboxException(what + ", which needs a scratch directory: name one, or use home = host.");
        }
        if (profile.home() == Profile.Home.SCRATCH) {
            return Mount.bind(scratch.homeWhole().toString(), home.toString());
        }
        // The kernel answers ELOOP when one layer of an overlay lies in another.
        if (scratch.directory().startsWith(home)) {
            throw new SandboxException(what + " by an overlay, which cannot have its scratch directory "
                    + Quoted.of(scratch.directory()) + " inside: use one outside of the home directory.");
        }
        return Mount.overlay(
                home.toString(),
                scratch.homeUpper().toString(),
                scratch.homeWork().toString());
    }
}
