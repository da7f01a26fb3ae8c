package io.jenkins.plugins.sandbox.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Runs every test with the tag {@code kernel} in a JVM of an unprivileged user, and shows each of them here, one by one.
 *
 * <p>Namespaces, /proc and file rights behave otherwise for root, so a green test as root shows nothing. When this JVM is
 * root's, the other one gets user 65534; otherwise it gets this user. Everything that it reads is copied to a directory that
 * every user can read, since a checkout may lie below one that only its owner can enter.
 *
 * <p>A test that was skipped there fails here, unless it says which feature this kernel lacks, and that is printed.
 */
class KernelTest {
    private static final String NOBODY = "65534";

    private static Path directory;

    /** A directory of the unprivileged user's that is not in /tmp, which most profiles replace. */
    private static Path outside;

    /** {@code null} when this JVM is not root's: then nobody here can delegate anything. */
    private static DelegatedGroup group;

    @BeforeAll
    static void copyEverything() throws IOException {
        directory = Files.createTempDirectory("sandbox-kernel-test");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        for (String name : List.of("lib", "native", "home", "tmp")) {
            Files.createDirectory(directory.resolve(name));
        }
        for (String name : List.of("home", "tmp")) {
            if (isRoot()) {
                Files.setAttribute(directory.resolve(name), "unix:uid", Integer.parseInt(NOBODY));
                Files.setAttribute(directory.resolve(name), "unix:gid", Integer.parseInt(NOBODY));
            }
        }
        outside = Files.createTempDirectory(placeOutsideOfTmp(), "sandbox-kernel-test");
        Files.setPosixFilePermissions(outside, PosixFilePermissions.fromString("rwxr-xr-x"));
        if (isRoot()) {
            Files.setAttribute(outside, "unix:uid", Integer.parseInt(NOBODY));
            Files.setAttribute(outside, "unix:gid", Integer.parseInt(NOBODY));
        }
    }

    /** The build's own directory, if everybody may enter it. */
    private static Path placeOutsideOfTmp() throws IOException {
        List<Path> places = new ArrayList<>();
        places.add(
                Path.of(System.getProperty("sandbox.test.directory", "target")).toRealPath());
        places.add(isRoot() ? Path.of("/var/lib") : Path.of(System.getProperty("user.home")));
        for (Path place : places) {
            boolean enterable = !isRoot();
            for (Path path = place; isRoot() && path != null; path = path.getParent()) {
                enterable = Files.getPosixFilePermissions(path).contains(PosixFilePermission.OTHERS_EXECUTE);
                if (!enterable) {
                    break;
                }
            }
            if (enterable && !place.startsWith("/tmp") && !place.startsWith("/var/tmp")) {
                return place;
            }
        }
        throw new IOException("no directory outside of /tmp for the test's files: tried " + places);
    }

    @AfterAll
    static void removeEverything() throws IOException {
        remove(directory);
        remove(outside);
        if (group != null) {
            group.remove();
        }
    }

