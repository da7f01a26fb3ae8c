package io.jenkins.plugins.sandbox.escape;

import static io.jenkins.plugins.sandbox.escape.Attempt.attempt;
import static io.jenkins.plugins.sandbox.model.Primitive.*;

import io.jenkins.plugins.sandbox.escape.Attempt.Control;
import io.jenkins.plugins.sandbox.escape.Attempt.Group;
import io.jenkins.plugins.sandbox.policy.Limits;
import io.jenkins.plugins.sandbox.policy.Policy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/** All attempts, as data: what is tried, what must go on working, and who stops it. */
final class Attempts {
    private static final Set<String> ALL = Set.of("standard", "strict", "offline", "locked");
    private static final Set<String> STRICT = Set.of("strict", "offline", "locked");
    private static final Set<String> OFFLINE = Set.of("offline", "locked");
    private static final Set<String> LOCKED = Set.of("locked");

    /** Within reach of every profile: it is no harm, or it is for something else than a sandbox to prevent. */
    private static final Set<String> NONE = Set.of();

    /** What agents often have: further mounts, sockets of services, a token of a cluster. One for all who need one of them. */
    static final String STAGE =
            "mount -t tmpfs -o noexec,nosuid,nodev t \"$HOST/sub\"\nmount --bind \"$HOMEDIR\" \"$HOST/again\"\n"
                    // And one that no path leads to.
                    + "mkdir -p \"$HOST/covered/below\"\nmount -t tmpfs t \"$HOST/covered/below\"\nmount -t tmpfs t \"$HOST/covered\"\n"
                    + "u=/run/user/1000; mount -t tmpfs t /run\n"
                    + "mkdir -p /run/dbus /run/containerd $u /run/secrets/kubernetes.io/serviceaccount\n"
                    + "echo secret > /run/secrets/kubernetes.io/serviceaccount/token\n"
                    + "mkdir /run/postgresql\n"
                    + "for s in /run/docker.sock /run/containerd/containerd.sock /run/dbus/system_bus_socket $u/bus"
                    + " /run/postgresql/.s.PGSQL.5432; do\n"
                    + "\"$T\" serve-unix $s > /run/there &\nwhile ! test -s /run/there && kill -0 $!; do sleep 0.01; done\n"
                    + ": > /run/there\ndone";

    // The rows that stop them.
    private static final Walls NOTHING = Walls.either();
    private static final Walls FILES = Walls.either(FILESYSTEM, LANDLOCK_FS);
    private static final Walls VIEW = Walls.either(FILESYSTEM);
    /** A read-only mount is in the way of neither a named pipe nor a link that lies where the command may write. */
    private static final Walls LANDLOCK = Walls.either(LANDLOCK_FS);

    /** A rule of Landlock holds for all that is below it, unless something is mounted there. */
    private static final Walls VIEW_AND_LANDLOCK = Walls.both(FILESYSTEM, LANDLOCK_FS);

    private static final Walls FILTER = Walls.either(SECCOMP);
    private static final Walls NO_NETWORK = Walls.either(NETWORK_NAMESPACE, LANDLOCK_NET);

    /** Who is in a user namespace, or in a domain of Landlock, may not trace who is not (ptrace(2), landlock(7)). */
    private static final Walls OTHERS_PROC = Walls.either(PROC, USER_NAMESPACE, LANDLOCK_FS);

    /** Init is in the same user namespace, with a capability more, and in no domain of Landlock. */
    private static final Walls INITS_SHIELD = Walls.either(USER_NAMESPACE, LANDLOCK_FS);

    // Harmless twins that several attempts share.
    private static final String WRITES = "echo x > new && mv new newer && test -s newer && rm newer";
    private static final String STARTS_PROCESSES = "x=$(echo y | cat) && test \"$x\" = y && (exit 0) & wait $!";
    private static final String TALKS_TO_ITSELF = "\"$T\" loopback > talk && grep -q works talk";
    private static final String OWN_SOCKET = "\"$T\" serve-unix \"$WS/s\" > there &\n"
            + "while ! test -s there && kill -0 $!; do sleep 0.01; done\n"
            + "\"$T\" unix \"$WS/s\" | grep -q ESCAPED && kill $!";
    private static final String OWN_TERMINAL =
            "script -qec 'test -t 0 && stty -a' /dev/null > typed && grep -q speed typed";
    private static final String OWN_TMP = "f=$(mktemp) && echo x > \"$f\" && test -s \"$f\" && rm \"$f\"";
    private static final String OWN_CHILD = "sleep 100 & kill -KILL $! && ! wait $!";
    private static final String READS_HOME = "echo x > \"$HOMEDIR/made\" && test -s \"$HOMEDIR/made\"\n"
            + "test \"$PROFILE\" = locked || grep -q original \"$HOMEDIR/.m2/repository/lib.jar\"";
    /** Under `locked` a repository is read-only. */
    private static final String COMMITS = "if test \"$PROFILE\" = locked; then grep -q original .git/config; else"
            + " echo x > .git/index.lock && mv .git/index.lock .git/index && echo y > .git/refs/heads/main"
            + " && echo z > .git/HEAD; fi";

    private static final String LOG = "agent/workspace/job@tmp/durable-1/jenkins-log.txt";
    private static final String LOGS = "echo line >> \"$CONTROL/jenkins-log.txt\" && echo 0 > \"$CONTROL/result.tmp\""
            + " && mv \"$CONTROL/result.tmp\" \"$CONTROL/jenkins-result.txt\"";
    /** As below {@code dir('a/dir')}. */
    private static final BiFunction<Path, Policy.Builder, Policy.Builder> BELOW_DIR =
            (workspace, b) -> b.controlDirectory(workspace + "/a/dir@tmp/durable-3");

    private static final String LOGS_BELOW_DIR = "echo line >> a/dir@tmp/durable-3/jenkins-log.txt"
            + " && echo 0 > a/dir@tmp/durable-3/result.tmp"
            + " && mv a/dir@tmp/durable-3/result.tmp a/dir@tmp/durable-3/jenkins-result.txt";
    private static final String STEPS_OWN_VARIABLE = "test \"$" + Runs.STEP_VARIABLE + "\" = step && test -n \"$PATH\"";

    private Attempts() {}

    static List<Attempt> all() {
        List<Attempt> all = new ArrayList<>();
        all.addAll(files());
        all.addAll(home());
        all.addAll(repository());
        all.addAll(programs());
        all.addAll(mounts());
        all.addAll(processes());
        all.addAll(systemCalls());
        all.addAll(network());
        all.addAll(ipc());
        all.addAll(terminals());
        all.addAll(environment());
        all.addAll(reports());
        all.addAll(controlDirectory());
        return Collections.unmodifiableList(all);
    }

