package io.jenkins.plugins.sandbox.outcome;

import com.thoughtworks.xstream.converters.Converter;
import com.thoughtworks.xstream.converters.MarshallingContext;
import com.thoughtworks.xstream.converters.UnmarshallingContext;
import com.thoughtworks.xstream.io.HierarchicalStreamReader;
import com.thoughtworks.xstream.io.HierarchicalStreamWriter;
import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.Limit;
import io.jenkins.plugins.sandbox.model.LimitHit;
import io.jenkins.plugins.sandbox.model.SetLimit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a {@link SandboxAction} is stored in build.xml: attributes instead of elements, and rows that many findings share once,
 * since a build may have thousands of launches. What is missing or cannot be read gets a harmless value: a record that was
 * edited, or is of another version, must not cost the build its page.
 */
class StoredForm implements Converter {
    private static final Pattern SET_LIMIT =
            Pattern.compile("(?<![^ ])([A-Za-z]{1,20})/([0-9a-z,-]{1,1000})/(together|each|not)(?![^ ])");

    @Override
    @SuppressWarnings("rawtypes") // as declared by XStream
    public boolean canConvert(Class type) {
        return type == SandboxAction.class;
    }

    @Override
    public void marshal(Object source, HierarchicalStreamWriter writer, MarshallingContext context) {
        SandboxAction action = (SandboxAction) source;
        List<LaunchGroup> groups = action.groups();
        List<List<Row>> rows =
                groups.stream().map(g -> g.getFinding().getRows()).distinct().toList();
        write(writer, "uncounted", action.getUncounted());
        rows.forEach(set -> writeRows(writer, set));
        groups.forEach(group ->
                writeGroup(writer, group, rows.indexOf(group.getFinding().getRows())));
        for (Scratch scratch : action.getScratches()) {
            writer.startNode("scratch");
            write(writer, "block", scratch.block());
            write(writer, "node", scratch.node());
            write(writer, "path", scratch.path());
            writer.endNode();
        }
    }

    @Override
    public SandboxAction unmarshal(HierarchicalStreamReader reader, UnmarshallingContext context) {
        int uncounted = integer(reader, "uncounted");
        List<List<Row>> rows = new ArrayList<>();
        List<LaunchGroup> groups = new ArrayList<>();
        List<Scratch> scratches = new ArrayList<>();
        while (reader.hasMoreChildren()) {
            reader.moveDown();
            switch (reader.getNodeName()) {
                case "rows" -> rows.add(readRows(reader));
                case "finding" -> groups.add(readGroup(reader, rows));
                case "scratch" ->
                    scratches.add(new Scratch(text(reader, "block"), text(reader, "node"), text(reader, "path")));
                default -> {
                    // of a later version
                }
            }
            reader.moveUp();
        }
        return new SandboxAction(groups, scratches, uncounted);
    }

    /** {@code <rows all="session proc=failed/1 rlimit_cpu=skipped"><detail of="proc">mount</detail></rows>} */
    private static void writeRows(HierarchicalStreamWriter writer, List<Row> rows) {
        writer.startNode("rows");
        write(writer, "all", String.join(" ", rows.stream().map(Row::stored).toList()));
        for (Row row : rows) {
            if (row.getDetail() != null) {
                writer.startNode("detail");
                write(writer, "of", row.getPrimitive());
                writer.setValue(row.getDetail());
                writer.endNode();
            }
        }
        writer.endNode();
    }

    private static List<Row> readRows(HierarchicalStreamReader reader) {
        String all = text(reader, "all");
        Map<String, String> details = new HashMap<>();
        while (reader.hasMoreChildren()) {
            reader.moveDown();
            details.put(text(reader, "of"), reader.getValue());
            reader.moveUp();
        }
        List<Row> rows = new ArrayList<>();
        for (String word : all.split(" ")) {
            if (!word.isEmpty()) {
                rows.add(Row.restored(word, details));
            }
        }
        return rows;
    }

    private static void writeGroup(HierarchicalStreamWriter writer, LaunchGroup group, int rows) {
        Finding finding = group.getFinding();
        Totals totals = group.getTotals();
        writer.startNode("finding");
        write(writer, "node", finding.getNode());
        write(writer, "profile", finding.getProfile());
        write(writer, "level", finding.getLevel());
        write(writer, "minimum", finding.getMinimumLevel());
        write(writer, "verdict", finding.getVerdict().name());
        write(writer, "reason", finding.getReason());
        write(writer, "rows", rows + 1);
        write(writer, "limits", setLimits(finding.limits()));
        write(writer, "launches", totals.launches());
        write(writer, "ended", totals.ended());
        write(writer, "limited", totals.limited());
        write(writer, "wall", totals.wallMillis());
        write(writer, "cpu", totals.cpuMillis());
        write(writer, "peak", totals.peakKiB());
        group.getLaunches().forEach(launch -> writeLaunch(writer, launch));
        writer.endNode();
    }

