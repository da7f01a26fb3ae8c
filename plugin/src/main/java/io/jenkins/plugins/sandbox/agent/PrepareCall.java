package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.launch.PreparedLaunch;
import io.jenkins.plugins.sandbox.launch.TransportChoice;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.model.UnsupportedHostException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jenkins.agents.ControllerToAgentCallable;

/**
 * The first of a launch's two calls to its agent: checks its directories, and makes everything ready that the native launcher
 * needs. Fails with a message for people, or leaves a launch in {@link AgentLaunches}.
 */
public record PrepareCall(LaunchRequest request) implements ControllerToAgentCallable<Prepared, IOException> {
    private static final long serialVersionUID = 1;

    /** Remoting makes it for each call, sends it along, and prints it when something is wrong: no policy, no names. */
    @Override
    public String toString() {
        return "preparation of a sandboxed launch of block " + request.block();
    }

    @Override
    public Prepared call() throws IOException {
        String unsupported = UnsupportedMachine.reason();
        if (unsupported != null) {
            return new Prepared.Unsupported(unsupported);
        }
        try {
            LaunchTerms terms = request.terms();
            Profile profile = terms.profile();
            Level minimum = terms.minimum().level();
            LaunchDirectories directories = LaunchDirectories.check(request, profile);
            Policy.Builder policy = Policy.builder(
                            profile, directories.workspace().toString())
                    .scratch(directories.scratch().toString())
                    .keepVariables(request.variables())
                    .keepVariables(terms.environment())
                    // More than standard's best is not refused here but by the minimum, with a report to show for it.
                    .minimumLevel(
                            profile.isStandard() && minimum.compareTo(Level.BASELINE) > 0 ? Level.BASELINE : minimum);
            List<Primitive> asked = Policy.primitives(profile, profile.limits());
            terms.minimum().required().stream().filter(asked::contains).forEach(policy::require);
            policy.agentRoot(request.nodeRoot());
            directories.jobScratch().ifPresent(scratch -> policy.jobScratch(scratch.toString()));
            directories.control().ifPresent(control -> policy.controlDirectory(control.toString()));
            new JobPaths(terms, directories.workspace()).addTo(policy);
            NamedFiles.inTemporary(request, request.temporary(), directories.temporary())
                    .forEach(p -> policy.read(p.toString()));
            NamedFiles.inTemporary(request, request.current(), directories.current())
                    .forEach(p -> policy.read(p.toString()));
            NamedFiles.scripts(request).forEach(p -> policy.read(p.toString()));
            NamedFiles.wrappers(request).forEach(p -> policy.execute(p.toString()));
            return prepare(policy, directories);
        } catch (InvalidPathException x) {
            throw new SandboxException("The agent cannot write the path '" + x.getInput()
                    + "' in its encoding: start it with LANG=C.UTF-8 in its environment.");
        }
    }

    private Prepared prepare(Policy.Builder policy, LaunchDirectories directories) throws IOException {
        List<Path> writable = new ArrayList<>(List.of(directories.workspace()));
        for (String path : policy.build().writePaths()) {
            writable.add(Path.of(path));
        }
        Profile profile = request.terms().profile();
        WorkspaceUse use = WorkspaceUse.begin(
                writable,
                directories.control(),
                request.container(),
                profile.primitives().contains(Primitive.FILESYSTEM),
                request.inits());
        boolean done = false;
        try {
            use.shielded().forEach(control -> policy.shield(control.toString()));
            use.endHeartbeats();
            Prepared prepared = prepare(policy.build(), directories, use);
            done = prepared instanceof Prepared.Ready;
            return prepared;
        } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
            throw new SandboxException("The launch was interrupted.", x);
        } finally {
            if (!done) {
                use.end();
            }
        }
    }

    private Prepared prepare(Policy policy, LaunchDirectories directories, WorkspaceUse use) throws IOException {
        boolean first = directories.makeScratch();
        directories.makeJobScratch();
        Prepared prepared = null;
        try {
            AgentLaunches.releaseEnded(request.block(), request.running());
            PreparedLaunch launch = PreparedLaunch.prepare(
                    policy,
                    request.container()
                            ? TransportChoice.container(directories.scratch() + "/launcher")
                            : TransportChoice.auto(LauncherCache.of(request.nodeRoot())));
            AgentLaunches.add(
                    request.block(),
                    launch,
                    request.container(),
                    use,
                    directories.control().map(DurableTask::new));
            prepared = new Prepared.Ready(
                    launch.id(),
                    new ArrayList<>(launch.prefix()),
                    directories.scratch().toString(),
                    AgentLaunches.takeEndings(request.block()));
            return prepared;
        } catch (UnsupportedHostException x) {
            return new Prepared.Unsupported(x.getMessage());
        } finally {
            if (first && prepared == null) {
                // Nobody will ever be told of it.
                ScratchDirectory.remove(directories.scratch());
            }
        }
    }
}
