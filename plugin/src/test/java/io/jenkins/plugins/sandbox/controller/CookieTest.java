package io.jenkins.plugins.sandbox.controller;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CookieTest {
    private static final String[] SPARED = {"A=b", "JENKINS_SERVER_COOKIE=please-do-not-kill-me"};

    private static String wanted(String value) {
        return Cookie.of("b", "n", Map.of("JENKINS_SERVER_COOKIE", value));
    }

    @Test
    void isInTheCommandOfADurableTask() {
        List<String> shell = List.of(
                "sh",
                "-c",
                "({ while true; do sleep 3; done } & jsc=durable-0a1b; JENKINS_SERVER_COOKIE=$$jsc 'sh' x)");
        assertThat(Cookie.of("b", "n", shell, SPARED), is(wanted("durable-0a1b")));
        List<String> binary = List.of("/x/durable_task_monitor", "-cookieval=durable-0a1b", "-daemon");
        assertThat(Cookie.of("b", "n", binary, SPARED), is(wanted("durable-0a1b")));
    }

    @Test
    void isInTheEnvironmentOfOthers() {
        assertThat(Cookie.of("b", "n", List.of("x"), new String[] {"JENKINS_SERVER_COOKIE=1"}), is(wanted("1")));
        assertThat(Cookie.of("b", "n", List.of("x"), new String[0]), is(nullValue()));
        assertThat(Cookie.of("b", "n", Map.of("OTHER", "1")), is(nullValue()));
    }

    @Test
    void isAnotherInAnotherBlockOrOnAnotherNode() {
        assertThat(wanted("1"), is(notNullValue()));
        assertThat(Cookie.of("c", "n", Map.of("JENKINS_SERVER_COOKIE", "1")), is(not(wanted("1"))));
        assertThat(Cookie.of("b", "m", Map.of("JENKINS_SERVER_COOKIE", "1")), is(not(wanted("1"))));
    }
}