    private static List<Attempt> files() {
        return List.of(
                attempt(Group.FILES, "change-file", "change a file outside of the workspace")
                        .does("echo changed > \"$HOST/file\"")
                        .outside((scene, result) -> scene.isChanged("host/file"))
                        .stoppedBy(STRICT, FILES, WRITES),
                attempt(Group.FILES, "delete-file", "delete a file outside of the workspace")
                        .does("rm -f \"$HOST/file\"")
                        .outside((scene, result) -> scene.isChanged("host/file"))
                        .stoppedBy(STRICT, FILES, "touch gone && rm gone && ! test -e gone"),
                attempt(Group.FILES, "move-out", "move a file out of the workspace")
                        .does("mv own \"$HOST/stray\"")
                        .outside((scene, result) -> scene.exists("host/stray"))
                        .stoppedBy(STRICT, FILES, "mkdir d && cp own d/a && mv d/a d/b && test -s d/b"),
                attempt(Group.FILES, "parent-directories", "leave the workspace by ..")
                        .does("echo changed > ../../../host/file")
                        .outside((scene, result) -> scene.isChanged("host/file"))
                        .stoppedBy(STRICT, FILES, "mkdir d && echo x > d/../up && test -s up"),
                attempt(Group.FILES, "symbolic-link", "write through a symbolic link that leads out of the workspace")
                        .does("ln -s \"$HOST/file\" link && echo changed > link")
                        .outside((scene, result) -> scene.isChanged("host/file"))
                        .stoppedBy(STRICT, FILES, "ln -s own alias && grep -q original alias && echo more >> alias"),
                attempt(Group.FILES, "hard-link", "write through a hard link to a file outside of the workspace")
                        .does("ln \"$HOST/file\" hard && echo changed > hard")
                        .outside((scene, result) -> scene.isChanged("host/file"))
                        .stoppedBy(STRICT, FILES, "ln own second && grep -q original second"),
                attempt(Group.FILES, "change-other-workspace", "change another job's workspace")
                        .does("echo changed > \"$OTHER/file\"")
                        .outside((scene, result) -> scene.isChanged("agent/workspace/other/file"))
                        .stoppedBy(STRICT, FILES, WRITES),
                attempt(Group.FILES, "read-other-workspace", "read another job's workspace")
                        .gets("grep -q secret \"$OTHER/secret\"")
                        .stoppedBy(STRICT, FILES, "grep -q original own"),
                attempt(Group.FILES, "read-agent", "read what the agent keeps in its own directory")
                        .gets("grep -q secret \"$AGENT/secret.key\"")
                        .stoppedBy(STRICT, FILES, "test \"$PROFILE\" = locked || \"$AGENT/tools/tool\""),
                attempt(Group.FILES, "change-agent", "change the program that the agent runs next time")
                        .does("echo changed > \"$AGENT/remoting/jarCache/agent.jar\"")
                        .outside((scene, result) -> scene.isChanged("agent/remoting/jarCache/agent.jar"))
                        .stoppedBy(STRICT, FILES, WRITES),
                attempt(Group.FILES, "change-tool", "change a tool that other jobs use")
                        .does("echo changed >> \"$AGENT/tools/tool\"")
                        .outside((scene, result) -> scene.holds("agent/tools/tool", "changed"))
                        .stoppedBy(STRICT, FILES, "test \"$PROFILE\" = locked || \"$AGENT/tools/tool\""),
                attempt(Group.FILES, "read-any-file", "read any file of the machine that the agent's user may read")
                        .gets("grep -q secret \"$HOST/readable\"")
                        .stoppedBy(LOCKED, FILES, "grep -q original own"),
                attempt(Group.FILES, "read-tmp", "read what other processes keep in /tmp")
                        .gets("grep -q secret \"$TMPX/secret\"")
                        .stoppedBy(STRICT, VIEW, OWN_TMP),
                attempt(Group.FILES, "plant-in-tmp", "leave something in /tmp for other processes to find")
                        .does("mkdir -p \"$TMPX\" && ln -s \"$HOST/file\" \"$TMPX/planted\"")
                        .outside((scene, result) -> scene.isPlantedInTmp())
                        .stoppedBy(STRICT, VIEW, OWN_TMP),
                attempt(Group.FILES, "inherited-directory", "reach the machine's files by an inherited descriptor")
                        .cve("CVE-2024-21626")
                        .behind("exec 9< \"$HOST\"; exec \"$@\"")
                        .does("cd /proc/self/fd/9 && echo changed > file")
                        .outside((scene, result) -> scene.isChanged("host/file"))
                        .stoppedBy(
                                STRICT,
                                Walls.either(CLOSE_FDS, LANDLOCK_FS),
                                "exec 8< . && cd /proc/self/fd/8 && test -s own"),
                attempt(Group.FILES, "inherited-stdin", "reach the machine's files by a directory as stdin")
                        .cve("CVE-2024-21626")
                        .behind("exec \"$@\" < \"$HOST\"")
                        .does("cd /proc/self/fd/0 && echo changed > file")
                        .outside((scene, result) -> scene.isChanged("host/file"))
                        .isRefusedBy(STRICT)
                        .stoppedBy(STRICT, Walls.either(CLOSE_FDS, LANDLOCK_FS), "true"),
                attempt(Group.FILES, "inherited-cwd", "reach the machine's files by the working directory")
                        .cve("CVE-2024-21626")
                        .in("HOST")
                        .does("echo changed > file")
                        .outside((scene, result) -> scene.isChanged("host/file"))
                        .isRefusedBy(LOCKED)
                        .stoppedBy(STRICT, FILES, "cd \"$WS\" && " + WRITES),
                attempt(Group.FILES, "devices", "reach a device of the machine (FUSE, KVM, tunnels and the like)")
                        .does("found=no\n"
                                + "for d in /dev/* /dev/net/*; do\n"
                                + "case ${d##*/} in null|zero|full|random|urandom|tty|ptmx|std*) continue;; esac\n"
                                + "if test -c \"$d\" && test -r \"$d\"; then echo ESCAPED \"$d\"; found=yes; fi\ndone\n"
                                + "if test $PROFILE = none && test $found = no; then"
                                + " echo LACKING a device that everybody may open; fi")
                        .stoppedBy(
                                STRICT,
                                VIEW,
                                "echo x > /dev/null && test $(head -c 8 /dev/urandom | wc -c) = 8 && test -c /dev/ptmx"),
                attempt(Group.FILES, "take-a-lease", "make everybody wait who opens a file outside of the workspace")
                        .calls("lease \"$HOST/file\"")
                        .stoppedBy(STRICT, FILTER, "\"$T\" lock own | grep -q ESCAPED"),
                attempt(Group.FILES, "take-a-lock", "lock a file that others wait for")
                        .calls("lock \"$HOST/file\"")
                        .stoppedBy(LOCKED, FILES, "\"$T\" lock own | grep -q ESCAPED"));
    }

