package io.jenkins.plugins.sandbox.launch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** An open directory of a workspace, as somebody looks at it who does not trust it: by descriptor, and through no link. */
final class GitDirectory implements Iterable<Path>, AutoCloseable {
    /** Of what git keeps in its directory (gitrepository-layout(5)): content, and nothing that it obeys. */
    private static final Set<String> CONTENT_FILES = Set.of(
            "HEAD",
            "ORIG_HEAD",
            "FETCH_HEAD",
            "MERGE_HEAD",
            "COMMIT_EDITMSG",
            "description",
            "index",
            "packed-refs",
            "shallow");

    private static final Set<String> CONTENT_DIRECTORIES = Set.of("objects", "refs", "logs");
    private static final Set<String> OBEYED =
            Set.of("config", "config.worktree", "commondir", "hooks", "modules", "worktrees");
    private static final String SPLIT_INDEX = "sharedindex.";

    private static final Pattern HEAD = Pattern.compile("ref: refs/[^\\x00-\\x20\\x7f]+\\s*|[0-9a-f]{40}\\s*");
    private static final int LONGEST_HEAD = 4096;
    private static final int LONGEST_CONFIG = 1 << 20;
    private static final int AT_ONCE = 1000;
    private static final int DEEPEST = 64;

    private static final String CONFIG =
            "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n";

    private final SecureDirectoryStream<Path> stream;
    private final Path path;

    GitDirectory(SecureDirectoryStream<Path> stream, Path path) {
        this.stream = stream;
        this.path = path;
    }

    Path path() {
        return path;
    }

    /** Once. */
    @Override
    public Iterator<Path> iterator() {
        return stream.iterator();
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }

    /** Eight digits, so that nothing is in its way. */
    static String unique() {
        return HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    }

