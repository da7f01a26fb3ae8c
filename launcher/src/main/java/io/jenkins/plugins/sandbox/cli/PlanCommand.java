package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.launch.PlanDirectory;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes down what the native launcher would be given. */
@Command(
        name = "plan",
        description = "Writes what the native launcher is given to a directory, to run it by hand.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class PlanCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private PolicyOptions options;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            required = true,
            description = "a directory; its files args, filter, report and sandbox-launcher are replaced")
    private String output;

    PlanCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws SandboxException {
        PlanDirectory directory = PlanDirectory.create(output);
        directory.write(options.policy().scratch(directory.scratch().toString()).build());
        console.outWriter()
                .println(directory.path().resolve("sandbox-launcher") + " --args "
                        + directory.path().resolve("args") + " -- COMMAND");
        return 0;
    }
}
