package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.launch.HostFacts;
import io.jenkins.plugins.sandbox.launch.NativeProbe;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
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

    ProbeCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws SandboxException, InterruptedException, IOException {
        HostFacts facts = HostFacts.read();
        NativeProbe probe;
        try (TemporaryDirectory directory = TemporaryDirectory.create(console)) {
            probe = NativeProbe.run(transport.choice(directory));
        }
        // A setting that stands in nobody's way needs no remedy.
        List<String> remedies = probe.report().level() == Level.FULL ? List.of() : facts.remedies();
        if (json) {
            try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
                JsonReport.probe(out, probe.report(), facts.values(), remedies, probe.transport());
            }
            return 0;
        }
        PrintWriter out = console.outWriter();
        facts.values().forEach((name, value) -> out.println(name + ": " + value));
        out.println("transport: " + probe.transport());
        Summary.print(console, out, "probe", probe.report());
        remedies.forEach(out::println);
        return 0;
    }
}
