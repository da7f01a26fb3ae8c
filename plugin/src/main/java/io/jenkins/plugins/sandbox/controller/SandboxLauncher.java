package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.FilePath;
import hudson.Launcher;
import hudson.Proc;
import hudson.model.Computer;
import hudson.model.Node;
import hudson.model.Run;
import hudson.remoting.Channel;
import hudson.remoting.VirtualChannel;
import io.jenkins.plugins.sandbox.agent.KillCall;
import io.jenkins.plugins.sandbox.config.EffectivePolicy;
import io.jenkins.plugins.sandbox.config.SandboxConfiguration;
import io.jenkins.plugins.sandbox.config.SandboxSettings;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.outcome.SandboxAction;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import jenkins.tasks.filters.EnvVarsFilterableBuilder;
import jenkins.util.SystemProperties;

/**
 * Launches each command behind the native launcher, by putting that in front of it. One launch takes two short calls to the
 * agent, one to prepare it and one to hear what was applied; the command waits for leave until then. Nothing is pending when {@link #launch} returns, so a restart of the controller needs no repair.
 *
 * <p>A named class, since others look for launchers by walking {@link #getInner}.
 */
public final class SandboxLauncher extends Launcher.DecoratedLauncher implements Confining {
    private static final Logger LOGGER = Logger.getLogger(SandboxLauncher.class.getName());

    /** In seconds, from Jenkins' own kill to ours. Durable tasks give a step up 20 s after they have asked it to end. */
    private static final int KILL_SECONDS = SystemProperties.getInteger("io.jenkins.plugins.sandbox.KILL_SECONDS", 10);

    /** What this thread's launch has put in front of a command, or the command itself where nothing could be. */
    private static final ThreadLocal<List<String>> IN_FLIGHT = new ThreadLocal<>();

    private final Node node;
    private final LaunchOwner owner;
    private final String block;
    private final SandboxSettings settings;

    SandboxLauncher(Launcher inner, Node node, LaunchOwner owner, String block, SandboxSettings settings) {
        super(inner);
        this.node = node;
        this.owner = owner;
        this.block = block;
        this.settings = settings;
    }

    SandboxSettings settings() {
        return settings;
    }

    @Override
    public Proc launch(@NonNull ProcStarter starter) throws IOException {
        if (isInFlight(starter)) {
            return getInner().launch(starter);
        }
        ProcStarter copy = starter.copy();
        List<String> words = List.of(takeStep(copy).split("=", -1));
        String step = words.get(0);
        // Durable tasks double every dollar.
        Set<String> set = words.stream().skip(1).map(n -> n.replace("$$", "$")).collect(Collectors.toSet());
        try {
            Attempt attempt = attempt(step);
            if (!isUnix()) {
                attempt.nothing(Messages.SandboxLauncher_NotUnix());
                return launchInner(copy, copy.cmds());
            }
            if (copy.pwd() == null) {
                copy.pwd(directory());
            }
            if (!attempt.prepare(getChannel(), copy.cmds(), copy.pwd(), new StepEnvironment(copy.envs(), set))) {
                return launchInner(copy, copy.cmds());
            }
            Proc proc = launchPrefixed(copy, attempt);
            attempt.confirm(getChannel(), proc);
            return proc;
        } catch (InterruptedException x) {
            throw (IOException) new InterruptedIOException().initCause(x);
        }
    }

    private Attempt attempt(String step) throws IOException, InterruptedException {
        EffectivePolicy policy = EffectivePolicy.of(SandboxConfiguration.get().floor(), settings);
        return new Attempt(
                owner.run(),
                owner,
                node,
                block,
                policy,
                owner.origin(step),
                ContainerLaunchers.isIn(getInner(), owner),
                getListener());
    }

    private Proc launchPrefixed(ProcStarter starter, Attempt attempt) throws IOException {
        List<String> prefix = attempt.prefix();
        boolean[] masks = starter.masks();
        if (!starter.quiet()) {
            // What the user wrote, not what we made of it.
            maskedPrintCommandLine(starter.cmds(), masks, starter.pwd());
            starter.quiet(true);
        }
        List<String> words = new ArrayList<>(prefix);
        words.addAll(starter.cmds());
        starter.cmds(words);
        if (masks != null) {
            boolean[] extended = new boolean[prefix.size() + masks.length];
            System.arraycopy(masks, 0, extended, prefix.size(), masks.length);
            starter.masks(extended);
        }
        attempt.awaitReport(getChannel());
        try {
            return launchInner(starter, prefix);
        } catch (IOException | RuntimeException x) {
            attempt.abort(getChannel());
            throw x;
        }
    }

