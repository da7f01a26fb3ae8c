package io.jenkins.plugins.sandbox.compulsory;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.FilePath;
import hudson.Launcher;
import hudson.Proc;
import hudson.model.Node;
import hudson.model.Run;
import hudson.remoting.Channel;
import hudson.tools.ToolInstaller;
import io.jenkins.plugins.sandbox.config.SandboxSettings;
import io.jenkins.plugins.sandbox.controller.Confining;
import io.jenkins.plugins.sandbox.controller.LaunchOwner;
import io.jenkins.plugins.sandbox.controller.SandboxDecorator;
import io.jenkins.plugins.sandbox.controller.SandboxLauncher;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.Map;
import jenkins.tasks.filters.EnvVarsFilterableBuilder;

/**
 * Launches in the sandbox that the administrator asks for. Which build it is that launches is never taken from the environment
 * or the directory of the command, as a Jenkinsfile decides on those: it is the step that asked for the launcher, or else the
 * build that this thread, or this node, runs. Where that cannot be told nothing is launched.
 */
public final class CompulsoryLauncher extends Launcher.DecoratedLauncher implements Confining {
    private static final StackWalker STACK = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private final Node node;

    @CheckForNull
    private final LaunchOwner owner;

    /** @param owner on whose behalf, when that is known beforehand */
    CompulsoryLauncher(Launcher inner, Node node, @CheckForNull LaunchOwner owner) {
        super(inner);
        this.node = node;
        this.owner = owner;
    }

    @Override
    public Proc launch(@NonNull ProcStarter starter) throws IOException {
        if (SandboxLauncher.isInFlight(starter)) {
            // A sandbox block, or a job's own wrapper: it holds all that is asked for here.
            return getInner().launch(starter);
        }
        Launcher confined = confined(owner());
        if (confined != null) {
            return confined.launch(starter);
        }
        ProcStarter copy = starter.copy();
        SandboxLauncher.takeStep(copy);
        return getInner().launch(copy);
    }

    /** @return what confines; {@code null} when this launch is none that has to be */
    @CheckForNull
    private Launcher confined(@CheckForNull LaunchOwner of) throws IOException {
        if (owner == null && isInstallation()) {
            getListener().getLogger().println("[sandbox] " + Messages.CompulsoryLauncher_Installer());
            return null;
        }
        if (of == null) {
            throw new AbortException(Messages.CompulsoryLauncher_Unknown(node.getDisplayName()));
        }
        try {
            Run<?, ?> run = of.run();
            return CompulsoryRule.excepts(run.getParent()) ? null : confined(of, run);
        } catch (InterruptedException x) {
            throw (IOException) new InterruptedIOException().initCause(x);
        }
    }

    @Override
    public void passedBy(String reason) throws IOException, InterruptedException {
        if (confined(owner()) instanceof Confining confined) {
            confined.passedBy(reason);
        }
    }

    private Launcher confined(LaunchOwner of, Run<?, ?> run) {
        return new SandboxDecorator(of, BuildBlock.of(run), SandboxSettings.NOTHING).decorate(getInner(), node);
    }

    @CheckForNull
    private LaunchOwner owner() {
        return owner != null ? owner : LaunchingBuild.on(node);
    }

    /** Those of tools ask the node for a launcher as anybody may; what they launch is an administrator's. */
    private static boolean isInstallation() {
        return STACK.walk(frames -> frames.anyMatch(f -> ToolInstaller.class.isAssignableFrom(f.getDeclaringClass())));
    }

    /** Would go past {@link #launch(ProcStarter)}: the superclass hands it to the inner launcher. */
    @Override
    @Deprecated
    public Proc launch(String[] cmd, boolean[] mask, String[] env, InputStream in, OutputStream out, FilePath workDir)
            throws IOException {
        return launch(
                launch().cmds(cmd).masks(mask).envs(env).stdin(in).stdout(out).pwd(workDir));
    }

    /** As above. */
    @Override
    @Deprecated
    public Proc launch(String[] cmd, String[] env, InputStream in, OutputStream out, FilePath workDir)
            throws IOException {
        return launch(launch().cmds(cmd).envs(env).stdin(in).stdout(out).pwd(workDir));
    }

    @Override
    public Channel launchChannel(String[] cmd, OutputStream out, FilePath workDir, Map<String, String> envVars)
            throws IOException, InterruptedException {
        Launcher confined = SandboxLauncher.isInFlight(cmd) ? null : confined(owner());
        return (confined == null ? getInner() : confined).launchChannel(cmd, out, workDir, envVars);
    }

    /** Nobody is kept from ending anything; what is known to be sandboxed is ended for good. */
    @Override
    public void kill(Map<String, String> modelEnvVars) throws IOException, InterruptedException {
        LaunchOwner of = owner();
        if (of == null) {
            super.kill(modelEnvVars);
        } else {
            confined(of, of.run()).kill(modelEnvVars);
        }
    }

    /** The superclass would keep the rules to itself, and the launcher that applies them would know of none. */
    @Override
    public void prepareFilterRules(@CheckForNull Run<?, ?> run, @NonNull EnvVarsFilterableBuilder builder) {
        getInner().prepareFilterRules(run, builder);
    }
}
