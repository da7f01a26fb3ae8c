package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.launch.TransportChoice;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where the native launcher is executed from. */
final class TransportOption {
    @Option(
            names = "--launcher-dir",
            paramLabel = "DIR",
            description = "keeps the native launcher as a file there, for example to give it an AppArmor profile;"
                    + " default: in memory where that works")
    private Path directory;

    /** @param otherwise for files where nothing else works; {@code null} when there is none */
    TransportChoice choice(TemporaryDirectory otherwise) {
        return directory != null
                ? TransportChoice.file(directory.toAbsolutePath().toString())
                : TransportChoice.auto(
                        otherwise == null
                                ? null
                                : otherwise.path().resolve("transport").toString());
    }
}
