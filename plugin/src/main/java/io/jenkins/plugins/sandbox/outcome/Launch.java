package io.jenkins.plugins.sandbox.outcome;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.model.InitProcess;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** What tells one launch from another of the same {@link Finding}. Immutable; stored with the build. */
@ExportedBean
public final class Launch {
    @CheckForNull
    private final String id;

    @CheckForNull
    private final String step;

    @CheckForNull
    private final String flowNode;

    /** Short and opaque; see {@link #isKnownBy}. */
    @CheckForNull
    private final String cookie;

    private final long initPid;
    private final long initStartTime;

    /**
     * @param id the launch's id on its agent; {@code null} when nothing was prepared there
     * @param origin where it came from; {@code null} when that is not known
     * @param cookie by what it is found again when it is to be ended; {@code null} when it is not
     * @param init the first process of the sandbox; {@code null} when there was none
     */
    public Launch(
            @CheckForNull String id,
            @CheckForNull Origin origin,
            @CheckForNull String cookie,
            @CheckForNull InitProcess init) {
        this.id = id;
        this.step = origin == null ? null : origin.step();
        this.flowNode = origin == null ? null : origin.flowNode();
        this.cookie = cookie;
        this.initPid = init == null ? 0 : init.pid();
        this.initStartTime = init == null ? 0 : init.startTime();
    }

    @CheckForNull
    public String getId() {
        return id;
    }

    /** @return the step's function name, for example {@code sh}; {@code null} when it is not known */
    @Exported
    @CheckForNull
    public String getStep() {
        return step;
    }

    /** @return the id of the step in the Pipeline's graph; {@code null} when it is not known */
    @Exported
    @CheckForNull
    public String getFlowNode() {
        return flowNode;
    }

    /** @return whether this launch is meant when whatever has this cookie is to be ended */
    boolean isKnownBy(String other) {
        return other.equals(cookie) && initPid > 0;
    }

    /** @return the process id of the sandbox's first process on the agent; 0 when there was none */
    public long getInitPid() {
        return initPid;
    }

    /** @return when that process started, in clock ticks since boot, so that its id is not mistaken for a later process' */
    public long getInitStartTime() {
        return initStartTime;
    }
}
