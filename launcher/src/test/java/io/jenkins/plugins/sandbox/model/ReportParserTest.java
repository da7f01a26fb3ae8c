package io.jenkins.plugins.sandbox.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReportParserTest {
    private static final String FIRST = """
            process-sandbox-report 1
            session applied
            rlimit_nofile applied 0 1024, the limit that was there
            cgroup skipped
            filesystem failed 1 mount_setattr /home/x
            seccomp unavailable 38
            level FULL
            init 4711 123456
            ready
            """;
    private static final String ENDING = """
            exit signal 9 memory
            limit memory 536870912
            limit pids 100
            usage wall_ms=12 user_ms=3 system_ms=4 max_rss_kib=1024 peak_kib=2048 peak_source=cgroup tasks=5
            """;

    private static Report parse(String text) throws ReportException {
        return ReportParser.parse(bytes(text), false);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void readsAllThereIs() throws Exception {
        Report report = parse(FIRST + ENDING);
        assertThat(report.outcomes())
                .containsExactlyInAnyOrder(
                        new Outcome(Primitive.SESSION, Status.APPLIED, 0, ""),
                        new Outcome(Primitive.RLIMIT_NOFILE, Status.APPLIED, 0, "1024, the limit that was there"),
                        new Outcome(Primitive.CGROUP, Status.SKIPPED, 0, ""),
                        new Outcome(Primitive.FILESYSTEM, Status.FAILED, 1, "mount_setattr /home/x"),
                        new Outcome(Primitive.SECCOMP, Status.UNAVAILABLE, 38, ""));
        assertThat(report.ready()).isTrue();
        assertThat(report.refusal()).isNull();
        assertThat(report.init()).isEqualTo(new InitProcess(4711, 123456));
        assertThat(report.ending())
                .isEqualTo(new Ending(
                        new Exit(0, 9, "memory"),
                        List.of(new LimitHit(LimitHit.Kind.MEMORY, 512 << 20), new LimitHit(LimitHit.Kind.PIDS, 100)),
                        null,
                        new Usage(12, 3, 4, 1024, 2048, Usage.PeakSource.CGROUP, 5),
                        null,
                        null));
        assertThat(report.ending().exit().status()).isEqualTo(137);
    }

    @Test
    void theStatusOfADurableTaskIsItsOwn() throws Exception {
        String ending = "exit code 0\n%susage wall_ms=12 user_ms=3 system_ms=4 max_rss_kib=1024 peak_kib=2048"
                + " peak_source=process tasks=5\n";
        assertThat(ReportParser.parseEnding(bytes(ending.formatted(""))).taskStatus())
                .isNull();
        Ending ended = ReportParser.parseEnding(bytes(ending.formatted("task code 7\nlimit wall_time 3\n")));
        assertThat(ended.taskStatus()).isEqualTo(7);
        assertThat(ended.exit().code()).isZero();
        assertThat(ended.limits()).containsExactly(new LimitHit(LimitHit.Kind.WALL_TIME, 3));
        for (String wrong : List.of("task code 256\n", "task code -1\n", "task code\n", "task code 1\ntask code 1\n")) {
            assertThatThrownBy(() -> ReportParser.parseEnding(bytes(ending.formatted(wrong))))
                    .as(wrong)
                    .isInstanceOf(ReportException.class);
        }
    }

    @Test
    void theLevelIsComputedAndNotBelieved() throws Exception {
        assertThat(parse(FIRST).level()).isEqualTo(Level.PARTIAL);
        assertThat(parse("process-sandbox-report 1\nsession skipped\nlevel FULL\nready\n")
                        .level())
                .isEqualTo(Level.NONE);
        assertThat(parse("process-sandbox-report 1\nlevel FULL\nready\n").level())
                .isEqualTo(Level.NONE);
        assertThat(ReportParser.parse(
                                bytes("process-sandbox-report 1\nno_new_privs applied\nrlimit_nofile failed 1 x\n"
                                        + "level BASELINE\nready\n"),
                                true)
                        .level())
                .isEqualTo(Level.NONE);
    }

    @Test
    void aRowThatWasAskedForAndIsMissingOrSkippedDidNotHold() throws Exception {
        String text = "process-sandbox-report 1\nsession applied\nproc skipped\nlevel FULL\nready\n";
        Report report =
                ReportParser.parse(bytes(text), false, List.of(Primitive.SESSION, Primitive.PROC, Primitive.SECCOMP));
        assertThat(report.level()).isEqualTo(Level.PARTIAL);
        assertThat(report.shortfalls())
                .extracting(Outcome::primitive)
                .containsExactly(Primitive.PROC, Primitive.SECCOMP);
        assertThat(ReportParser.parse(bytes(text), false).level()).isEqualTo(Level.FULL);
    }

    /** An architecture without a filter asks for seccomp and gives none: the launcher cannot have applied it. */
    @Test
    void seccompWithoutAFilterIsNeverFull() throws Exception {
        Report report = ReportParser.parse(
                bytes(
                        "process-sandbox-report 1\nsession applied\nseccomp unavailable 0 no filter given\nlevel FULL\nready\n"),
                false,
                List.of(Primitive.SESSION, Primitive.SECCOMP));
        assertThat(report.level()).isEqualTo(Level.PARTIAL);
        assertThat(report.outcome(Primitive.SECCOMP))
                .get()
                .extracting(Outcome::status)
                .isEqualTo(Status.UNAVAILABLE);
    }

    @Test
    void refusals() throws Exception {
        Report early = parse("process-sandbox-report 1\nrefused unknown option: --x\n");
        assertThat(early.ready()).isFalse();
        assertThat(early.refusal()).isEqualTo("unknown option: --x");
        assertThat(early.level()).isEqualTo(Level.NONE);
        assertThat(ReportParser.parse(bytes("process-sandbox-report 1\nrefused x\n"), false, List.of(Primitive.PROC))
                        .outcomes())
                .isEmpty();
        assertThat(parse("process-sandbox-report 1\nproc failed 1 x\nlevel NONE\nrefused too low\n")
                        .refusal())
                .isEqualTo("too low");
        assertThat(ReportParser.parseEnding(bytes("refused gate timed out after 60 s\n"))
                        .refusal())
                .isEqualTo("gate timed out after 60 s");
    }

    @Test
    void aCommandThatCouldNotBeStarted() throws Exception {
        Ending ending = ReportParser.parseEnding(bytes("exec 2 nosuch\nexit code 127\n"
                + "usage wall_ms=1 user_ms=0 system_ms=0 max_rss_kib=9 peak_kib=9 peak_source=process tasks=0\n"));
        assertThat(ending.execError()).isEqualTo("ENOENT, nosuch");
        assertThat(ending.exit().status()).isEqualTo(127);
    }

    @Test
    void detailsAreOneBoundedVisibleLine() throws Exception {
        String evil = "a\u001b[31mb\u202ec\u0000d\u200be\r" + "x".repeat(1000);
        String detail = parse("process-sandbox-report 1\nproc failed 1 " + evil + "\nlevel NONE\nready\n")
                .outcomes()
                .get(0)
                .detail();
        assertThat(detail)
                .startsWith("a\uFFFD[31mb\uFFFDc\uFFFDd\uFFFDe\uFFFDxxx")
                .endsWith("…")
                .hasSizeLessThanOrEqualTo(300);
        byte[] notUtf8 = "process-sandbox-report 1\nproc failed 1 /a\u00ff\nlevel NONE\nready\n"
                .getBytes(StandardCharsets.ISO_8859_1);
        assertThat(ReportParser.parse(notUtf8, false).outcomes().get(0).detail())
                .isEqualTo("/a\uFFFD");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n",
                "ready\n",
                "process-sandbox-report 2\nlevel NONE\nready\n",
                "process-sandbox-report 1 \nlevel NONE\nready\n",
                "process-sandbox-report 1\nready\n",
                "process-sandbox-report 1\nlevel HIGH\nready\n",
                "process-sandbox-report 1\nlevel NONE\nlevel NONE\nready\n",
                "process-sandbox-report 1\nchroot applied\nlevel NONE\nready\n",
                "process-sandbox-report 1\nproc applied\nproc applied\nlevel NONE\nready\n",
                "process-sandbox-report 1\nproc applied\nproc failed 1 x\nlevel NONE\nready\n",
                "process-sandbox-report 1\nproc Applied\nlevel NONE\nready\n",
                "process-sandbox-report 1\nproc applied 0 \nlevel NONE\nready\n",
                "process-sandbox-report 1\nproc skipped 0 x\nlevel NONE\nready\n",
                "process-sandbox-report 1\nproc applied 1 x\nlevel NONE\nready\n",
                "process-sandbox-report 1\nproc failed\nlevel NONE\nready\n",
                "process-sandbox-report 1\nproc failed -1 x\nlevel NONE\nready\n",
                "process-sandbox-report 1\nproc failed 99999 x\nlevel NONE\nready\n",
                "process-sandbox-report 1\nproc failed 1 x\nlevel NONE\ninit 0 5\nready\n",
                "process-sandbox-report 1\nlevel NONE\ninit 5\nready\n",
                "process-sandbox-report 1\nlevel NONE\ninit 99999999 5\nready\n",
                "process-sandbox-report 1\nlevel NONE\ninit 5 9999999999999999999\nready\n",
                "process-sandbox-report 1\nlevel NONE\nready\nready\n",
                "process-sandbox-report 1\nlevel NONE\nready\nexit code 0\n",
                "process-sandbox-report 1\nlevel NONE\nrefused x\nexit code 0\nusage wall_ms=1 user_ms=2 system_ms=3 max_rss_kib=4 peak_kib=5 peak_source=process tasks=6\n",
                "process-sandbox-report 1\nlevel NONE\nready\nexit code 256\nusage wall_ms=1 user_ms=2 system_ms=3 max_rss_kib=4 peak_kib=5 peak_source=process tasks=6\n",
                "process-sandbox-report 1\nlevel NONE\nready\nexit signal 0\nusage wall_ms=1 user_ms=2 system_ms=3 max_rss_kib=4 peak_kib=5 peak_source=process tasks=6\n",
                "process-sandbox-report 1\nlevel NONE\nready\nexit signal 9 magic\nusage wall_ms=1 user_ms=2 system_ms=3 max_rss_kib=4 peak_kib=5 peak_source=process tasks=6\n",
                "process-sandbox-report 1\nlevel NONE\nready\nexit code 0\nusage wall_ms=1\n",
                "process-sandbox-report 1\nlevel NONE\nready\nexit code 0\nusage wall_ms=1 user_ms=2 system_ms=3 max_rss_kib=4\n",
                "process-sandbox-report 1\nlevel NONE\nready\nexit code 0\nlimit speed 1\nusage wall_ms=1 user_ms=2 system_ms=3 max_rss_kib=4 peak_kib=5 peak_source=process tasks=6\n",
                "process-sandbox-report 1\nlevel NONE\nready\nexit code 0\nlimit pids\nusage wall_ms=1 user_ms=2 system_ms=3 max_rss_kib=4 peak_kib=5 peak_source=process tasks=6\n",
                "process-sandbox-report 1\nlevel NONE\nready\nexit code 0\nlimit pids -1\nusage wall_ms=1 user_ms=2 system_ms=3 max_rss_kib=4 peak_kib=5 peak_source=process tasks=6\n",
                "process-sandbox-report 1\nlevel NONE\nready\nexit code 0\nlimit pids 1\nlimit pids 1\nusage wall_ms=1 user_ms=2 system_ms=3 max_rss_kib=4 peak_kib=5 peak_source=process tasks=6\n",
                "process-sandbox-report 1\nlevel NONE\nready\nlimit pids 1\nexit code 0\nusage wall_ms=1 user_ms=2 system_ms=3 max_rss_kib=4 peak_kib=5 peak_source=process tasks=6\n",
                "process-sandbox-report 1\nlevel NONE\nready\nexit code 7 memory\nusage wall_ms=1 user_ms=2 system_ms=3 max_rss_kib=4 peak_kib=5 peak_source=process tasks=6\n",
                "process-sandbox-report 1\nlevel NONE\nready\nusage wall_ms=1 user_ms=2 system_ms=3 max_rss_kib=4 peak_kib=5 peak_source=process tasks=6\n",
                "process-sandbox-report 1\nlevel NONE\nready\nrefused x\nexit code 0\n",
                "process-sandbox-report 1\r\nlevel NONE\r\nready\r\n",
            })
    void everythingElseIsAnError(String text) {
        assertThatThrownBy(() -> parse(text))
                .isExactlyInstanceOf(ReportException.class)
                .hasMessageEndingWith(".");
    }

    @Test
    void cutAtAnyByteItIsAnErrorOrTheReportWithoutItsEnding() throws Exception {
        byte[] whole = bytes(FIRST + ENDING);
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            if (length == FIRST.length()) {
                assertThat(ReportParser.parse(cut, false)).isEqualTo(parse(FIRST));
            } else {
                assertThatThrownBy(() -> ReportParser.parse(cut, false))
                        .as("cut at %d", length)
                        .isExactlyInstanceOf(ReportException.class);
            }
        }
    }

    @Test
    void aPartMayHave4096BytesAndNoMore() throws Exception {
        String head = "process-sandbox-report 1\nproc failed 1 ";
        String tail = "\nlevel NONE\nready\n";
        int room = ReportParser.MAX_PART - head.length() - tail.length();
        assertThat(parse(head + "x".repeat(room) + tail).ready()).isTrue();
        assertThatThrownBy(() -> parse(head + "x".repeat(room + 1) + tail))
                .isExactlyInstanceOf(ReportException.class)
                .hasMessageContaining("too long: 4097");
        String reason = "refused " + "x".repeat(ReportParser.MAX_PART - 9);
        assertThat(ReportParser.parseEnding(bytes(reason + "\n")).refusal()).isNotEmpty();
        assertThatThrownBy(() -> ReportParser.parseEnding(bytes(reason + "x\n")))
                .isExactlyInstanceOf(ReportException.class);
        assertThatThrownBy(() -> ReportParser.parse(new byte[50_000_000], false))
                .isExactlyInstanceOf(ReportException.class);
    }

    @Test
    void aRowCanBeTakenBackByWhoKnowsMore() throws Exception {
        String report =
                "process-sandbox-report 1\nsession applied\nfilesystem applied 0 a note\nlevel FULL\ninit 7 8\nready\n";
        byte[] taken = ReportParser.withFailure(bytes(report), Primitive.FILESYSTEM, "it\nis ünsafe");
        Report parsed = ReportParser.parse(taken, false);
        assertThat(parsed.outcome(Primitive.FILESYSTEM).orElseThrow())
                .isEqualTo(new Outcome(Primitive.FILESYSTEM, Status.FAILED, 0, "it\uFFFDis ünsafe"));
        assertThat(parsed.level()).isEqualTo(Level.PARTIAL);
        assertThat(parsed.ready()).isTrue();
        assertThat(parsed.init()).isEqualTo(new InitProcess(7, 8));
        // What is not said to hold is not said otherwise.
        assertThat(ReportParser.withFailure(taken, Primitive.FILESYSTEM, "again"))
                .isEqualTo(taken);
        assertThat(ReportParser.withFailure(taken, Primitive.SECCOMP, "why")).isEqualTo(taken);
    }

    @Test
    void aRowThatIsTakenBackFitsIntoAFullReport() throws Exception {
        String start = "process-sandbox-report 1\nfilesystem applied\nsession failed 1 ";
        String end = "\nlevel FULL\nready\n";
        byte[] report = bytes(start + "x".repeat(ReportParser.MAX_PART - start.length() - end.length() - 20) + end);
        byte[] taken = ReportParser.withFailure(report, Primitive.FILESYSTEM, "ü".repeat(200));
        assertThat(taken.length).isLessThanOrEqualTo(ReportParser.MAX_PART);
        assertThat(ReportParser.endOfFirstPart(taken)).isEqualTo(taken.length);
        assertThat(new String(taken, StandardCharsets.UTF_8)).contains("\nfilesystem failed 0 üü");
    }

    @Test
    void garbageNeverThrowsAnythingElse() {
        Random random = new Random(1);
        byte[] valid = bytes(FIRST + ENDING);
        int accepted = 0;
        for (int i = 0; i < 200_000; i++) {
            byte[] mutated = mutate(valid, random);
            try {
                Report report = ReportParser.parse(mutated, random.nextBoolean(), List.of(Primitive.values()));
                assertThat(report.outcomes()).hasSameSizeAs(Primitive.values());
                assertThat(report.level()).isNotEqualTo(Level.FULL);
                accepted++;
            } catch (ReportException e) {
                assertThat(e.getMessage()).hasSizeLessThan(400).doesNotContain("\n");
            }
        }
        // Or the fuzzing would only ever see the first check.
        assertThat(accepted).isGreaterThan(1000);
    }

    private static byte[] mutate(byte[] valid, Random random) {
        byte[] bytes = valid.clone();
        int times = 1 + random.nextInt(4);
        for (int i = 0; i < times; i++) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(5)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes = random.nextInt(10) == 0 ? Arrays.copyOf(bytes, at + 1) : bytes;
                case 3 -> bytes = splice(bytes, at, random.nextInt(bytes.length), random);
                default -> bytes[at] = (byte) " \n0129=".charAt(random.nextInt(7));
            }
        }
        return bytes;
    }

    private static byte[] splice(byte[] bytes, int from, int to, Random random) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int length = random.nextInt(1 + Math.min(40, bytes.length - from));
        out.write(bytes, 0, to);
        out.write(bytes, from, length);
        out.write(bytes, to, bytes.length - to);
        return out.toByteArray();
    }
}
