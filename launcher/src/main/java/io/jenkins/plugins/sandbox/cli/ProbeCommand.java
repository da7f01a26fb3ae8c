package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.launch.HostProbe;
import io.jenkins.plugins.sandbox.launch.ProbePlace;
import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Tries everything on this machine. */
@Command(
        name = "probe",
        description = "Tries every row on this machine, and says what to do about those that do not hold.",
        mixinStandardHelpOptions = true)
final class ProbeCommand implements Callable<Integer> {
    private static final String ELSEWHERE = "/var/tmp";

    private final Console console;

    @Option(names = "--json", description = "for programs")
    private boolean json;

    @Mixin
    private TransportOption transport;

    private String lasting;

    ProbeCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws SandboxException, InterruptedException, IOException {
        HostProbe probe = probe();
        if (json) {
            try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
                JsonReport.probe(out, probe, this::lasting);
            }
        } else {
            print(probe, console.outWriter());
        }
        if (probe.problem() != null) {
            throw new SandboxException(probe.problem());
        }
        return 0;
    }

    private HostProbe probe() throws SandboxException, InterruptedException {
        try (TemporaryDirectory directory = TemporaryDirectory.create(console)) {
            // The file of this run is gone at its end: a profile has to name one that stays.
            lasting = directory.path().toString();
            return HostProbe.run(transport.choice(directory), new ProbePlace(lasting, lasting, null));
        } catch (SandboxException e) {
            return withoutTemporaryDirectory(e);
        }
    }

    /** No launch works then; but what needs no directory can be tried, with the launcher's file elsewhere. JNA needs one as well. */
    private HostProbe withoutTemporaryDirectory(SandboxException why) throws SandboxException, InterruptedException {
        String missing = System.getProperty("java.io.tmpdir");
        try (TemporaryDirectory elsewhere = TemporaryDirectory.create(console, ELSEWHERE)) {
            lasting = elsewhere.path().toString();
            return HostProbe.run(transport.files(elsewhere), new ProbePlace(missing, missing, null));
        } catch (SandboxException e) {
            throw why;
        }
    }

    private String lasting(String paste) {
        return lasting == null ? paste : paste.replace(lasting + "/transport/", "/DIR/OF/--launcher-dir/");
    }

    private void print(HostProbe probe, PrintWriter out) {
        probe.facts().forEach((name, value) -> out.println(name + ": " + value));
        if (probe.problem() == null) {
            out.println("transport: " + probe.transport());
        }
        out.println("sandbox: probe, level " + probe.level());
        Set<String> told = new HashSet<>();
        for (HostProbe.Row row : probe.rows()) {
            String mark = row.isApplied() ? console.good() : row.isOfLevel() ? console.bad() : "-";
            String name = row.outcome().primitive().wireName();
            boolean plain = row.isApplied() && row.outcome().detail().isEmpty();
            out.println(String.format(
                            "  %-2s %-18s %s",
                            mark, name, plain ? "" : row.outcome().describe())
                    .stripTrailing());
            String remedy = "       because " + row.cause().summary() + ". " + row.remedy();
            boolean own = !row.isApplied() && row.cause() != Cause.PREREQUISITE;
            if (own && told.add(remedy + row.paste())) {
                out.println(remedy);
                lasting(row.paste()).lines().forEach(line -> out.println("         " + line));
            }
        }
        out.flush();
    }
}
