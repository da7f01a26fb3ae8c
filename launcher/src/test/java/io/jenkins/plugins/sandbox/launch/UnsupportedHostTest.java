package io.jenkins.plugins.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.sandbox.model.UnsupportedHostException;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UnsupportedHostTest {
    private final String os = System.getProperty("os.name");
    private final String processor = System.getProperty("os.arch");

    @TempDir
    private Path directory;

    @AfterEach
    void backToThisMachine() {
        System.setProperty("os.name", os);
        System.setProperty("os.arch", processor);
    }

    @ParameterizedTest
    @CsvSource({"Windows Server 2022, amd64", "Mac OS X, aarch64", "FreeBSD, amd64", "Linux, s390x", "Linux, i386"})
    void otherMachinesAreNamedWithWhatToUse(String name, String arch) throws Exception {
        System.setProperty("os.name", name);
        System.setProperty("os.arch", arch);
        Policy policy =
                Policy.builder(Profile.named("standard"), directory.toString()).build();
        for (TransportChoice choice : new TransportChoice[] {
            TransportChoice.auto(directory.toString()), TransportChoice.file(directory.toString())
        }) {
            assertThatThrownBy(() -> PreparedLaunch.prepare(policy, choice))
                    .isInstanceOf(UnsupportedHostException.class)
                    .hasMessage("There is no sandbox for " + name + " on " + arch
                            + ": use a machine with Linux on x86_64 or aarch64.");
        }
    }
}
