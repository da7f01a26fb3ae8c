package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The rights of this user to the workspace's top directory, which a build can take away. The launcher restores them by
 * descriptor: a path could lead to another file by then.
 */
public final class WorkspaceRights {
    private static final Set<PosixFilePermission> ALL =
            Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);

    private WorkspaceRights() {}

    /**
     * @param policy names the workspace
     * @param host the machine
     * @return a plan by which the launcher restores the rights; empty when this user has them, or is not the owner
     * @throws SandboxException when the workspace cannot be used
     */
    public static Optional<byte[]> plan(Policy policy, Host host) throws SandboxException {
        Path workspace = Plan.workspace(policy, host);
        try {
            if (!Owner.isThisUser(workspace)
                    || Files.getPosixFilePermissions(workspace, LinkOption.NOFOLLOW_LINKS)
                            .containsAll(ALL)) {
                return Optional.empty();
            }
        } catch (IOException e) {
            throw new SandboxException(
                    "The rights of workspace " + Quoted.of(workspace) + " cannot be read (" + e
                            + "): check the rights of its parents.",
                    e);
        }
        ByteArrayOutputStream plan = new ByteArrayOutputStream();
        for (String word : List.of("process-sandbox-plan", "1", "--restore-rights", PathBytes.word(workspace), "end")) {
            plan.writeBytes(PathBytes.bytes(word));
            plan.write(0);
        }
        return Optional.of(plan.toByteArray());
    }
}
