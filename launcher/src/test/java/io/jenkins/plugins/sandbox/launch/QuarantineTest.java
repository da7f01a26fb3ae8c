package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.jenkins.plugins.sandbox.launch.WorkspaceHelper.Closing;
import io.jenkins.plugins.sandbox.launch.WorkspaceHelper.Kind;
import io.jenkins.plugins.sandbox.launch.WorkspaceHelper.Known;
import io.jenkins.plugins.sandbox.launch.WorkspaceHelper.Opening;
import io.jenkins.plugins.sandbox.launch.WorkspaceHelper.Quarantined;
import io.jenkins.plugins.sandbox.launch.WorkspaceHelper.Reason;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What builds leave for git outside of the sandbox, with git itself. */
@Tag("kernel")
class QuarantineTest {
    /** What the attacks are made of. */
    private static final String WORDS = """
            evil() { printf '[core]\\n\\trepositoryformatversion = 0\\n\\tfsmonitor = touch "%s"; false\\n' "$MARKER"; }
            commit() { git -C "$1" -c user.name=a -c user.email=a@b commit -q --allow-empty -m "$2"; }
            repo() { mkdir -p "$1" && git init -q "$1" && commit "$1" one && evil > "$1/.git/config"; }
            fake() { mkdir -p "$1/objects" "$1/refs"; echo 'ref: refs/heads/main' > "$1/HEAD"; }
            use() { (cd "$1" 2>/dev/null && git status && git log -1; true) >/dev/null 2>&1; }
            """;

    /** What the checkout before the block has made, with what a pull request brings. */
    private static final String CHECKOUT = """
            git init -q . && commit . one
            mkdir -p stuff/hooks bare/hooks && evil > stuff/config && (evil; echo worktree = .) > bare/config
            """;

    private final WorkspaceHelper helper = new WorkspaceHelper(TransportChoice.memfd());

    private Path workspace;
    private Path marker;
    private WorkspaceStore store;

    @BeforeEach
    void directories(@TempDir Path temporary) throws Exception {
        Path directory = temporary.toRealPath();
        workspace = Files.createDirectory(directory.resolve("workspace"));
        marker = directory.resolve("marker");
        store = WorkspaceStore.of(workspace, directory.resolve("fallback"));
        assertThat(store.store()).isEqualTo(directory.resolve("workspace@sandbox"));
        run(CHECKOUT);
    }

    /** Some trees are more than what the test framework can remove. */
    @AfterEach
    void removeTrees() throws Exception {
        assertThat(helper.remove(workspace).complete()).isTrue();
        assertThat(helper.remove(store.records()).complete()).isTrue();
    }

    private String run(String script) throws Exception {
        return run(workspace, script);
    }

