package io.jenkins.plugins.sandbox.plan;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Paths as the kernel has them: bytes. A build chooses names that are not UTF-8, and a JVM that was started with
 * {@code LANG=C} decodes no other characters than ASCII, so {@link Path#toString} may lose what the path is. A <em>word</em>
 * loses nothing: it is the path as UTF-8, with each byte that is not part of UTF-8 as a lone surrogate, U+DC80 to U+DCFF.
 */
final class PathBytes {
    private static final char ESCAPE = 0xDC00;
    private static final String UNRESERVED = "/-_.~";

    private PathBytes() {}

    /** @param path absolute */
    static String word(Path path) {
        String text = path.toString();
        // Decoding never makes ASCII of what is not.
        return text.chars().allMatch(c -> c < 0x80) ? text : word(bytes(path));
    }

    static String word(byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length + 1);
        while (true) {
            CoderResult result = decoder.decode(in, out, true);
            if (result.isUnderflow()) {
                return out.flip().toString();
            }
            for (int i = result.length(); i > 0; i--) {
                out.put((char) (ESCAPE + (in.get() & 0xFF)));
            }
        }
    }

    /** @return what a word stands for */
    static byte[] bytes(String word) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(word.length());
        int from = 0;
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            boolean pair = i > 0 && Character.isHighSurrogate(word.charAt(i - 1));
            if (c >= ESCAPE + 0x80 && c <= ESCAPE + 0xFF && !pair) {
                bytes.writeBytes(word.substring(from, i).getBytes(StandardCharsets.UTF_8));
                bytes.write(c - ESCAPE);
                from = i + 1;
            }
        }
        bytes.writeBytes(word.substring(from).getBytes(StandardCharsets.UTF_8));
        return bytes.toByteArray();
    }

    /** @param word of an absolute path */
    static Path path(String word) {
        return word.chars().allMatch(c -> c < 0x80) ? Path.of(word) : path(bytes(word));
    }

    /** @param text an absolute path that somebody named, in this JVM's encoding where that can say it, else in UTF-8 */
    static Path named(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            return path(bytes(text));
        }
    }

    /** @param bytes of an absolute path */
    static Path path(byte[] bytes) {
        StringBuilder uri = new StringBuilder("file://");
        for (byte b : bytes) {
            char c = (char) (b & 0xFF);
            boolean plain = c < 0x80 && (Character.isLetterOrDigit(c) || UNRESERVED.indexOf(c) >= 0);
            uri.append(plain ? String.valueOf(c) : String.format("%%%02X", (int) c));
        }
        return Path.of(URI.create(uri.toString()));
    }

    /** A URI is the one form in which the JDK tells a path's bytes; it ends with a slash where there is a directory. */
    private static byte[] bytes(Path path) {
        String raw = path.toUri().getRawPath();
        if (raw.length() > 1 && raw.endsWith("/")) {
            raw = raw.substring(0, raw.length() - 1);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            if (raw.charAt(i) == '%') {
                bytes.write(Integer.parseInt(raw.substring(i + 1, i + 3), 16));
                i += 2;
            } else {
                bytes.write(raw.charAt(i));
            }
        }
        return bytes.toByteArray();
    }
}
