package io.jenkins.plugins.sandbox.agent;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.launch.LiveInit;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.Remedies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What one launch may write to, seen beside all others of this agent. The control directory of a step below {@code dir} lies
 * in the workspace. A launch that begins later does not get to see it; one that was there before has its view already, and
 * can put links in its place, through which the agent would read any of its files into the log. No mount undoes that, so it
 * is found out here.
 */
final class WorkspaceUse {
    /** A heartbeat sleeps for three seconds. */
    private static final Duration HEARTBEAT = Duration.ofSeconds(4);

    /** Of this JVM, in the order in which they began. Guards itself. */
    private static final Set<WorkspaceUse> ALL = new LinkedHashSet<>();

    private final List<Path> writable;
    private final Optional<Path> control;
    private final boolean container;
    /** As the control directory was when the launch was prepared: device and inode. */
    @CheckForNull
    private final Object key;

    private final List<InitProcess> strangers = new ArrayList<>();
    private Set<Path> shielded = Set.of();

    @CheckForNull
    private volatile InitProcess init;

    private WorkspaceUse(List<Path> writable, Optional<Path> control, boolean container) throws IOException {
        this.writable = List.copyOf(writable);
        this.control = control;
        this.container = container;
        this.key = control.isPresent() ? keyOf(control.get()) : null;
    }

    /**
     * Has to be called before the view is planned: others that begin from now on keep away from this control directory.
     *
     * @param writable canonical paths
     * @param control canonical path of the control directory
     * @param container whether the process of {@link #started} is another one here
     * @param view whether the launch is to have a view of its own, in which something can be hidden
     * @param known the first processes of launches in this workspace, some of which another JVM of the agent may have made
     * @throws IOException when the control directory cannot be looked at
     */
    static WorkspaceUse begin(
            List<Path> writable, Optional<Path> control, boolean container, boolean view, Collection<InitProcess> known)
            throws IOException {
        WorkspaceUse use = new WorkspaceUse(writable, control, container);
        synchronized (ALL) {
            use.strangers.addAll(known);
            ALL.forEach(other -> use.strangers.remove(other.init));
            if (view) {
                use.shielded = new LinkedHashSet<>();
                ALL.forEach(other -> other.control.filter(c -> use.mayWrite(c)).ifPresent(use.shielded::add));
            }
            ALL.add(use);
        }
        return use;
    }

    private static Object keyOf(Path directory) throws IOException {
        return Objects.requireNonNull(
                Files.readAttributes(directory, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                        .fileKey());
    }

    /** @return the control directories of others that lie in what this one may write to; its view must not show them */
    Set<Path> shielded() {
        return Set.copyOf(shielded);
    }

    /** @param first the first process of the sandbox */
    void started(InitProcess first) {
        init = first;
    }

    /** Nothing of it runs any more, or ever will. */
    void end() {
        synchronized (ALL) {
            ALL.remove(this);
        }
    }

    private boolean mayWrite(Path path) {
        return writable.stream().anyMatch(path::startsWith);
    }

    private boolean reaches(Path path) {
        return mayWrite(path) && !shielded.contains(path);
    }

    /** One whose gate is shut may be about to get it opened. */
    private boolean lives() {
        InitProcess first = init;
        if (first == null) {
            return true;
        }
        // Its processes are not to be told from others here: it counts until its command has ended.
        return container ? !control.map(Heartbeat::hasCommandEnded).orElse(false) : LiveInit.isAlive(first);
    }

    /** Others that can reach the control directory of this one. */
    private List<WorkspaceUse> neighbours() {
        if (control.isEmpty()) {
            return List.of();
        }
        synchronized (ALL) {
            return ALL.stream()
                    .filter(other -> other != this && other.reaches(control.get()) && other.lives())
                    .toList();
        }
    }

    private List<InitProcess> livingStrangers() {
        return control.filter(this::mayWrite).isEmpty()
                ? List.of()
                : strangers.stream().filter(LiveInit::isAlive).toList();
    }

    /**
     * The sandbox of a step that has ended lives for up to three seconds more, for its heartbeat alone. Such ones are ended, so
     * that one step after the other is no exposure.
     */
    void endHeartbeats() throws InterruptedException {
        List<InitProcess> ending = new ArrayList<>(livingStrangers());
        for (WorkspaceUse other : neighbours()) {
            InitProcess first = other.init;
            if (first != null && !other.container && other.control.isPresent()) {
                if (Heartbeat.isAllThatIsLeft(first, other.control.get())) {
                    LiveInit.terminate(first);
                    ending.add(first);
                }
            }
        }
        long start = System.nanoTime();
        for (long pause = 2; ending.stream().anyMatch(LiveInit::isAlive); pause = Math.min(2 * pause, 100)) {
            if (System.nanoTime() - start >= HEARTBEAT.toNanos()) {
                return;
            }
            Thread.sleep(pause);
        }
    }

    /** @return what is wrong with the control directory, for the report; empty when nobody but this launch can have it */
    Optional<String> exposure() {
        if (control.isEmpty() || neighbours().isEmpty() && livingStrangers().isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(Remedies.SHARED + control.get() + ": another launch, which still runs, may write there");
    }

    /** Whether what is at the path of the control directory is the directory that was there when the launch was prepared. */
    boolean isControlInPlace() {
        try {
            return control.isEmpty()
                    || control.get().toRealPath().equals(control.get())
                            && keyOf(control.get()).equals(key);
        } catch (IOException x) {
            return false;
        }
    }
}
