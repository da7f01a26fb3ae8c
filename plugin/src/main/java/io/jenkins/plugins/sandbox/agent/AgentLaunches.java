package io.jenkins.plugins.sandbox.agent;

import io.jenkins.plugins.sandbox.launch.LiveInit;
import io.jenkins.plugins.sandbox.launch.PreparedLaunch;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    /** So many endings wait to be asked for; beyond it, the oldest is given up. */
    private static final int MAX_ENDINGS = 5000;

    /** What a launcher writes at the end is much shorter. */
    private static final int MAX_ENDING = 1024;

    private static final Map<String, Entry> LIVE = new ConcurrentHashMap<>();

    /** By the id of the launch, the oldest first. Guards itself. */
    private static final Map<String, Ended> ENDINGS = new LinkedHashMap<>();

    /** Guards {@link #collector}, and that none ends just when a launch is added. */
    private static final Object LOCK = new Object();

    private static Thread collector;

    private static final class Entry {
        private final String block;
        private final PreparedLaunch launch;
        /** Then the processes are others', and it ends with its block. */
        private final boolean container;

        private final WorkspaceUse use;
        private final Optional<DurableTask> task;
        private final long prepared = System.nanoTime();
        /** Set when the gate is opened. */
        private volatile InitProcess init;

        Entry(String block, PreparedLaunch launch, boolean container, WorkspaceUse use, Optional<DurableTask> task) {
            this.block = block;
            this.launch = launch;
            this.container = container;
            this.use = use;
            this.task = task;
        }
    }

    /** How a launch ended, in the launcher's words. */
    private record Ended(String block, byte[] ending) {}

    private AgentLaunches() {}

    /**
     * @param container whether its processes are those of a container, which mean nothing here
     * @param use is ended with it
     * @param task what waits for its command, when that is known
     */
    static void add(
            String block, PreparedLaunch launch, boolean container, WorkspaceUse use, Optional<DurableTask> task) {
        synchronized (LOCK) {
            LIVE.put(launch.id(), new Entry(block, launch, container, use, task));
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

    /** @return whether its command runs in a container, of which nothing can be found out here */
    static boolean isInContainer(String id) throws SandboxException {
        return entry(id).container;
    }

    static WorkspaceUse use(String id) throws SandboxException {
        return entry(id).use;
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
        entry.use.started(init);
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
            entry.use.end();
        }
    }

    /**
     * Lets other launches have the homes of a block's launches whose steps have ended. Their sandboxes live on for a while,
     * since the durable task's heartbeat sleeps for three seconds; waiting for it would keep the next step from getting the same
     * home directory.
     */
    static void releaseEnded(String block, Set<String> running) {
        LIVE.forEach((id, entry) -> {
            if (entry.block.equals(block) && entry.init != null && !running.contains(id)) {
                entry.launch.releaseHome();
            }
        });
    }

    /** @return how launches of a block ended, by id, once: what this returns is forgotten */
    static Map<String, byte[]> takeEndings(String block) {
        Map<String, byte[]> taken = new HashMap<>();
        synchronized (ENDINGS) {
            ENDINGS.entrySet().removeIf(each -> {
                boolean ours = each.getValue().block.equals(block);
                if (ours) {
                    taken.put(each.getKey(), each.getValue().ending);
                }
                return ours;
            });
        }
        return taken;
    }

    /** @return the first processes of those launches of a block whose end is not known */
    static List<InitProcess> initsOf(String block) {
        return LIVE.values().stream()
                .filter(e -> e.block.equals(block) && e.init != null)
                .map(e -> e.init)
                .toList();
    }

    /** Waits for the launches of a block in containers, which end by themselves when the block's file is removed. */
    static void awaitContainers(String block, Duration max) throws InterruptedException {
        long start = System.nanoTime();
        for (Entry entry : LIVE.values()) {
            if (entry.block.equals(block) && entry.container && entry.init != null) {
                long left = max.toNanos() - (System.nanoTime() - start);
                entry.launch.awaitEnding(Duration.ofNanos(Math.max(left, 0)));
            }
        }
    }

    /** Closes the launches of a block, which has ended, and says how they did; as {@link #takeEndings}. */
    static Map<String, byte[]> takeAll(String block) {
        LIVE.forEach((id, entry) -> {
            if (entry.block.equals(block)) {
                closeIfEnded(id, entry);
                if (LIVE.remove(id, entry)) {
                    entry.launch.close();
                    entry.use.end();
                }
            }
        });
        return takeEndings(block);
    }

    private static void collect() {
        try {
            while (true) {
                Thread.sleep(PAUSE.toMillis());
                LIVE.forEach(AgentLaunches::closeIfEnded);
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

    private static void closeIfEnded(String id, Entry entry) {
        InitProcess init = entry.init;
        boolean gone = init == null
                ? System.nanoTime() - entry.prepared > FORGOTTEN.toNanos()
                // Asked before reading: what it wrote before its end is read after it.
                : !entry.container && !LiveInit.isAlive(init);
        Optional<byte[]> ending = ending(entry.launch);
        // One that was killed from outside says no last word.
        if ((ending.isPresent() || gone) && LIVE.remove(id, entry)) {
            ending.filter(e -> e.length <= MAX_ENDING).ifPresent(e -> keep(id, new Ended(entry.block, e)));
            ending.ifPresent(e -> entry.task.ifPresent(t -> t.tell(e)));
            entry.launch.close();
            entry.use.end();
        }
    }

    private static Optional<byte[]> ending(PreparedLaunch launch) {
        try {
            return launch.awaitEnding(Duration.ZERO);
        } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    private static void keep(String id, Ended ended) {
        synchronized (ENDINGS) {
            ENDINGS.put(id, ended);
            if (ENDINGS.size() > MAX_ENDINGS) {
                ENDINGS.remove(ENDINGS.keySet().iterator().next());
            }
        }
    }
}