    private static List<Attempt> home() {
        Map<String, String> titles = Map.of(
                "ssh", "read SSH keys in the home directory",
                "cloud", "read cloud credentials in the home directory",
                "registry", "read credentials of package registries in the home directory",
                "git", "read stored passwords of git and others in the home directory",
                "cluster", "read cluster and signing keys in the home directory");
        List<Attempt> attempts = new ArrayList<>();
        Scene.CREDENTIALS.forEach(
                (name, files) -> attempts.add(attempt(Group.FILES, "read-home-" + name, titles.get(name))
                        .does("for f in " + String.join(" ", files)
                                + "; do if grep -qs secret \"$HOMEDIR/$f\"; then echo ESCAPED $f; fi; done")
                        .stoppedBy(STRICT, FILES, READS_HOME)));
        attempts.addAll(List.of(
                attempt(Group.FILES, "link-to-home", "read an SSH key through a symbolic link in the workspace")
                        .gets("ln -s \"$HOMEDIR/.ssh/id_ed25519\" key && grep -q secret key")
                        .stoppedBy(STRICT, FILES, "ln -s own key2 && grep -q original key2"),
                attempt(Group.FILES, "change-home", "change a start-up file in the home directory")
                        .does("echo changed >> \"$HOMEDIR/.bashrc\"")
                        .outside((scene, result) -> scene.isChanged("home/.bashrc"))
                        .stoppedBy(STRICT, FILES, READS_HOME),
                attempt(Group.FILES, "poison-cache", "replace a library in a cache that other builds use")
                        .does("mkdir -p \"$HOMEDIR/.m2/repository\"\n"
                                + "echo changed > n && mv -f n \"$HOMEDIR/.m2/repository/lib.jar\"")
                        .outside((scene, result) -> scene.isChanged("home/.m2/repository/lib.jar"))
                        .stoppedBy(
                                STRICT,
                                FILES,
                                "mkdir -p \"$HOMEDIR/.m2/repository\" && echo x > \"$HOMEDIR/.m2/repository/new.jar\""
                                        + " && test -s \"$HOMEDIR/.m2/repository/new.jar\"")));
        return attempts;
    }

    /** Git runs outside of the sandbox in the next checkout, and does what these files say. */
    private static List<Attempt> repository() {
        return List.of(
                attempt(Group.FILES, "git-hook", "leave a git hook for the next checkout to run")
                        .does("echo x > .git/hooks/post-checkout")
                        .outside((scene, result) -> scene.exists("agent/workspace/job/.git/hooks/post-checkout"))
                        .stoppedBy(STRICT, VIEW, COMMITS),
                attempt(Group.FILES, "git-config", "change the git configuration that the next checkout obeys")
                        .does("echo x >> .git/config || { echo x > c && mv -f c .git/config; }")
                        .outside((scene, result) -> scene.isChanged("agent/workspace/job/.git/config"))
                        .stoppedBy(STRICT, VIEW, COMMITS),
                attempt(Group.FILES, "git-rename", "put another .git in the place of the protected one")
                        .alone()
                        .does("mv .git old && mkdir -p .git/hooks && echo x > .git/hooks/post-checkout")
                        .outside((scene, result) -> scene.exists("agent/workspace/job/.git/hooks/post-checkout"))
                        .stoppedBy(STRICT, VIEW, COMMITS),
                attempt(Group.FILES, "git-submodule-config", "change the git configuration of a submodule")
                        .does("echo x >> .git/modules/sub/config || { mv .git/modules/sub .git/modules/old;"
                                + " mkdir -p .git/modules/sub; echo x > .git/modules/sub/config; }")
                        .outside((scene, result) -> scene.isChanged("agent/workspace/job/.git/modules/sub/config"))
                        .stoppedBy(STRICT, VIEW, "echo x > sub/source && grep -q original .git/modules/sub/config"),
                attempt(Group.FILES, "git-submodule-hook", "leave a git hook in a submodule")
                        .does("echo x > .git/modules/sub/hooks/post-checkout")
                        .outside((scene, result) ->
                                scene.exists("agent/workspace/job/.git/modules/sub/hooks/post-checkout"))
                        .stoppedBy(STRICT, VIEW, "mkdir sub/d && echo x > sub/d/source"),
                attempt(
                                Group.FILES,
                                "git-common-directory",
                                "give git another directory for its configuration and hooks")
                        .does("echo other > .git/commondir")
                        .outside((scene, result) -> scene.holds("agent/workspace/job/.git/commondir", "other"))
                        .stoppedBy(STRICT, VIEW, COMMITS),
                attempt(Group.FILES, "git-link", "make a file that git writes to a link to a file of the machine")
                        .does("ln -s \"$HOST/file\" .git/FETCH_HEAD")
                        .outside((scene, result) -> scene.is("agent/workspace/job/.git/FETCH_HEAD", "link"))
                        .stoppedBy(STRICT, VIEW, COMMITS),
                attempt(Group.FILES, "git-index-link", "make the index of a repository a link to a file of the machine")
                        .does("ln -sf \"$HOST/file\" .git/index")
                        .outside((scene, result) -> scene.is("agent/workspace/job/.git/index", "link"))
                        .stoppedBy(STRICT, VIEW, COMMITS),
                attempt(
                                Group.FILES,
                                "git-working-tree",
                                "give a further working tree of a repository another configuration")
                        .does("mkdir -p .git/worktrees/tree && echo ../../../other > .git/worktrees/tree/commondir")
                        .outside((scene, result) -> scene.exists("agent/workspace/job/.git/worktrees/tree/commondir"))
                        .stoppedBy(STRICT, VIEW, COMMITS),
                attempt(Group.FILES, "git-neighbour", "leave a git hook in a checkout in a directory of the workspace")
                        .does(
                                "echo x > checkout/.git/hooks/post-checkout"
                                        + " || { mv checkout old && mkdir -p checkout/.git/hooks && echo x > checkout/.git/hooks/post-checkout; }")
                        .outside((scene, result) ->
                                scene.exists("agent/workspace/job/checkout/.git/hooks/post-checkout"))
                        .stoppedBy(
                                STRICT,
                                VIEW,
                                "test \"$PROFILE\" = locked || echo x > checkout/.git/index; echo x > checkout/source"),
                attempt(Group.FILES, "git-deeper", "leave a git hook in a checkout deeper in the workspace")
                        .does("echo x > deep/er/.git/hooks/post-checkout")
                        .outside(
                                (scene, result) -> scene.exists("agent/workspace/job/deep/er/.git/hooks/post-checkout"))
                        .stoppedBy(
                                STRICT,
                                VIEW,
                                "echo x > deep/er/source && mkdir deep/d && mv deep/er/source deep/d/source"),
                attempt(Group.FILES, "git-deeper-rename", "put another directory in the place of one that leads there")
                        .alone()
                        .does(
                                "mv deep shallow && mkdir -p deep/er/.git/hooks && echo x > deep/er/.git/hooks/post-checkout")
                        .outside(
                                (scene, result) -> scene.exists("agent/workspace/job/deep/er/.git/hooks/post-checkout"))
                        .stoppedBy(STRICT, VIEW, "mkdir shallow && mv shallow shallower && rmdir shallower"),
                attempt(Group.FILES, "git-new-repository", "make a new repository where a later checkout will find it")
                        .does("mkdir -p later/.git/hooks && echo x > later/.git/hooks/post-checkout")
                        .outside((scene, result) -> scene.exists("agent/workspace/job/later/.git/hooks/post-checkout"))
                        .stoppedBy(STRICT, Walls.whateverHolds(), "mkdir -p later && echo x > later/source"),
                attempt(Group.FILES, "git-new-link", "lead a later checkout to a repository of one's own")
                        .does("mkdir -p later && echo 'gitdir: ../elsewhere' > later/.git")
                        .outside((scene, result) -> scene.exists("agent/workspace/job/later/.git"))
                        .stoppedBy(STRICT, Walls.whateverHolds(), "mkdir -p later && echo x > later/source"),
                attempt(
                                Group.FILES,
                                "git-fallback",
                                "spoil .git, so that git takes the workspace itself for a repository")
                        .alone()
                        .does("mkdir objects refs && echo x > config && echo x > HEAD && mv .git/refs .git/gone")
                        .outside((scene, result) -> scene.exists("agent/workspace/job/HEAD")
                                && !scene.exists("agent/workspace/job/.git/refs"))
                        .stoppedBy(STRICT, VIEW, COMMITS),
                attempt(Group.FILES, "git-submodule-link", "point a submodule to another repository")
                        .does("echo 'gitdir: ../elsewhere' > g && mv -f g sub/.git")
                        .outside((scene, result) -> scene.isChanged("agent/workspace/job/sub/.git"))
                        .stoppedBy(STRICT, VIEW, "echo x > sub/source && test -s sub/source"));
    }

