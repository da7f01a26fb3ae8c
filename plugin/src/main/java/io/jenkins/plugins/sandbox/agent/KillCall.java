package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.launch.LiveInit;
import io.jenkins.plugins.sandbox.model.InitProcess;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.agents.ControllerToAgentCallable;

/**
 * Ends sandboxes for good: gives them a while to end by themselves, as Jenkins has asked them to, and kills the first process
 * of those that have not, upon which the kernel ends all others. Returns at once. A process that got the same id meanwhile
 * has another start time, and is left alone.
 *
 * @param inits the first processes of the sandboxes
 * @param graceSeconds how long they have
 */
public record KillCall(List<InitProcess> inits, int graceSeconds)
        implements ControllerToAgentCallable<Void, RuntimeException> {
    private static final long serialVersionUID = 1;

    private static final Logger LOGGER = Logger.getLogger(KillCall.class.getName());

    private static final long PAUSE_MILLIS = 200;

    @Override
    public Void call() {
        Thread thread = new Thread(this::run, "Process Sandbox: ending " + inits.size() + " launches");
        thread.setDaemon(true);
        thread.start();
        return null;
    }

    private void run() {
        long start = System.nanoTime();
        try {
            while (inits.stream().anyMatch(LiveInit::isAlive)) {
                if (System.nanoTime() - start >= TimeUnit.SECONDS.toNanos(graceSeconds)) {
                    for (InitProcess init : inits) {
                        if (LiveInit.kill(init)) {
                            LOGGER.log(Level.FINE, "killed {0}", init);
                        }
                    }
                    return;
                }
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
        }
    }
}
