package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * What of the machine exists under {@code root = named} besides what the launch names: programs and what they do not start
 * without ({@code named.txt}), and a few files of {@code /etc} that are made for the launch, since the machine's name its
 * users and its network.
 */
final class SystemFiles {
    private static final Map<String, List<String>> FILE = DataFile.read("named.txt");
    private static final Path ROOT = Path.of("/");
    private static final Path ETC = Path.of("/etc");

    private SystemFiles() {}

    /**
     * @param network whether the machine's network is visible
     * @param made where {@link #write} writes
     * @return in no particular order
     */
    static List<Mount> mounts(Host host, boolean network, Path made) throws SandboxException {
        Map<Path, Mount> mounts = new LinkedHashMap<>();
        add(host, mounts, FILE.get("execute"), true);
        add(host, mounts, FILE.get("read"), false);
        if (network) {
            add(host, mounts, FILE.get("network"), false);
        }
        for (String name : contents("", 0, 0, "/").keySet()) {
            Path target = ETC.resolve(name);
            mounts.putIfAbsent(
                    target, Mount.readOnly(made.resolve(name), target).withExecute(false));
        }
        return new ArrayList<>(mounts.values());
    }

    private static void add(Host host, Map<Path, Mount> mounts, List<String> names, boolean execute)
            throws SandboxException {
        for (Path path :
                PathList.existing(ROOT, names.stream().map(n -> n.substring(1)).toList())) {
            Path real = path;
            if (Files.isSymbolicLink(path)) {
                if (!Files.exists(path)) {
                    continue;
                }
                mounts.put(path, Mount.symlink(textOf(path), path));
                real = host.canonical("System path", path.toString());
            }
            // Most links lead to what is there already, /bin to usr/bin.
            if (mounts.values().stream().noneMatch(isAbove(real))) {
                mounts.put(real, Mount.readOnly(real, real).withExecute(execute));
            }
        }
    }

    private static Predicate<Mount> isAbove(Path path) {
        return m -> m.kind() == Mount.Kind.READ_ONLY && path.startsWith(m.target());
    }

    /** What a symbolic link says. */
    static Path textOf(Path link) throws SandboxException {
        try {
            return Files.readSymbolicLink(link);
        } catch (IOException e) {
            throw new SandboxException("System path " + link + " cannot be read (" + e + "): check its rights.", e);
        }
    }

    /** Writes the files of {@code /etc}, for this process' user. Launches of one scratch directory may do so at once. */
    static void write(Path directory, String home) throws IOException {
        int uid = (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        int gid = (int) Files.getAttribute(Path.of("/proc/self"), "unix:gid");
        for (Map.Entry<String, String> file :
                contents(System.getProperty("user.name"), uid, gid, home).entrySet()) {
            Path target = directory.resolve(file.getKey());
            Path draft = Files.createTempFile(directory, "draft", "");
            Files.writeString(draft, file.getValue());
            Files.setPosixFilePermissions(draft, PosixFilePermissions.fromString("rw-r--r--"));
            Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Name and content. */
    static Map<String, String> contents(String user, int uid, int gid, String home) {
        String name = user != null && user.matches("[a-z_][a-z0-9_-]{0,31}") ? user : "build";
        // A colon or a line break would be another field or another user.
        String place = home.matches("[^:\\p{Cntrl}]+") ? home : "/";
        String self = uid == 0 ? "" : name + ":x:" + uid + ":" + gid + "::" + place + ":/bin/sh\n";
        String group = gid == 0 ? "" : name + ":x:" + gid + ":\n";
        Map<String, String> contents = new LinkedHashMap<>();
        contents.put(
                "passwd",
                "root:x:0:0::" + (uid == 0 ? place : "/root") + ":/bin/sh\n" + self
                        + nobody(uid, ":65534::/:/bin/false\n"));
        contents.put("group", "root:x:0:\n" + group + nobody(gid, ":\n").replace("nobody", "nogroup"));
        contents.put("hosts", "127.0.0.1 localhost\n::1 localhost\n");
        contents.put("resolv.conf", "# no name servers: this launch has no network but loopback\n");
        contents.put(
                "nsswitch.conf",
                "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n");
        return contents;
    }

    private static String nobody(int id, String rest) {
        return id == 65534 ? "" : "nobody:x:65534" + rest;
    }
}
