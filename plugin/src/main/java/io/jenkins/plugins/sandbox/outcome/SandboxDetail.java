package io.jenkins.plugins.sandbox.outcome;

import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.model.Run;
import java.util.List;
import jenkins.model.details.Detail;
import jenkins.model.details.DetailFactory;

/** One line in the head of a build: the lowest level that its launches reached. */
public final class SandboxDetail extends Detail {
    private final SandboxAction action;

    SandboxDetail(Run<?, ?> run, SandboxAction action) {
        super(run);
        this.action = action;
    }

    @Override
    public String getIconClassName() {
        return action.getIconFileName();
    }

    @Override
    public String getDisplayName() {
        return Messages.SandboxDetail_Level(action.getLevel());
    }

    @Override
    public String getLink() {
        return action.getUrlName();
    }

    @Extension
    @SuppressWarnings("rawtypes") // as declared in core
    public static final class Factory extends DetailFactory<Run> {
        @Override
        public Class<Run> type() {
            return Run.class;
        }

        @NonNull
        @Override
        public List<? extends Detail> createFor(@NonNull Run run) {
            SandboxAction action = ((Run<?, ?>) run).getAction(SandboxAction.class);
            return action == null || action.getCount() == 0 ? List.of() : List.of(new SandboxDetail(run, action));
        }
    }
}
