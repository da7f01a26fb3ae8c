package io.jenkins.plugins.sandbox.model;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads what the launcher wrote, as hostile input: whoever owns the agent can write anything here.
 *
 * <p>Known names only, everything counted and bounded, invisible characters replaced. A report is two parts. The first, at
 * most {@value #MAX_PART} bytes, is written before the command may start and ends with the line {@code ready} or
 * {@code refused REASON}. The second is appended when the launch is over.
 *
 * <pre>
 * process-sandbox-report 1
 * session applied
 * filesystem failed 1 mount_setattr /home/x
 * level PARTIAL
 * init 4711 123456
 * ready
 * exit signal 9 memory
 * limit memory 536870912
 * usage wall_ms=12 user_ms=3 system_ms=4 max_rss_kib=1024 peak_kib=524288 peak_source=cgroup tasks=9
 * </pre>
 */
public final class ReportParser {
    /** Most bytes of either part: what a pipe takes in one write(2), see pipe(7). */
    public static final int MAX_PART = 4096;

    private static final String HEADER = "process-sandbox-report 1";
    private static final int MAX_DETAIL = 300;

    // DOTALL: a detail may hold anything but a line feed, a carriage return for example.
    private static final Pattern ROW = Pattern.compile(
            "([a-z_]{1,32}) (?:skipped|(applied)(?: 0 (.+))?|(failed|unavailable) (\\d{1,4})(?: (.*))?)",
            Pattern.DOTALL);
    private static final Pattern INIT = Pattern.compile("init (\\d{1,7}) (\\d{1,18})");
    private static final Pattern EXIT = Pattern.compile(
            "exit (?:code (\\d{1,3})|signal (\\d{1,2})(?: (memory|wall_time|cpu_time|file_size|terminated))?)");
    private static final Pattern TASK = Pattern.compile("task code (\\d{1,3})");
    private static final Pattern LIMIT = Pattern.compile("limit ([a-z_]{1,32}) (\\d{1,18})");
    private static final Pattern EXEC = Pattern.compile("exec (\\d{1,4}) (.*)", Pattern.DOTALL);
    private static final Pattern USAGE = Pattern.compile(
            "usage wall_ms=(\\d{1,15}) user_ms=(\\d{1,15}) system_ms=(\\d{1,15}) max_rss_kib=(\\d{1,15})"
                    + " peak_kib=(\\d{1,15}) peak_source=(cgroup|process) tasks=(\\d{1,15})");

    private ReportParser() {}

    /**
     * Reads the first part, and the second where it follows.
     *
     * @param report all bytes of the report so far
     * @param standardProfile whether the launch used the built-in profile {@code standard}, see {@link Level#of}
     * @param asked the rows that the launch asked for; a report that is silent about one of them, or calls it skipped, did
     *     not apply it
     * @return the report, with its own level
     * @throws ReportException when it is not exactly as the launcher writes it; nothing else is ever thrown
     */
    public static Report parse(byte[] report, boolean standardProfile, Collection<Primitive> asked)
            throws ReportException {
        Report parsed = parse(report, standardProfile);
        if (parsed.outcomes().isEmpty() && !parsed.ready()) {
            return parsed; // Refused before anything was tried: the refusal says more than rows of "not reported".
        }
        Map<Primitive, Outcome> rows = new EnumMap<>(Primitive.class);
        parsed.outcomes().forEach(o -> rows.put(o.primitive(), o));
        for (Primitive primitive : asked) {
            Outcome outcome = rows.get(primitive);
            if (outcome == null || outcome.status() == Status.SKIPPED) {
                rows.put(primitive, new Outcome(primitive, Status.UNAVAILABLE, 0, "asked for, but not reported"));
            }
        }
        return new Report(
                List.copyOf(rows.values()),
                Level.of(standardProfile, rows.values()),
                parsed.ready(),
                parsed.refusal(),
                parsed.init(),
                parsed.ending());
    }

    /**
     * As {@link #parse(byte[], boolean, Collection)}, for a reader who does not know what was asked for.
     *
     * @param report all bytes of the report so far
     * @param standardProfile whether the launch used the built-in profile {@code standard}
     * @return the report, with its own level
     * @throws ReportException when it is not exactly as the launcher writes it; nothing else is ever thrown
     */
    public static Report parse(byte[] report, boolean standardProfile) throws ReportException {
        int end = endOfFirstPart(report);
        if (end < 0) {
            throw new ReportException(
                    report.length > MAX_PART
                            ? tooLong(report.length)
                            : "The report is cut: it does not say how it ends.");
        }
        Lines lines = new Lines(report, 0, end);
        if (!lines.next().equals(HEADER)) {
            throw new ReportException("The report is not of this version: it does not start with '" + HEADER
                    + "'. Use a launcher and a driver of the same build.");
        }
        Map<Primitive, Outcome> rows = new EnumMap<>(Primitive.class);
        String line = lines.next();
        // A launcher that cannot make sense of its plan refuses before it has any row.
        while (!line.startsWith("level ") && !line.startsWith("refused ")) {
            Outcome outcome = row(line);
            if (rows.put(outcome.primitive(), outcome) != null) {
                throw new ReportException(
                        "The report has two rows " + outcome.primitive().wireName() + ".");
            }
            line = lines.next();
        }
        InitProcess init = null;
        if (line.startsWith("level ")) {
            level(line.substring("level ".length()));
            line = lines.next();
            if (line.startsWith("init ")) {
                init = init(line);
                line = lines.next();
            }
        }
        boolean ready = line.equals("ready");
        String refusal = ready ? null : refusal(line);
        if (lines.hasNext()) {
            throw unexpected(lines.next());
        }
        Ending ending = end == report.length ? null : parseEnding(Arrays.copyOfRange(report, end, report.length));
        if (ending != null && !ready) {
            throw new ReportException("The report goes on after its refusal.");
        }
        return new Report(
                List.copyOf(rows.values()), Level.of(standardProfile, rows.values()), ready, refusal, init, ending);
    }

    /**
     * Reads the second part alone.
     *
     * @param ending what was appended after the first part
     * @return how the launch ended
     * @throws ReportException when it is not exactly as the launcher writes it; nothing else is ever thrown
     */
    public static Ending parseEnding(byte[] ending) throws ReportException {
        if (ending.length > MAX_PART) {
            throw new ReportException(tooLong(ending.length));
        }
        Lines lines = new Lines(ending, 0, ending.length);
        String line = lines.next();
        String execError = null;
        if (line.startsWith("refused ")) {
            if (lines.hasNext()) {
                throw unexpected(lines.next());
            }
            return new Ending(null, List.of(), null, null, null, refusal(line));
        }
        Matcher exec = EXEC.matcher(line);
        if (exec.matches()) {
            execError = Errno.name(Integer.parseInt(exec.group(1))) + ", " + detail(exec.group(2));
            line = lines.next();
        }
        Exit exit = exit(line);
        Map<LimitHit.Kind, LimitHit> limits = new EnumMap<>(LimitHit.Kind.class);
        line = lines.next();
        Integer taskStatus = null;
        Matcher task = TASK.matcher(line);
        if (task.matches()) {
            taskStatus = Integer.valueOf(task.group(1));
            if (taskStatus > 255) {
                throw unexpected(line);
            }
            line = lines.next();
        }
        while (line.startsWith("limit ")) {
            LimitHit hit = limit(line);
            if (limits.put(hit.limit(), hit) != null) {
                throw new ReportException(
                        "The report has two limits " + hit.limit().wireName() + ".");
            }
            line = lines.next();
        }
        Usage usage = usage(line);
        if (lines.hasNext()) {
            throw unexpected(lines.next());
        }
        return new Ending(exit, List.copyOf(limits.values()), taskStatus, usage, execError, null);
    }

    /**
     * Says of a row that it did not come about after all, for somebody who knows more than the launcher.
     *
     * @param report the first part of a report
     * @param row named by it as applied; nothing is changed otherwise
     * @param detail why, of which as much is kept as there is room for
     * @return the first part, at most {@value #MAX_PART} bytes
     */
    public static byte[] withFailure(byte[] report, Primitive row, String detail) {
        // Byte by byte: what is not UTF-8 is the parser's to refuse.
        String text = new String(report, StandardCharsets.ISO_8859_1);
        Matcher m =
                Pattern.compile("(?m)^" + row.wireName() + " applied( .*)?$").matcher(text);
        if (!m.find()) {
            return report;
        }
        String failed = row.wireName() + " failed 0 ";
        int room = MAX_PART - (report.length - (m.end() - m.start())) - failed.length();
        String why = Quoted.visible(detail, MAX_DETAIL);
        while (why.getBytes(StandardCharsets.UTF_8).length > room) {
            why = why.substring(0, why.length() - 1);
        }
        String bytes = new String(why.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        return (text.substring(0, m.start()) + failed + bytes + text.substring(m.end()))
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    /**
     * Finds the end of the first part in what has been read so far.
     *
     * @param bytes the report so far
     * @return the position after the line {@code ready} or {@code refused ...}, or -1 when that line is not complete within
     *     the first {@value #MAX_PART} bytes
     */
    public static int endOfFirstPart(byte[] bytes) {
        return endOfLine(bytes, "ready", "refused ");
    }

    /**
     * Finds the end of the second part in what has been read so far.
     *
     * @param bytes what followed the first part so far
     * @return the position after the line {@code usage ...} or {@code refused ...}, or -1 when that line is not complete
     *     within the first {@value #MAX_PART} bytes
     */
    public static int endOfEnding(byte[] bytes) {
        return endOfLine(bytes, "usage ", "refused ");
    }

    private static int endOfLine(byte[] bytes, String... starts) {
        int from = 0;
        int limit = Math.min(bytes.length, MAX_PART);
        for (int i = 0; i < limit; i++) {
            if (bytes[i] == '\n') {
                String line = new String(bytes, from, i - from, StandardCharsets.ISO_8859_1);
                for (String start : starts) {
                    if (start.endsWith(" ") ? line.startsWith(start) : line.equals(start)) {
                        return i + 1;
                    }
                }
                from = i + 1;
            }
        }
        return -1;
    }

    private static Outcome row(String line) throws ReportException {
        Matcher m = ROW.matcher(line);
        if (!m.matches()) {
            throw unexpected(line);
        }
        Primitive primitive = Primitive.named(m.group(1))
                .orElseThrow(() -> new ReportException("The report has an unknown row " + Quoted.of(m.group(1)) + "."));
        if (m.group(2) != null) {
            return new Outcome(primitive, Status.APPLIED, 0, m.group(3) == null ? "" : detail(m.group(3)));
        }
        if (m.group(4) == null) {
            return Outcome.of(primitive, Status.SKIPPED);
        }
        return new Outcome(
                primitive,
                m.group(4).equals("failed") ? Status.FAILED : Status.UNAVAILABLE,
                Integer.parseInt(m.group(5)),
                m.group(6) == null ? "" : detail(m.group(6)));
    }

    private static void level(String name) throws ReportException {
        if (Arrays.stream(Level.values()).noneMatch(l -> l.name().equals(name))) {
            throw new ReportException("The report has an unknown level " + Quoted.of(name) + ".");
        }
    }

    private static InitProcess init(String line) throws ReportException {
        Matcher m = INIT.matcher(line);
        if (!m.matches() || Long.parseLong(m.group(1)) == 0) {
            throw unexpected(line);
        }
        return new InitProcess(Long.parseLong(m.group(1)), Long.parseLong(m.group(2)));
    }

    private static Exit exit(String line) throws ReportException {
        Matcher m = EXIT.matcher(line);
        if (!m.matches()) {
            throw unexpected(line);
        }
        int code = m.group(1) == null ? 0 : Integer.parseInt(m.group(1));
        int signal = m.group(2) == null ? 0 : Integer.parseInt(m.group(2));
        boolean possible = m.group(1) != null ? code <= 255 : signal >= 1 && signal <= 64;
        if (!possible) {
            throw unexpected(line);
        }
        return new Exit(code, signal, m.group(3));
    }

    private static LimitHit limit(String line) throws ReportException {
        Matcher m = LIMIT.matcher(line);
        if (!m.matches()) {
            throw unexpected(line);
        }
        LimitHit.Kind kind = LimitHit.Kind.named(m.group(1))
                .orElseThrow(
                        () -> new ReportException("The report has an unknown limit " + Quoted.of(m.group(1)) + "."));
        return new LimitHit(kind, Long.parseLong(m.group(2)));
    }

    private static Usage usage(String line) throws ReportException {
        Matcher m = USAGE.matcher(line);
        if (!m.matches()) {
            throw unexpected(line);
        }
        return new Usage(
                Long.parseLong(m.group(1)),
                Long.parseLong(m.group(2)),
                Long.parseLong(m.group(3)),
                Long.parseLong(m.group(4)),
                Long.parseLong(m.group(5)),
                m.group(6).equals("cgroup") ? Usage.PeakSource.CGROUP : Usage.PeakSource.PROCESS,
                Long.parseLong(m.group(7)));
    }

    private static String refusal(String line) throws ReportException {
        if (!line.startsWith("refused ")) {
            throw unexpected(line);
        }
        return detail(line.substring("refused ".length()));
    }

    private static String detail(String text) {
        return Quoted.visible(text.strip(), MAX_DETAIL);
    }

    private static ReportException unexpected(String line) {
        return new ReportException("The report has a line that does not belong there: " + Quoted.of(line) + ".");
    }

    private static String tooLong(int length) {
        return "The report is too long: " + length + " bytes, a part of it may have " + MAX_PART + ".";
    }

    /** The lines of one part, in turn. There are never more than its bytes, which are bounded. */
    private static final class Lines {
        private final List<String> lines = new ArrayList<>();
        private int at;

        Lines(byte[] bytes, int from, int to) throws ReportException {
            // Details hold file names, which are bytes: what is not UTF-8 is replaced, and not an error.
            String text = new String(bytes, from, to - from, StandardCharsets.UTF_8);
            int start = 0;
            for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
                lines.add(text.substring(start, end));
                start = end + 1;
            }
            if (start != text.length()) {
                throw new ReportException("The report is cut in the middle of a line.");
            }
        }

        boolean hasNext() {
            return at < lines.size();
        }

        String next() throws ReportException {
            if (!hasNext()) {
                throw new ReportException("The report is cut: a line is missing at its end.");
            }
            return lines.get(at++);
        }
    }
}