    private static List<Attempt> programs() {
        return List.of(
                attempt(Group.FILES, "replace-launcher", "replace the launcher's program file for the next launch")
                        .cve("CVE-2019-5736")
                        .withFiles()
                        .does(
                                "for f in \"$AGENT\"/caches/process-sandbox/launcher-*; do rm -f \"$f\"; echo forged-launcher > \"$f\"; done")
                        .outside((scene, result) -> scene.holds(
                                scene.find("agent/caches/process-sandbox", "launcher-*"), "forged-launcher"))
                        .stoppedBy(STRICT, FILES, "cp \"$T\" copy && ./copy hello > /dev/null"),
                attempt(
                                Group.FILES,
                                "set-uid-file",
                                "leave a program with the set-uid bit (of the agent's own user) in the workspace")
                        .does("cp \"$T\" privileged && chmod 4755 privileged")
                        .outside((scene, result) -> scene.isSetUid("agent/workspace/job/privileged"))
                        .stoppedBy(NONE, NOTHING, "cp \"$T\" copy && chmod 755 copy && ./copy hello > /dev/null"),
                attempt(Group.FILES, "memory-program", "run a program that is in no file")
                        .calls("memory-file \"$T\"")
                        .stoppedBy(LOCKED, FILTER, "\"$T\" hello > /dev/null"));
    }

    private static List<Attempt> mounts() {
        return List.of(
                attempt(Group.MOUNTS, "remount", "make the read-only view writable again, as root")
                        .asRoot(Control.WITHOUT_PRIVILEGE_ROWS)
                        .does("mount -o remount,bind,rw /\necho changed > \"$HOST/file\"")
                        .outside((scene, result) -> scene.isChanged("host/file"))
                        .stoppedBy(STRICT, Walls.either(CAPABILITIES, SECCOMP), WRITES),
                attempt(Group.MOUNTS, "uncover", "take a mount away to see what it covers, as root")
                        .asRoot(Control.WITHOUT_PRIVILEGE_ROWS)
                        .gets("umount -l /tmp; grep -q secret \"$TMPX/secret\"")
                        .stoppedBy(STRICT, Walls.either(CAPABILITIES, SECCOMP), OWN_TMP),
                attempt(Group.MOUNTS, "enter-own-namespace", "leave a chroot through /proc/self/ns, as root")
                        .asRoot(Control.CHROOT)
                        .gets("nsenter --mount=/proc/self/ns/mnt grep -q secret \"$TMPX/secret\"")
                        .stoppedBy(
                                STRICT, Walls.either(CAPABILITIES, SECCOMP), "readlink /proc/self/ns/mnt > /dev/null"),
                attempt(Group.MOUNTS, "second-chroot", "leave a chroot by a second one, as root")
                        .asRoot(Control.CHROOT)
                        .calls("chroot-out \"$TMPX/secret\"")
                        .stoppedBy(
                                STRICT, Walls.either(CAPABILITIES, SECCOMP), "mkdir d && cd d && cd .. && test -s own"),
                attempt(Group.MOUNTS, "submount", "write to a file system that is mounted below a read-only one")
                        .stage(STAGE)
                        .gets("echo x > \"$HOST/sub/file\"")
                        .stoppedBy(STRICT, FILES, WRITES),
                attempt(Group.MOUNTS, "other-name", "read an SSH key where the home directory is mounted a second time")
                        .stage(STAGE)
                        .gets("grep -q secret \"$HOST/again/.ssh/id_ed25519\"")
                        .stoppedBy(STRICT, FILES, READS_HOME),
                attempt(
                                Group.MOUNTS,
                                "parents-root",
                                "reach the machine's files through the root directory of another process")
                        .gets("grep -q secret \"/proc/$PPID/root$TMPX/secret\"")
                        .stoppedBy(STRICT, FILES, "grep -q original \"/proc/self/root$WS/own\""),
                attempt(Group.MOUNTS, "mount-in-namespace", "mount something in a user namespace of one's own")
                        .gets("unshare --user --map-root-user --mount mount -t tmpfs t \"$WS/m\"")
                        .stoppedBy(STRICT, FILTER, "mkdir -p m && echo x > m/x"),
                attempt(Group.MOUNTS, "mount-overlay", "mount an overlay in a user namespace of one's own")
                        .cve("CVE-2021-3493")
                        .calls("overlay \"$WS/l\" \"$WS/u\" \"$WS/w\" \"$WS/m\"", "mkdir -p l u w m")
                        .stoppedBy(STRICT, FILTER, "mkdir -p l u w m && echo x > l/x && cp l/x u/x"),
                attempt(Group.MOUNTS, "mount-options", "reach the parser of mount options")
                        .cve("CVE-2022-0185")
                        .calls("fsconfig")
                        .stoppedBy(STRICT, FILTER, "df . > /dev/null"),
                attempt(Group.MOUNTS, "mount-tree", "copy the mount tree with the newer mount calls")
                        .cve("CVE-2021-41133")
                        .calls("open-tree")
                        .stoppedBy(STRICT, FILTER, "grep -q . /proc/self/mountinfo"),
                attempt(Group.MOUNTS, "mount-cgroup", "mount the control groups, writable")
                        .cve("CVE-2022-0492")
                        .calls("cgroup \"$WS/m\"")
                        .stoppedBy(STRICT, FILTER, "grep -q . /proc/self/cgroup"));
    }

