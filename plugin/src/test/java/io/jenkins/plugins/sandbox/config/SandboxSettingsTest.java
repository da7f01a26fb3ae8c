package io.jenkins.plugins.sandbox.config;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertThrows;

import hudson.AbortException;
import hudson.util.XStream2;
import io.jenkins.plugins.sandbox.model.Level;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SandboxSettingsTest {
    private static final SandboxSettings SAMPLE = SandboxSettings.NOTHING
            .with(Setting.PROFILE, "offline")
            .with(Setting.MEMORY, "2g")
            .with(Setting.READ_PATHS, List.of("/opt/a", "/opt/b\n\n  /opt/c  \n"));

    @Test
    void valuesAreKeptAsTheyWereWritten() {
        assertThat(SAMPLE.word(Setting.MEMORY), is("2g"));
        assertThat(SAMPLE.words(Setting.READ_PATHS), contains("/opt/a", "/opt/b", "/opt/c"));
        assertThat(SAMPLE.word(Setting.PIDS), is(nullValue()));
        assertThat(SAMPLE.words(Setting.WRITE_PATHS), is(nullValue()));
        assertThat(SAMPLE.with(Setting.MEMORY, " ").word(Setting.MEMORY), is(nullValue()));
        assertThat(SAMPLE.toString(), is("memory: 2g, profile: offline, readPaths: /opt/a, /opt/b, /opt/c"));
    }

    @ParameterizedTest
    @CsvSource({
        "CPU_TIME, 90, 90",
        "CPU_TIME, 10m, 600",
        "CPU_TIME, 2H, 7200",
        "WALL_TIME, 1d, 86400",
        "MEMORY, 512m, 536870912",
        "MEMORY, 2GiB, 2147483648",
        "MEMORY, 2 gb, 2147483648",
        "CPU_QUOTA, 150%, 150",
        "CPU_QUOTA, 150, 150",
    })
    void amountsAsPeopleWriteThem(Setting setting, String written, long meant) {
        var limits = SandboxSettings.NOTHING.with(setting, written).limits();
        Number number =
                switch (setting) {
                    case CPU_TIME -> limits.cpuTime();
                    case WALL_TIME -> limits.wallTime();
                    case CPU_QUOTA -> limits.cpuQuota();
                    default -> limits.memory();
                };
        assertThat(number.longValue(), is(meant));
    }

    @ParameterizedTest
    @EnumSource
    void nonsenseIsRefused(Setting setting) {
        List<String> nonsense = new ArrayList<>(List.of("no such thing!", "a/../b"));
        if (Setting.limits().contains(setting)) {
            nonsense.addAll(List.of("-1", "99999999999999999999", "2x"));
        }
        for (String value : nonsense) {
            assertThrows(
                    IllegalArgumentException.class, () -> SandboxSettings.NOTHING.with(setting, List.of(value)), value);
        }
    }

    @ParameterizedTest
    @CsvSource({"relative", "./x", "/a/../b", "/a/.", "~/x", "@workspaces/x", "@home"})
    void pathsThatAreNoneAreRefused(String path) {
        assertThrows(IllegalArgumentException.class, () -> SandboxPath.parse(path));
    }

    @Test
    void pathsWithControlCharactersAreRefused() {
        for (String path : List.of("/a\u0000b", "/a\nb", "/a\u001b[31m", "/" + "x".repeat(4096))) {
            assertThrows(IllegalArgumentException.class, () -> SandboxPath.parse(path));
        }
    }

    @Test
    void pathsAreComparedByTheirNames() {
        SandboxPath opt = SandboxPath.parse("/opt/");
        assertThat(SandboxPath.parse("/opt").isIn(opt), is(true));
        assertThat(SandboxPath.parse("//opt///x").isIn(opt), is(true));
        assertThat(SandboxPath.parse("/optional").isIn(opt), is(false));
        assertThat(SandboxPath.parse("@workspace/x").isIn(SandboxPath.parse("@workspace")), is(true));
        assertThat(SandboxPath.parse("@workspace/x").in("/ws/job"), is("/ws/job/x"));
    }

    @Test
    void tooManyValuesAreRefused() {
        assertThrows(
                IllegalArgumentException.class,
                () -> SandboxSettings.NOTHING.with(
                        Setting.HIDE_PATHS,
                        IntStream.range(0, 201).mapToObj(i -> "/p" + i).toList()));
    }

    private static byte[] serialised(Object o) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(o);
        }
        return bytes.toByteArray();
    }

    private static SandboxSettings forged(String from, String to) throws Exception {
        // Of the same length, as the stream says how long each word is.
        byte[] bytes = new String(serialised(SAMPLE), StandardCharsets.ISO_8859_1)
                .replace(from, to)
                .getBytes(StandardCharsets.ISO_8859_1);
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
            return (SandboxSettings) in.readObject();
        }
    }

    private static Floor floor() {
        Profiles profiles = new Profiles(List.of());
        return new Floor(profiles.get("strict"), Level.NONE, OnShortfall.FAIL, Set.of(), Set.of(), List.of(), profiles);
    }

    /** A Pipeline's program is a file on the controller. Whoever has edited it gets an error, and no weaker sandbox. */
    @ParameterizedTest
    @CsvSource({
        "2g, 2x",
        "2g, -1",
        "offline, ../../x",
        "offline, nothing",
        "memory, nosuch",
        "/opt/a, /../..",
        "/opt/a, /etc/x"
    })
    void aForgedProgramIsAnError(String from, String to) throws Exception {
        assertThat(forged("zzz", "zzz"), is(SAMPLE));
        SandboxSettings forged = forged(from, to);
        String message = assertThrows(AbortException.class, () -> EffectivePolicy.of(floor(), forged))
                .getMessage();
        assertThat(message, containsString("nothing is launched"));
    }

    @Test
    void aJobsFileThatIsDamagedIsAnError() {
        XStream2 xstream = new XStream2();
        String xml = xstream.toXML(SAMPLE);
        assertThat(xstream.fromXML(xml), is(SAMPLE));
        for (String damaged : List.of(
                xml.replace("2g", "lots"),
                xml.replace(">memory<", ">brain<"),
                xml.replaceAll("(?s)<words>.*</words>", ""))) {
            SandboxSettings settings = (SandboxSettings) xstream.fromXML(damaged);
            assertThat(
                    damaged,
                    assertThrows(AbortException.class, () -> EffectivePolicy.of(floor(), settings))
                            .getMessage(),
                    containsString("nothing is launched"));
        }
    }
}
