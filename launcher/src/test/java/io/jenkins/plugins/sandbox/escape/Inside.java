package io.jenkins.plugins.sandbox.escape;

import io.jenkins.plugins.sandbox.escape.Attempt.Setting;
import io.jenkins.plugins.sandbox.launch.TransportChoice;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Each row as the command sees it from inside: what {@code RowsTest} asserts of one row after the other, on any machine and in one
 * script.
 */
public final class Inside {
    private static final String SAYS = "INSIDE ";

    /** What there is to get rid of. */
    private static final Setting BEHIND =
            Setting.ORDINARY.withBehind("umask 0; trap '' HUP INT PIPE USR1; exec 9< \"$HOST\"; exec \"$@\"");

    /**
     * @param rows where all of these are applied, the condition has to be true
     * @param condition for {@code sh}
     */
    private record Check(Set<Primitive> rows, String condition) {
        Check(Primitive row, String condition) {
            this(Set.of(row), condition);
        }
    }

    /** What only an applied row makes so: none of it is true without a sandbox. */
    private static final List<Check> CHECKS = List.of(
            new Check(
                    Primitive.SESSION,
                    "cut -d' ' -f4,6 /proc/self/stat > sid && read -r parent session < sid && rm sid"
                            + " && test $parent = $session && grep -q '^SigIgn:.0*$' /proc/self/status"
                            + " && grep -q '^SigBlk:.0*$' /proc/self/status && case $(umask) in *[2367]) ;; *) false;; esac"),
            new Check(Primitive.CLOSE_FDS, "! test -e /proc/self/fd/9 && ! ls -l /proc/self/fd | grep -q \"$HOST\""),
            new Check(Primitive.ENVIRONMENT, "! printenv JENKINS_SECRET > /dev/null"),
            new Check(Primitive.USER_NAMESPACE, isNew("user") + " && grep -q deny /proc/self/setgroups"),
            new Check(Primitive.PID_NAMESPACE, isNew("pid") + " && test $$ -lt 10"),
            new Check(Primitive.MOUNT_NAMESPACE, isNew("mnt")),
            new Check(Primitive.IPC_NAMESPACE, isNew("ipc")),
            new Check(Primitive.UTS_NAMESPACE, isNew("uts")),
            new Check(Primitive.CGROUP_NAMESPACE, isNew("cgroup")),
            new Check(
                    Primitive.NETWORK_NAMESPACE,
                    isNew("net") + " && ! tail -n +3 /proc/self/net/dev | grep -qv '^ *lo:'"),
            new Check(
                    Primitive.FILESYSTEM,
                    "! (: > \"$HOST/stray\") && : > own-file && rm own-file"
                            + " && cut -d' ' -f5,6 /proc/self/mountinfo | grep -q '^/ .*nosuid'"),
            new Check(
                    Primitive.PROC,
                    "read -r me rest < /proc/self/stat && test $me = $$ && test $me -lt 10"
                            + " && test $(ls /proc | grep -c '^[0-9]') -lt 10"),
            new Check(Primitive.NO_NEW_PRIVS, "grep -q '^NoNewPrivs:.1$' /proc/self/status"),
            new Check(
                    Set.of(Primitive.CAPABILITIES, Primitive.USER_NAMESPACE),
                    "! grep ^Cap /proc/self/status | grep -qv '0000000000000000$'"),
            new Check(Primitive.LANDLOCK_FS, "! ln -s nowhere \"$CONTROL/link\""),
            new Check(Primitive.LANDLOCK_NET, "! \"$T\" loopback | grep -q works"),
            new Check(Primitive.LANDLOCK_SCOPE, "! kill -0 $PPID"),
            new Check(Primitive.SECCOMP, "grep -q '^Seccomp:.2$' /proc/self/status"));

    /** What may be so without a sandbox too. */
    private static final List<Check> LIMITS = List.of(
            new Check(Primitive.CAPABILITIES, "! grep '^Cap[IPEA]' /proc/self/status | grep -qv '0000000000000000$'"),
            new Check(Primitive.RLIMIT_NOFILE, "test $(ulimit -Hn) -le 65536 && ! (ulimit -Hn unlimited)"),
            new Check(Primitive.RLIMIT_CORE, "test $(ulimit -Hc) = 0 && ! (ulimit -Hc unlimited)"));

    private final Report report;
    private final List<String> out;

    private Inside(Report report, List<String> out) {
        this.report = report;
        this.out = out;
    }

    /**
     * Looks at one launch.
     *
     * @param base of the {@link Stage}
     * @param then what is done last
     */
    public static Inside of(String profile, Path base, TransportChoice transport, String then) throws Exception {
        try (Scene scene = Scene.on(base)) {
            Runs runs = new Runs(BEHIND, scene, transport);
            Result result = runs.asFarAsItGoes(Profile.named(profile), script() + then);
            return new Inside(runs.report().orElseThrow(), result.out());
        }
    }

    /** What the same script says without a sandbox. */
    static Inside control(Scene scene) throws Exception {
        Result result = new Runs(BEHIND, scene, TransportChoice.memfd()).control(script());
        return new Inside(null, result.out());
    }

    public Report report() {
        return report;
    }

    public boolean says(String line) {
        return out.contains(line);
    }

    private static String isNew(String namespace) {
        return "test \"$(readlink /proc/self/ns/" + namespace + ")\" != \"$NS_" + namespace + "\"";
    }

    /** Every row that has a condition. */
    static boolean covers(Primitive row) {
        return all().stream().anyMatch(c -> c.rows().contains(row));
    }

    private static List<Check> all() {
        List<Check> all = new ArrayList<>(CHECKS);
        all.addAll(LIMITS);
        return all;
    }

    /** Made outside of the sandbox that it looks at. */
    private static String script() throws IOException {
        StringBuilder script = new StringBuilder();
        for (String namespace : List.of("user", "pid", "mnt", "ipc", "uts", "cgroup", "net")) {
            script.append("NS_" + namespace + "='")
                    .append(Files.readSymbolicLink(Path.of("/proc/self/ns", namespace)))
                    .append("'\n");
        }
        List<Check> all = all();
        for (int i = 0; i < all.size(); i++) {
            script.append("if { ")
                    .append(all.get(i).condition())
                    .append("; } 2>/dev/null; then echo " + SAYS + i + "; fi\n");
        }
        return script.append("echo " + SAYS + "all\n").toString();
    }

    /**
     * @return the conditions of applied rows that are not true
     */
    public List<String> disproved() {
        Set<Primitive> applied = Breakouts.applied(report);
        List<String> wrong = new ArrayList<>();
        if (!says(SAYS + "all")) {
            wrong.add("not all rows were looked at");
        }
        List<Check> all = all();
        for (int i = 0; i < all.size(); i++) {
            if (applied.containsAll(all.get(i).rows()) && !says(SAYS + i)) {
                wrong.add(all.get(i).toString());
            }
        }
        return wrong;
    }

    /** Conditions that are true here, and would show nothing if this is no sandbox. */
    List<String> showingNothing() {
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < CHECKS.size(); i++) {
            if (says(SAYS + i)) {
                wrong.add(CHECKS.get(i).toString());
            }
        }
        return wrong;
    }
}