    private static List<Attempt> processes() {
        return List.of(
                attempt(Group.PROCESSES, "see", "see other processes and their command lines")
                        .gets("tr '\\0' ' ' < /proc/$VICTIM/cmdline | grep -q 600")
                        .stoppedBy(STRICT, Walls.either(PROC), "tr '\\0' ' ' < /proc/$$/cmdline | grep -q sh"),
                attempt(Group.PROCESSES, "slow-down", "lower the priority of another process")
                        .calls("slow-down $VICTIM")
                        .stoppedBy(STRICT, Walls.either(PID_NAMESPACE), "nice -n 1 true"),
                attempt(Group.PROCESSES, "limit", "lower the limits of another process")
                        .calls("limit $VICTIM")
                        .stoppedBy(STRICT, Walls.either(PID_NAMESPACE, SECCOMP), "\"$T\" limit 0 | grep -q ESCAPED"),
                // After all that need the process that it kills.
                attempt(Group.PROCESSES, "kill", "kill a process of the agent's user")
                        .does("kill -KILL $VICTIM")
                        .outside((scene, result) -> scene.isVictimDead())
                        .stoppedBy(STRICT, Walls.either(PID_NAMESPACE, LANDLOCK_SCOPE), OWN_CHILD),
                attempt(Group.PROCESSES, "trace", "trace another process")
                        .calls("ptrace $NEIGHBOUR")
                        .stoppedBy(STRICT, Walls.either(PID_NAMESPACE, USER_NAMESPACE, LANDLOCK_FS), STARTS_PROCESSES),
                attempt(Group.PROCESSES, "read-memory", "read another process' memory")
                        .calls("vm-read $NEIGHBOUR $ADDRESS")
                        .stoppedBy(STRICT, Walls.either(PID_NAMESPACE, USER_NAMESPACE, LANDLOCK_FS), STARTS_PROCESSES),
                attempt(Group.PROCESSES, "read-memory-file", "read another process' memory through /proc")
                        .calls("memory $NEIGHBOUR $ADDRESS")
                        .stoppedBy(STRICT, OTHERS_PROC, "head -c 1 /proc/self/maps > /dev/null"),
                attempt(Group.PROCESSES, "take-descriptor", "take an open file from another process")
                        .calls("take-descriptor $NEIGHBOUR")
                        .stoppedBy(
                                STRICT,
                                Walls.either(PID_NAMESPACE, USER_NAMESPACE, LANDLOCK_FS),
                                "exec 8< own && grep -q original <&8"),
                attempt(
                                Group.PROCESSES,
                                "foreign-root",
                                "read files through the root directory of another process in /proc")
                        .gets("grep -q secret \"/proc/$NEIGHBOUR/root$TMPX/secret\"")
                        .stoppedBy(STRICT, OTHERS_PROC, "test -d /proc/self/root"),
                attempt(Group.PROCESSES, "linger", "leave a process running when the build has ended")
                        .policy((workspace, b) ->
                                b.background(Policy.Background.KILL).graceSeconds(0))
                        .does("setsid \"$T\" linger \"$ID\" < /dev/null > /dev/null 2>&1 &")
                        .outside((scene, result) -> scene.isHaunted())
                        .stoppedBy(ALL, Walls.whateverHolds(), STARTS_PROCESSES),
                attempt(Group.PROCESSES, "become-root", "become root by a set-uid program")
                        .calls("set-uid \"$(command -v su)\"")
                        .stoppedBy(ALL, Walls.either(NO_NEW_PRIVS), "id -u > /dev/null"),
                attempt(Group.PROCESSES, "open-files", "open more files than the launch was given")
                        .policy((scene, b) -> b.limits(
                                new Limits(null, false, null, null, null, 256, null, null, null, null, null, null)))
                        .gets("ulimit -n 300")
                        .stoppedBy(ALL, Walls.either(RLIMIT_NOFILE), "ulimit -n 200"));
    }

