package io.jenkins.plugins.sandbox.agent;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.hasItem;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.jenkins.plugins.sandbox.config.NamedPaths;
import io.jenkins.plugins.sandbox.config.SandboxPath;
import io.jenkins.plugins.sandbox.model.Minimum;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobPathsTest {
    @TempDir
    private Path directory;

    private Path root;
    private Path workspace;
    private Path cache;
    private Path secret;

    @BeforeEach
    void make() throws IOException {
        root = directory.toRealPath();
        workspace = Files.createDirectories(root.resolve("agent/workspace/job"));
        cache = Files.createDirectories(root.resolve("cache"));
        secret = Files.createDirectories(root.resolve("secret"));
    }

    private static Profile strict() throws SandboxException {
        return Profile.named("strict");
    }

    private static SandboxPath path(Object path) {
        return SandboxPath.parse(path.toString());
    }

    private List<String> writable(Object given, Object... allowed) throws SandboxException {
        Policy.Builder policy = Policy.builder(strict(), workspace.toString());
        LaunchTerms terms = new LaunchTerms(
                strict(),
                Minimum.ANYTHING,
                new NamedPaths(List.of(), List.of(), List.of(), List.of(path(secret))),
                new NamedPaths(List.of(), List.of(path(given)), List.of(), List.of()),
                List.of(allowed).stream().map(JobPathsTest::path).toList(),
                Set.of());
        new JobPaths(terms, workspace).addTo(policy);
        return policy.build().writePaths();
    }

    private void assertRefused(String sentence, Object given, Object... allowed) {
        SandboxException x = assertThrows(SandboxException.class, () -> writable(given, allowed));
        assertThat(x.getMessage(), containsString(sentence));
    }

    @Test
    void whatLiesWhereJobsMayNamePaths() throws Exception {
        Path below = Files.createDirectories(cache.resolve("npm"));
        assertThat(writable(below, cache), hasItem(below.toString()));
        assertThat(writable(cache, cache), hasItem(cache.toString()));
    }

    @Test
    void aNameThatOnlyBeginsAlike() throws Exception {
        Path other = Files.createDirectories(root.resolve("cache-of-others"));
        assertRefused("jobs may add only what lies in " + cache, other, cache);
    }

    @Test
    void whatIsNotThere() {
        assertRefused("does not exist on the agent", cache.resolve("no"), cache);
    }

    @Test
    void aLinkThatLeadsOut() throws Exception {
        Path link = Files.createSymbolicLink(cache.resolve("link"), secret);
        assertRefused("is really '" + secret + "'", link, cache);
        // Where it leads to is what counts, so one that stays inside is as good as a path.
        Path npm = Files.createDirectories(cache.resolve("npm"));
        assertThat(writable(Files.createSymbolicLink(cache.resolve("inside"), npm), cache), hasItem(npm.toString()));
    }

    @Test
    void anAllowedPathThatABuildHasReplaced() throws Exception {
        Path allowed = Files.createSymbolicLink(root.resolve("allowed"), secret);
        assertRefused("Remove the symbolic link", allowed, allowed);
    }

    /** As administrators make them, to have a path that does not change. */
    @Test
    void aLinkAboveAnAllowedPath() throws Exception {
        Path npm = Files.createDirectories(cache.resolve("npm"));
        Path stable = Files.createSymbolicLink(root.resolve("stable"), cache);
        assertThat(writable(stable.resolve("npm"), stable.resolve("npm")), hasItem(npm.toString()));
    }

    @Test
    void aLinkInTheWorkspace() throws Exception {
        Path real = Files.createDirectories(workspace.resolve("build"));
        assertThat(writable("@workspace/build", "@workspace"), hasItem(real.toString()));
        Files.createSymbolicLink(workspace.resolve("out"), secret);
        assertRefused("is really '" + secret + "'", "@workspace/out", "@workspace");
        assertRefused("is really '" + secret + "'", "@workspace/out", "@workspace/out");
    }

    @Test
    void whatTheProfileHides() throws Exception {
        Path below = Files.createDirectories(secret.resolve("keys"));
        assertRefused("which profile 'strict' hides", below, root);
    }
}
