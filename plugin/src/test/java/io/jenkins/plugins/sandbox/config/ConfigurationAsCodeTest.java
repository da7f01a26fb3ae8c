package io.jenkins.plugins.sandbox.config;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.junit.jupiter.api.Assertions.assertThrows;

import hudson.AbortException;
import io.jenkins.plugins.casc.ConfigurationAsCode;
import io.jenkins.plugins.casc.ConfigurationContext;
import io.jenkins.plugins.casc.ConfiguratorException;
import io.jenkins.plugins.casc.ConfiguratorRegistry;
import io.jenkins.plugins.casc.misc.Util;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.logging.Level;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.LogRecorder;
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
            assertThat(c.getProfile(), is("java"));
            assertThat(c.getMinimumLevel(), is("FULL"));
            assertThat(c.getOnShortfall(), is("unstable"));
            assertThat(c.getRequiredPrimitives(), contains("seccomp", "landlock_fs"));
            assertThat(c.getRelaxations(), contains("limits", "network"));
            assertThat(c.getAllowedPaths(), contains("/var/cache", "@workspace"));
            assertThat(c.getProfiles().get(0).getWritePaths(), contains("/var/cache/maven"));
            assertThat(c.getProfiles().get(0).getPids(), is("512"));
            assertThat(c.floor().profile().definition().limits().memory(), is(4L << 30));
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
                        allowedPaths:
                        - "/var/cache"
                        - "@workspace"
                        compulsory:
                          exceptions: |-
                            infra
                            team/deploy
                          label: "linux && !trusted"
                          where: "label"
                        minimumLevel: "FULL"
                        onShortfall: "unstable"
                        profile: "java"
                        profiles:
                        - base: "strict"
                          choosable: true
                          environment:
                          - "JAVA_HOME"
                          execPaths:
                          - "@workspace"
                          home: "job"
                          memory: "4g"
                          name: "java"
                          network: "none"
                          pids: "512"
                          syscalls:
                          - "debug"
                          - "-@chown"
                          wallTime: "2h"
                          writePaths:
                          - "/var/cache/maven"
                        - base: "standard"
                          name: "plain"
                        relaxations:
                        - "limits"
                        - "network"
                        requiredPrimitives:
                        - "seccomp"
                        - "landlock_fs"
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

    /** Properties are set one by one, in any order: a profile may be defined after it was chosen. */
    @Test
    void aDefaultProfileThatDoesNotExistStopsTheConfiguration(JenkinsRule r) {
        Exception x = assertThrows(Exception.class, () -> configure("unknown-profile.yaml"));
        StringWriter all = new StringWriter();
        x.printStackTrace(new PrintWriter(all));
        assertThat(all.toString(), containsString("There is no profile 'nosuch'"));
        // Nor does it launch anything, should Jenkins go on all the same.
        assertThat(
                assertThrows(AbortException.class, () -> SandboxConfiguration.get()
                                .floor())
                        .getMessage(),
                containsString("There is no profile 'nosuch'"));
    }

    /** Where it is stored all the same, by hand or by another version. */
    @Test
    void aStoredProfileThatDoesNotExistIsLogged(JenkinsRule r) {
        SandboxConfiguration.get().setProfile("nosuch");
        try (LogRecorder log = new LogRecorder()
                .record(SandboxConfiguration.class, Level.SEVERE)
                .capture(1)) {
            SandboxConfiguration.check();
            assertThat(log.getMessages(), contains(containsString("There is no profile 'nosuch'")));
        }
    }
}