    private static List<Attempt> systemCalls() {
        return List.of(
                attempt(Group.SYSCALLS, "user-namespace", "become root in a user namespace of one's own")
                        .calls("unshare")
                        .stoppedBy(STRICT, FILTER, STARTS_PROCESSES),
                attempt(
                                Group.SYSCALLS,
                                "user-namespace-by-clone",
                                "the same by clone, with flags above the 32 bits that count")
                        .calls("clone")
                        .stoppedBy(STRICT, FILTER, STARTS_PROCESSES),
                attempt(Group.SYSCALLS, "user-namespace-by-clone3", "the same by clone3, whose flags no filter can see")
                        .calls("clone3")
                        .stoppedBy(STRICT, FILTER, STARTS_PROCESSES),
                attempt(
                                Group.SYSCALLS,
                                "user-namespace-by-32-bit-call",
                                "the same through the entry for 32-bit programs")
                        .calls("gate32")
                        .stoppedBy(STRICT, FILTER, STARTS_PROCESSES),
                attempt(Group.SYSCALLS, "nf-tables", "reach the packet filter's rules")
                        .cve("CVE-2024-1086")
                        .calls("nftables")
                        .stoppedBy(STRICT, FILTER, TALKS_TO_ITSELF),
                attempt(Group.SYSCALLS, "ip-tables", "reach the older packet filter")
                        .cve("CVE-2021-22555")
                        .calls("iptables")
                        .stoppedBy(STRICT, FILTER, TALKS_TO_ITSELF),
                attempt(Group.SYSCALLS, "packet-socket", "open a packet socket in a network of one's own")
                        .cve("CVE-2020-14386")
                        .calls("packet")
                        .stoppedBy(STRICT, FILTER, TALKS_TO_ITSELF),
                attempt(Group.SYSCALLS, "raw-socket", "open a raw socket in a network of one's own")
                        .calls("raw")
                        .stoppedBy(STRICT, FILTER, TALKS_TO_ITSELF),
                attempt(Group.SYSCALLS, "ipsec", "reach the kernel's IPsec settings")
                        .cve("CVE-2022-27666")
                        .calls("xfrm")
                        .stoppedBy(STRICT, FILTER, TALKS_TO_ITSELF),
                attempt(Group.SYSCALLS, "vsock", "open a socket to the machine's hypervisor")
                        .cve("CVE-2021-26708")
                        .calls("vsock")
                        .stoppedBy(STRICT, FILTER, TALKS_TO_ITSELF),
                attempt(Group.SYSCALLS, "raw-socket-flags", "open a raw socket whose type carries other flags too")
                        .calls("raw-flags")
                        .stoppedBy(STRICT, FILTER, OWN_SOCKET),
                attempt(Group.SYSCALLS, "device-events", "listen to the kernel's device events")
                        .calls("uevents")
                        .stoppedBy(STRICT, FILTER, TALKS_TO_ITSELF),
                attempt(Group.SYSCALLS, "io-uring", "use io_uring, which makes calls that no filter sees")
                        .cve("CVE-2022-29582")
                        .calls("io-uring")
                        .stoppedBy(STRICT, FILTER, "cat own > /dev/null"),
                attempt(Group.SYSCALLS, "page-faults", "handle page faults in user space")
                        .calls("userfaultfd")
                        .stoppedBy(STRICT, FILTER, STARTS_PROCESSES),
                attempt(Group.SYSCALLS, "performance-counters", "use the performance counters")
                        .cve("CVE-2013-2094")
                        .calls("perf")
                        .stoppedBy(STRICT, FILTER, "x=$(date +%s) && test \"$x\" -gt 0"),
                attempt(Group.SYSCALLS, "bpf", "reach the loader of kernel programs")
                        .cve("CVE-2021-3490")
                        .calls("bpf")
                        .stoppedBy(STRICT, FILTER, STARTS_PROCESSES),
                attempt(Group.SYSCALLS, "keyring", "use the kernel's keyrings, which no namespace divides")
                        .cve("CVE-2016-0728")
                        .calls("add-key")
                        .stoppedBy(STRICT, FILTER, STARTS_PROCESSES),
                attempt(Group.SYSCALLS, "personality", "switch protections of memory off")
                        .calls("personality")
                        .stoppedBy(STRICT, FILTER, "setarch \"$(uname -m)\" true"),
                attempt(Group.SYSCALLS, "segments", "change the processor's segment table")
                        .cve("CVE-2015-3290")
                        .calls("modify-ldt")
                        .stoppedBy(STRICT, FILTER, STARTS_PROCESSES));
    }

    private static List<Attempt> network() {
        return List.of(
                attempt(Group.NETWORK, "tcp", "talk to a server of the machine on localhost")
                        .calls("tcp $TCP")
                        .stoppedBy(OFFLINE, NO_NETWORK, TALKS_TO_ITSELF),
                attempt(Group.NETWORK, "tcp-by-ipv6", "the same by an IPv6 socket")
                        .calls("tcp6 $TCP")
                        .stoppedBy(OFFLINE, NO_NETWORK, TALKS_TO_ITSELF),
                attempt(Group.NETWORK, "udp", "send datagrams, as the lookup of names does")
                        .calls("udp $UDP")
                        .stoppedBy(OFFLINE, NO_NETWORK, TALKS_TO_ITSELF),
                attempt(Group.NETWORK, "world", "find a way to the rest of the world")
                        .calls("route 198.51.100.1")
                        .stoppedBy(OFFLINE, NO_NETWORK, TALKS_TO_ITSELF),
                attempt(Group.NETWORK, "docker-socket", "give orders to the container service (Docker, containerd)")
                        .stage(STAGE)
                        .does("for s in /run/docker.sock /run/containerd/containerd.sock; do \"$T\" unix $s; done")
                        .stoppedBy(STRICT, VIEW, OWN_SOCKET),
                attempt(Group.NETWORK, "message-bus", "talk to system services and the user's session on D-Bus")
                        .stage(STAGE)
                        .does("for s in /run/dbus/system_bus_socket /run/user/1000/bus; do \"$T\" unix $s; done")
                        .stoppedBy(STRICT, VIEW, OWN_SOCKET),
                attempt(Group.NETWORK, "service-socket", "talk to any other service that has its socket below /run")
                        .stage(STAGE)
                        .calls("unix /run/postgresql/.s.PGSQL.5432")
                        .stoppedBy(STRICT, VIEW, OWN_SOCKET),
                attempt(Group.NETWORK, "cluster-token", "read the token of a Kubernetes service account")
                        .stage(STAGE)
                        .gets("grep -qs secret /run/secrets/kubernetes.io/serviceaccount/token")
                        .stoppedBy(STRICT, FILES, "grep -q original own"));
    }

    private static List<Attempt> ipc() {
        return List.of(
                attempt(Group.IPC, "shared-memory", "read System V shared memory of another process")
                        .calls("shm $SEGMENT")
                        .stoppedBy(STRICT, Walls.either(IPC_NAMESPACE), STARTS_PROCESSES),
                attempt(Group.IPC, "semaphore", "change a System V semaphore of another process")
                        .calls("semaphore $SEMAPHORE")
                        .stoppedBy(STRICT, Walls.either(IPC_NAMESPACE), STARTS_PROCESSES),
                attempt(Group.IPC, "message", "take a System V message that is meant for another process")
                        .calls("message $MESSAGES")
                        .stoppedBy(STRICT, Walls.either(IPC_NAMESPACE), STARTS_PROCESSES),
                attempt(Group.IPC, "message-queue", "write to a POSIX message queue of another process")
                        .calls("queue $QUEUE")
                        .stoppedBy(STRICT, Walls.either(IPC_NAMESPACE), STARTS_PROCESSES),
                attempt(Group.IPC, "shared-memory-file", "read what other processes share in /dev/shm")
                        .gets("grep -q secret \"$SHMX/secret\"")
                        .stoppedBy(
                                STRICT,
                                VIEW,
                                "echo x > /dev/shm/own.$$ && test -s /dev/shm/own.$$ && rm /dev/shm/own.$$"),
                attempt(Group.IPC, "abstract-socket", "connect to an abstract socket of another process")
                        .cve("CVE-2020-15257")
                        .calls("abstract $ABSTRACT")
                        .stoppedBy(STRICT, Walls.either(NETWORK_NAMESPACE, LANDLOCK_SCOPE), OWN_SOCKET),
                attempt(Group.IPC, "socket-file", "connect to a socket that lies somewhere else in the file system")
                        .calls("unix \"$HOST/neighbour.socket\"")
                        .stoppedBy(LOCKED, VIEW, OWN_SOCKET),
                attempt(Group.IPC, "named-pipe", "write to a named pipe of another process")
                        .calls("fifo \"$HOST/neighbour.fifo\"")
                        .stoppedBy(STRICT, LANDLOCK, "mkfifo pipe && { echo x > pipe & } && grep -q x pipe && rm pipe"),
                attempt(Group.IPC, "session-key", "read a key from the agent's session keyring")
                        .behind("exec \"$T\" with-key \"$ID\" \"$@\"")
                        .calls("read-key \"$ID\"")
                        .stoppedBy(STRICT, Walls.either(SESSION, SECCOMP), STARTS_PROCESSES));
    }

