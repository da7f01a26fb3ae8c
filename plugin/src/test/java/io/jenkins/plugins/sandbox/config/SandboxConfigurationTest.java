package io.jenkins.plugins.sandbox.config;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.is;
import static org.junit.jupiter.api.Assertions.assertThrows;

import hudson.AbortException;
import hudson.model.Descriptor;
import hudson.model.Item;
import hudson.util.FormValidation;
import io.jenkins.plugins.sandbox.model.Level;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import jenkins.model.Jenkins;
import org.htmlunit.HttpMethod;
import org.htmlunit.WebRequest;
import org.htmlunit.html.HtmlButton;
import org.htmlunit.html.HtmlCheckBoxInput;
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
        Floor floor = SandboxConfiguration.get().floor();
        assertThat(floor.profile().definition().name(), is("strict"));
        assertThat(floor.minimumLevel(), is(Level.BASELINE));
        assertThat(floor.onShortfall(), is(OnShortfall.FAIL));
        assertThat(floor.requiredPrimitives(), is(empty()));
        assertThat(floor.relaxations(), is(empty()));
        assertThat(floor.allowedPaths(), is(empty()));
    }

    private static SandboxProfile profile(String name) {
        SandboxProfile profile = new SandboxProfile(name, "locked");
        profile.setChoosable(true);
        profile.setNetwork("host");
        profile.setHome("scratch");
        profile.setGit("read-only");
        profile.setMemory("2g");
        profile.setAddressSpace(true);
        profile.setPids("200");
        profile.setCpuTime("20m");
        profile.setWallTime("1h");
        profile.setCpus("0-1");
        profile.setCpuQuota("150%");
        profile.setOpenFiles("4096");
        profile.setFileSize("1g");
        profile.setWorkspaceSize("20g");
        profile.setStack("8m");
        profile.setLockedMemory("64k");
        profile.setReadPaths(List.of("/opt/sdk", "/etc/ssl/certs"));
        profile.setWritePaths(List.of("/var/cache/build"));
        profile.setExecPaths(List.of("@workspace"));
        profile.setHidePaths(List.of("/srv"));
        profile.setEnvironment(List.of("JAVA_HOME", "GOPATH"));
        profile.setSyscalls(List.of("debug", "-@chown"));
        return profile;
    }

    private static final String ALL_OF_A_PROFILE =
            "name,base,choosable,network,home,memory,addressSpace,pids,cpuTime,wallTime,cpus,"
                    + "cpuQuota,openFiles,fileSize,workspaceSize,stack,lockedMemory,readPaths,writePaths,execPaths,hidePaths,environment,syscalls";

    @Test
    void formRoundTrip(JenkinsRule r) throws Exception {
        SandboxConfiguration c = SandboxConfiguration.get();
        SandboxProfile first = profile("first");
        SandboxProfile second = new SandboxProfile("second", "standard");
        c.setProfiles(List.of(first, second));
        c.setProfile("first");
        c.setMinimumLevel("PARTIAL");
        c.setOnShortfall("unstable");
        c.setRequiredPrimitives(List.of("seccomp", "landlock_fs"));
        c.setRelaxations(List.of("home", "limits"));
        c.setAllowedPaths(List.of("/opt", "@workspace"));
        submitSecurityPage(r);
        SandboxConfiguration reloaded = new SandboxConfiguration();
        reloaded.load();
        for (SandboxConfiguration now : List.of(c, reloaded)) {
            assertThat(now.getProfile(), is("first"));
            assertThat(now.getMinimumLevel(), is("PARTIAL"));
            assertThat(now.getOnShortfall(), is("unstable"));
            assertThat(now.getRequiredPrimitives(), contains("seccomp", "landlock_fs"));
            assertThat(now.getRelaxations(), contains("home", "limits"));
            assertThat(now.getAllowedPaths(), contains("/opt", "@workspace"));
            assertThat(now.getProfiles(), hasSize(2));
            r.assertEqualBeans(first, now.getProfiles().get(0), ALL_OF_A_PROFILE);
            r.assertEqualBeans(second, now.getProfiles().get(1), ALL_OF_A_PROFILE);
            assertThat(now.floor().profile().definition().name(), is("first"));
        }
    }

    /** What has no element is not sent by a form, and must still be cleared. */
    @Test
    void formCanTakeEverythingAway(JenkinsRule r) throws Exception {
        SandboxConfiguration c = SandboxConfiguration.get();
        c.setProfiles(List.of(profile("only")));
        c.setRelaxations(List.of("home"));
        c.setAllowedPaths(List.of("/opt"));
        c.setRequiredPrimitives(List.of("seccomp"));
        HtmlPage page = r.createWebClient().goTo("configureSecurity");
        HtmlForm form = page.getFormByName("config");
        for (HtmlCheckBoxInput box : form.<HtmlCheckBoxInput>getInputsByName("relaxations").stream()
                .map(HtmlCheckBoxInput.class::cast)
                .toList()) {
            box.setChecked(false);
        }
        form.getTextAreaByName("_.allowedPaths").setText("");
        form.getTextAreaByName("_.requiredPrimitives").setText(" \n");
        form.getElementsByAttribute("div", "name", "profiles")
                .get(0)
                .<HtmlButton>querySelector("button.repeatable-delete")
                .click();
        page.getWebClient().waitForBackgroundJavaScript(5000);
        r.submit(form);
        assertThat(c.getProfiles(), is(empty()));
        assertThat(c.getRelaxations(), is(empty()));
        assertThat(c.getAllowedPaths(), is(empty()));
        assertThat(c.getRequiredPrimitives(), is(empty()));
    }

    /** One wrong field, and nothing of the form is taken over. */
    @Test
    void formWithAMistakeChangesNothing(JenkinsRule r) throws Exception {
        SandboxConfiguration c = SandboxConfiguration.get();
        HtmlPage page;
        try (JenkinsRule.WebClient client = r.createWebClient().withThrowExceptionOnFailingStatusCode(false)) {
            page = client.goTo("configureSecurity");
            HtmlForm form = page.getFormByName("config");
            form.getSelectByName("_.minimumLevel").setSelectedAttribute("FULL", true);
            form.getTextAreaByName("_.allowedPaths").setText("/opt/../etc");
            HtmlPage answer = r.submit(form);
            assertThat(
                    answer.getWebResponse().getContentAsString(),
                    containsString("The path '/opt/../etc' has '.' or '..' in it"));
        }
        assertThat(c.getMinimumLevel(), is("BASELINE"));
        assertThat(c.getAllowedPaths(), is(empty()));
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
        assertThrows(IllegalArgumentException.class, () -> c.setProfile("No Name"));
        assertThrows(IllegalArgumentException.class, () -> c.setMinimumLevel("MOST"));
        assertThrows(IllegalArgumentException.class, () -> c.setOnShortfall(""));
        assertThrows(IllegalArgumentException.class, () -> c.setRelaxations(List.of("everything")));
        assertThrows(IllegalArgumentException.class, () -> c.setRequiredPrimitives(List.of("luck")));
        for (String path : List.of("relative", "/opt/../etc", "/", "~/x", "@workspaces", "/a\u0000b")) {
            assertThrows(IllegalArgumentException.class, () -> c.setAllowedPaths(List.of(path)), path);
        }
        assertThrows(IllegalArgumentException.class, () -> c.setProfiles(List.of(profile("twice"), profile("twice"))));
        assertThat(c.getProfiles(), is(empty()));
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

    /** Who may look sees everything and can change nothing. */
    @Test
    void whoMayOnlyReadSeesThePageAndCannotStoreIt(JenkinsRule r) throws Exception {
        SandboxConfiguration c = SandboxConfiguration.get();
        c.setProfiles(List.of(profile("shown")));
        c.setAllowedPaths(List.of("/opt/shown"));
        r.jenkins.setSecurityRealm(r.createDummySecurityRealm());
        r.jenkins.setAuthorizationStrategy(new MockAuthorizationStrategy()
                .grant(Jenkins.READ, Jenkins.SYSTEM_READ)
                .everywhere()
                .to("auditor"));
        try (JenkinsRule.WebClient client = r.createWebClient().withThrowExceptionOnFailingStatusCode(false)) {
            client.login("auditor");
            HtmlPage page = client.goTo("configureSecurity");
            assertThat(page.asXml(), containsString("/opt/shown"));
            assertThat(page.asXml(), containsString("/var/cache/build"));
            WebRequest request =
                    new WebRequest(new URL(r.getURL(), "configureSecurity/configure?json=%7B%7D"), HttpMethod.POST);
            client.addCrumb(request);
            assertThat(client.getPage(request).getWebResponse().getStatusCode(), is(403));
        }
        assertThat(c.getAllowedPaths(), contains("/opt/shown"));
    }

    @Test
    void everyFieldHasHelp(JenkinsRule r) throws Exception {
        Map<Descriptor<?>, String> fields = Map.of(
                SandboxConfiguration.get(),
                "profile,profiles,minimumLevel,requiredPrimitives,onShortfall,relaxations,allowedPaths",
                r.jenkins.getDescriptorOrDie(SandboxProfile.class),
                ALL_OF_A_PROFILE);
        List<String> without = r.executeOnServer(() -> fields.entrySet().stream()
                .flatMap(e -> Stream.of(e.getValue().split(","))
                        .filter(f -> e.getKey().getHelpFile(f) == null))
                .toList());
        assertThat(without, is(empty()));
    }

    @Test
    void fieldsAreChecked(JenkinsRule r) throws Exception {
        SandboxConfiguration c = SandboxConfiguration.get();
        assertThat(c.doCheckAllowedPaths("/opt\n@workspace").kind, is(FormValidation.Kind.OK));
        assertThat(c.doCheckAllowedPaths("/opt\n../x").kind, is(FormValidation.Kind.ERROR));
        assertThat(c.doCheckProfile("nosuch").kind, is(FormValidation.Kind.ERROR));
        assertThat(c.doCheckOnShortfall("unstable").kind, is(FormValidation.Kind.WARNING));
        assertThat(c.doCheckRequiredPrimitives("luck", "strict").kind, is(FormValidation.Kind.ERROR));
        assertThat(c.doCheckRequiredPrimitives("network_namespace", "strict").kind, is(FormValidation.Kind.WARNING));
        assertThat(c.doCheckRequiredPrimitives("seccomp", "strict").kind, is(FormValidation.Kind.OK));
        SandboxProfile.DescriptorImpl profile = r.jenkins.getDescriptorByType(SandboxProfile.DescriptorImpl.class);
        assertThat(profile.doCheckName("strict").kind, is(FormValidation.Kind.ERROR));
        assertThat(profile.doCheckName("mine").kind, is(FormValidation.Kind.OK));
        assertThat(profile.doCheckSyscalls("debug -@chown", "strict").kind, is(FormValidation.Kind.OK));
        assertThat(profile.doCheckSyscalls("nosuch", "strict").kind, is(FormValidation.Kind.ERROR));
        assertThat(profile.doCheckSyscalls("debug", "standard").kind, is(FormValidation.Kind.ERROR));
        assertThat(profile.doCheckHome("empty", "standard").kind, is(FormValidation.Kind.ERROR));
        assertThat(profile.doCheckNetwork("none", "standard").kind, is(FormValidation.Kind.ERROR));
        assertThat(profile.doCheckNetwork("none", "strict").kind, is(FormValidation.Kind.OK));
        String url = "descriptorByName/" + SandboxProfile.class.getName() + "/checkSetting/memory?value=";
        try (JenkinsRule.WebClient client = r.createWebClient()) {
            for (String[] each : new String[][] {{"2g", "<div/>"}, {"lots", "is no size"}}) {
                WebRequest request = new WebRequest(new URL(r.getURL(), url + each[0]), HttpMethod.POST);
                client.addCrumb(request);
                assertThat(client.getPage(request).getWebResponse().getContentAsString(), containsString(each[1]));
            }
        }
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
