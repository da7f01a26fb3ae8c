package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.launch.HostProbe;
import io.jenkins.plugins.sandbox.model.Cause;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.EnumSet;
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
        HostProbe probe;
        try (TemporaryDirectory directory = TemporaryDirectory.create(console)) {
            probe = HostProbe.run(transport.choice(directory));
            // The file of this run is gone at its end: a profile has to name one that stays.
            lasting = directory.path().toString();
        }
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

    private String lasting(String paste) {
        return paste.replace(lasting + "/transport/", "/DIR/OF/--launcher-dir/");
    }

    private void print(HostProbe probe, PrintWriter out) {
        probe.facts().forEach((name, value) -> out.println(name + ": " + value));
        if (probe.problem() == null) {
            out.println("transport: " + probe.transport());
        }
        out.println("sandbox: probe, level " + probe.level());
        Set<Cause> told = EnumSet.of(Cause.NONE, Cause.PREREQUISITE);
        for (HostProbe.Row row : probe.rows()) {
            String mark = row.isApplied() ? console.good() : console.bad();
            String name = row.outcome().primitive().wireName();
            out.println(String.format(
                            "  %-2s %-18s %s",
                            mark, name, row.isApplied() ? "" : row.outcome().describe())
                    .stripTrailing());
            if (told.add(row.cause())) {
                out.println("       because " + row.cause().summary() + ". " + row.remedy());
                lasting(row.paste()).lines().forEach(line -> out.println("         " + line));
            }
        }
        out.flush();
    }
}
