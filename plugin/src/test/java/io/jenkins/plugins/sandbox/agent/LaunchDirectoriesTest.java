package io.jenkins.plugins.sandbox.agent;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.startsWith;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.jenkins.plugins.sandbox.config.NamedPaths;
import io.jenkins.plugins.sandbox.model.Minimum;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LaunchDirectoriesTest {
    @TempDir
    private Path temp;

    private Path root;
    private Path workspace;

    @BeforeEach
    void make() throws Exception {
        root = temp.toRealPath();
        workspace = Files.createDirectories(root.resolve("workspace/my job"));
    }

    private static LaunchTerms terms(Profile profile) {
        return new LaunchTerms(profile, Minimum.ANYTHING, NamedPaths.NONE, NamedPaths.NONE, List.of(), Set.of());
    }

    private LaunchDirectories check(Path directory, String control) throws Exception {
        return check(directory, control, Profile.named("standard"));
    }

    private LaunchDirectories check(Path directory, String control, Profile profile) throws SandboxException {
        return LaunchDirectories.check(
                new LaunchRequest(
                        root.toString(),
                        workspace.toString(),
                        workspace + "@tmp",
                        directory.toString(),
                        directory + "@tmp",
                        control,
                        "0123",
                        Set.of(),
                        List.of(),
                        Set.of(),
                        Set.of(),
                        Set.of(),
                        "4567",
                        terms(profile),
                        false),
                profile);
    }

    private String refused(Path directory, String control) {
        return assertThrows(SandboxException.class, () -> check(directory, control))
                .getMessage();
    }

    @Test
    void makesTheScratchDirectoryBesideTheWorkspace() throws Exception {
        LaunchDirectories directories = check(workspace, null);
        assertThat(directories.workspace(), is(workspace));
        assertThat(directories.control(), is(Optional.empty()));
        assertThat(directories.scratch(), is(root.resolve("workspace/my job@tmp/process-sandbox-0123")));
        assertThat(Files.exists(directories.scratch()), is(false));
        assertThat(directories.makeScratch(), is(true));
        assertThat(Files.isDirectory(directories.scratch()), is(true));
        assertThat(check(workspace, null).makeScratch(), is(false));
    }

    @Test
    void parentsMayBeLinks() throws Exception {
        Path link = Files.createSymbolicLink(root.resolve("link"), root.resolve("workspace"));
        Path real = workspace;
        workspace = link.resolve("my job");
        Path sub = Files.createDirectory(real.resolve("sub"));
        assertThat(check(workspace.resolve("sub"), null).workspace(), is(real));
        assertThat(check(sub, null).workspace(), is(real));
    }

    @Test
    void aWorkspaceThatIsALinkIsRefused() throws Exception {
        Path link = Files.createSymbolicLink(root.resolve("workspace/link"), Path.of("/etc"));
        workspace = link;
        assertThat(refused(link, null), startsWith("The workspace '" + link + "' is a symbolic link"));
    }

    @Test
    void aWorkspaceThatIsAFileOrMissingIsRefused() throws Exception {
        workspace = Files.createFile(root.resolve("workspace/file"));
        assertThat(refused(workspace, null), is("The workspace '" + workspace + "' is not a directory."));
        workspace = root.resolve("workspace/missing");
        assertThat(refused(workspace, null), is("The workspace '" + workspace + "' does not exist on the agent."));
        workspace = root.resolve("nowhere/missing");
        assertThat(refused(workspace, null), containsString("does not exist"));
        workspace = Path.of("/");
        assertThat(refused(workspace, null), containsString("no absolute path of a directory"));
        workspace = Path.of("relative");
        assertThat(refused(workspace, null), containsString("no absolute path of a directory"));
    }

    @Test
    void aLinkOutOfTheWorkspaceIsRefused() throws Exception {
        Path link = Files.createSymbolicLink(workspace.resolve("link"), Path.of("/etc"));
        assertThat(refused(link, null), containsString("is really '/etc', outside of the workspace"));
        Path inside = Files.createDirectory(workspace.resolve("inside"));
        Path good = Files.createSymbolicLink(workspace.resolve("good"), inside);
        check(good, null);
    }

    @Test
    void theControlDirectoryIsTheRealOne() throws Exception {
        Path temporary = Files.createDirectory(root.resolve("workspace/my job@tmp"));
        Path control = Files.createDirectory(temporary.resolve("durable-12"));
        assertThat(check(workspace, "durable-12").control(), is(Optional.of(control)));
        assertThat(refused(workspace, "durable-34"), containsString("durable-34' is not a directory"));
        Files.createSymbolicLink(temporary.resolve("durable-56"), Path.of("/etc"));
        assertThat(refused(workspace, "durable-56"), containsString("durable-56' is not a directory"));
    }

    @Test
    void theControlDirectoryOfADirectoryInTheWorkspaceIsBesideThat() throws Exception {
        Path sub = Files.createDirectories(workspace.resolve("a b/sub"));
        Path control = Files.createDirectories(workspace.resolve("a b/sub@tmp/durable-12"));
        assertThat(check(sub, "durable-12").control(), is(Optional.of(control)));
        assertThat(check(sub, null).current(), is(control.getParent()));
        assertThat(check(workspace, null).current(), is(check(workspace, null).temporary()));
        assertThat(refused(sub, "durable-34"), containsString("durable-34' is not a directory"));
        Files.createSymbolicLink(workspace.resolve("link@tmp"), control.getParent());
        Path link = Files.createDirectory(workspace.resolve("link"));
        assertThat(refused(link, "durable-12"), containsString("a symbolic link in its path"));
        Path other = Files.createSymbolicLink(workspace.resolve("other"), workspace.resolve("a b"));
        assertThat(refused(other.resolve("sub"), "durable-12"), containsString("a symbolic link in its path"));
        Files.createDirectories(workspace.resolve("other sub@tmp/durable-56"));
        Path named = Files.createSymbolicLink(workspace.resolve("other sub"), sub);
        assertThat(
                check(named, "durable-56").control(), is(Optional.of(workspace.resolve("other sub@tmp/durable-56"))));
    }

    @Test
    void aTemporaryDirectoryThatIsALinkIsRefused() throws Exception {
        Path secrets = Files.createDirectories(root.resolve("secrets/durable-12"));
        Files.createSymbolicLink(root.resolve("workspace/my job@tmp"), secrets.getParent());
        assertThat(refused(workspace, "durable-12"), containsString("durable-12' is not a directory"));
        LaunchDirectories directories = check(workspace, null);
        assertThat(
                assertThrows(SandboxException.class, directories::makeScratch).getMessage(),
                containsString("cannot be made"));
    }

    /** It stays, and so lies beside the block's and not in it. */
    @Test
    void aHomeOfTheJobHasADirectoryOfItsOwn() throws Exception {
        Profile profile = Profile.named("strict").withHome(Profile.Home.JOB);
        LaunchDirectories directories = check(workspace, null, profile);
        Path scratch = directories.jobScratch().orElseThrow();
        assertThat(scratch.getFileName().toString(), is("process-sandbox-job-4567"));
        assertThat(scratch.getParent(), is(directories.scratch().getParent()));
        directories.makeJobScratch();
        assertThat(Files.isDirectory(scratch), is(true));
        directories.makeJobScratch();
        ScratchDirectory.remove(scratch);
        assertThat(check(workspace, null).jobScratch(), is(Optional.empty()));
    }
}
