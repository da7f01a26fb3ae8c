package io.jenkins.plugins.sandbox.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MountTableTest {
    private static final MountTable TABLE = MountTable.parse("""
            21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            22 21 0:21 / /proc rw - proc proc rw
            30 21 8:2 /people /home rw - ext4 /dev/sda2 rw
            31 21 8:2 / /all rw - ext4 /dev/sda2 rw
            32 21 8:2 /people/ann /mnt/ann\\040b rw - ext4 /dev/sda2 rw
            33 21 8:2 /people/bob /bob rw - ext4 /dev/sda2 rw
            34 21 8:1 /var/tmp /var/tmp rw - ext4 /dev/sda1 rw
            40 21 0:40 /@ /btrfs rw - btrfs /dev/sdb rw,subvol=/@
            41 21 0:40 / /top rw - btrfs /dev/sdb rw,subvolid=5
            50 21 0:50 / /twice rw - tmpfs t rw
            51 50 0:51 / /twice rw - tmpfs t rw
            52 21 0:51 / /again rw - tmpfs t rw
            cut off
            """);

    @ParameterizedTest
    @CsvSource({
        "/home/ann/.ssh, /all/people/ann/.ssh /mnt/ann b/.ssh",
        "/home/carl/.ssh, /all/people/carl/.ssh",
        "/all/people/ann, /home/ann /mnt/ann b",
        "/all/other, ''",
        "/homes/ann, ''",
        "/etc/shadow, ''",
        "/var/tmp, ''",
        "/btrfs/home, /top/@/home",
        "/twice/x, /again/x",
    })
    void everyMountOfAFileSystemGivesAnotherName(String path, String names) {
        List<Path> expected = Stream.of(names.split(" (?=/)"))
                .filter(n -> !n.isEmpty())
                .map(Path::of)
                .toList();
        assertThat(TABLE.candidates(Path.of(path))).containsExactlyElementsOf(expected);
    }

    @Test
    void whatIsNotTheSameFileIsNoOtherName() throws Exception {
        // There is no such file under most of these names.
        assertThat(TABLE.otherNames(Path.of("/home/ann"))).isEmpty();
    }

    @Test
    void thisMachinesTableCanBeRead() throws Exception {
        assertThat(MountTable.read().candidates(Path.of("/proc/self"))).doesNotContain(Path.of("/proc/self"));
    }
}
