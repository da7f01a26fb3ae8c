package io.jenkins.plugins.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.sandbox.cli.Main;
import io.jenkins.plugins.sandbox.launch.RepositorySweep;
import io.jenkins.plugins.sandbox.launch.TreeRemover;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** With git itself: what a build leaves, and what git makes of it outside of the sandbox afterwards. */
@Tag("kernel")
class RepositorySweepTest {
    private static final String VIEW =
            "primitives = user_namespace mount_namespace filesystem no_new_privs\nroot = ro\nhome = host\n";

    /** What the attacks are made of. */
    private static final String WORDS = """
            evil() { printf '[core]\\n\\trepositoryformatversion = 0\\n\\tfsmonitor = touch "%s/ran"; false\\n' "$PWD"; }
            commit() { git -C "$1" -c user.name=a -c user.email=a@b commit -q --allow-empty -m "$2"; }
            repo() { mkdir -p "$1" && git init -q "$1" && commit "$1" one && evil > "$1/.git/config"; }
            hook() { printf '#!/bin/sh\\ntouch "%s/ran"\\n' "$PWD" > "$1/$2" && chmod 755 "$1/$2"; }
            """;

    /** The next build: as much as git can be made to do, in each place where it may work. */
    private static final String NEXT = """
            for d in . sub sub/a/b/c/d/e linked; do
              (cd $d 2>/dev/null && git status && commit . two && git checkout -q -b side; git gc -q; git log -1)
            done
            """;

    private Path workspace;
    private Path scratch;
    private Path host;

    @BeforeEach
    void directories(@TempDir Path temporary) throws IOException {
        Path directory = temporary.toRealPath();
        workspace = Files.createDirectory(directory.resolve("workspace"));
        scratch = Files.createDirectory(directory.resolve("scratch"));
        host = Files.writeString(directory.resolve("host"), "original");
    }

