package io.jenkins.plugins.sandbox.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import jenkins.agents.ControllerToAgentCallable;

/**
 * Removes what builds of a job kept for its next one. Where that lies beside the workspace it goes with the workspace.
 *
 * @param job as in {@link LaunchRequest#job}
 */
public record RemoveJobHomeCall(String job) implements ControllerToAgentCallable<Void, IOException> {
    private static final long serialVersionUID = 1;

    @Override
    public Void call() throws IOException {
        if (UnsupportedMachine.reason() == null) {
            for (String parent : LaunchDirectories.ELSEWHERE) {
                Path directory = LaunchDirectories.jobScratch(Path.of(parent), job);
                if (Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
                    ScratchDirectory.remove(directory);
                }
            }
        }
        return null;
    }
}
