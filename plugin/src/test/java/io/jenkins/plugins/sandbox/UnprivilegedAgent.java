package io.jenkins.plugins.sandbox;

import hudson.model.Slave;
import hudson.slaves.DumbSlave;
import hudson.slaves.JNLPLauncher;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.sandbox.kernel.DelegatedGroup;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.RealJenkinsExtension;

/**
 * Real inbound agents, each in a JVM of its own, as an ordinary user: an agent of {@code root} would prove nothing. When the
 * tests run as {@code root}, the agents run as user 65534; otherwise as the user of the tests. They end with the test, or
 * with the class when the extension is registered in a static field.
 */
public final class UnprivilegedAgent implements AfterEachCallback, AfterAllCallback {
    private static final int NOBODY = 65534;

    private final Map<String, Process> processes = new LinkedHashMap<>();
    private final Map<String, ProcessBuilder> builders = new LinkedHashMap<>();
    private final List<Path> directories = new ArrayList<>();
    private DelegatedGroup group;
    private boolean shared;
    private URL address;

    /** @return the same, for the whole class */
    public UnprivilegedAgent shared() {
        shared = true;
        return this;
    }

    /** @return whether the next agents have a control group of their own, as root delegates it; where it can */
    public boolean delegateControlGroup() throws IOException {
        if (isRoot()) {
            group = DelegatedGroup.make(NOBODY);
        }
        return group != null && !group.property().isEmpty();
    }

    /** @param url how the next agents reach the controller, in the place of its own URL; the same */
    public UnprivilegedAgent through(URL url) {
        address = url;
        return this;
    }

    /**
     * Starts an agent whose root directory lies in the home directory of its user, as it mostly does.
     *
     * @return its node, online
     */
    public Slave start(JenkinsRule r, String name) throws Exception {
        return start(r, name, "home/agent");
    }

    /**
     * @param root where its root directory is, below a directory of its own that has {@code home} in it as well
     * @param javaOptions for its JVM
     */
    public Slave start(JenkinsRule r, String name, String root, String... javaOptions) throws Exception {
        Path base = makeBase(root);
        Slave node = createNode(r, name, base.resolve(root).toString());
        run(
                base,
                root,
                name,
                ((SlaveComputer) node.toComputer()).getJnlpMac(),
                address == null ? r.getURL() : address,
                javaOptions);
        r.waitOnline(node);
        return node;
    }

    /** As {@link #start(JenkinsRule, String)}. Starts it once more when it was there before. */
    public void start(RealJenkinsExtension rr, String name) throws Throwable {
        Path base = makeBase("home/agent");
        String secret = rr.runRemotely(
                UnprivilegedAgent::createRemotely,
                name,
                base.resolve("home/agent").toString());
        run(base, "home/agent", name, secret, rr.getUrl());
        rr.runRemotely(UnprivilegedAgent::waitRemotely, name);
    }

    private static String createRemotely(JenkinsRule r, String name, String root) throws Exception {
        return ((SlaveComputer) createNode(r, name, root).toComputer()).getJnlpMac();
    }

    private static void waitRemotely(JenkinsRule r, String name) throws Exception {
        r.waitOnline((Slave) r.jenkins.getNode(name));
    }

    private static Slave createNode(JenkinsRule r, String name, String root) throws Exception {
        DumbSlave node = new DumbSlave(name, root, new JNLPLauncher(true));
        node.setLabelString(name);
        node.setNumExecutors(20);
        r.jenkins.addNode(node);
        return node;
    }

    /** Kills an agent with SIGKILL, and waits until it is gone. */
    public void kill(String name) throws InterruptedException {
        processes.remove(name).destroyForcibly().waitFor();
    }

    /** Starts an agent again, in the same directories, that was killed. */
    public void restart(JenkinsRule r, String name) throws Exception {
        processes.put(name, builders.get(name).start());
        r.waitOnline((Slave) r.jenkins.getNode(name));
    }

    private Path makeBase(String root) throws IOException {
        // Not below the module, which other users may not be able to reach.
        Path base = Files.createTempDirectory(
                Path.of("/tmp"),
                "unprivileged-agent",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        directories.add(base);
        Files.createDirectories(base.resolve("home"));
        Files.createDirectories(base.resolve(root));
        return base;
    }

    private void run(Path base, String root, String name, String secret, URL jenkins, String... javaOptions)
            throws Exception {
        Path jar = base.resolve("agent.jar");
        try (InputStream in = new URL(jenkins, "jnlpJars/agent.jar").openStream()) {
            Files.copy(in, jar);
        }
        List<String> command = new ArrayList<>();
        if (isRoot()) {
            giveAway(base);
            if (group != null) {
                command.addAll(group.words());
            }
            command.addAll(
                    List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups", "--inh-caps=-all"));
        }
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx256m");
        command.addAll(List.of(javaOptions));
        command.addAll(List.of("-jar", jar.toString(), "-url", jenkins.toString(), "-webSocket"));
        command.addAll(List.of("-name", name, "-secret", secret));
        command.addAll(List.of("-workDir", base.resolve(root).toString()));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(base.toFile())
                .redirectErrorStream(true)
                .redirectOutput(base.resolve("agent.log").toFile());
        builder.environment().keySet().removeIf(n -> n.startsWith("MAVEN") || n.startsWith("JENKINS"));
        builder.environment().put("HOME", base.resolve("home").toString());
        builder.environment().put("LC_ALL", "C.UTF-8");
        builder.environment().put("AGENT_CANARY", "inherited");
        // As a container's entry point and a cloud's machine would have them.
        builder.environment().put("JENKINS_SECRET", "agents-own-secret");
        builder.environment().put("AWS_SECRET_ACCESS_KEY", "agents-own-key");
        builders.put(name, builder);
        processes.put(name, builder.start());
    }

    private static void giveAway(Path base) throws IOException {
        try (var all = Files.walk(base)) {
            for (Path path : (Iterable<Path>) all::iterator) {
                Files.setAttribute(path, "unix:uid", NOBODY, LinkOption.NOFOLLOW_LINKS);
                Files.setAttribute(path, "unix:gid", NOBODY, LinkOption.NOFOLLOW_LINKS);
            }
        }
    }

    private static boolean isRoot() throws IOException {
        return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        if (!shared) {
            end();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        end();
    }

    private void end() throws Exception {
        for (String name : List.copyOf(processes.keySet())) {
            Process process = processes.get(name);
            process.destroy();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                kill(name);
            }
            processes.remove(name);
        }
        if (group != null) {
            group.remove();
            group = null;
        }
        for (Path directory : directories) {
            delete(directory);
        }
        directories.clear();
    }

    private static void delete(Path directory) throws IOException {
        try (var all = Files.walk(directory)) {
            Path[] paths = all.toArray(Path[]::new);
            for (int i = paths.length - 1; i >= 0; i--) {
                Files.deleteIfExists(paths[i]);
            }
        }
    }
}
