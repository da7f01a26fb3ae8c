package io.jenkins.plugins.sandbox.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SystemFilesTest {
    @Test
    void theUserIsThereByName() {
        assertThat(SystemFiles.contents("ann", 1000, 1001, "/home/ann"))
                .containsEntry(
                        "passwd",
                        "root:x:0:0::/root:/bin/sh\nann:x:1000:1001::/home/ann:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")
                .containsEntry("group", "root:x:0:\nann:x:1001:\nnogroup:x:65534:\n");
        assertThat(SystemFiles.contents("root", 0, 0, "/root"))
                .containsEntry("passwd", "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n");
    }

    /** Whoever chose the name of the account or of its home directory must not make another line of it. */
    @ParameterizedTest
    @CsvSource({"'a:b', /home", "'a\nroot', /home", "'?', /home", "ann, '/home\nroot::0:0:::'", "ann, '/a:b'"})
    void noNameMakesAFieldOrALineOfItsOwn(String user, String home) {
        assertThat(SystemFiles.contents(user, 1000, 1000, home).get("passwd").lines())
                .hasSize(3)
                .allMatch(l -> l.split(":", -1).length == 7);
    }

    @Test
    void theMachinesNetworkFilesComeWithItsNetwork() throws Exception {
        Host host = Host.current();
        Path made = Path.of("/made");
        assertThat(targets(SystemFiles.mounts(host, false, made)))
                .contains("/made/hosts on /etc/hosts", "/made/passwd on /etc/passwd", "/usr on /usr");
        assertThat(targets(SystemFiles.mounts(host, true, made)))
                .contains("/made/passwd on /etc/passwd")
                .doesNotContain("/made/hosts on /etc/hosts");
    }

    private static List<String> targets(List<Mount> mounts) {
        return mounts.stream().map(m -> m.source() + " on " + m.target()).toList();
    }
}