    private String run(String profile, String script) throws Exception {
        Profile parsed = profile == null ? Profile.named("standard") : Profile.parse("view", VIEW + profile);
        Policy policy = Policy.builder(parsed, workspace.toString())
                .home(workspace.getParent().toString())
                .scratch(scratch.toString())
                .minimumLevel(parsed.isStandard() ? Level.BASELINE : Level.FULL)
                .build();
        SandboxedProcess process = Sandbox.of(policy)
                .process(b -> b.redirectErrorStream(true).environment().put("HOST", host.toString()))
                .start(List.of("sh", "-c", WORDS + script));
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.awaitEnding(Duration.ofSeconds(30))).isPresent();
        return output;
    }

    /** The clock of file systems stands still for up to 10 ms: what is done next happens later by it, too. */
    private String outside(String script) throws Exception {
        String output = run(null, script);
        Thread.sleep(20);
        return output;
    }

    private void emptyWorkspace() throws IOException {
        TreeRemover.remove(workspace);
        Files.createDirectory(workspace);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "repo .",
                "repo sub; repo sub/a/b/c/d/e",
                "repo sub; hook sub/.git/hooks post-checkout; hook sub/.git/hooks pre-commit; git init -q sub",
                "repo sub; chmod 111 sub",
                "repo sub; chmod 500 sub/.git sub",
                "repo other; mkdir sub; mv other/.git sub/git; echo gitdir: git > sub/.git",
                "repo other; mkdir sub; ln -s ../other/.git sub/.git",
                "repo other; git init -q sub; commit sub one; echo ../../other/.git > sub/.git/commondir",
                "repo .; mv .git/* .; rmdir .git; echo worktree = . >> config",
                "repo .; git init -q linked; mv linked/.git/HEAD linked/.git/x; mv .git/* linked; rm -rf .git;"
                        + " echo worktree = . >> linked/config",
                "seq 1500 | sed s/^/d/ | xargs mkdir; repo sub",
                "repo main; commit main two; git -C main worktree add -q ../linked 2>/dev/null; git init -q sub",
                "git init -q .; commit . one; echo gitdir: nowhere > sub/.git 2>/dev/null; repo other; mkdir -p sub;"
                        + " echo gitdir: ../other/.git > sub/.git",
                "repo sub; mv sub/.git/config sub/.git/c; ln -s c sub/.git/config",
                "repo sub; cp sub/.git/config sub/.git/config.worktree; git -C sub config extensions.worktreeConfig true",
            })
    void gitOutsideDoesNotObeyANewRepository(String attack) throws Exception {
        outside(attack + "\n" + NEXT);
        assertThat(workspace.resolve("ran")).as("control").exists();
        outside("chmod -R u+rwx .");
        emptyWorkspace();
        String attacked = run("", attack + "; rm -f ran; echo done");
        assertThat(attacked).endsWith("done\n");
        assertThat(RepositorySweep.run(scratch)).isNotEmpty();
        outside(NEXT);
        assertThat(workspace.resolve("ran")).doesNotExist();
        assertThat(RepositorySweep.run(scratch))
                .as("once more, after what git outside has made")
                .isNotNull();
    }

    @Test
    void whatABuildHasCommittedStays() throws Exception {
        assertThat(run(
                        "",
                        "git init -q lib; commit lib lib; git -c protocol.file.allow=always clone -q lib clone && cd clone"
                                + " && echo x > file && git add file && commit . two && git branch side && git tag t && git gc -q"
                                + " && echo y > staged && git add staged && git stash list"))
                .isEmpty();
        assertThat(RepositorySweep.run(scratch)).hasSize(2).allMatch(n -> n.contains("its commits are kept"));
        assertThat(
                        outside(
                                "cd clone; git fsck && git log --format=%s && git status -s && git branch --list side && git tag; git remote"))
                .isEqualTo("two\nlib\nA  staged\n  side\nt\n");
        assertThat(
                        outside(
                                "cd clone; git remote add origin ../lib; git -c protocol.file.allow=always fetch -q origin && git branch -r"))
                .endsWith("origin/" + outside("git -C lib branch --show-current"));
    }

    @Test
    void whatWasThereStaysAsItIs() throws Exception {
        outside(
                "git init -q lib; commit lib lib; git init -q .; git -c protocol.file.allow=always submodule --quiet add ./lib sub;"
                        + " git config x.y z; git clone -q --bare lib bare.git; commit . one; git worktree add -q --detach linked");
        String files = "find . -path ./bare.git -prune -o -type f | sort | xargs -d '\\n' stat -c '%n %i %z'";
        String before = outside(files);
        assertThat(
                        run(
                                "",
                                "commit . two; commit sub three; commit linked four; git -C bare.git tag t; git log --format=%s"))
                .isEqualTo("two\none\n");
        assertThat(RepositorySweep.run(scratch)).isEmpty();
        assertThat(outside(files)).isEqualTo(before);
        assertThat(outside("git -C bare.git tag; git -C sub log --format=%s; git -C linked log --format=%s"))
                .isEqualTo("t\nlib\none\n");
    }

    /** Deeper than repositories are looked for. */
    @Test
    void aRepositoryThatNobodyFoundStaysWhenNobodyTouchedIt() throws Exception {
        String make =
                "git init -q lib; commit lib lib; for d in a/b/c/d/e f/g/h/i/j; do git init -q $d; git -C $d config x.y z;"
                        + " commit $d one; git -C $d -c protocol.file.allow=always submodule --quiet add ../../../../../lib sub; done";
        outside(make);
        assertThat(run("", "commit a/b/c/d/e two; ln -s \"$HOST\" a/b/c/d/e/.git/logs/x"))
                .isEmpty();
        assertThat(RepositorySweep.run(scratch)).isEmpty();
        for (String each : List.of("a/b/c/d/e", "f/g/h/i/j")) {
            assertThat(outside("cd " + each + "; git config x.y; git -C sub log --format=%s; find .git -type l"))
                    .isEqualTo("z\nlib\n");
        }
        assertThat(outside("git -C a/b/c/d/e log --format=%s")).isEqualTo("two\none\n");
        scratch = Files.createDirectory(scratch.resolveSibling("next"));
        assertThat(run(
                        "",
                        "git -C a/b/c/d/e config core.fsmonitor evil; echo evil > f/g/h/i/j/.git/modules/sub/config"))
                .isEmpty();
        assertThat(RepositorySweep.run(scratch))
                .anyMatch(n -> n.contains("e/.git was"))
                .anyMatch(n -> n.contains("j/.git was"));
        assertThat(outside("git -C a/b/c/d/e config core.fsmonitor; ls f/g/h/i/j/.git"))
                .doesNotContain("evil", "modules");
    }

    @Test
    void nothingIsWrittenThroughALink() throws Exception {
        String link = "git init -q sub; cd sub; for f in index FETCH_HEAD packed-refs logs/HEAD refs/heads/x; do"
                + " mkdir -p $(dirname .git/$f); rm -f .git/$f; ln -s \"$HOST\" .git/$f; done; mkfifo .git/ORIG_HEAD; cd ..";
        assertThat(run("", link)).isEmpty();
        RepositorySweep.run(scratch);
        assertThat(workspace.resolve("sub/.git/HEAD")).exists();
        assertThat(outside("find sub/.git -type l -o -type p")).isEmpty();
    }

    /** Under the setting with which commits stay. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "mv .git/HEAD .git/x; mkdir -p objects refs; echo 'ref: refs/heads/x' > HEAD; (evil; echo worktree = .) > config",
                "mkdir -p .git/worktrees; git worktree add -q --detach linked; repo other;"
                        + " echo ../../../other/.git > .git/worktrees/linked/commondir",
                "repo other; git worktree add -q --detach linked; echo gitdir: ../other/.git > linked/.git",
                "repo other; mv other/.git .git/evil; mkdir sub; echo gitdir: ../.git/evil > sub/.git",
            })
    void aRepositoryThatABuildMayCommitToIsLookedAt(String attack) throws Exception {
        outside("git init -q .; commit . one");
        assertThat(run("git = protected", attack + "; rm -f ran; echo done")).endsWith("done\n");
        assertThat(RepositorySweep.run(scratch)).isNotNull();
        outside(NEXT);
        assertThat(workspace.resolve("ran")).doesNotExist();
        emptyWorkspace();
        outside("git init -q .; commit . one; " + attack + "\n" + NEXT);
        assertThat(workspace.resolve("ran")).as("control").exists();
    }

    @Test
    void commitsStayWhereTheyMay() throws Exception {
        outside("git init -q .; commit . one");
        assertThat(run(
                        "git = protected",
                        "commit . two; git worktree add -q --detach linked; ln -s \"$HOST\" .git/FETCH_HEAD"))
                .isEmpty();
        assertThat(RepositorySweep.run(scratch)).isEmpty();
        assertThat(outside("git log --format=%s; git -C linked log --format=%s; find .git -type l"))
                .isEqualTo("two\none\ntwo\none\n");
    }

    /**
     * Where Landlock alone keeps the files, a build can write to what was there, and to what was written down about it. What it
     * has not touched stays as it is.
     */
    @Test
    void whatWasThereIsLookedAtWhereABuildHadNoViewOfTheFileSystem() throws Exception {
        String make =
                "git init -q .; commit . one; for d in sub kept; do git init -q $d; git -C $d config x.y z; commit $d one; done";
        String attack =
                "evil > .git/config; hook sub/.git/hooks post-checkout; hook sub/.git/hooks pre-commit; commit kept two;"
                        + " rm -f ran";
        outside(make + "\n" + attack + "\n" + NEXT);
        assertThat(workspace.resolve("ran")).as("control").exists();
        emptyWorkspace();
        outside(make);
        Path home = Files.createDirectory(workspace.resolveSibling("home"));
        ProcessBuilder builder = new ProcessBuilder(
                        System.getProperty("sandbox.try_host"),
                        "--container",
                        "--",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Djava.io.tmpdir=" + scratch,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "run",
                        "--quiet",
                        "--min-level",
                        "PARTIAL",
                        "--",
                        "sh",
                        "-c",
                        WORDS + attack + "; cd \"$0\"/process-sandbox-*; ls -d known* | wc -l; rm -rf known*; ls",
                        scratch.toString())
                .directory(workspace.toFile())
                .redirectErrorStream(true);
        builder.environment().put("HOME", home.toString());
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(said)
                .as("nothing keeps the build from that file")
                .startsWith("1\nhome-0\nrepositories-0\ntmp\nvar-tmp\n")
                .contains("workspace/.git was changed by the build")
                .contains("workspace/sub/.git was changed by the build")
                .doesNotContain("kept/.git", "warning");
        assertThat(outside("git -C kept config x.y; git -C kept log --format=%s; git -C sub log --format=%s"))
                .isEqualTo("z\ntwo\none\none\n");
        outside(NEXT);
        assertThat(workspace.resolve("ran")).doesNotExist();
    }

    /** Two blocks in one workspace: the last of them sweeps, with what the first one knew. */
    @Test
    void whatOthersWorkOnIsLeftToThem() throws Exception {
        assertThat(run("", "repo sub")).isEmpty();
        Path first = scratch;
        scratch = Files.createDirectory(first.resolveSibling("second"));
        Policy policy = Policy.builder(Profile.parse("view", VIEW), workspace.toString())
                .home(workspace.getParent().toString())
                .scratch(scratch.toString())
                .minimumLevel(Level.FULL)
                .build();
        SandboxedProcess running =
                Sandbox.of(policy).start(List.of("sh", "-c", "until test -e go; do sleep 0.01; done"));
        assertThat(RepositorySweep.run(first)).isEmpty();
        assertThat(outside("git -C sub config core.fsmonitor")).isNotEmpty();
        Files.createFile(workspace.resolve("go"));
        assertThat(running.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(running.awaitEnding(Duration.ofSeconds(30))).isPresent();
        assertThat(RepositorySweep.run(scratch)).hasSize(1);
        assertThat(outside("git -C sub config core.fsmonitor")).isEmpty();
    }

    /** Before somebody runs git in one directory, what lies beside the way there stays as it is. */
    @Test
    void aCheckoutIsPreparedWhereItWillBe() throws Exception {
        assertThat(run("", "repo .; repo sub/checkout/module; repo sub/other")).isEmpty();
        Path checkout = workspace.resolve("sub/checkout");
        assertThat(RepositorySweep.before(checkout.resolve("not/there/yet"), List.of(scratch.resolve("none"))))
                .isEmpty();
        assertThat(RepositorySweep.before(workspace.resolveSibling("elsewhere"), List.of(scratch)))
                .as("the whole workspace lies below the first directory that is there")
                .hasSize(3);
        emptyWorkspace();
        assertThat(run("", "repo .; repo sub/checkout/module; repo sub/other")).isEmpty();
        assertThat(RepositorySweep.before(checkout, List.of(scratch))).hasSize(2);
        assertThat(outside("git config core.fsmonitor; git -C sub/checkout/module config core.fsmonitor"))
                .isEmpty();
        assertThat(outside("git -C sub/other config core.fsmonitor"))
                .as("control")
                .startsWith("touch ");
    }
}
