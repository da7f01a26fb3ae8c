package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The entry point of the command line. */
public final class Main {
    /** What the launcher too exits with when nothing was run; as env(1) and docker(1) do. */
    static final int REFUSED = 125;

    private static final List<String> COMMANDS = List.of("run", "agent", "probe", "explain", "plan");

    private Main() {}

    /**
     * @param arguments a command and its options
     */
    public static void main(String[] arguments) {
        System.exit(execute(Console.system(), arguments));
    }

    static int execute(Console console, String... arguments) {
        String first = arguments.length == 0 ? "" : arguments[0];
        CommandLine line;
        if (COMMANDS.contains(first)) {
            // Only the command that is asked for is looked at: picocli's reflection is most of the start-up time.
            line = new CommandLine(command(console, first));
            line.setCommandName("sandbox " + first);
            line.getCommandSpec().versionProvider(new Version());
        } else {
            line = new CommandLine(new Root());
            COMMANDS.forEach(name -> line.addSubcommand(name, command(console, name)));
        }
        line.setOut(console.outWriter())
                .setErr(console.errWriter())
                .setParameterExceptionHandler((e, args) -> {
                    console.error(Quoted.visible(e.getMessage(), 500) + ". See sandbox "
                            + (COMMANDS.contains(first) ? first + " " : "") + "--help.");
                    return REFUSED;
                })
                .setExecutionExceptionHandler((e, used, parsed) -> failed(console, e))
                // Everything from the command's name on is the command's, whatever it looks like.
                .setStopAtPositional(true)
                .setExpandAtFiles(false)
                .setUsageHelpAutoWidth(true);
        String[] rest = COMMANDS.contains(first)
                ? List.of(arguments).subList(1, arguments.length).toArray(String[]::new)
                : arguments;
        if (rest.length == 0 && first.isEmpty()) {
            line.usage(console.errWriter());
            return REFUSED;
        }
        int status = line.execute(rest);
        console.flush();
        return status;
    }

    private static Callable<Integer> command(Console console, String name) {
        return switch (name) {
            case "run" -> new RunCommand(console);
            case "agent" -> new AgentCommand(console);
            case "probe" -> new ProbeCommand(console);
            case "explain" -> new ExplainCommand(console);
            default -> new PlanCommand(console);
        };
    }

    private static int failed(Console console, Exception e) {
        if (e instanceof SandboxException) {
            console.error(e.getMessage());
        } else {
            console.error("this is a defect of process-sandbox, please report it:");
            e.printStackTrace(console.errWriter());
        }
        return REFUSED;
    }

    @Command(
            name = "sandbox",
            description = "Runs a command behind a hardening sequence, and says what was really applied.",
            mixinStandardHelpOptions = true,
            versionProvider = Version.class,
            synopsisSubcommandLabel = "COMMAND")
    private static final class Root implements Callable<Integer> {
        @CommandLine.Spec
        private CommandLine.Model.CommandSpec spec;

        @Override
        public Integer call() {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "Missing command: use one of " + String.join(", ", COMMANDS));
        }
    }

    /** From the manifest. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"process-sandbox " + (version == null ? "development" : version)};
        }
    }
}
