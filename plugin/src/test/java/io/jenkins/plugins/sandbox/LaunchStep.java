package io.jenkins.plugins.sandbox;

import hudson.EnvVars;
import hudson.FilePath;
import hudson.Launcher;
import hudson.Proc;
import hudson.model.TaskListener;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import org.jenkinsci.plugins.workflow.steps.Step;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepDescriptor;
import org.jenkinsci.plugins.workflow.steps.StepExecution;
import org.jenkinsci.plugins.workflow.steps.SynchronousNonBlockingStepExecution;

/** Somebody else's step, which uses the launcher in one of the ways that steps do. Returns what it read. */
public class LaunchStep extends Step {
    private final String how;

    protected LaunchStep(String how) {
        this.how = how;
    }

    @Override
    public StepExecution start(StepContext context) {
        return new Execution(context, how);
    }

    private static final class Execution extends SynchronousNonBlockingStepExecution<String> {
        private static final long serialVersionUID = 1;

        private final String how;

        Execution(StepContext context, String how) {
            super(context);
            this.how = how;
        }

        @Override
        @SuppressWarnings("deprecation")
        protected String run() throws Exception {
            Launcher launcher = getContext().get(Launcher.class);
            FilePath directory = getContext().get(FilePath.class);
            EnvVars env = getContext().get(EnvVars.class);
            TaskListener listener = getContext().get(TaskListener.class);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            switch (how) {
                case "masked" ->
                    launcher.launch()
                            .cmds("echo", "public", "s3cret")
                            .masks(false, false, true)
                            .envs(env)
                            .pwd(directory)
                            .stdout(out)
                            .join();
                case "quiet" ->
                    launcher.launch()
                            .cmds("echo", "shy")
                            .quiet(true)
                            .envs(env)
                            .pwd(directory)
                            .stdout(out)
                            .join();
                case "streams" -> {
                    Proc proc = launcher.launch()
                            .cmds("sh", "-c", "cat; echo err >&2; exit 5")
                            .envs(env)
                            .pwd(directory)
                            .readStdout()
                            .readStderr()
                            .writeStdin()
                            .start();
                    proc.getStdin().write("through ".getBytes(StandardCharsets.UTF_8));
                    proc.getStdin().close();
                    out.write(proc.getStdout().readAllBytes());
                    out.write(proc.getStderr().readAllBytes());
                    out.write((" " + proc.join()).getBytes(StandardCharsets.UTF_8));
                }
                case "stdin" ->
                    launcher.launch()
                            .cmds("cat")
                            .stdin(new ByteArrayInputStream("given".getBytes(StandardCharsets.UTF_8)))
                            .pwd(directory)
                            .stdout(out)
                            .join();
                case "nowhere" -> launcher.launch().cmds("pwd").stdout(out).join();
                case "status" ->
                    launcher.launch()
                            .cmds("grep", "-w", "NoNewPrivs:", "/proc/self/status")
                            .pwd(directory)
                            .stdout(out)
                            .join();
                case "touch" ->
                    launcher.launch()
                            .cmds("touch", "ran")
                            .pwd(directory)
                            .stdout(out)
                            .join();
                case "old" ->
                    launcher.launch(
                                    new String[] {"grep", "-w", "NoNewPrivs:", "/proc/self/status"},
                                    new String[0],
                                    null,
                                    out,
                                    directory)
                            .join();
                case "older" ->
                    launcher.launch(
                                    new String[] {"grep", "-w", "NoNewPrivs:", "/proc/self/status"},
                                    new boolean[4],
                                    new String[0],
                                    null,
                                    out,
                                    directory)
                            .join();
                case "missing" ->
                    out.write((""
                                    + launcher.launch()
                                            .cmds("/no/such/command")
                                            .pwd(directory)
                                            .join())
                            .getBytes(StandardCharsets.UTF_8));
                case "channel" ->
                    launcher.launchChannel(
                            new String[] {"java", "-version"}, listener.getLogger(), directory, Map.of());
                default -> throw new IllegalArgumentException(how);
            }
            return out.toString(StandardCharsets.UTF_8);
        }
    }

    /** Extensions of tests have to lie in the test's class: so each test extends the step, and this. */
    public abstract static class Described extends StepDescriptor {
        @Override
        public String getFunctionName() {
            return "launch";
        }

        @Override
        public Set<? extends Class<?>> getRequiredContext() {
            return Set.of(Launcher.class, FilePath.class, TaskListener.class, EnvVars.class);
        }
    }
}
