package io.jenkins.plugins.sandbox.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** Where this program itself writes: its answers to stdout, everything about a run to stderr. */
final class Console {
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean marks;

    private Console(PrintWriter out, PrintWriter err, boolean marks) {
        this.out = out;
        this.err = err;
        this.marks = marks;
    }

    /** In the locale's encoding, which is not System.err's on every Java version. */
    static Console system() {
        String name = System.getProperty("native.encoding");
        Charset charset = name != null && Charset.isSupported(name) ? Charset.forName(name) : StandardCharsets.US_ASCII;
        return new Console(
                writer(new FileOutputStream(FileDescriptor.out), charset),
                writer(new FileOutputStream(FileDescriptor.err), charset),
                charset.newEncoder().canEncode("✓✗"));
    }

    /** For tests. */
    static Console of(PrintWriter out, PrintWriter err) {
        return new Console(out, err, true);
    }

    private static PrintWriter writer(OutputStream out, Charset charset) {
        return new PrintWriter(new OutputStreamWriter(out, charset), true);
    }

    PrintWriter outWriter() {
        return out;
    }

    PrintWriter errWriter() {
        return err;
    }

    String good() {
        return marks ? "✓" : "ok";
    }

    String bad() {
        return marks ? "✗" : "no";
    }

    /** One line about what is wrong. */
    void error(String message) {
        err.println("sandbox: " + message);
        err.flush();
    }

    void flush() {
        out.flush();
        err.flush();
    }
}
