package io.jenkins.plugins.sandbox.cli;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.jenkins.plugins.sandbox.launch.HostProbe;
import io.jenkins.plugins.sandbox.model.Ending;
import io.jenkins.plugins.sandbox.model.Errno;
import io.jenkins.plugins.sandbox.model.Exit;
import io.jenkins.plugins.sandbox.model.LimitHit;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.SetLimit;
import io.jenkins.plugins.sandbox.model.Usage;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/** The report for programs. Absent things are {@code null}, never left out. */
final class JsonReport {
    /** Goes up when a reader of the older form would misunderstand the newer one. */
    private static final int VERSION = 1;

    private JsonReport() {}

    /**
     * @param report {@code null} when the launch failed before there was one
     * @param refused why the command was not run, or {@code null}
     * @param ending {@code null} when it is not known
     * @param limits those that were asked for
     */
    static void run(
            OutputStream to, String profile, Report report, String refused, Ending ending, List<SetLimit> limits)
            throws IOException {
        try (JsonGenerator json = generator(to)) {
            json.writeStartObject();
            json.writeNumberField("version", VERSION);
            json.writeStringField("profile", profile);
            json.writeStringField(
                    "level", report == null ? "NONE" : report.level().name());
            json.writeStringField("refused", refused);
            primitives(json, report);
            asked(json, limits);
            exit(json, ending == null ? null : ending.exit());
            limits(json, ending == null ? List.of() : ending.limits());
            usage(json, ending == null ? null : ending.usage());
            json.writeEndObject();
            json.writeRaw('\n');
        }
    }

    /** @param lasting for what is to be pasted: a path that stays in the place of this run's own */
    static void probe(OutputStream to, HostProbe probe, UnaryOperator<String> lasting) throws IOException {
        try (JsonGenerator json = generator(to)) {
            json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
            json.writeStartObject();
            json.writeNumberField("version", VERSION);
            json.writeStringField("level", probe.level().name());
            json.writeStringField("problem", probe.problem());
            json.writeStringField("transport", probe.transport());
            json.writeObjectFieldStart("host");
            for (Map.Entry<String, String> fact : probe.facts().entrySet()) {
                json.writeStringField(fact.getKey(), fact.getValue());
            }
            json.writeEndObject();
            json.writeArrayFieldStart("primitives");
            for (HostProbe.Row row : probe.rows()) {
                json.writeStartObject();
                outcome(json, row.outcome());
                json.writeBooleanField("ofLevel", row.isOfLevel());
                boolean good = row.isApplied();
                json.writeStringField("cause", good ? null : row.cause().name().toLowerCase(Locale.ROOT));
                json.writeStringField("because", good ? null : row.cause().summary());
                json.writeStringField("remedy", good ? null : row.remedy());
                json.writeStringField("paste", row.paste().isEmpty() ? null : lasting.apply(row.paste()));
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
            json.writeRaw('\n');
        }
    }

    private static JsonGenerator generator(OutputStream to) throws IOException {
        return new JsonFactory().createGenerator(to, JsonEncoding.UTF8).useDefaultPrettyPrinter();
    }

    private static void primitives(JsonGenerator json, Report report) throws IOException {
        json.writeArrayFieldStart("primitives");
        for (Outcome outcome : report == null ? List.<Outcome>of() : report.outcomes()) {
            json.writeStartObject();
            outcome(json, outcome);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void outcome(JsonGenerator json, Outcome outcome) throws IOException {
        json.writeStringField("name", outcome.primitive().wireName());
        json.writeStringField("status", outcome.status().wireName());
        json.writeNumberField("errno", outcome.errno());
        json.writeStringField("error", outcome.errno() == 0 ? null : Errno.name(outcome.errno()));
        json.writeStringField("detail", outcome.detail());
    }

    private static void exit(JsonGenerator json, Exit exit) throws IOException {
        if (exit == null) {
            json.writeNullField("exit");
            return;
        }
        json.writeObjectFieldStart("exit");
        json.writeNumberField(exit.signal() == 0 ? "code" : "signal", exit.signal() == 0 ? exit.code() : exit.signal());
        if (exit.signal() != 0) {
            json.writeStringField("signalName", exit.signalName());
        }
        json.writeStringField("cause", exit.cause());
        json.writeEndObject();
    }

    private static void asked(JsonGenerator json, List<SetLimit> limits) throws IOException {
        json.writeArrayFieldStart("limits");
        for (SetLimit limit : limits) {
            json.writeStartObject();
            json.writeStringField("name", limit.limit().parameter());
            json.writeStringField("value", limit.value());
            json.writeStringField("holds", limit.holds().word());
            json.writeStringField("text", limit.describe());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void limits(JsonGenerator json, List<LimitHit> limits) throws IOException {
        json.writeArrayFieldStart("limitsReached");
        for (LimitHit hit : limits) {
            json.writeStartObject();
            json.writeStringField("name", hit.limit().wireName());
            json.writeNumberField("value", hit.value());
            json.writeStringField("text", hit.describe());
            json.writeStringField("remedy", hit.remedy());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void usage(JsonGenerator json, Usage usage) throws IOException {
        if (usage == null) {
            json.writeNullField("usage");
            return;
        }
        json.writeObjectFieldStart("usage");
        json.writeNumberField("wallMillis", usage.wallMillis());
        json.writeNumberField("userMillis", usage.userMillis());
        json.writeNumberField("systemMillis", usage.systemMillis());
        json.writeNumberField("maxRssKiB", usage.maxRssKiB());
        json.writeNumberField("peakKiB", usage.peakKiB());
        json.writeStringField("peakSource", usage.peakSource().wireName());
        json.writeNumberField("tasks", usage.tasks());
        json.writeEndObject();
    }
}
