package io.jenkins.plugins.sandbox.outcome;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.model.InitProcess;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * What tells one launch from another of the same {@link Finding}. Immutable; stored with the build. What is needed to end a
 * running launch goes when it has ended.
 */
@ExportedBean
public final class Launch {
    @CheckForNull
    private final String id;

    @CheckForNull
    private final Origin origin;

    @CheckForNull
    private final Running running;

    @CheckForNull
    private final End end;

    /**
     * How a launch is found and ended while it runs.
     *
     * @param block the id of its block
     * @param cookie short and opaque: by what it is found again when it is to be ended; {@code null} when it is not
     * @param init the first process of the sandbox
     * @param detached whether the launched process leaves the work to others, see {@link End#of}
     */
    public record Running(String block, @CheckForNull String cookie, InitProcess init, boolean detached) {}

    /**
     * @param id the launch's id on its agent; {@code null} when nothing was prepared there
     * @param origin where it came from; {@code null} when that is not known
     * @param running {@code null} when the command was not started in a sandbox
     */
    public Launch(@CheckForNull String id, @CheckForNull Origin origin, @CheckForNull Running running) {
        this(id, origin, running, null);
    }

    Launch(@CheckForNull String id, @CheckForNull Origin origin, @CheckForNull Running running, @CheckForNull End end) {
        this.id = id;
        this.origin = origin;
        this.running = running;
        this.end = end;
    }

    /** @param how {@code null} when nothing will be heard of it any more */
    Launch ended(@CheckForNull End how) {
        return new Launch(id, origin, null, how);
    }

    @CheckForNull
    public String getId() {
        return id;
    }

    @CheckForNull
    Origin origin() {
        return origin;
    }

    /** @return {@code null} when it has ended, or was never started */
    @CheckForNull
    Running running() {
        return running;
    }

    /** @return the step's function name, for example {@code sh}; {@code null} when it is not known */
    @Exported
    @CheckForNull
    public String getStep() {
        return origin == null ? null : origin.step();
    }

    /** @return the id of the step in the Pipeline's graph; {@code null} when it is not known */
    @Exported
    @CheckForNull
    public String getFlowNode() {
        return origin == null ? null : origin.flowNode();
    }

    /** @return how it ended; {@code null} when it runs, or that is not known */
    @Exported(inline = true)
    @CheckForNull
    public End getEnd() {
        return end;
    }

    public boolean isStillRunning() {
        return running != null;
    }

    /** @return whether there is a page of the step: what is in the record may be anything, and becomes a part of an address */
    public boolean isLinkable() {
        return origin != null && origin.flowNode().matches("[0-9]{1,9}");
    }

    /** @return whether this launch runs and is meant when whatever has this cookie is to be ended */
    boolean isKnownBy(String cookie) {
        return running != null && cookie.equals(running.cookie());
    }
}
