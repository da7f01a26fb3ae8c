package io.jenkins.plugins.sandbox.config;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.allOf;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsInAnyOrder;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertThrows;

import hudson.AbortException;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class EffectivePolicyTest {
    private static final Floor FLOOR = floor("strict", List.of(), Set.of());

    private static Floor floor(String profile, List<SandboxProfile> own, Set<Relaxation> relaxations, String... paths) {
        Profiles profiles = new Profiles(own);
        return new Floor(
                profiles.get(profile),
                Level.PARTIAL,
                OnShortfall.FAIL,
                Set.of(Primitive.SECCOMP),
                relaxations,
                List.of(paths).stream().map(SandboxPath::parse).toList(),
                profiles);
    }

    private static SandboxSettings asked(Setting setting, String value) {
        return SandboxSettings.NOTHING.with(setting, List.of(value));
    }

    private static SandboxSettings asked(String profile, String level, String onShortfall) {
        return SandboxSettings.NOTHING
                .with(Setting.PROFILE, profile)
                .with(Setting.MINIMUM_LEVEL, level)
                .with(Setting.ON_SHORTFALL, onShortfall);
    }

    private static String refusal(Floor floor, SandboxSettings asked) {
        return assertThrows(AbortException.class, () -> EffectivePolicy.of(floor, asked))
                .getMessage();
    }

    private static List<String> texts(List<SandboxPath> paths) {
        return paths.stream().map(SandboxPath::text).toList();
    }

    @Test
    void whoAsksForNothingGetsTheFloor() throws Exception {
        EffectivePolicy policy = EffectivePolicy.of(FLOOR, SandboxSettings.NOTHING);
        assertThat(policy.profile(), is("strict"));
        assertThat(policy.minimumLevel(), is(Level.PARTIAL));
        assertThat(policy.onShortfall(), is(OnShortfall.FAIL));
        assertThat(policy.requiredPrimitives(), contains(Primitive.SECCOMP));
        assertThat(policy.definition().home(), is(Profile.Home.OVERLAY));
        assertThat(policy.raised(), is(empty()));
    }

    @Test
    void whoAsksForMoreGetsIt() throws Exception {
        Profiles profiles = new Profiles(List.of());
        Floor lax = new Floor(
                profiles.get("standard"), Level.NONE, OnShortfall.WARN, Set.of(), Set.of(), List.of(), profiles);
        EffectivePolicy policy = EffectivePolicy.of(
                lax,
                asked("strict", "FULL", "unstable")
                        .with(Setting.HOME, "empty")
                        .with(Setting.NETWORK, "none")
                        .with(Setting.MEMORY, "2g")
                        .with(Setting.WALL_TIME, "10m")
                        .with(Setting.HIDE_PATHS, List.of("/srv/data/"))
                        .with(Setting.REQUIRED_PRIMITIVES, List.of("landlock_fs")));
        assertThat(policy.profile(), is("strict"));
        assertThat(policy.minimumLevel(), is(Level.FULL));
        assertThat(policy.onShortfall(), is(OnShortfall.UNSTABLE));
        assertThat(policy.definition().home(), is(Profile.Home.EMPTY));
        assertThat(policy.definition().network(), is(Profile.Network.NONE));
        assertThat(policy.definition().primitives(), hasItem(Primitive.NETWORK_NAMESPACE));
        assertThat(policy.definition().limits().memory(), is(2L << 30));
        assertThat(policy.definition().limits().wallTime(), is(600));
        assertThat(texts(policy.paths().hide()), contains("/srv/data"));
        assertThat(policy.requiredPrimitives(), contains(Primitive.LANDLOCK_FS));
        assertThat(policy.raised(), is(empty()));
    }

    @Test
    void whoAsksForLessIsRaisedAndTold() throws Exception {
        EffectivePolicy policy = EffectivePolicy.of(FLOOR, asked("standard", "NONE", "warn"));
        assertThat(policy.profile(), is("strict"));
        assertThat(policy.minimumLevel(), is(Level.PARTIAL));
        assertThat(policy.onShortfall(), is(OnShortfall.FAIL));
        assertThat(
                policy.raised(),
                contains(
                        containsString("profile raised from standard to strict"),
                        containsString("minimumLevel raised from NONE to PARTIAL"),
                        containsString("onShortfall raised from warn to fail")));
    }

    /** Each of these would loosen what the administrator chose, and none of them is let through. */
    @ParameterizedTest
    @CsvSource({
        "NETWORK, host, network",
        "HOME, host, home",
        "HOME, overlay, home",
        "HOME, job, home",
        "GIT, protected, git",
        "MEMORY, 5g, memory",
        "PIDS, 1000, pids",
        "CPU_TIME, 2h, cpuTime",
        "WALL_TIME, 3601, wallTime",
        "CPUS, 0-4, cpus",
        "CPU_QUOTA, 201%, cpuQuota",
        "OPEN_FILES, 65537, openFiles",
        "FILE_SIZE, 2G, fileSize",
        "STACK, 1g, stack",
        "LOCKED_MEMORY, 1m, lockedMemory",
        "READ_PATHS, /home/jenkins/.ssh, readPaths",
        "WRITE_PATHS, /opt/cache, writePaths",
        "WRITE_PATHS, /opt/allowedtoo, writePaths",
        "EXEC_PATHS, @workspace, execPaths",
        "READ_PATHS, /opt/allowed/secret/key, readPaths",
        "ENVIRONMENT, AWS_SECRET_ACCESS_KEY, environment",
    })
    void whatLoosensIsRefused(Setting setting, String value, String named) {
        SandboxProfile own = new SandboxProfile("own", "offline");
        own.setHome("scratch");
        own.setMemory("4g");
        own.setPids("500");
        own.setCpuTime("1h");
        own.setWallTime("1h");
        own.setCpus("0-3");
        own.setCpuQuota("200");
        own.setFileSize("1g");
        own.setStack("8m");
        own.setLockedMemory("64k");
        own.setHidePaths(List.of("/opt/allowed/secret"));
        String message = refusal(floor("own", List.of(own), Set.of(), "/opt/allowed"), asked(setting, value));
        assertThat(message, allOf(containsString(named), containsString(value), containsString("Leave it out")));
    }

    /** What the same administrator lets jobs do is let through: the refusals above are not for another reason. */
    @Test
    void whatTheAdministratorAllowsMayBeLoosened() throws Exception {
        SandboxProfile own = new SandboxProfile("own", "offline");
        own.setHome("scratch");
        own.setMemory("4g");
        own.setCpus("0-3");
        Floor floor = floor("own", List.of(own), Set.of(Relaxation.values()), "/opt/allowed", "@workspace");
        EffectivePolicy policy = EffectivePolicy.of(
                floor,
                SandboxSettings.NOTHING
                        .with(Setting.NETWORK, "host")
                        .with(Setting.HOME, "job")
                        .with(Setting.MEMORY, "5g")
                        .with(Setting.CPUS, "0-4")
                        .with(Setting.OPEN_FILES, "100000")
                        .with(Setting.READ_PATHS, List.of("/opt/allowed/a", "/opt/allowed"))
                        .with(Setting.WRITE_PATHS, List.of("/opt/allowed//cache/"))
                        .with(Setting.EXEC_PATHS, List.of("@workspace"))
                        .with(Setting.ENVIRONMENT, List.of("JAVA_HOME")));
        assertThat(policy.definition().network(), is(Profile.Network.HOST));
        assertThat(policy.definition().primitives(), not(hasItem(Primitive.NETWORK_NAMESPACE)));
        assertThat(policy.definition().home(), is(Profile.Home.JOB));
        assertThat(policy.definition().limits().memory(), is(5L << 30));
        assertThat(policy.definition().limits().cpus(), is("0-4"));
        assertThat(policy.definition().limits().openFiles(), is(100_000));
        assertThat(texts(policy.paths().read()), contains("/opt/allowed/a", "/opt/allowed"));
        assertThat(texts(policy.paths().write()), contains("/opt/allowed/cache"));
        assertThat(texts(policy.paths().execute()), contains("@workspace"));
        assertThat(policy.environment(), contains("JAVA_HOME"));
        assertThat(texts(policy.allowedPaths()), contains("/opt/allowed", "@workspace"));
        assertThat(policy.raised(), is(empty()));
    }

    /** One does not stand for another. */
    @ParameterizedTest
    @EnumSource
    void eachRelaxationIsForItself(Relaxation relaxation) throws Exception {
        SandboxProfile own = new SandboxProfile("own", "offline");
        own.setMemory("4g");
        Floor floor = floor("own", List.of(own), Set.of(relaxation));
        for (SandboxSettings asked : List.of(
                asked(Setting.NETWORK, "host"),
                asked(Setting.HOME, "host"),
                asked(Setting.MEMORY, "5g"),
                asked(Setting.ENVIRONMENT, "SECRET"))) {
            if (asked.toString().startsWith(relaxation == Relaxation.LIMITS ? "memory" : relaxation.word())) {
                EffectivePolicy.of(floor, asked);
            } else {
                refusal(floor, asked);
            }
        }
    }

    @Test
    void lowerLimitsAreFree() throws Exception {
        SandboxProfile own = new SandboxProfile("own", "strict");
        own.setMemory("4g");
        own.setCpus("0-3");
        EffectivePolicy policy = EffectivePolicy.of(
                floor("own", List.of(own), Set.of()),
                asked(Setting.MEMORY, "1g").with(Setting.CPUS, "3,1").with(Setting.OPEN_FILES, "256"));
        assertThat(policy.definition().limits().memory(), is(1L << 30));
        assertThat(policy.definition().limits().openFiles(), is(256));
        assertThat(policy.profile(), is("own"));
    }

    @Test
    void aProfileMayBeChosenWhenItGivesNothingMore() throws Exception {
        SandboxProfile narrow = new SandboxProfile("narrow", "strict");
        narrow.setHome("empty");
        narrow.setSyscalls(List.of("-@network-io"));
        narrow.setHidePaths(List.of("/srv"));
        SandboxProfile wide = new SandboxProfile("wide", "strict");
        wide.setWritePaths(List.of("/opt/cache"));
        SandboxProfile open = new SandboxProfile("open", "strict");
        open.setSyscalls(List.of("debug"));
        List<SandboxProfile> all = List.of(narrow, wide, open);

        Floor strict = floor("strict", all, Set.of());
        assertThat(EffectivePolicy.of(strict, asked(Setting.PROFILE, "narrow")).profile(), is("narrow"));
        for (String weaker : List.of("wide", "open")) {
            EffectivePolicy policy = EffectivePolicy.of(strict, asked(Setting.PROFILE, weaker));
            assertThat(policy.profile(), is("strict"));
            assertThat(policy.raised(), contains(containsString("profile raised from " + weaker + " to strict")));
            assertThat(policy.profilePaths().write(), is(empty()));
        }
        assertThat(
                EffectivePolicy.of(floor("wide", all, Set.of()), asked(Setting.PROFILE, "strict"))
                        .profilePaths()
                        .write(),
                is(empty()));
        // Neither keeps all that the other one keeps.
        assertThat(
                EffectivePolicy.of(floor("narrow", all, Set.of()), asked(Setting.PROFILE, "locked"))
                        .profile(),
                is("narrow"));
    }

    @Test
    void theFloorsLimitsAndHiddenPathsHoldUnderAnotherProfile() throws Exception {
        SandboxProfile own = new SandboxProfile("own", "strict");
        own.setMemory("4g");
        own.setHidePaths(List.of("/srv"));
        EffectivePolicy policy =
                EffectivePolicy.of(floor("own", List.of(own), Set.of()), asked(Setting.PROFILE, "locked"));
        assertThat(policy.profile(), is("locked"));
        assertThat(policy.definition().limits().memory(), is(4L << 30));
        assertThat(texts(policy.profilePaths().hide()), contains("/srv"));
    }

    @Test
    void aChoosableProfileMayBeWeaker() throws Exception {
        SandboxProfile own = new SandboxProfile("own", "standard");
        own.setChoosable(true);
        Floor floor = floor("offline", List.of(own), Set.of());
        assertThat(EffectivePolicy.of(floor, asked(Setting.PROFILE, "own")).profile(), is("own"));
        // But not in a block that chose something stricter.
        EffectivePolicy nested =
                EffectivePolicy.of(floor, asked(Setting.PROFILE, "own").inside(asked(Setting.PROFILE, "offline")));
        assertThat(nested.profile(), is("offline"));
    }

    @Test
    void nestedBlocksGetTheStricterOfEach() throws Exception {
        SandboxSettings outer = asked("offline", null, null).with(Setting.HOME, "empty");
        SandboxSettings inner = asked("strict", "FULL", null).with(Setting.NETWORK, "host");
        Floor floor = floor("strict", List.of(), Set.of(Relaxation.values()));
        EffectivePolicy policy = EffectivePolicy.of(floor, inner.inside(outer));
        assertThat(policy.profile(), is("offline"));
        assertThat(policy.definition().network(), is(Profile.Network.NONE));
        assertThat(policy.definition().home(), is(Profile.Home.EMPTY));
        assertThat(policy.minimumLevel(), is(Level.FULL));
        assertThat(
                policy.raised(),
                containsInAnyOrder(
                        "profile raised from strict to offline: a block can only tighten the one around it",
                        "network raised from host to none: a block can only tighten the one around it"));
        // The other way round nothing has to be raised: the network that is asked for outside is taken away inside.
        EffectivePolicy reversed = EffectivePolicy.of(floor, outer.inside(inner));
        assertThat(reversed.profile(), is("offline"));
        assertThat(reversed.definition().network(), is(Profile.Network.NONE));
        assertThat(reversed.definition().home(), is(Profile.Home.EMPTY));
        assertThat(reversed.raised(), is(empty()));
    }

    @Test
    void nestedBlocksHaveOnlyThePathsOfBoth() throws Exception {
        Floor floor = floor("strict", List.of(), Set.of(Relaxation.ENVIRONMENT), "/opt", "/srv");
        SandboxSettings outer = SandboxSettings.NOTHING
                .with(Setting.WRITE_PATHS, List.of("/opt/a", "/srv"))
                .with(Setting.ENVIRONMENT, List.of("A", "B"))
                .with(Setting.HIDE_PATHS, List.of("/home"));
        SandboxSettings inner = SandboxSettings.NOTHING
                .with(Setting.WRITE_PATHS, List.of("/opt", "/srv/x", "/opt/b/c"))
                .with(Setting.ENVIRONMENT, List.of("B", "C"))
                .with(Setting.HIDE_PATHS, List.of("/mnt"));
        EffectivePolicy policy = EffectivePolicy.of(floor, inner.inside(outer));
        assertThat(texts(policy.paths().write()), containsInAnyOrder("/opt/a", "/srv/x"));
        assertThat(policy.environment(), contains("B"));
        assertThat(texts(policy.paths().hide()), containsInAnyOrder("/home", "/mnt"));
        assertThat(
                policy.raised(),
                contains(containsString("writePaths: /opt/b/c left out"), containsString("environment: C left out")));
        EffectivePolicy silent = EffectivePolicy.of(floor, SandboxSettings.NOTHING.inside(outer));
        assertThat(texts(silent.paths().write()), contains("/opt/a", "/srv"));
        assertThat(silent.environment(), containsInAnyOrder("A", "B"));
    }

    @Test
    void nestedLimitsAreTheLowerOnes() throws Exception {
        Floor floor = floor("strict", List.of(), Set.of(Relaxation.LIMITS));
        SandboxSettings outer = asked(Setting.MEMORY, "1g").with(Setting.PIDS, "100");
        SandboxSettings inner = asked(Setting.MEMORY, "2g").with(Setting.PIDS, "50");
        EffectivePolicy policy = EffectivePolicy.of(floor, inner.inside(outer));
        assertThat(policy.definition().limits().memory(), is(1L << 30));
        assertThat(policy.definition().limits().pids(), is(50));
        assertThat(policy.raised(), contains(containsString("memory: 2g lowered")));
    }

    /** The decorators of a block in a block are merged, and each launcher that is asked for merges them again. */
    @Test
    void beingInsideTwiceIsBeingInsideOnce() throws Exception {
        SandboxSettings outer = asked(Setting.NETWORK, "none");
        SandboxSettings inner = asked(Setting.HOME, "empty").inside(outer);
        assertThat(inner.inside(outer), is(inner));
        assertThat(outer.inside(outer), is(outer));
        assertThat(asked(Setting.HOME, "empty").around(), is(nullValue()));
    }

    @Test
    void aProfileThatIsGoneIsAnError() {
        assertThat(
                refusal(FLOOR, asked(Setting.PROFILE, "deleted")),
                allOf(containsString("There is no profile 'deleted'"), containsString("strict")));
    }

    @Test
    void aHomeNeedsAViewOfTheFileSystem() {
        assertThat(
                refusal(floor("standard", List.of(), Set.of()), asked(Setting.HOME, "empty")),
                containsString("home: 'empty' needs a view of the file system"));
        assertThat(
                refusal(floor("standard", List.of(), Set.of()), asked(Setting.NETWORK, "none")),
                containsString("user namespace"));
    }
}