    private String run(Path directory, String script) throws Exception {
        ProcessBuilder builder = new ProcessBuilder("sh", "-c", WORDS + script)
                .directory(directory.toFile())
                .redirectErrorStream(true);
        builder.environment().put("MARKER", marker.toString());
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    private Opening begin() throws Exception {
        Opening opening = helper.begin(store);
        assertThat(opening.complete()).as("%s", opening).isTrue();
        assertThat(opening.level()).isEqualTo(Level.FULL);
        assertThat(store.isOpen()).isTrue();
        return opening;
    }

    private Closing end() throws Exception {
        Closing closing = helper.end(store);
        assertThat(closing.complete()).as("%s", closing).isTrue();
        assertThat(store.isOpen()).isFalse();
        return closing;
    }

    /** The attack, and where git is used afterwards. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "mkdir sub; mv stuff sub/.git; fake sub/.git | sub",
                "mkdir sub; mv bare sub/bare; fake sub/bare | sub/bare",
                "repo other; mkdir -p other/.git/objects/kept; mv stuff/* other/.git/objects/kept; fake other/.git/objects/kept;"
                        + " mkdir sub; echo gitdir: ../other/.git/objects/kept > sub/.git; rm other/.git/config | sub",
                "mkdir -p .git/objects/kept; mv stuff/* .git/objects/kept; fake .git/objects/kept; mkdir sub;"
                        + " echo gitdir: ../.git/objects/kept > sub/.git | sub",
                "mkdir -p .git/objects/kept; mv bare/* .git/objects/kept; fake .git/objects/kept | .git/objects/kept",
                "mv .git old; mv stuff .git; fake .git | .",
                "mv stuff/config .git/config | .",
                "rm -rf .git; mv stuff .git; fake .git | .",
                "mv bare/* .; fake . ; rm -rf .git | .",
                "repo sub; mkdir x; git init -q x; chmod 0 x/.git/HEAD | sub",
                "repo sub; mkdir x; git init -q x; chmod 0 x/.git/refs | sub",
                "repo sub; mkdir x; git init -q x; rm x/.git/HEAD; mkfifo x/.git/HEAD | sub",
                "repo sub; chmod 0100 . | sub",
                "repo sub; mkdir -p 'x/y'; chmod 0 x/y x | sub",
                "repo sub; n=$(printf 'x%.0s' $(seq 250)); (for i in $(seq 20); do mkdir $n; cd -P $n; done; git init -q"
                        + " 2>/dev/null; mkdir .git) | sub",
                "repo a; mkdir sub; mv a/.git sub/real; echo gitdir: real > sub/.git | sub",
                "repo a; mkdir sub; ln -s ../a/.git sub/.git | sub",
                "repo a; git init -q sub; commit sub one; echo ../../a/.git > sub/.git/commondir | sub",
                "git worktree add -q sub 2>/dev/null; git -C sub config extensions.worktreeConfig true; f=.git/worktrees/sub;"
                        + " mv stuff/config $f/config.worktree; | sub",
                "repo sub; x=$(printf '\\377\\n'); mkdir \"$x\"; mkdir \"$x/.git\"; chmod 0 \"$x\" | sub",
                "mkdir -p modules; repo modules/m; mv modules/m/.git .git/modules; mkdir sub; echo gitdir: ../.git/modules > sub/.git"
                        + " | sub",
                "mkdir sub; git init -q sub; commit sub one; ln -sf \"$PWD/stuff/config\" sub/.git/config | sub",
            })
    void gitOutsideDoesNotObeyWhatABuildMade(String attack, String place) throws Exception {
        run(attack + "\n");
        run("chmod u+rwx .; use " + place);
        assertThat(marker).as("control").exists();
        undo();

        begin();
        run(attack + "\n");
        Files.deleteIfExists(marker);
        Closing closing = end();
        assertThat(closing.quarantined()).isNotEmpty();
        run("use " + place + "; use .; for d in */; do use \"$d\"; done");
        assertThat(marker).doesNotExist();
        // The next block gets it back, and git in it obeys it; outside, nothing is obeyed again when it has ended.
        begin();
        end();
        run("use " + place + "; use .");
        assertThat(marker).doesNotExist();
    }

    private void undo() throws Exception {
        run("chmod -R u+rwx . ; rm -rf ..?* .[!.]* *; rm -f \"$MARKER\"");
        run(CHECKOUT);
    }

    /** The benign twin: what was there stays, whatever was done to its content. */
    @Test
    void knownRepositoriesStay() throws Exception {
        run("git init -q lib; commit lib one; git -c protocol.file.allow=always -c user.name=a -c user.email=a@b"
                + " submodule --quiet add ./lib sub; commit . two; git worktree add -q tree 2>/dev/null; git init -q --bare bare.git;"
                + " mkdir -p h/.hg s/.svn b/.bzr; echo '[paths]' > h/.hg/hgrc; touch s/.svn/wc.db b/.bzr/README");
        Opening opening = begin();
        assertThat(opening.known())
                .extracting(Known::path)
                .containsExactlyInAnyOrder(
                        ".git", "lib/.git", "sub/.git", "tree/.git", "bare.git", "h/.hg", "s/.svn", "b/.bzr");
        assertThat(opening.known())
                .filteredOn(k -> k.kind() == Kind.GIT_FILE)
                .extracting(k -> k.exact().orElseThrow())
                .containsExactlyInAnyOrder(Path.of("sub/.git"), Path.of("tree/.git"));
        run(
                "commit . three; git gc -q; commit lib two; commit tree two; git -C sub checkout -q -b other; commit sub two;"
                        + " git pack-refs --all; echo changed > s/.svn/wc.db; touch new; git -C bare.git gc -q");
        Closing closing = end();
        assertThat(closing.quarantined()).isEmpty();
        assertThat(run("git -C sub log --oneline | wc -l; git -C tree status; git fsck"))
                .doesNotContain("fatal");
        assertThat(begin().restored()).isZero();
        end();
    }

    @Test
    void quarantinedRepositoriesComeBackWithTheirRemotesAndCanBeRemoved() throws Exception {
        begin();
        run(
                "mkdir build; git clone -q . build/dep; git -C build/dep remote add other https://example.invalid/x; chmod 555 build");
        assertThat(end().quarantined())
                .containsExactly(new Quarantined(Kind.GIT_DIRECTORY, Reason.NEW, "build/dep/.git"));
        assertThat(workspace.resolve("build/dep/.git")).doesNotExist();
        assertThat(run("git -C build/dep rev-parse --show-toplevel").strip()).isEqualTo(workspace.toString());
        Opening opening = begin();
        assertThat(opening.restored()).isOne();
        assertThat(opening.known()).extracting(Known::path).containsExactly(".git");
        assertThat(run("git -C build/dep remote; git -C build/dep status")).contains("origin", "other");
        run("chmod 755 build; rm -rf build");
        assertThat(end().quarantined()).isEmpty();
        assertThat(begin().restored()).isZero();
        end();
    }

    @Test
    void whatIsNotFreeAnyMoreStaysInQuarantine() throws Exception {
        begin();
        run("repo sub; repo gone; repo link");
        end();
        run("git init -q sub; rm -rf gone; rmdir link; ln -s . link");
        Opening opening = begin();
        assertThat(opening.restored()).isZero();
        assertThat(opening.known()).extracting(Known::path).containsExactlyInAnyOrder(".git", "sub/.git");
        assertThat(end().quarantined()).isEmpty();
        run("rm -rf sub/.git; mkdir gone; rm link; mkdir link");
        assertThat(begin().restored()).isEqualTo(3);
        end();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rm -rf .git; git init -q .",
                "cp -a .git new; rm -rf .git; mv new .git",
                "git init -q x; git config a.b c",
                "mkdir .git/hooks; printf '#!/bin/sh\\n' > .git/hooks/pre-commit",
                "echo '* filter=x' > .git/info/attributes",
                "echo /tmp > .git/objects/info/alternates",
                "ln -s /tmp .git/logs/link",
                "mv .git/HEAD x; ln -s ../x .git/HEAD",
                "echo .. > .git/commondir",
                "chmod +x .git/config",
                "mkfifo .git/description2",
            })
    void aKnownRepositoryThatWasChangedIsNotKnownAnyMore(String change) throws Exception {
        run("rm -rf .git/hooks; mkdir -p .git/info .git/objects/info");
        begin();
        run(change);
        Closing closing = end();
        assertThat(closing.quarantined()).extracting(Quarantined::path).contains(".git");
        assertThat(workspace.resolve(".git")).doesNotExist();
        begin();
        assertThat(workspace.resolve(".git")).exists();
        end();
    }

    @Test
    void anInodeNumberThatIsUsedAgainIsNoIdentity() throws Exception {
        run("rm -rf .git; mkdir -p sub; cp -a stuff sub/.git; : > sub/.git/config; fake sub/.git");
        begin();
        // deleteDir(), and the same content anew: only the identity tells it from the old one.
        run("cp -a sub keep; rm -rf sub; cp -a keep sub");
        assertThat(end().quarantined())
                .containsExactlyInAnyOrder(
                        new Quarantined(Kind.GIT_DIRECTORY, Reason.REPLACED, "sub/.git"),
                        new Quarantined(Kind.GIT_DIRECTORY, Reason.NEW, "keep/.git"));
    }

    @ParameterizedTest
    @ValueSource(strings = {".GIT", ".Git", ".gIt", ".HG", ".Svn", ".BZR", ".g\\342\\200\\214it", ".\\305\\277vn"})
    void namesThatACaseFoldingFileSystemTakesForTheOnesAreTakenOut(String name) throws Exception {
        begin();
        run("mkdir -p \"sub/$(printf '" + name + "')\"");
        assertThat(end().quarantined()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mkfifo sub/.git",
                "ln -s /nowhere sub/.git",
                "touch sub/.git; chmod 0 sub/.git",
                "mkdir sub/.git; chmod 0 sub/.git",
                "mkdir sub/.git; chmod 0555 sub/.git; chmod 0555 sub",
                "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sub/.git\")' 2>/dev/null || mkfifo sub/.git",
            })
    void whateverTypeAndRightsItHas(String attack) throws Exception {
        begin();
        run("mkdir sub; " + attack);
        assertThat(end().quarantined()).hasSize(1);
        assertThat(Files.exists(workspace.resolve("sub/.git"), LinkOption.NOFOLLOW_LINKS))
                .isFalse();
        assertThat(begin().restored()).isOne();
        end();
    }

    @Test
    void theEndOfAnUnfinishedBlockComesFirst() throws Exception {
        begin();
        run("repo sub; use sub");
        Files.delete(marker);
        Opening opening = begin();
        assertThat(opening.unfinished()).isPresent();
        assertThat(opening.unfinished().get().quarantined())
                .extracting(Quarantined::path)
                .containsExactly("sub/.git");
        assertThat(opening.known()).extracting(Known::path).containsExactly(".git");
        assertThat(opening.restored()).isOne();
        end();
        run("use sub");
        assertThat(marker).doesNotExist();
    }

    @Test
    void aRecordThatMakesNoSenseKnowsNothing() throws Exception {
        begin();
        Files.writeString(store.records().resolve("record"), "process-sandbox-record\0" + "1\0entry\0");
        Opening opening = begin();
        assertThat(opening.unfinished().orElseThrow().quarantined())
                .extracting(Quarantined::path)
                .containsExactly(".git");
        end();
    }

    @Test
    void aCheckoutInABlockIsAdopted() throws Exception {
        begin();
        run("repo sub");
        Closing closing = helper.check(store);
        assertThat(closing.complete()).isTrue();
        assertThat(closing.quarantined()).hasSize(1);
        assertThat(store.isOpen()).isTrue();
        run("git init -q other; commit other one; git config remote.origin.url https://example.invalid/");
        Opening adopted = helper.adopt(store);
        assertThat(adopted.complete()).isTrue();
        assertThat(adopted.known()).extracting(Known::path).containsExactlyInAnyOrder(".git", "other/.git");
        assertThat(adopted.restored()).isOne();
        assertThat(end().quarantined()).extracting(Quarantined::path).containsExactly("sub/.git");
        assertThat(workspace.resolve(".git")).exists();
        assertThat(workspace.resolve("other/.git")).exists();
    }

    @Test
    void directoriesThatAreNestedTooDeepAreTakenOutAsAWhole() throws Exception {
        begin();
        run("for i in $(seq 300); do mkdir d; cd -P d; done; git init -q . 2>/dev/null; mkdir -p .git");
        List<Quarantined> quarantined = end().quarantined();
        assertThat(quarantined).hasSize(1);
        assertThat(quarantined.get(0).kind()).isEqualTo(Kind.DIRECTORY);
        assertThat(quarantined.get(0).reason()).isEqualTo(Reason.TOO_DEEP);
        assertThat(begin().restored()).isOne();
        end();
    }

    @Test
    void withoutAStoreNamesAreChangedInPlace() throws Exception {
        WorkspaceStore inPlace = new WorkspaceStore(workspace, null, store.records());
        helper.begin(inPlace);
        run("repo sub; fake bare; for i in $(seq 300); do mkdir d; cd -P d; done; mkdir .git");
        Closing closing = helper.end(inPlace);
        assertThat(closing.complete()).as("%s", closing).isTrue();
        assertThat(closing.quarantined()).extracting(Quarantined::path).contains("sub/.git", "bare");
        run("use sub; use bare; for d in sub/.git*; do use $d; done");
        assertThat(marker).doesNotExist();
        assertThat(run("find . -name .git")).isEqualTo("./.git\n");
        assertThat(helper.begin(inPlace).restored()).isPositive();
        run("use sub");
        assertThat(marker).exists();
        Files.delete(marker);
        assertThat(helper.end(inPlace).complete()).isTrue();
        run("use sub; use bare");
        assertThat(marker).doesNotExist();
    }

    /** As a workspace that is a mount of its own: nothing can be renamed from there to a store beside it. */
    @Test
    void aStoreOnAnotherFileSystemIsNoStore() throws Exception {
        Path elsewhere = Files.createTempDirectory(Path.of("/dev/shm"), "quarantine-test");
        assumeFalse(
                Files.getFileStore(elsewhere).equals(Files.getFileStore(workspace)),
                "this machine lacks a second file system");
        try {
            WorkspaceStore far = new WorkspaceStore(workspace, elsewhere, store.records());
            helper.begin(far);
            run("repo sub; fake bare");
            Closing closing = helper.end(far);
            assertThat(closing.complete()).as("%s", closing).isTrue();
            run("use sub; use bare");
            assertThat(marker).doesNotExist();
            assertThat(helper.begin(far).restored()).isPositive();
            assertThat(workspace.resolve("sub/.git/HEAD")).exists();
            assertThat(workspace.resolve("bare/HEAD")).exists();
            assertThat(helper.end(far).complete()).isTrue();
        } finally {
            assertThat(helper.remove(elsewhere).complete()).isTrue();
        }
    }

    /** What leads to the workspace, and what the builds of others find beside it. */
    @Test
    void theStoreIsThisUsersAlone() throws Exception {
        assertThat(Files.getPosixFilePermissions(store.records()))
                .isEqualTo(PosixFilePermissions.fromString("rwx------"));
        Path other = Files.createDirectory(workspace.resolveSibling("other"));
        Files.createSymbolicLink(workspace.resolveSibling("other@sandbox"), workspace);
        assertThatThrownBy(() -> WorkspaceStore.of(other, workspace.resolveSibling("fallback")))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("is not a directory");
    }

    @Test
    void whereTheParentCannotBeWrittenTheRecordIsElsewhere() throws Exception {
        Path parent = Files.createDirectory(workspace.resolveSibling("shut"));
        Path inside = Files.createDirectory(parent.resolve("workspace"));
        Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("r-xr-xr-x"));
        assumeFalse(Files.isWritable(parent), "this machine lacks rights that hold for this user");
        WorkspaceStore fallback = WorkspaceStore.of(inside, workspace.resolveSibling("fallback"));
        assertThat(fallback.store()).isNull();
        assertThat(fallback.records().getParent()).isEqualTo(workspace.resolveSibling("fallback"));
        assertThat(helper.begin(fallback).complete()).isTrue();
        run(inside, "repo sub");
        assertThat(helper.end(fallback).quarantined()).hasSize(1);
        Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void manyRepositoriesAreCountedAndTheOldestRemovedLater() throws Exception {
        begin();
        run("for i in $(seq 1200); do mkdir -p d$i/.git; done");
        Closing closing = end();
        assertThat(closing.quarantined()).hasSize(200);
        assertThat(closing.more()).isEqualTo(1000);
        run("rm -rf d*");
        Opening opening = begin();
        assertThat(opening.restored()).isZero();
        assertThat(opening.problems()).singleElement().asString().startsWith("200 repositories");
        end();
    }
}
