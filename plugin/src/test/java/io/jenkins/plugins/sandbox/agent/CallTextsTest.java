package io.jenkins.plugins.sandbox.agent;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.hasToString;

import io.jenkins.plugins.sandbox.config.NamedPaths;
import io.jenkins.plugins.sandbox.model.Minimum;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Remoting sends the text of each call along with it, and logs it when the answer cannot be read. */
class CallTextsTest {
    @Test
    void theyNameNoPathNorVariable() throws Exception {
        LaunchTerms terms = new LaunchTerms(
                Profile.named("strict"),
                Minimum.ANYTHING,
                NamedPaths.NONE,
                NamedPaths.NONE,
                List.of(),
                Set.of("TOKEN"));
        LaunchRequest request = new LaunchRequest(
                "/agent",
                "/agent/workspace/customer",
                "/agent/workspace/customer@tmp",
                "/agent/workspace/customer",
                "/agent/workspace/customer@tmp",
                null,
                "0123",
                Set.of(),
                List.of(),
                Set.of("TOKEN"),
                Set.of(),
                Set.of(),
                "4567",
                terms,
                false);
        assertThat(new PrepareCall(request), hasToString("preparation of a sandboxed launch of block 0123"));
        assertThat(
                new ConfirmCall("89ab", false, List.of(), Minimum.ANYTHING, 1),
                hasToString("confirmation of sandboxed launch 89ab"));
    }
}
