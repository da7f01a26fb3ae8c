package io.jenkins.plugins.sandbox.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class MessagesTest {
    @ParameterizedTest
    @CsvSource({
        "1, EPERM",
        "2, ENOENT",
        "13, EACCES",
        "22, EINVAL",
        "28, ENOSPC",
        "38, ENOSYS",
        "40, ELOOP",
        "41, errno 41",
        "42, ENOMSG",
        "58, errno 58",
        "59, EBFONT",
        "75, EOVERFLOW",
        "95, EOPNOTSUPP",
        "110, ETIMEDOUT",
        "111, ECONNREFUSED",
        "122, EDQUOT",
        "133, EHWPOISON",
        "134, errno 134",
        "0, errno 0",
        "-1, errno -1",
        "99999, errno 99999"
    })
    void errorNumbersHaveTheKernelsNames(int errno, String name) {
        assertThat(Errno.name(errno)).isEqualTo(name);
    }

    @ParameterizedTest
    @EnumSource(Primitive.class)
    void everyShortfallHasARemedy(Primitive primitive) {
        for (int errno : new int[] {0, Errno.EPERM, Errno.ENOSYS, Errno.EINVAL, Errno.ENOSPC, Errno.ENOENT}) {
            for (Status status : List.of(Status.FAILED, Status.UNAVAILABLE, Status.SKIPPED)) {
                assertThat(Remedies.of(new Outcome(primitive, status, errno, "x")))
                        .endsWith(".");
            }
        }
        assertThat(Remedies.of(Outcome.of(primitive, Status.APPLIED))).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Primitive.class)
    void primitivesAreFoundByTheirWireName(Primitive primitive) throws Exception {
        assertThat(primitive.wireName()).matches("[a-z_]+");
        assertThat(Primitive.parse(primitive.wireName())).isSameAs(primitive);
        assertThatThrownBy(() -> Primitive.parse(primitive.name()))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("use one of session, close_fds");
    }

    @Test
    void textOfOthersIsOneVisibleBoundedLine() {
        assertThat(Quoted.of("a\nb\tc\u202ed")).isEqualTo("'a\uFFFDb\uFFFDc\uFFFDd'");
        assertThat(Quoted.of("ä €😀")).isEqualTo("'ä €😀'");
        assertThat(Quoted.of(null)).isEqualTo("'null'");
        assertThat(Quoted.visible("abcdef", 6)).isEqualTo("abcdef");
        assertThat(Quoted.visible("abcdef", 5)).isEqualTo("abcd…");
        assertThat(Quoted.visible("😀😀", 3)).isEqualTo("😀…");
        assertThat(Quoted.visible("\ud83d", 3)).isEqualTo("\uFFFD");
        assertThat(Quoted.visible("", 3)).isEmpty();
    }

    @Test
    void anUnmetMinimumNamesTheRowTheErrorAndTheRemedy() {
        Report report = report(
                Outcome.of(Primitive.SESSION, Status.APPLIED),
                new Outcome(Primitive.USER_NAMESPACE, Status.FAILED, Errno.EPERM, "unshare"));
        assertThat(new Minimum(Level.FULL, List.of()).unmetBy(report))
                .get()
                .asString()
                .startsWith("The level is PARTIAL, the minimum is FULL. user_namespace failed: EPERM, unshare. ")
                .contains("AppArmor");
        assertThat(new Minimum(Level.NONE, List.of(Primitive.USER_NAMESPACE)).unmetBy(report))
                .get()
                .asString()
                .startsWith("Required, but not applied: user_namespace. user_namespace failed: EPERM");
        assertThat(new Minimum(Level.PARTIAL, List.of(Primitive.SESSION)).unmetBy(report))
                .isEmpty();
        assertThat(Minimum.ANYTHING.unmetBy(report)).isEmpty();
    }

    @Test
    void aRequiredRowThatTheReportDoesNotHaveIsMissing() {
        assertThat(new Minimum(Level.NONE, List.of(Primitive.SECCOMP))
                        .unmetBy(report(Outcome.of(Primitive.SESSION, Status.APPLIED))))
                .get()
                .asString()
                .contains("Required, but not applied: seccomp");
    }

    private static Report report(Outcome... outcomes) {
        List<Outcome> rows = List.of(outcomes);
        return new Report(rows, Level.of(false, rows), true, null, new InitProcess(1, 2), null);
    }

    private static SetLimit set(Limit limit, String value, SetLimit.Holds holds) {
        return new SetLimit(limit, value, holds);
    }

    @Test
    void aFailureThatMayHaveBeenALimitNamesThoseThatWereInForce() {
        SetLimit files = set(Limit.OPEN_FILES, "1024", SetLimit.Holds.EACH);
        SetLimit size = set(Limit.FILE_SIZE, "1048576", SetLimit.Holds.EACH);
        assertThat(SetLimit.hint(1, List.of(files)))
                .hasValue("Limits were in force that only the program itself hears of when it reaches them; it may have"
                        + " reached one if it said \"Too many open files\": openFiles (--files) 1024. Raise it by that name in"
                        + " the step or the administrator's settings, or with the option on the command line.");
        assertThat(SetLimit.hint(153, List.of(files, size)))
                .get()
                .asString()
                .startsWith(
                        "Exit status 153 is what a shell says of a process that SIGXFSZ ended, so a process likely reached"
                                + " the limit on the size of a file, 1 MiB. Raise it with fileSize")
                .contains("\"Too many open files\": openFiles (--files) 1024; \"File too large\",");
        assertThat(SetLimit.hint(152, List.of(files, size))).get().asString().startsWith("Limits were");
        assertThat(SetLimit.hint(152, List.of(set(Limit.CPU_TIME, "9", SetLimit.Holds.TOGETHER))))
                .get()
                .asString()
                .contains("SIGXCPU", "CPU time, 9 s");
        assertThat(SetLimit.hint(null, List.of(set(Limit.MEMORY, "1073741824", SetLimit.Holds.EACH))))
                .get()
                .asString()
                .contains("\"Cannot allocate memory\": memory (--memory) 1 GiB");
    }

    /** What is counted, never refused, or not in force is no reason to suspect anything. */
    @Test
    void whatIsKnownOrNotInForceIsNoHint() {
        assertThat(SetLimit.hint(
                        1,
                        List.of(
                                set(Limit.MEMORY, "1073741824", SetLimit.Holds.TOGETHER),
                                set(Limit.WALL_TIME, "10", SetLimit.Holds.TOGETHER),
                                set(Limit.CPUS, "0", SetLimit.Holds.TOGETHER),
                                set(Limit.OPEN_FILES, "1024", SetLimit.Holds.NOT))))
                .isEmpty();
        assertThat(SetLimit.hint(153, List.of())).isEmpty();
    }

    @Test
    void reportsTravel() throws Exception {
        Report report = report(Outcome.of(Primitive.SESSION, Status.APPLIED))
                .withEnding(new Ending(
                        new Exit(1, 0, null),
                        List.of(),
                        3,
                        new Usage(1, 2, 3, 4, 5, Usage.PeakSource.PROCESS, 6),
                        null,
                        null));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(report);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            assertThat(in.readObject()).isEqualTo(report);
        }
    }
}
