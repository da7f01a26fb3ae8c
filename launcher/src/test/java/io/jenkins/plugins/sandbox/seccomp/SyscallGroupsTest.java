package io.jenkins.plugins.sandbox.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SyscallGroupsTest {

    @Test
    void aGroupHoldsItsOwnCallsAndThoseOfTheGroupsThatItIncludes() {
        SyscallGroups groups = SyscallGroups.parse("file", """
                [group @one] first
                read  open
                # a comment

                write
                [group two] second
                @one unchecked:clone
                """);
        assertThat(groups.groups()).containsOnlyKeys("@one", "two");
        assertThat(groups.groups().get("@one").summary()).isEqualTo("first");
        assertThat(groups.groups().get("@one").allowed()).containsExactly("open", "read", "write");
        assertThat(groups.groups().get("two").allowed()).containsExactly("clone", "open", "read", "write");
        assertThat(groups.groups().get("two").unchecked()).containsExactly("clone");
        assertThat(groups.refused()).isEmpty();
    }

    @Test
    void refusedCallsHaveTheErrnoOfTheirHeader() {
        SyscallGroups groups = SyscallGroups.parse(
                "file", "[refuse EPERM] a\nmount\n[refuse ENOSYS] b\nclone3\n[refuse EPERM] c\nbpf\n");
        assertThat(groups.refused())
                .containsEntry("mount", 1)
                .containsEntry("clone3", 38)
                .containsEntry("bpf", 1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[group @a] x; open; raed           | file:3: unknown system call 'raed'",
                "[refuse EPERM] x; motn             | file:2: unknown system call 'motn'",
                "[group @a] x; unchecked:raed       | file:2: unknown system call 'raed'",
                "[group @a] x; unchecked:read       | file:2: has no argument check that could be lifted: read",
                "[group @a] x; @b                   | file:2: no such group above this line: @b",
                "[group @a] x; @a                   | file:2: no such group above this line: @a",
                "[group @a] x; read; [group @a] x   | file:3: this group stands twice: @a",
                "[refuse EWHAT] x; mount            | file:1: unknown errno EWHAT",
                "[refuse EPERM] x; mount mount      | file:2: is refused twice: mount",
                "read                               | file:1: stands before the first [...]: read",
                "[group @a]                         | file:1: not [group NAME] text",
                "[groups @a] x                      | file:1: not [group NAME] text",
            })
    void everyMistakeIsAnErrorThatSaysWhere(String text, String message) {
        assertThatThrownBy(() -> SyscallGroups.parse("file", text.replace("; ", "\n")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void aCallThatOnlyOneArchitectureHasIsNoMistake() {
        assertThat(SyscallGroups.parse("file", "[group @a] x\nopen\n")
                        .groups()
                        .get("@a")
                        .allowed())
                .containsExactly("open");
    }

    @Test
    void namesFromLibcGetAHint() {
        assertThatThrownBy(() -> SyscallGroups.known("pread", ""))
                .hasMessageContaining("'pread'")
                .hasMessageContaining("pread64");
    }
}
