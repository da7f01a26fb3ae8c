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

    TransportChoice choice(TemporaryDirectory otherwise) {
        return directory != null ? files(otherwise) : TransportChoice.auto(in(otherwise));
    }

    /** @param otherwise for files, where no directory was named */
    TransportChoice files(TemporaryDirectory otherwise) {
        return TransportChoice.file(
                directory != null ? directory.toAbsolutePath().toString() : in(otherwise));
    }

    private static String in(TemporaryDirectory otherwise) {
        return otherwise.path().resolve("transport").toString();
    }
}