    private Proc launchInner(ProcStarter starter, List<String> words) throws IOException {
        try (Flight flight = new Flight(words)) {
            return getInner().launch(starter);
        }
    }

    /** While the inner launcher has the command. */
    private static final class Flight implements AutoCloseable {
        private final List<String> outer = IN_FLIGHT.get();

        Flight(List<String> words) {
            IN_FLIGHT.set(words);
        }

        @Override
        public void close() {
            if (outer == null) {
                IN_FLIGHT.remove();
            } else {
                IN_FLIGHT.set(outer);
            }
        }
    }

    /**
     * Whether a command is on its way already: an outer sandbox must not be put around it again. It is known by the words that
     * this very thread hands over to the inner launcher at this moment, which is nothing that a build could bring about.
     */
    public static boolean isInFlight(ProcStarter starter) {
        return isInFlight(starter.cmds());
    }

    /** As above, for one that becomes a channel. */
    public static boolean isInFlight(String[] command) {
        return isInFlight(List.of(command));
    }

    private static boolean isInFlight(List<String> command) {
        List<String> words = IN_FLIGHT.get();
        return words != null && Collections.indexOfSubList(command, words) >= 0;
    }

    /** Takes out the variable that says which step this is; empty when it is not there. */
    public static String takeStep(ProcStarter starter) {
        String start = LaunchOwner.STEP_VARIABLE + "=";
        String step = "";
        List<String> rest = new ArrayList<>();
        for (String variable : starter.envs()) {
            if (variable.startsWith(start)) {
                step = variable.substring(start.length());
            } else {
                rest.add(variable);
            }
        }
        if (rest.size() < starter.envs().length) {
            starter.envs(rest.toArray(String[]::new));
        }
        return step;
    }

    private FilePath directory() throws IOException, InterruptedException {
        FilePath directory = owner.directory();
        if (directory == null || directory.getChannel() != getChannel()) {
            throw new AbortException(Messages.SandboxLauncher_NoDirectory());
        }
        return directory;
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
    public void passedBy(String reason) throws IOException, InterruptedException {
        attempt("").nothing(reason);
    }

    /** Such a process is half of Jenkins: it talks to the controller, and needs what a sandbox hides. */
    @Override
    public Channel launchChannel(String[] cmd, OutputStream out, FilePath workDir, Map<String, String> envVars)
            throws IOException, InterruptedException {
        List<String> words = List.of(cmd);
        if (!isInFlight(words)) {
            attempt("").nothing(Messages.SandboxLauncher_NoChannel(cmd.length == 0 ? "" : cmd[0]));
        }
        try (Flight flight = new Flight(words)) {
            return getInner().launchChannel(cmd, out, workDir, envVars);
        }
    }

    /**
     * Jenkins' own way first: it finds processes by a variable in their environment and sends SIGTERM, and whoever ignores
     * that, or has dropped the variable, stays. Those are ended after a while, in the background: this is called by the thread
     * that runs the Pipeline's program.
     */
    @Override
    public void kill(Map<String, String> modelEnvVars) throws IOException, InterruptedException {
        String cookie = Cookie.of(block, node.getNodeName(), modelEnvVars);
        VirtualChannel channel = getChannel();
        List<InitProcess> inits =
                cookie == null || channel == null ? List.of() : SandboxAction.initsOf(owner.run(), cookie);
        if (!inits.isEmpty()) {
            // Now, and not of what is launched meanwhile; and also where the other way fails.
            Computer.threadPoolForRemoting.execute(() -> kill(channel, inits));
        }
        super.kill(modelEnvVars);
    }

    private void kill(VirtualChannel channel, List<InitProcess> inits) {
        try {
            channel.callAsync(new KillCall(new ArrayList<>(inits), KILL_SECONDS));
        } catch (IOException x) {
            LOGGER.log(Level.WARNING, "what a launch left on " + node.getDisplayName() + " cannot be ended", x);
        }
    }

    /** The superclass would keep the rules to itself, and the launcher that applies them would know of none. */
    @Override
    public void prepareFilterRules(@CheckForNull Run<?, ?> run, @NonNull EnvVarsFilterableBuilder builder) {
        getInner().prepareFilterRules(run, builder);
    }
}