    private static LaunchGroup readGroup(HierarchicalStreamReader reader, List<List<Row>> rows) {
        int set = integer(reader, "rows") - 1;
        Finding finding = new Finding(
                text(reader, "node"),
                text(reader, "profile"),
                text(reader, "level"),
                text(reader, "minimum"),
                Finding.Verdict.restored(text(reader, "verdict")),
                reader.getAttribute("reason"),
                set >= 0 && set < rows.size() ? rows.get(set) : List.of(),
                setLimits(text(reader, "limits")));
        Totals totals = new Totals(
                integer(reader, "launches"),
                integer(reader, "ended"),
                integer(reader, "limited"),
                number(reader, "wall"),
                number(reader, "cpu"),
                number(reader, "peak"));
        List<Launch> launches = new ArrayList<>();
        while (reader.hasMoreChildren()) {
            reader.moveDown();
            launches.add(readLaunch(reader));
            reader.moveUp();
        }
        return new LaunchGroup(finding, launches, totals);
    }

    private static void writeLaunch(HierarchicalStreamWriter writer, Launch launch) {
        writer.startNode("launch");
        write(writer, "id", launch.getId());
        write(writer, "step", launch.getStep());
        write(writer, "at", launch.getFlowNode());
        Launch.Running running = launch.running();
        if (running != null) {
            write(writer, "block", running.block());
            write(writer, "cookie", running.cookie());
            write(writer, "pid", running.init().pid());
            write(writer, "start", running.init().startTime());
            write(writer, "detached", running.detached() ? "true" : null);
        }
        End end = launch.getEnd();
        if (end != null) {
            // Always there: it is what says that there was an end.
            writer.addAttribute("wall", Long.toString(end.getWallMillis()));
            Integer code = end.getCode();
            write(writer, "code", code == null ? null : code.toString());
            write(writer, "signal", end.getSignal());
            write(writer, "limits", limits(end));
            write(writer, "error", end.getError());
            write(writer, "cpu", end.getCpuMillis());
            write(writer, "peak", end.getPeakKiB());
            write(writer, "of", end.isPeakOfAll() ? "all" : null);
        }
        writer.endNode();
    }

    private static Launch readLaunch(HierarchicalStreamReader reader) {
        String step = reader.getAttribute("step");
        Launch.Running running = reader.getAttribute("pid") == null
                ? null
                : new Launch.Running(
                        text(reader, "block"),
                        reader.getAttribute("cookie"),
                        new InitProcess(number(reader, "pid"), number(reader, "start")),
                        text(reader, "detached").equals("true"));
        End end = reader.getAttribute("wall") == null
                ? null
                : new End(
                        reader.getAttribute("code") == null ? null : integer(reader, "code"),
                        integer(reader, "signal"),
                        limits(text(reader, "limits")),
                        reader.getAttribute("error"),
                        number(reader, "wall"),
                        number(reader, "cpu"),
                        number(reader, "peak"),
                        text(reader, "of").equals("all"));
        return new Launch(
                reader.getAttribute("id"), step == null ? null : new Origin(step, text(reader, "at")), running, end);
    }

    /** {@code memory/536870912/together openFiles/1024/each} */
    @CheckForNull
    private static String setLimits(List<SetLimit> limits) {
        return limits.isEmpty()
                ? null
                : String.join(
                        " ",
                        limits.stream()
                                .map(l -> l.limit().parameter() + "/" + l.value() + "/"
                                        + l.holds().word())
                                .toList());
    }

    private static List<SetLimit> setLimits(String stored) {
        List<SetLimit> limits = new ArrayList<>();
        Matcher m = SET_LIMIT.matcher(stored);
        while (m.find()) {
            SetLimit.Holds holds = SetLimit.Holds.valueOf(m.group(3).toUpperCase(Locale.ROOT));
            String value = m.group(2);
            Limit.named(m.group(1)).ifPresent(limit -> limits.add(new SetLimit(limit, value, holds)));
        }
        return limits;
    }

    /** {@code memory/536870912 wall_time/10} */
    @CheckForNull
    private static String limits(End end) {
        return end.isLimited()
                ? String.join(
                        " ",
                        end.limits().stream()
                                .map(l -> l.limit().wireName() + "/" + l.value())
                                .toList())
                : null;
    }

    private static List<LimitHit> limits(String stored) {
        List<LimitHit> limits = new ArrayList<>();
        for (LimitHit.Kind kind : LimitHit.Kind.values()) {
            Matcher m = Pattern.compile("(?:^| )" + kind.wireName() + "/([0-9]{1,18})(?: |$)")
                    .matcher(stored);
            if (m.find()) {
                limits.add(new LimitHit(kind, Long.parseLong(m.group(1))));
            }
        }
        return limits;
    }

    private static void write(HierarchicalStreamWriter writer, String name, @CheckForNull String value) {
        if (value != null) {
            writer.addAttribute(name, value);
        }
    }

    /** Not at all when it is 0, as most are. */
    private static void write(HierarchicalStreamWriter writer, String name, long value) {
        if (value != 0) {
            writer.addAttribute(name, Long.toString(value));
        }
    }

    private static String text(HierarchicalStreamReader reader, String name) {
        return Objects.requireNonNullElse(reader.getAttribute(name), "");
    }

    private static int integer(HierarchicalStreamReader reader, String name) {
        return (int) Math.min(Integer.MAX_VALUE, number(reader, name));
    }

    private static long number(HierarchicalStreamReader reader, String name) {
        try {
            return Math.max(0, Long.parseLong(text(reader, name)));
        } catch (NumberFormatException x) {
            return 0;
        }
    }
}
