package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.config.SandboxPath;
import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The paths that a launch names, on its agent. Those of the profile are an administrator's, and are taken as they are. Those
 * of the job have to lie where jobs may name paths, and that goes for what they lead to: a build may have put a symbolic link
 * there.
 */
final class JobPaths {
    private final LaunchTerms terms;
    private final Path workspace;

    /** @param workspace without a symbolic link in its path */
    JobPaths(LaunchTerms terms, Path workspace) {
        this.terms = terms;
        this.workspace = workspace;
    }

    /** @throws SandboxException for a path of the job that is not there, or leads to where no job may name one */
    void addTo(Policy.Builder policy) throws SandboxException {
        terms.profilePaths().read().forEach(p -> policy.read(text(p)));
        terms.profilePaths().write().forEach(p -> policy.write(text(p)));
        terms.profilePaths().execute().forEach(p -> policy.execute(text(p)));
        terms.profilePaths().hide().forEach(p -> policy.hide(text(p)));
        terms.paths().hide().forEach(p -> policy.hide(text(p)));
        add(terms.paths().read(), policy::read);
        add(terms.paths().write(), policy::write);
        add(terms.paths().execute(), policy::execute);
    }

    private void add(List<SandboxPath> paths, Function<String, Policy.Builder> adder) throws SandboxException {
        for (SandboxPath path : paths) {
            // What was looked at, not its name: a link may be another one a moment later.
            adder.apply(checked(path).toString());
        }
    }

    private Path checked(SandboxPath path) throws SandboxException {
        Path given = Path.of(text(path));
        Path real;
        try {
            real = given.toRealPath();
        } catch (IOException x) {
            throw new SandboxException(
                    Files.notExists(given)
                            ? "The path " + Quoted.of(given)
                                    + " does not exist on the agent: create it, or leave it out."
                            : "The path " + Quoted.of(given) + " cannot be reached on the agent: " + x,
                    x);
        }
        if (terms.allowedPaths().stream()
                .map(this::directory)
                .flatMap(Optional::stream)
                .noneMatch(real::startsWith)) {
            throw new SandboxException("The path " + Quoted.of(given) + " is really " + Quoted.of(real)
                    + " on the agent, and jobs may add only what lies in "
                    + terms.allowedPaths().stream().map(SandboxPath::text).collect(Collectors.joining(", "))
                    + ". Remove the symbolic link, or have an administrator allow where it leads to.");
        }
        for (SandboxPath hidden : terms.profilePaths().hide()) {
            if (real.startsWith(real(Path.of(text(hidden))))) {
                throw new SandboxException("The path " + Quoted.of(given) + " is really " + Quoted.of(real)
                        + " on the agent, which profile '" + terms.profile().name() + "' hides. Leave it out.");
            }
        }
        return real;
    }

    /**
     * Above it there may be links, as administrators make them. It itself may not be one, as builds could make it; and in the
     * workspace, where everything is theirs, there may be none at all.
     */
    private Optional<Path> directory(SandboxPath allowed) {
        Path path = Path.of(text(allowed));
        if (path.startsWith(workspace)) {
            return Optional.of(path);
        }
        Path parent = path.getParent();
        Path real = real(Objects.requireNonNull(parent, "the root directory cannot be allowed"))
                .resolve(path.getFileName());
        return Files.isSymbolicLink(real) ? Optional.empty() : Optional.of(real);
    }

    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException x) {
            // Then nothing that exists lies in it.
            return path;
        }
    }

    private String text(SandboxPath path) {
        return path.in(workspace.toString());
    }
}
