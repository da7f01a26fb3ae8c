package io.jenkins.plugins.sandbox.config;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.junit.jupiter.api.Assertions.assertThrows;

import hudson.AbortException;
import hudson.model.Item;
import io.jenkins.plugins.sandbox.model.Level;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import jenkins.model.Jenkins;
import org.htmlunit.HttpMethod;
import org.htmlunit.WebRequest;
import org.htmlunit.html.HtmlForm;
import org.htmlunit.html.HtmlPage;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.MockAuthorizationStrategy;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@WithJenkins
class SandboxConfigurationTest {
    @Test
    void defaultsAreStrictAndFailClosed(JenkinsRule r) throws Exception {
        SandboxSettings floor = SandboxConfiguration.get().floor();
        assertThat(floor.profile(), is("strict"));
        assertThat(floor.minimumLevel(), is(Level.BASELINE));
        assertThat(floor.onShortfall(), is(OnShortfall.FAIL));
    }

    @Test
    void formRoundTrip(JenkinsRule r) throws Exception {
        SandboxConfiguration c = SandboxConfiguration.get();
        c.setProfile("standard");
        c.setMinimumLevel("PARTIAL");
        c.setOnShortfall("warn");
        submitSecurityPage(r);
        assertThat(c.getProfile(), is("standard"));
        assertThat(c.getMinimumLevel(), is("PARTIAL"));
        assertThat(c.getOnShortfall(), is("warn"));
    }

    @Test
    void formChangesAreStored(JenkinsRule r) throws Exception {
        HtmlPage page = r.createWebClient().goTo("configureSecurity");
        HtmlForm form = page.getFormByName("config");
        form.getSelectByName("_.minimumLevel").setSelectedAttribute("FULL", true);
        form.getSelectByName("_.profile").setSelectedAttribute("standard", true);
        r.submit(form);
        SandboxConfiguration reloaded = new SandboxConfiguration();
        reloaded.load();
        assertThat(reloaded.getMinimumLevel(), is("FULL"));
        assertThat(reloaded.getProfile(), is("standard"));
        assertThat(reloaded.getOnShortfall(), is("fail"));
    }

    private static void submitSecurityPage(JenkinsRule r) throws Exception {
        HtmlPage page = r.createWebClient().goTo("configureSecurity");
        r.submit(page.getFormByName("config"));
    }

    @Test
    void unknownWordsAreRefused(JenkinsRule r) {
        SandboxConfiguration c = SandboxConfiguration.get();
        assertThrows(IllegalArgumentException.class, () -> c.setProfile("none"));
        assertThrows(IllegalArgumentException.class, () -> c.setMinimumLevel("MOST"));
        assertThrows(IllegalArgumentException.class, () -> c.setOnShortfall(""));
    }

    /** A file from another version, or edited by hand, must not turn into a weaker floor. */
    @Test
    void whatIsStoredAndUnknownFailsClosed(JenkinsRule r) throws Exception {
        SandboxConfiguration c = SandboxConfiguration.get();
        c.setMinimumLevel("FULL");
        Path file = r.jenkins.getRootDir().toPath().resolve(SandboxConfiguration.class.getName() + ".xml");
        String xml = Files.readString(file, StandardCharsets.UTF_8);
        Files.writeString(file, xml.replace("FULL", "UTTER"), StandardCharsets.UTF_8);
        c.load();
        assertThat(assertThrows(AbortException.class, c::floor).getMessage(), containsString("UTTER"));
    }

    @Test
    void checksNeedAnAdministratorAndPost(JenkinsRule r) throws Exception {
        r.jenkins.setSecurityRealm(r.createDummySecurityRealm());
        r.jenkins.setAuthorizationStrategy(new MockAuthorizationStrategy()
                .grant(Jenkins.ADMINISTER)
                .everywhere()
                .to("admin")
                .grant(Jenkins.READ, Item.READ, Item.CONFIGURE)
                .everywhere()
                .to("dev"));
        String url = "descriptorByName/" + SandboxConfiguration.class.getName()
                + "/checkMinimumLevel?value=NONE&profile=strict";
        assertThat(status(r, "dev", url, HttpMethod.POST), is(403));
        assertThat(status(r, "admin", url, HttpMethod.GET), is(404));
        assertThat(status(r, "admin", url, HttpMethod.POST), is(200));
    }

    private static int status(JenkinsRule r, String user, String path, HttpMethod method) throws Exception {
        try (JenkinsRule.WebClient client = r.createWebClient().withThrowExceptionOnFailingStatusCode(false)) {
            client.login(user);
            WebRequest request = new WebRequest(new URL(r.getURL(), path), method);
            if (method == HttpMethod.POST) {
                client.addCrumb(request);
            }
            return client.getPage(request).getWebResponse().getStatusCode();
        }
    }
}
