package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.plan.Host;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Runs the JVM of a Jenkins agent behind the profile {@link Profile#AGENT}. Steps that work in that JVM (git, file steps, publishers)
 * then reach the agent's root directory only, and sandboxed launches nest inside. The wall is below its minimum unless every
 * primitive holds.
 */
@Command(
        name = "agent",
        description = "Runs the JVM of a Jenkins agent in a sandbox; launches of its builds nest inside.",
        footer = {
            "",
            "Example: sandbox agent -- java -jar agent.jar -url URL -secret @FILE -name NAME -workDir DIR",
            "The root directory is --root, else the command's -workDir, else the current directory. It is created when it is"
                    + " missing. Files that the command names stay readable."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class AgentCommand implements Callable<Integer> {
    private static final List<String> WORK_DIRECTORY = List.of("-workDir", "--workDir", "-workdir", "--workdir");
    private static final Path HOMES = Path.of("/home");
    private static final Path HOME_OF_ROOT = Path.of("/root");

    private final Console console;

    @Option(names = "--root", paramLabel = "DIR", description = "the agent's root directory, which it may write to")
    private String root;

    @Mixin
    private PolicyOptions options = new PolicyOptions(Profile.AGENT);

    @Mixin
    private TransportOption transport;

    @Option(names = "--verbose", description = "prints on stderr what was applied")
    private boolean verbose;

    @Parameters(paramLabel = "COMMAND", arity = "0..*", description = "the command that starts the agent")
    private List<String> command = new ArrayList<>();

    AgentCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws SandboxException, InterruptedException, IOException {
        if (command.isEmpty()) {
            throw new SandboxException("There is no command: write sandbox agent [OPTIONS] -- java -jar agent.jar ...");
        }
        Path directory = root();
        Path home = home();
        options.useDefaults(directory, "FULL");
        hideOtherHomes(home);
        program().ifPresent(p -> read(p, home));
        command.stream().skip(1).flatMap(w -> file(w).stream()).forEach(f -> read(f, home));
        return new RunCommand(console, options, transport, !verbose, command).call();
    }

    private Path root() throws SandboxException {
        String named = root == null ? workDirectory() : root;
        Path directory;
        try {
            directory = Path.of(named).toAbsolutePath().normalize();
            Files.createDirectories(directory);
        } catch (IOException | InvalidPathException e) {
            throw new SandboxException(
                    "The agent's root directory " + Quoted.of(named) + " cannot be created (" + e
                            + "): name another with --root.",
                    e);
        }
        if (directory.getNameCount() == 0) {
            throw new SandboxException("The agent's root directory is '/': name another with --root.");
        }
        return directory;
    }

    private String workDirectory() {
        for (int i = 0; i + 1 < command.size(); i++) {
            if (WORK_DIRECTORY.contains(command.get(i))) {
                return command.get(i + 1);
            }
        }
        return "";
    }

    private static Path home() throws IOException {
        String home = Host.current().home();
        return home.startsWith("/") && Files.isDirectory(Path.of(home))
                ? Path.of(home).toRealPath()
                : Path.of("/");
    }

    /** The home directory itself is an empty one inside. */
    private void hideOtherHomes(Path home) {
        for (Path other : List.of(HOMES, HOME_OF_ROOT)) {
            if (Files.isDirectory(other) && !home.equals(other)) {
                options.addHide(other);
            }
        }
    }

    private Optional<Path> program() {
        String name = command.get(0);
        if (name.contains("/")) {
            return file(name);
        }
        for (String directory : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
            Optional<Path> found = directory.isEmpty() ? Optional.empty() : file(directory + "/" + name);
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    /** remoting reads values of {@code -secret} and the like from {@code @FILE}, a JVM its options. */
    private static Optional<Path> file(String word) {
        try {
            Path path = Path.of(word.startsWith("@") ? word.substring(1) : word).toAbsolutePath();
            return Files.isRegularFile(path) ? Optional.of(path) : Optional.empty();
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    /** A JDK in a home directory is needed as a whole: its programs are in {@code bin}. */
    private void read(Path file, Path home) {
        try {
            Path real = file.toRealPath();
            Path bin = real.getParent();
            boolean program = Files.isExecutable(real) && bin != null && bin.endsWith("bin");
            Path whole = program && bin.getParent() != null ? bin.getParent() : real;
            boolean hidden = real.startsWith(home) || real.startsWith(HOMES) || real.startsWith(HOME_OF_ROOT);
            options.addRead(program && hidden && !home.startsWith(whole) ? whole : real);
        } catch (IOException e) {
            // It has just been removed, and the command reports that itself.
            return;
        }
    }
}