    private static List<Attempt> terminals() {
        String terminal = "exec \"$T\" with-terminal \"$@\"";
        return List.of(
                attempt(Group.TERMINALS, "type", "type into the terminal that the agent was started from")
                        .cve("CVE-2017-5226")
                        .behind(terminal)
                        .calls("type 32")
                        .stoppedBy(STRICT, Walls.either(SESSION, SECCOMP), "test -t 0 && stty -a > /dev/null"),
                attempt(
                                Group.TERMINALS,
                                "type-64-bit",
                                "the same, with a request whose upper half hides it from a filter")
                        .cve("CVE-2019-10063")
                        .behind(terminal)
                        .calls("type 64")
                        .stoppedBy(STRICT, Walls.either(SESSION, SECCOMP), "test -t 0 && stty -a > /dev/null"),
                attempt(Group.TERMINALS, "line-discipline", "load another line discipline into a terminal")
                        .cve("CVE-2017-2636")
                        .behind(terminal)
                        .calls("line-discipline")
                        .stoppedBy(STRICT, FILTER, OWN_TERMINAL),
                attempt(Group.TERMINALS, "console", "paste on a console")
                        .cve("CVE-2023-28100")
                        .behind(terminal)
                        .calls("console")
                        .stoppedBy(STRICT, FILTER, OWN_TERMINAL),
                attempt(Group.TERMINALS, "controlling-terminal", "open the terminal that the agent was started from")
                        .behind(terminal)
                        .calls("controlling")
                        .stoppedBy(STRICT, Walls.either(SESSION), OWN_TERMINAL),
                attempt(Group.TERMINALS, "other-terminal", "write to another terminal of the same user")
                        .calls("open $TERMINAL w")
                        .stoppedBy(STRICT, VIEW, OWN_TERMINAL));
    }

    private static List<Attempt> environment() {
        return List.of(
                attempt(Group.ENVIRONMENT, "agent-secret", "read the agent's secret from a variable")
                        .gets("printenv JENKINS_SECRET > /dev/null")
                        .stoppedBy(ALL, Walls.either(ENVIRONMENT), STEPS_OWN_VARIABLE),
                attempt(Group.ENVIRONMENT, "cloud-secret", "read the agent's cloud credentials from a variable")
                        .gets("printenv AWS_SECRET_ACCESS_KEY > /dev/null")
                        .stoppedBy(ALL, Walls.either(ENVIRONMENT), STEPS_OWN_VARIABLE),
                attempt(Group.ENVIRONMENT, "ssh-agent", "find the agent user's SSH agent by a variable")
                        .gets("printenv SSH_AUTH_SOCK > /dev/null")
                        .stoppedBy(ALL, Walls.either(ENVIRONMENT), STEPS_OWN_VARIABLE),
                attempt(
                                Group.ENVIRONMENT,
                                "initial-environment",
                                "find a dropped variable where the kernel keeps the first environment")
                        .gets("tr '\\0' '\\n' < /proc/$$/environ | grep -q ^JENKINS_SECRET=")
                        .stoppedBy(
                                ALL, Walls.either(ENVIRONMENT), "tr '\\0' '\\n' < /proc/$$/environ | grep -q ^PATH="),
                attempt(
                                Group.ENVIRONMENT,
                                "parents-environment",
                                "read the environment of the process that started the command")
                        .gets("tr '\\0' '\\n' < /proc/$PPID/environ | grep -q ^JENKINS_SECRET=")
                        .stoppedBy(STRICT, INITS_SHIELD, STEPS_OWN_VARIABLE),
                attempt(Group.ENVIRONMENT, "agents-environment", "read the agent's own environment in /proc")
                        .gets("tr '\\0' '\\n' < /proc/$JVM/environ | grep -q ^JENKINS_SECRET=")
                        .stoppedBy(STRICT, OTHERS_PROC, STEPS_OWN_VARIABLE),
                attempt(Group.ENVIRONMENT, "any-variable", "read an ordinary variable of the agent")
                        .gets("printenv SANDBOX_TEST_OTHER > /dev/null")
                        .stoppedBy(LOCKED, Walls.either(ENVIRONMENT), STEPS_OWN_VARIABLE));
    }

    private static List<Attempt> reports() {
        return List.of(
                attempt(Group.REPORTS, "inherited-file", "write to a file of the agent's by an inherited descriptor")
                        .behind("exec 9>> \"$HOST/file\"; exec \"$@\"")
                        .calls("descriptors forged")
                        .outside((scene, result) -> scene.isChanged("host/file"))
                        .stoppedBy(STRICT, Walls.either(CLOSE_FDS), "exec 8> w && echo x >&8 && test -s w"),
                attempt(Group.REPORTS, "parents-files", "open the report or another file of init's through /proc")
                        .alone()
                        .behind("exec 9>> \"$HOST/file\"; exec \"$@\"")
                        .calls("parents-files")
                        .stoppedBy(STRICT, INITS_SHIELD, "ls /proc/self/fd > /dev/null"),
                attempt(Group.REPORTS, "agents-pipes", "open the pipes on which the agent reads reports")
                        .does("for f in /proc/$JVM/fd/*; do if test -p \"$f\"; then echo ESCAPED; break; fi; done")
                        .stoppedBy(STRICT, OTHERS_PROC, "ls /proc/self/fd > /dev/null"),
                attempt(Group.REPORTS, "report-file", "write to the report where it is a file")
                        .withFiles()
                        .gets(
                                "for f in \"$AGENT\"/caches/process-sandbox/launch-*/report; do echo 'exit code 0' >> \"$f\"; done")
                        .stoppedBy(STRICT, FILES, WRITES),
                attempt(Group.REPORTS, "launchers-program", "get hold of the launcher's program through /proc")
                        .cve("CVE-2019-5736")
                        .calls("open /proc/$PPID/exe r")
                        .stoppedBy(STRICT, INITS_SHIELD, "\"$T\" open /proc/self/exe r | grep -q ESCAPED"),
                attempt(Group.REPORTS, "inits-memory", "change the memory of the sandbox's init")
                        .calls("open /proc/$PPID/mem rw")
                        .stoppedBy(STRICT, INITS_SHIELD, "\"$T\" open /proc/self/mem r | grep -q ESCAPED"),
                attempt(Group.REPORTS, "trace-init", "trace the sandbox's init")
                        .calls("ptrace $PPID")
                        .stoppedBy(STRICT, INITS_SHIELD, STARTS_PROCESSES),
                attempt(Group.REPORTS, "terminate-init", "end the sandbox by a signal to its init")
                        .alone()
                        .calls("end-parent 15")
                        .outside((scene, result) -> result.says(Attempt.ESCAPED) || result.isCutShort())
                        .stoppedBy(STRICT, Walls.either(PID_NAMESPACE, LANDLOCK_SCOPE), OWN_CHILD),
                attempt(Group.REPORTS, "kill-init", "kill the sandbox's init, so that nobody reports the end")
                        .alone()
                        .calls("end-parent 9")
                        .outside((scene, result) -> result.says(Attempt.ESCAPED) || result.isCutShort())
                        .stoppedBy(STRICT, Walls.either(PID_NAMESPACE, LANDLOCK_SCOPE), OWN_CHILD),
                attempt(Group.REPORTS, "offer-init", "make the kernel choose init first when memory runs out")
                        .gets("echo 1000 > /proc/$PPID/oom_score_adj")
                        .stoppedBy(STRICT, LANDLOCK, "grep -q . /proc/$$/oom_score_adj"),
                attempt(Group.REPORTS, "limit-init", "limit what the sandbox's init may write")
                        .calls("limit $PPID")
                        .stoppedBy(STRICT, FILTER, "\"$T\" limit 0 | grep -q ESCAPED"));
    }