    GitDirectory open(Path name) throws IOException {
        return new GitDirectory(stream.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS), path.resolve(name));
    }

    boolean exists(Path name) throws IOException {
        return attributes(name).isPresent();
    }

    boolean isDirectory(Path name) throws IOException {
        return attributes(name).map(PosixFileAttributes::isDirectory).orElse(false);
    }

    private boolean isFile(Path name) throws IOException {
        return attributes(name).map(PosixFileAttributes::isRegularFile).orElse(false);
    }

    UserPrincipal owner(Path name) throws IOException {
        return attributes(name)
                .orElseThrow(() -> new NoSuchFileException(path.resolve(name).toString()))
                .owner();
    }

    private Optional<PosixFileAttributes> attributes(Path name) throws IOException {
        try {
            return Optional.of(
                    stream.getFileAttributeView(name, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                            .readAttributes());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /** @param to what nothing is called */
    void move(Path name, Path to) throws IOException {
        beWritable();
        stream.move(name, stream, to);
    }

    /** By path, as Java has it. At worst it gives this user rights to a directory of his own. */
    private void beWritable() throws IOException {
        if (!Files.isWritable(path)) {
            Set<PosixFilePermission> rights = EnumSet.of(PosixFilePermission.OWNER_WRITE);
            rights.addAll(Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS));
            Files.setPosixFilePermissions(path, rights);
        }
    }

    /** Whether git may take it for a repository when there is no {@code .git} that it takes. */
    boolean looksLikeARepository() throws IOException {
        return exists(Path.of("HEAD"))
                && !isDirectory(Path.of("HEAD"))
                && (exists(Path.of("commondir")) || exists(Path.of("objects")) && exists(Path.of("refs")));
    }

    /** Git would look for another repository then, further up, and this directory is none any more. */
    Optional<String> whyGitDoesNotTakeIt() throws IOException {
        if (!isDirectory(Path.of("objects")) || !isDirectory(Path.of("refs"))) {
            return Optional.of("its directory objects or refs is gone");
        }
        return HEAD.matcher(text("HEAD", LONGEST_HEAD)).matches()
                ? Optional.empty()
                : Optional.of("its HEAD is damaged");
    }

    /** Why not even what is content in it can be used with a fresh configuration. */
    Optional<String> whyItIsOfNoUse() throws IOException {
        Optional<String> spoilt = whyGitDoesNotTakeIt();
        if (spoilt.isPresent()) {
            return spoilt;
        }
        if (text("config", LONGEST_CONFIG).toLowerCase(Locale.ROOT).contains("[extensions")) {
            return Optional.of("it needs extensions that its configuration has switched on");
        }
        try (GitDirectory objects = open(Path.of("objects"))) {
            if (objects.isDirectory(Path.of("info"))) {
                try (GitDirectory info = objects.open(Path.of("info"))) {
                    if (info.exists(Path.of("alternates")) || info.exists(Path.of("http-alternates"))) {
                        return Optional.of("it takes objects from another repository");
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** What is in a file; nothing when it is no plain file or too long. */
    private String text(String name, int longest) throws IOException {
        Path file = Path.of(name);
        if (!isFile(file)) {
            return "";
        }
        ByteBuffer bytes = ByteBuffer.allocate(longest + 1);
        try (SeekableByteChannel channel =
                stream.newByteChannel(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
            while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
                continue;
            }
        }
        return bytes.hasRemaining()
                ? new String(bytes.array(), 0, bytes.position(), StandardCharsets.ISO_8859_1)
                : "[extensions"; // longer than any that git writes
    }

    /** Of a repository that the build has made: leaves the content, and gives it a configuration that says nothing. */
    void removeOrders() throws IOException {
        beWritable();
        keepOnly((name, attributes) -> attributes.isDirectory()
                ? CONTENT_DIRECTORIES.contains(name)
                : attributes.isRegularFile()
                        && (name.equals("config") || CONTENT_FILES.contains(name) || name.startsWith(SPLIT_INDEX)));
        removeLinksInContent();
        Set<OpenOption> options =
                Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW, LinkOption.NOFOLLOW_LINKS);
        Path fresh = Path.of("config.process-sandbox-" + unique());
        try (SeekableByteChannel file = stream.newByteChannel(fresh, options)) {
            file.write(ByteBuffer.wrap(CONFIG.getBytes(StandardCharsets.US_ASCII)));
        }
        stream.move(fresh, stream, Path.of("config"));
    }

    /**
     * Of a repository whose configuration and hooks the build could not write: takes away what leads git elsewhere. A further
     * working tree has a configuration of its own.
     */
    void removeLinks() throws IOException {
        beWritable();
        keepOnly((name, attributes) -> OBEYED.contains(name) || attributes.isDirectory() || attributes.isRegularFile());
        removeLinksInContent();
        Path worktrees = Path.of("worktrees");
        if (isDirectory(worktrees)) {
            try (GitDirectory all = open(worktrees)) {
                all.beWritable();
                all.keepOnly((name, attributes) -> attributes.isDirectory() && all.isPlainWorkingTree(name));
            }
        } else if (exists(worktrees)) {
            stream.deleteFile(worktrees);
        }
    }

    /** Those that lead git elsewhere when it writes. */
    void removeLinksInContent() throws IOException {
        for (String name : CONTENT_DIRECTORIES) {
            keepPlain(Path.of(name), 1);
        }
    }

    private boolean isPlainWorkingTree(String name) throws IOException {
        try (GitDirectory worktree = open(Path.of(name))) {
            return worktree.text("commondir", LONGEST_HEAD).strip().equals("../..")
                    && !worktree.exists(Path.of("config.worktree"));
        }
    }

    private interface Kept {
        boolean is(String name, PosixFileAttributes attributes) throws IOException;
    }

    /** A stream gives its names once, and removing while reading may skip some. */
    private void keepOnly(Kept kept) throws IOException {
        List<Path> others;
        do {
            others = new ArrayList<>();
            try (GitDirectory again = reopen()) {
                for (Path child : again) {
                    Path name = child.getFileName();
                    Optional<PosixFileAttributes> attributes = attributes(name);
                    if (attributes.isPresent() && !kept.is(name.toString(), attributes.get())) {
                        others.add(name);
                    }
                    if (others.size() == AT_ONCE) {
                        break;
                    }
                }
            }
            if (!others.isEmpty()) {
                beWritable();
            }
            for (Path name : others) {
                remove(name);
            }
        } while (others.size() == AT_ONCE);
    }

    private GitDirectory reopen() throws IOException {
        return new GitDirectory(stream.newDirectoryStream(Path.of("."), LinkOption.NOFOLLOW_LINKS), path);
    }

    private void keepPlain(Path name, int depth) throws IOException {
        if (!isDirectory(name)) {
            return;
        }
        if (depth == DEEPEST) {
            remove(name);
            return;
        }
        try (GitDirectory below = open(name)) {
            below.keepOnly((child, attributes) -> attributes.isDirectory() || attributes.isRegularFile());
            try (GitDirectory again = below.reopen()) {
                for (Path child : again) {
                    below.keepPlain(child.getFileName(), depth + 1);
                }
            }
        }
    }

    private void remove(Path name) throws IOException {
        if (isDirectory(name)) {
            // Nobody else changes it any more: nothing of the build runs.
            TreeRemover.remove(path.resolve(name));
        } else {
            stream.deleteFile(name);
        }
    }
}
