package io.jenkins.plugins.sandbox.controller;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertThrows;

import hudson.AbortException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JobWorkspaceTest {
    @ParameterizedTest
    @CsvSource({
        "/a/workspace/job,                 /a/workspace/job",
        "/a/workspace/job/sub/dir,         /a/workspace/job",
        "/a/workspace/job@2,               /a/workspace/job@2",
        "/a/workspace/job@17/sub,          /a/workspace/job@17",
        "/a/workspace/job/sub@tmp,         /a/workspace/job",
    })
    void findsTheVariantThatIsInUse(String directory, String workspace) throws Exception {
        JobWorkspace found = JobWorkspace.containing("/a/workspace/job", directory);
        assertThat(found.path(), is(workspace));
        assertThat(found.temporary(), is(workspace + "@tmp"));
        assertThat(found.current(), is(directory + "@tmp"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/a/workspace",
                "/a/workspace/job2",
                "/a/workspace/other",
                "/a/workspace/job@tmp",
                "/a/workspace/job@tmp/x",
                "/a/workspace/job@2x",
                "/a/workspace/job@",
                "/a/workspace/job@libs",
                "/a/workspace/job/../other",
                "/a/workspace/job/..",
                "a/workspace/job",
                "",
                "/b/a/workspace/job",
            })
    void refusesEverythingElse(String directory) {
        AbortException x =
                assertThrows(AbortException.class, () -> JobWorkspace.containing("/a/workspace/job", directory));
        assertThat(x.getMessage(), containsString("'" + directory + "'"));
        assertThat(x.getMessage(), containsString("'/a/workspace/job'"));
    }

    @Test
    void findsTheControlDirectoryInTheWordsOfAShellStep() throws Exception {
        JobWorkspace workspace = new JobWorkspace("/a/$HOME/my job", "/a/$HOME/my job@tmp", "/a/$HOME/my job@tmp");
        assertThat(
                workspace.controlDirectory(
                        List.of(
                                "nohup",
                                "sh",
                                "-c",
                                "(cp '/a/$$HOME/my job@tmp/durable-0123abcd/script.sh' '/a/$$HOME/my job@tmp/durable-0123abcd/script.sh.copy'; wait) >&- 2>&- &")),
                is("durable-0123abcd"));
        assertThat(
                workspace.controlDirectory(List.of("monitor", "-controldir=/a/$HOME/my job@tmp/durable-0123abcd")),
                is("durable-0123abcd"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "echo '/a/b@tmp/secretFiles/x'",
                "'/a/b@tmp/durable-'",
                "'/a/b@tmp/durable-XYZ'",
                "'/x/a/b@tmp/durable-12'",
                "'/a/b@tmp/durable-12.d/x'",
                "'/a/b@tmp/durable-12-x'",
                "'/a/b@2@tmp/durable-12/script.sh'",
                "'/a/b/c@tmp/durable-12/script.sh'",
            })
    void findsNothingElse(String word) throws Exception {
        assertThat(new JobWorkspace("/a/b", "/a/b@tmp", "/a/b@tmp").controlDirectory(List.of(word)), is(nullValue()));
    }

    @Test
    void findsItBelowADirectoryOfTheWorkspaceToo() throws Exception {
        JobWorkspace workspace = JobWorkspace.containing("/a/b", "/a/b/x y/z");
        assertThat(
                workspace.controlDirectory(List.of("sh", "-c", "cat '/a/b/x y/z@tmp/durable-12/script.sh'")),
                is("durable-12"));
        assertThat(workspace.controlDirectory(List.of("sh", "-c", "cat '/a/b@tmp/durable-12/x'")), is(nullValue()));
    }

    @Test
    void refusesTwoControlDirectories() {
        AbortException x = assertThrows(AbortException.class, () -> new JobWorkspace("/a/b", "/a/b@tmp", "/a/b@tmp")
                .controlDirectory(List.of("/a/b@tmp/durable-12/x", "/a/b@tmp/durable-34/x")));
        assertThat(x.getMessage(), containsString("durable-12, durable-34"));
    }
}
