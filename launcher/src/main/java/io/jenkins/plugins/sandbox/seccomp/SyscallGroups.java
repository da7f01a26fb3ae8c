package io.jenkins.plugins.sandbox.seccomp;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What stands in {@code groups.txt}; the syntax is explained at its head. Every mistake in it is an error. */
final class SyscallGroups {
    /** Part of every policy: what the launcher needs after it has loaded the filter. */
    static final String LAUNCHER = "@launcher";
    /** What ordinary builds need. */
    static final String BUILD = "@build";

    private static final Pattern HEADER = Pattern.compile("\\[(group|refuse) (@?[a-zA-Z0-9-]+)] (\\S.*)");
    private static final String UNCHECKED = "unchecked:";
    // Below the constants that parse() needs.
    private static final SyscallGroups BUILT_IN = parse("groups.txt", Resources.read("groups.txt"));

    /**
     * A named set of calls.
     *
     * @param summary what it is for, one line
     * @param allowed the calls, those of included groups among them
     * @param unchecked those of them whose argument check is lifted
     */
    record Group(String name, String summary, SortedSet<String> allowed, SortedSet<String> unchecked) {}

    private final Map<String, Group> groups;
    private final SortedMap<String, Integer> refused;

    private SyscallGroups(Map<String, Group> groups, SortedMap<String, Integer> refused) {
        this.groups = groups;
        this.refused = refused;
    }

    static SyscallGroups builtIn() {
        return BUILT_IN;
    }

    /** By name, in the file's order. */
    Map<String, Group> groups() {
        return Collections.unmodifiableMap(groups);
    }

    /** Calls that are refused unless a group allows them, with the errno. */
    SortedMap<String, Integer> refused() {
        return Collections.unmodifiableSortedMap(refused);
    }

    /** {@code source} is for error messages. */
    static SyscallGroups parse(String source, String text) {
        Map<String, Group> groups = new LinkedHashMap<>();
        SortedMap<String, Integer> refused = new TreeMap<>();
        Group group = null;
        int errno = 0;
        int lineNumber = 0;
        for (String line : text.lines().toList()) {
            lineNumber++;
            String where = source + ":" + lineNumber + ": ";
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            if (line.startsWith("[")) {
                Matcher header = HEADER.matcher(line);
                if (!header.matches()) {
                    throw new IllegalArgumentException(where + "not [group NAME] text or [refuse ERRNO] text: " + line);
                }
                String name = header.group(2);
                if (header.group(1).equals("group")) {
                    group = new Group(name, header.group(3), new TreeSet<>(), new TreeSet<>());
                    if (groups.put(name, group) != null) {
                        throw new IllegalArgumentException(where + "this group stands twice: " + name);
                    }
                } else {
                    group = null;
                    errno = Errno.number(name)
                            .orElseThrow(() -> new IllegalArgumentException(where + "unknown errno " + name));
                }
                continue;
            }
            for (String word : line.strip().split("\\s+")) {
                if (group != null) {
                    addTo(group, word, groups, where);
                } else if (errno == 0) {
                    throw new IllegalArgumentException(where + "stands before the first [...]: " + word);
                } else if (refused.put(known(word, where), errno) != null) {
                    throw new IllegalArgumentException(where + "is refused twice: " + word);
                }
            }
        }
        return new SyscallGroups(groups, refused);
    }

    private static void addTo(Group group, String word, Map<String, Group> groups, String where) {
        if (word.startsWith("@")) {
            Group included = groups.get(word);
            if (included == null || included == group) {
                throw new IllegalArgumentException(where + "no such group above this line: " + word);
            }
            group.allowed().addAll(included.allowed());
            group.unchecked().addAll(included.unchecked());
        } else if (word.startsWith(UNCHECKED)) {
            String name = known(word.substring(UNCHECKED.length()), where);
            if (ArgumentChecks.of(name).isEmpty()) {
                throw new IllegalArgumentException(where + "has no argument check that could be lifted: " + name);
            }
            group.allowed().add(name);
            group.unchecked().add(name);
        } else {
            group.allowed().add(known(word, where));
        }
    }

    /** Returns {@code name}; a name that no architecture has is an error, or a slip of the pen would open a hole. */
    static String known(String name, String where) {
        if (!SyscallTable.anyHas(name)) {
            throw new IllegalArgumentException(where + "unknown system call '" + name
                    + "': no supported architecture has it. Names are the kernel's, for instance newfstatat,"
                    + " pread64, umount2");
        }
        return name;
    }
}
