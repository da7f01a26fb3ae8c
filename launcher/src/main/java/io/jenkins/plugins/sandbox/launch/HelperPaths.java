package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** Paths as the bytes that they are for the kernel, whatever this JVM's encoding is. */
final class HelperPaths {
    private HelperPaths() {}

    /**
     * @param path absolute
     * @return its bytes. A JVM keeps them in a path that it got from the file system, and shows them in its URI alone
     */
    static byte[] encode(Path path) throws SandboxException {
        String uri = path.toUri().getRawPath();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < uri.length(); i++) {
            if (uri.charAt(i) == '%') {
                bytes.write(Integer.parseInt(uri.substring(i + 1, i + 3), 16));
                i += 2;
            } else {
                bytes.write(uri.charAt(i));
            }
        }
        byte[] all = bytes.toByteArray();
        int end = all.length;
        while (end > 1 && all[end - 1] == '/') { // toUri() appends one to a directory
            end--;
        }
        if (end <= 1) {
            throw new SandboxException("Directory " + Quoted.of(path) + " is the root directory: name one in it.");
        }
        return Arrays.copyOf(all, end);
    }

    /** @return the path of these bytes, if this JVM has one: in an ASCII locale it has none for other names */
    static Optional<Path> decode(byte[] bytes) {
        String name = System.getProperty("sun.jnu.encoding");
        Charset encoding = name != null && Charset.isSupported(name) ? Charset.forName(name) : StandardCharsets.UTF_8;
        String text = new String(bytes, encoding);
        if (!Arrays.equals(text.getBytes(encoding), bytes)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Path.of(text));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    /**
     * @param path its parent exists, or the result of this is a {@link NoSuchFileException}
     * @return the same file by a path in which only the last name may be a link
     */
    static Path withoutLinksAbove(Path path) throws IOException {
        Path absolute = path.toAbsolutePath().normalize();
        if (absolute.getFileName() == null) {
            throw new IOException("it is the root directory");
        }
        return absolute.getParent().toRealPath().resolve(absolute.getFileName());
    }
}
