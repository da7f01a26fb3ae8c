package io.jenkins.plugins.sandbox.config;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.jenkins.plugins.casc.ConfigurationAsCode;
import io.jenkins.plugins.casc.ConfigurationContext;
import io.jenkins.plugins.casc.ConfiguratorException;
import io.jenkins.plugins.casc.ConfiguratorRegistry;
import io.jenkins.plugins.casc.misc.Util;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@WithJenkins
class ConfigurationAsCodeTest {
    private static void configure(String resource) throws Exception {
        ConfigurationAsCode.get()
                .configure(ConfigurationAsCodeTest.class.getResource(resource).toString());
    }

    @Test
    void isReadAndStored(JenkinsRule r) throws Exception {
        configure("casc.yaml");
        SandboxConfiguration stored = new SandboxConfiguration();
        stored.load();
        for (SandboxConfiguration c : new SandboxConfiguration[] {SandboxConfiguration.get(), stored}) {
            assertThat(c.getProfile(), is("standard"));
            assertThat(c.getMinimumLevel(), is("FULL"));
            assertThat(c.getOnShortfall(), is("warn"));
            assertThat(c.getCompulsory().getWhere(), is("label"));
            assertThat(c.getCompulsory().getLabel(), is("linux && !trusted"));
            assertThat(c.getCompulsory().getExceptions(), is("infra\nteam/deploy"));
        }
    }

    @Test
    void isWrittenAsItIsRead(JenkinsRule r) throws Exception {
        configure("casc.yaml");
        ConfigurationContext context = new ConfigurationContext(ConfiguratorRegistry.get());
        assertThat(Util.toYamlString(Util.getSecurityRoot(context).get("processSandbox")), is("""
                        compulsory:
                          exceptions: |-
                            infra
                            team/deploy
                          label: "linux && !trusted"
                          where: "label"
                        minimumLevel: "FULL"
                        onShortfall: "warn"
                        profile: "standard"
                        """));
    }

    @Test
    void anUnknownWordStopsTheConfiguration(JenkinsRule r) {
        ConfiguratorException x = assertThrows(ConfiguratorException.class, () -> configure("unknown-level.yaml"));
        StringWriter all = new StringWriter();
        x.printStackTrace(new PrintWriter(all));
        assertThat(all.toString(), containsString("There is no level 'MOST'"));
        assertThat(SandboxConfiguration.get().getMinimumLevel(), is("BASELINE"));
    }
}