    private static void remove(Path tree) throws IOException {
        Files.walkFileTree(tree, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) throws IOException {
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) throws IOException {
                Files.delete(path);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path path, IOException e) throws IOException {
                Files.delete(path);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> asAnUnprivilegedUser() throws IOException {
        Process process = new ProcessBuilder(command())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .directory(directory.resolve("tmp").toFile())
                .start();
        process.getOutputStream().close();
        Iterator<DynamicTest> tests = new Mirror(process);
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(tests, Spliterator.ORDERED), false);
    }

    private static List<String> command() throws IOException {
        List<String> command = new ArrayList<>();
        if (isRoot()) {
            group = DelegatedGroup.make(Integer.parseInt(NOBODY));
            command.addAll(group.words());
            command.addAll(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"));
        }
        command.addAll(List.of("env", "HOME=" + directory.resolve("home"), "LANG=C.UTF-8", "LC_ALL=C.UTF-8"));
        command.addAll(List.of("SANDBOX_TEST_TOKEN=the agent's", "SANDBOX_TEST_OTHER=other"));
        // What the escape suite tries to read: an agent's own variables.
        command.addAll(List.of("JENKINS_SECRET=agents", "AWS_SECRET_ACCESS_KEY=agents", "SSH_AUTH_SOCK=/nowhere"));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Djava.io.tmpdir=" + directory.resolve("tmp")));
        command.add("-Dsandbox.test.outside=" + outside);
        command.add("-Dsandbox.test.cgroup=" + (group == null ? "" : group.property()));
        command.add("-Dsandbox.test.classes=" + System.getProperty("sandbox.test.classes", ".*"));
        nativeFiles(command);
        command.addAll(List.of("-cp", copiedClassPath(), KernelTestMain.class.getName()));
        return command;
    }

    /** The launcher, and each program that tests start, as a system property of its name. */
    private static void nativeFiles(List<String> command) throws IOException {
        Path target = Path.of(System.getProperty("sandbox.native.target", "../native/target"));
        String machine = System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
        List<Path> files = new ArrayList<>();
        files.add(target.resolve("launcher/linux-" + machine + "/sandbox-launcher"));
        try (Stream<Path> tools = Files.list(target.resolve("test"))) {
            tools.filter(t -> t.getFileName().toString().startsWith("try_")).forEach(files::add);
        }
        for (Path file : files) {
            String name = file.getFileName().toString();
            Path copy = Files.copy(file, directory.resolve("native").resolve(name));
            Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("r-xr-xr-x"));
            command.add("-Dsandbox." + name.replace("sandbox-", "") + "=" + copy);
        }
    }

    private static String copiedClassPath() throws IOException {
        String classPath = System.getProperty("surefire.real.class.path", System.getProperty("java.class.path"));
        if (classPath.endsWith(".jar") && !classPath.contains(File.pathSeparator)) {
            classPath = System.getProperty("surefire.test.class.path", classPath);
        }
        List<String> copies = new ArrayList<>();
        for (String entry : classPath.split(File.pathSeparator)) {
            Path original = Path.of(entry);
            if (Files.exists(original)) {
                Path copy = directory.resolve("lib").resolve(copies.size() + "-" + original.getFileName());
                copyTree(original, copy);
                copies.add(copy.toString());
            }
        }
        return String.join(File.pathSeparator, copies);
    }

    private static void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                Path copy = to.resolve(from.relativize(path).toString());
                Files.copy(path, copy);
                Files.setPosixFilePermissions(
                        copy, PosixFilePermissions.fromString(Files.isDirectory(copy) ? "rwxr-xr-x" : "r--r--r--"));
            }
        }
    }

    private static boolean isRoot() throws IOException {
        return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
    }

    /** One test for each line that the other JVM writes, as it comes, and one more for the end. */
    private static final class Mirror implements Iterator<DynamicTest> {
        private final Process process;
        private final BufferedReader lines;
        private int count;
        private boolean ended;

        Mirror(Process process) {
            this.process = process;
            this.lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        }

        @Override
        public boolean hasNext() {
            return !ended;
        }

        @Override
        public DynamicTest next() {
            if (ended) {
                throw new NoSuchElementException();
            }
            try {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (line.startsWith(KernelTestMain.MARK)) {
                        count++;
                        return mirror(KernelTestMain.Line.decode(line));
                    }
                    System.out.println(line);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            ended = true;
            return DynamicTest.dynamicTest("the other JVM ran all of them", () -> {
                assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
                assertThat(process.exitValue()).isZero();
                assertThat(count).as("tests with the tag kernel").isPositive();
            });
        }

        private static DynamicTest mirror(KernelTestMain.Line line) {
            return DynamicTest.dynamicTest(line.test(), () -> {
                switch (line.result()) {
                    case PASSED -> {
                        return;
                    }
                    case SKIPPED -> {
                        if (KernelTestMain.LACKING.stream().noneMatch(line.text()::contains)) {
                            fail(line.test() + ": skipped, without a feature that this kernel lacks: " + line.text());
                        }
                        System.err.println("NOTE: not run here: " + line.test() + ": " + line.text());
                    }
                    case FAILED -> fail(line.test() + "\n" + line.text());
                }
            });
        }
    }
}
