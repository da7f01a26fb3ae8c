package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.seccomp.Architecture;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a plan has to know about the machine that it is for.
 *
 * @param home the home directory of the launching process, as its environment names it; may be empty
 * @param accountHomes the home directories of the process' account, as the machine names them; what is in them is the
 *     user's, whatever the environment says
 * @param architecture of this JVM; empty where there is no launcher and no filter for it
 * @param encoding of file names and arguments
 * @param variables the names of the launching process' environment variables
 * @param container whether the command runs in a container with another file system, of which only the workspace and the
 *     directory beside it are known
 * @param agentFiles what {@link AgentFiles} finds in the launching process' command line; hidden where that is an agent
 */
public record Host(
        String home,
        Set<String> accountHomes,
        Optional<Architecture> architecture,
        Charset encoding,
        Set<String> variables,
        boolean container,
        Set<Path> agentFiles) {
    /** Longer user databases are not read: no machine with local accounts alone has one. */
    private static final long LARGEST_PASSWD = 16 << 20;

    private static final Path ENVIRONMENT = Path.of("/proc/self/environ");

    public Host {
        accountHomes = Set.copyOf(accountHomes);
        variables = Set.copyOf(variables);
        agentFiles = Set.copyOf(agentFiles);
    }

    Host(String home, Optional<Architecture> architecture, Charset encoding, Set<String> variables) {
        this(home, Set.of(), architecture, encoding, variables, false, Set.of());
    }

    Host withAgentFiles(Set<Path> files) {
        return new Host(home, accountHomes, architecture, encoding, variables, container, files);
    }

    /** @return the same machine, for an account with these home directories */
    Host withAccountHomes(Set<String> homes) {
        return new Host(home, homes, architecture, encoding, variables, container, agentFiles);
    }

    /** @return the same machine, for a command in a container on it or beside it */
    public Host inContainer() {
        return new Host(home, accountHomes, architecture, encoding, variables, true, agentFiles);
    }

    /**
     * @return the machine and the process that this code runs in
     */
    public static Host current() {
        String home = variable("HOME");
        // What the C library says (getpwuid), wherever accounts are kept, unless an option of the JVM says otherwise.
        String account = System.getProperty("user.home", "");
        Set<String> accountHomes = new LinkedHashSet<>(localHomes(Path.of("/etc/passwd")));
        accountHomes.add(account);
        return new Host(
                home == null ? account : home,
                accountHomes,
                Architecture.current(),
                ownEncoding(),
                System.getenv().keySet(),
                false,
                AgentFiles.own());
    }

    /** @return the home directories of this process' user id in a file like passwd(5) */
    private static Set<String> localHomes(Path file) {
        try {
            if (Files.size(file) > LARGEST_PASSWD) {
                return Set.of();
            }
            int uid = (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
            return homesOf(uid, new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
        } catch (IOException | UnsupportedOperationException e) {
            return Set.of(); // As in an image without accounts: what the JVM says is left.
        }
    }

    /**
     * @param passwd lines of name, password, user id, group id, comment, home directory, shell; a character for each byte
     * @return as {@link PathBytes} has them
     */
    static Set<String> homesOf(int uid, String passwd) {
        return passwd.lines()
                .map(line -> line.split(":", -1))
                .filter(fields -> fields.length >= 6 && fields[2].equals(String.valueOf(uid)))
                .map(fields -> PathBytes.word(fields[5].getBytes(StandardCharsets.ISO_8859_1)))
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** That of file names and arguments. */
    static Charset ownEncoding() {
        return encoding(System.getProperty("sun.jnu.encoding"));
    }

    /**
     * A variable of this process by its bytes: {@link System#getenv} loses what this JVM's encoding does not have.
     *
     * @return as {@link PathBytes} has it; {@code null} when it is not set
     */
    private static String variable(String name) {
        String value = System.getenv(name);
        if (value == null || value.chars().allMatch(c -> c < 0x80)) {
            return value;
        }
        try {
            String text = new String(Files.readAllBytes(ENVIRONMENT), StandardCharsets.ISO_8859_1);
            for (String entry : text.split("\0")) {
                if (entry.startsWith(name + "=")) {
                    return PathBytes.word(entry.substring(name.length() + 1).getBytes(StandardCharsets.ISO_8859_1));
                }
            }
        } catch (IOException e) {
            return value;
        }
        return value;
    }

    private static Charset encoding(String name) {
        return name != null && Charset.isSupported(name) ? Charset.forName(name) : StandardCharsets.UTF_8;
    }

    /**
     * Finds out what a path really is: absolute, existing, and without a symbolic link in it.
     *
     * @param what what the path is for, in messages
     * @param path the path
     * @return the same file under its canonical path
     * @throws SandboxException when it is none of the above
     */
    Path canonical(String what, String path) throws SandboxException {
        if (!path.startsWith("/")) {
            throw new SandboxException(what + " " + Quoted.of(path) + " is not an absolute path: start it with '/'.");
        }
        try {
            return canonical(what, PathBytes.named(path));
        } catch (IllegalArgumentException e) {
            throw new SandboxException(what + " " + Quoted.of(path) + " is not a path: remove the NUL from it.", e);
        }
    }

    /** As {@link #canonical(String, String)}, for what came from the file system. */
    Path canonical(String what, Path given) throws SandboxException {
        Path real;
        try {
            real = given.toRealPath();
        } catch (IOException e) {
            String path = given.toString();
            boolean unsure = path.indexOf('\uFFFD') >= 0 || path.indexOf('?') >= 0;
            if (unsure && !encoding.equals(StandardCharsets.UTF_8) && Files.notExists(given)) {
                // What this JVM makes of bytes that it cannot decode; they are lost already.
                throw new SandboxException(
                        what + " " + Quoted.of(path) + " cannot be written in this process' encoding " + encoding
                                + ": start it with LANG=C.UTF-8 in its environment.",
                        e);
            }
            if (Files.notExists(given)) {
                throw new SandboxException(
                        what + " " + Quoted.of(path) + " does not exist: create it, or name another.", e);
            }
            throw new SandboxException(
                    what + " " + Quoted.of(path) + " cannot be reached (" + e + "): check the rights of its parents.",
                    e);
        }
        return real;
    }

    /** As {@link #canonical}, for what has to be a directory. */
    Path canonicalDirectory(String what, String path) throws SandboxException {
        Path real = canonical(what, path);
        if (!Files.isDirectory(real)) {
            throw new SandboxException(what + " " + Quoted.of(path) + " is not a directory: name a directory.");
        }
        return real;
    }
}
