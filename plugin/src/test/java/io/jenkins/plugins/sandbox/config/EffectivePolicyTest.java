package io.jenkins.plugins.sandbox.config;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.nullValue;

import io.jenkins.plugins.sandbox.model.Level;
import org.junit.jupiter.api.Test;

class EffectivePolicyTest {
    private static final SandboxSettings FLOOR = new SandboxSettings("strict", Level.PARTIAL, OnShortfall.FAIL);

    @Test
    void whoAsksForNothingGetsTheFloor() {
        EffectivePolicy policy = EffectivePolicy.of(FLOOR, new SandboxSettings(null, null, null));
        assertThat(policy.profile(), is("strict"));
        assertThat(policy.minimumLevel(), is(Level.PARTIAL));
        assertThat(policy.onShortfall(), is(OnShortfall.FAIL));
        assertThat(policy.raised(), is(empty()));
    }

    @Test
    void whoAsksForMoreGetsIt() {
        SandboxSettings lax = new SandboxSettings("standard", Level.NONE, OnShortfall.WARN);
        EffectivePolicy policy = EffectivePolicy.of(lax, new SandboxSettings("locked", Level.FULL, OnShortfall.FAIL));
        assertThat(policy.profile(), is("locked"));
        assertThat(policy.minimumLevel(), is(Level.FULL));
        assertThat(policy.onShortfall(), is(OnShortfall.FAIL));
        assertThat(policy.raised(), is(empty()));
    }

    @Test
    void whoAsksForLessIsRaisedAndTold() {
        EffectivePolicy policy =
                EffectivePolicy.of(FLOOR, new SandboxSettings("standard", Level.NONE, OnShortfall.WARN));
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

    @Test
    void nestedBlocksGetTheStricterOfEach() {
        SandboxSettings outer = new SandboxSettings("offline", null, OnShortfall.WARN);
        SandboxSettings inner = new SandboxSettings("strict", Level.BASELINE, null);
        for (SandboxSettings both : new SandboxSettings[] {outer.and(inner), inner.and(outer)}) {
            assertThat(both.profile(), is("offline"));
            assertThat(both.minimumLevel(), is(Level.BASELINE));
            assertThat(both.onShortfall(), is(OnShortfall.WARN));
        }
        SandboxSettings nothing = new SandboxSettings(null, null, null);
        assertThat(nothing.and(nothing).profile(), is(nullValue()));
    }
}
