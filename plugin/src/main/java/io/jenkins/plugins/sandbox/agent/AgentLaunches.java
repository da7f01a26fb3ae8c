package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.launch.PreparedLaunch;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The launches that were prepared by this JVM and have not ended, on the agent. A launch needs its gate and its report until
 * then; after that they are closed, by a thread that lives as long as there are any. When the JVM ends before, the launcher
 * finds its gate closed and gives up, or goes on without anybody reading how it ends.
 */
final class AgentLaunches {
    /** Long enough to cost nothing, short enough that the files of a launch do not outlive it for long. */
    private static final Duration PAUSE = Duration.ofSeconds(1);

    /** A launch that the controller has not asked for in this time is one that it has given up. */
    private static final Duration FORGOTTEN = Duration.ofMinutes(5);

    private static final Map<String, Entry> LIVE = new ConcurrentHashMap<>();
    /** Guards {@link #collector}, and that none ends just when a launch is added. */
    private static final Object LOCK = new Object();

    private static Thread collector;

    private static final class Entry {
        private final String block;
        private final PreparedLaunch launch;
        /** Then the processes are others', and it ends with its block. */
        private final boolean container;

        private final long prepared = System.nanoTime();
        /** Set when the gate is opened. */
        private volatile InitProcess init;

        Entry(String block, PreparedLaunch launch, boolean container) {
            this.block = block;
            this.launch = launch;
            this.container = container;
        }
    }

    private AgentLaunches() {}

    static void add(String block, PreparedLaunch launch, boolean container) {
        synchronized (LOCK) {
            LIVE.put(launch.id(), new Entry(block, launch, container));
            if (collector == null) {
                collector = new Thread(AgentLaunches::collect, "Process Sandbox: ended launches");
                collector.setDaemon(true);
                collector.start();
            }
        }
    }

    static PreparedLaunch get(String id) throws SandboxException {
        return entry(id).launch;
    }

    /**
     * Lets the command of a launch start.
     *
     * @param init the first process of its sandbox
     */
    static void openGate(String id, InitProcess init) throws SandboxException {
        Entry entry = entry(id);
        entry.launch.openGate();
        entry.init = init;
    }

    private static Entry entry(String id) throws SandboxException {
        Entry entry = LIVE.get(id);
        if (entry == null) {
            throw new SandboxException("The agent does not know of the launch " + id
                    + ": it was restarted meanwhile, or the launch was given up. Run the step again.");
        }
        return entry;
    }

    /** Closes the gate of a launch for good, if it is still known. */
    static void abort(String id) {
        Entry entry = LIVE.remove(id);
        if (entry != null) {
            entry.launch.abort();
            entry.launch.close();
        }
    }

    /**
     * Closes the launches of a block whose steps have ended. Their sandboxes live on for a while, since the durable task's
     * heartbeat sleeps for three seconds; waiting for it would keep the next step from getting the same home directory.
     */
    static void forgetEnded(String block, Set<String> running) {
        LIVE.forEach((id, entry) -> {
            if (entry.block.equals(block) && entry.init != null && !running.contains(id) && LIVE.remove(id, entry)) {
                entry.launch.close();
            }
        });
    }

    private static void collect() {
        try {
            while (true) {
                Thread.sleep(PAUSE.toMillis());
                for (Map.Entry<String, Entry> each : LIVE.entrySet()) {
                    if (hasEnded(each.getValue()) && LIVE.remove(each.getKey(), each.getValue())) {
                        each.getValue().launch.close();
                    }
                }
                synchronized (LOCK) {
                    if (LIVE.isEmpty()) {
                        return;
                    }
                }
            }
        } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
        } finally {
            synchronized (LOCK) {
                collector = null;
            }
        }
    }

    /** One that was killed from outside says no last word. */
    private static boolean hasEnded(Entry entry) throws InterruptedException {
        InitProcess init = entry.init;
        boolean gone = init == null
                ? System.nanoTime() - entry.prepared > FORGOTTEN.toNanos()
                : !entry.container && !isAlive(init);
        return entry.launch.awaitEnding(Duration.ZERO).isPresent() || gone;
    }

    private static boolean isAlive(InitProcess init) {
        try {
            String stat = Files.readString(Path.of("/proc/" + init.pid() + "/stat"), StandardCharsets.ISO_8859_1);
            // proc(5): the second field is a name in parentheses that may hold anything, the 22nd is the start time.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return fields[19].equals(Long.toString(init.startTime()));
        } catch (IOException | IndexOutOfBoundsException x) {
            return false;
        }
    }
}
