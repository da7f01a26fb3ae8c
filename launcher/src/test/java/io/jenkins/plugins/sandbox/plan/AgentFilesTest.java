package io.jenkins.plugins.sandbox.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentFilesTest {
    private Path directory;

    @BeforeEach
    void makeDirectory(@TempDir Path temporary) throws IOException {
        directory = temporary.toRealPath();
    }

    private Path file(String name, String rights, String... lines) throws IOException {
        Path file = directory.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, List.of(lines));
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(rights));
    }

    private Set<String> names(Map<String, String> environment, String... words) {
        return AgentFiles.in(List.of(words), environment, directory).stream()
                .filter(p -> p.startsWith(directory))
                .map(p -> directory.relativize(p).toString())
                .collect(Collectors.toSet());
    }

    private Set<String> names(String... words) {
        return names(Map.of(), words);
    }

    @Test
    void filesBehindAnAtAreFound() throws IOException {
        file("one", "rw-r--r--", "secret");
        assertThat(names("java", "-secret", "@one")).containsExactly("one");
        assertThat(names("java", "-secret=@one")).containsExactly("one");
        assertThat(names("java", "-jnlpCredentials", "@" + directory.resolve("one")))
                .containsExactly("one");
        assertThat(names("java", "-secret", "@" + directory + "/not-there-yet")).containsExactly("not-there-yet");
        assertThat(names("java", "@", "mail@host", "-name", "one")).isEmpty();
    }

    @Test
    void whatAnArgumentFileNamesIsFound() throws IOException {
        file(
                "java-arguments",
                "rw-r--r--",
                "# comment",
                "-Xmx1g \"-jar\" agent.jar -secret @deep",
                "-loggingConfig log.properties");
        file("deep", "rw-r--r--", "-configFile", "swarm config.yml");
        assertThat(names("java", "@java-arguments"))
                .containsExactlyInAnyOrder("java-arguments", "deep", "log.properties", "swarm config.yml", "swarm");
        assertThat(names(Map.of("JDK_JAVA_OPTIONS", "-Xmx1g @java-arguments"), "java"))
                .contains("deep");
        assertThat(names(Map.of("OTHER", "@java-arguments"), "java")).isEmpty();
        file("loop", "rw-r--r--", "@loop");
        assertThat(names("java", "@loop")).containsExactly("loop");
    }

    @Test
    void valuesOfFileOptionsAreFound() {
        assertThat(names("-jar-cache", "jars", "-agentLog=log", "-passwordFile", "pw", "-workDir", "work"))
                .containsExactlyInAnyOrder("jars", "log", "pw");
    }

    @Test
    void otherFilesAreFoundWhereOthersMayNotReadThem() throws IOException {
        Path key = file("key.p12", "rw-r-----", "key");
        Path trust = file("trust.p12", "rw-r--r--", "certificates");
        assertThat(names("-Dkey=" + key, "-Dtrust=" + trust, "-javaagent:" + key + "=option", "-Ddir=" + directory))
                .containsExactly("key.p12");
    }

    @Test
    void theFilesOfGuidesAreFoundBesideTheJarAndWhereItWasStarted() throws IOException {
        file("secret-file", "rw-r--r--", "x");
        file("jar/agent.jar", "rw-r--r--", "x");
        file("jar/secret-file", "rw-r--r--", "x");
        file("jar/a.jnlp", "rw-r--r--", "x");
        file("jar/other", "rw-r--r--", "x");
        assertThat(names("java", "-jar", directory + "/jar/agent.jar", "-name", "x"))
                .containsExactlyInAnyOrder("secret-file", "jar/secret-file", "jar/a.jnlp");
    }

    @Test
    void credentialsOfSystemdAreFound() {
        assertThat(AgentFiles.in(List.of(), Map.of("CREDENTIALS_DIRECTORY", "/run/user/7/credentials/x"), directory))
                .containsExactlyInAnyOrder(Path.of("/run/credentials"), Path.of("/run/user/7/credentials/x"));
    }
}
