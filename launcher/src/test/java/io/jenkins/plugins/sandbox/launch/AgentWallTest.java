package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

public class AgentWallTest {
    private static final String STATUS =
            "Name:\tjava\nCapPrm:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n";
    private static final String MAP = "     65534      65534          1\n";
    private static final String MOUNTS = "1 0 8:1 / / rw - ext4 a rw\n2 1 8:1 / / ro,nosuid - ext4 a rw\n"
            + "3 2 8:1 /x /home/agent rw - ext4 a rw\n";

    @TempDir
    private Path process;

    private AgentWall wall(String status, String map, String mounts) throws IOException {
        Files.writeString(process.resolve("status"), status);
        Files.writeString(process.resolve("uid_map"), map);
        Files.writeString(process.resolve("mountinfo"), mounts);
        return AgentWall.of(process);
    }

    @Test
    void allOfItHolds() throws Exception {
        assertThat(wall(STATUS, MAP, MOUNTS).missing()).isEmpty();
        assertThat(wall(STATUS, MAP, MOUNTS).holds()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "NoNewPrivs:\t1, NoNewPrivs:\t0, no_new_privs",
        "CapPrm:\t0000000000000000, CapPrm:\t0000000000000001, capabilities",
        "CapBnd:\t0000000000000000, CapBnd:\t000001ffffffffff, capabilities",
        "Seccomp:\t2, Seccomp:\t0, seccomp",
        "65534      65534          1, 0 0 4294967295, user_namespace",
        "'ro,nosuid', 'rw,nosuid', filesystem",
        "8:1 / / ro, 8:1 / /etc ro, filesystem"
    })
    void eachPartIsReadBack(String from, String to, String missing) throws Exception {
        assertThat(wall(STATUS.replace(from, to), MAP.replace(from, to), MOUNTS.replace(from, to))
                        .missing())
                .containsExactly(missing);
    }

    @Test
    void whatCannotBeReadDoesNotHold() throws Exception {
        assertThat(AgentWall.of(process.resolve("missing"))).isEqualTo(AgentWall.NONE);
        assertThat(AgentWall.NONE.missing()).hasSize(5);
        assertThat(wall("", "", "").missing()).hasSize(5);
    }

    /** The tests themselves run in none. */
    @Test
    void aPlainProcessHasNone() {
        assertThat(AgentWall.current().holds()).isFalse();
    }

    /** Prints what is missing around its own process. */
    public static final class Show {
        public static void main(String[] arguments) {
            System.out.println("missing " + AgentWall.current().missing());
        }
    }
}