    private static List<Attempt> controlDirectory() {
        return List.of(
                attempt(Group.CONTROL_DIRECTORY, "other-steps-secret", "read a secret file of another step")
                        .gets("grep -qs secret \"$WSTMP/secretFiles/other/key\"")
                        .stoppedBy(STRICT, FILES, LOGS),
                attempt(Group.CONTROL_DIRECTORY, "other-steps-result", "write the result of another step")
                        .does("echo 0 > \"$WSTMP/durable-2/jenkins-result.txt\"")
                        .outside(
                                (scene, result) -> scene.exists("agent/workspace/job@tmp/durable-2/jenkins-result.txt"))
                        .stoppedBy(STRICT, FILES, LOGS),
                attempt(Group.CONTROL_DIRECTORY, "log-hard-link", "make the log another name of a file of the machine")
                        .alone()
                        .does("ln -f \"$HOST/readable\" \"$CONTROL/jenkins-log.txt\"")
                        .outside((scene, result) -> !scene.is(LOG, "link") && scene.holds(LOG, "secret"))
                        .stoppedBy(STRICT, FILES, LOGS),
                attempt(
                                Group.CONTROL_DIRECTORY,
                                "log-link",
                                "make the log a symbolic link, which the agent follows when it reads")
                        .does("ln -sf \"$HOST/readable\" \"$CONTROL/jenkins-log.txt\"")
                        .outside((scene, result) -> scene.is(LOG, "link"))
                        .stoppedBy(STRICT, LANDLOCK, LOGS),
                attempt(Group.CONTROL_DIRECTORY, "log-link-moved", "move a symbolic link into the place of the log")
                        .does("ln -s \"$HOST/readable\" of-log && mv -f of-log \"$CONTROL/jenkins-log.txt\"")
                        .outside((scene, result) -> scene.is(LOG, "link"))
                        .stoppedBy(STRICT, LANDLOCK, LOGS),
                attempt(
                                Group.CONTROL_DIRECTORY,
                                "log-link-in-workspace",
                                "the same where the control directory lies in the workspace")
                        .policy(BELOW_DIR)
                        .does(
                                "ln -sf \"$HOST/readable\" a/dir@tmp/durable-3/jenkins-log.txt"
                                        + " || { ln -s \"$HOST/readable\" of-log && mv -f of-log a/dir@tmp/durable-3/jenkins-log.txt; }")
                        .outside((scene, result) ->
                                scene.is("agent/workspace/job/a/dir@tmp/durable-3/jenkins-log.txt", "link"))
                        .stoppedBy(STRICT, VIEW_AND_LANDLOCK, LOGS_BELOW_DIR),
                attempt(Group.CONTROL_DIRECTORY, "result-pipe-in-workspace", "make the result a named pipe there")
                        .policy(BELOW_DIR)
                        .does("mkfifo a/dir@tmp/durable-3/jenkins-result.txt")
                        .outside((scene, result) ->
                                scene.is("agent/workspace/job/a/dir@tmp/durable-3/jenkins-result.txt", "fifo"))
                        .stoppedBy(STRICT, VIEW_AND_LANDLOCK, "echo line >> a/dir@tmp/durable-3/jenkins-log.txt"),
                attempt(Group.CONTROL_DIRECTORY, "swap-in-workspace", "put another directory in its place there")
                        .alone()
                        .policy(BELOW_DIR)
                        .does("mv a/dir@tmp a/dir@old && mkdir a/dir@tmp && ln -s \"$HOST\" a/dir@tmp/durable-3")
                        .outside((scene, result) -> scene.exists("agent/workspace/job/a/dir@old"))
                        .stoppedBy(STRICT, VIEW, LOGS_BELOW_DIR),
                attempt(Group.CONTROL_DIRECTORY, "swap-parent-in-workspace", "the same one directory further up")
                        .alone()
                        .policy(BELOW_DIR)
                        .does("mv a b && mkdir -p a/dir@tmp && ln -s \"$HOST\" a/dir@tmp/durable-3")
                        .outside((scene, result) -> scene.exists("agent/workspace/job/b"))
                        .stoppedBy(STRICT, VIEW, LOGS_BELOW_DIR),
                attempt(
                                Group.CONTROL_DIRECTORY,
                                "read-secret-in-workspace",
                                "read a secret file of another step of that directory")
                        .policy(BELOW_DIR)
                        .gets("grep -q secret a/dir@tmp/secretFiles/other/key")
                        .stoppedBy(STRICT, VIEW, LOGS_BELOW_DIR),
                attempt(Group.CONTROL_DIRECTORY, "swap", "put another directory in the control directory's place")
                        .alone()
                        .does("mv \"$CONTROL\" \"$CONTROL.old\" && ln -s \"$HOST\" \"$CONTROL\"")
                        .outside((scene, result) -> scene.exists("agent/workspace/job@tmp/durable-1.old"))
                        .stoppedBy(STRICT, FILES, LOGS),
                attempt(
                                Group.CONTROL_DIRECTORY,
                                "result-pipe",
                                "make the result a named pipe, on which the agent waits")
                        .does("mkfifo \"$CONTROL/jenkins-result.txt\"")
                        .outside((scene, result) -> scene.exists("agent/workspace/job@tmp/durable-1/jenkins-result.txt")
                                && scene.is("agent/workspace/job@tmp/durable-1/jenkins-result.txt", "fifo"))
                        .stoppedBy(
                                STRICT,
                                LANDLOCK,
                                LOGS.replace(" && mv \"$CONTROL/result.tmp\" \"$CONTROL/jenkins-result.txt\"", "")));
    }
}
