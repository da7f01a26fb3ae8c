package io.jenkins.plugins.sandbox.seccomp;

import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The system calls of one architecture, by name and by number.
 *
 * <p>Names are the kernel's, which differ from libc's here and there: {@code pread64}, {@code newfstatat}, {@code umount2}.
 */
public final class SyscallTable {
    private static final Map<Architecture, SyscallTable> TABLES = new EnumMap<>(Architecture.class);

    static {
        for (Architecture architecture : Architecture.values()) {
            String resource = "syscalls-" + architecture.kernelName() + ".tsv";
            TABLES.put(architecture, parse(resource, Resources.read(resource)));
        }
    }

    private final Map<String, Integer> numbers;
    private final SortedMap<Integer, String> names;

    private SyscallTable(Map<String, Integer> numbers, SortedMap<Integer, String> names) {
        this.numbers = numbers;
        this.names = names;
    }

    /** The table of that architecture. */
    public static SyscallTable of(Architecture architecture) {
        return TABLES.get(architecture);
    }

    /** Whether any architecture has a call of that name. */
    static boolean anyHas(String name) {
        return TABLES.values().stream().anyMatch(table -> table.numbers.containsKey(name));
    }

    /** The names of all calls that at least one architecture has. */
    static SortedSet<String> allNames() {
        SortedSet<String> all = new TreeSet<>();
        TABLES.values().forEach(table -> all.addAll(table.numbers.keySet()));
        return all;
    }

    /** Reads lines of name, tab, number; {@code source} is for error messages. */
    static SyscallTable parse(String source, String text) {
        Map<String, Integer> numbers = new HashMap<>();
        SortedMap<Integer, String> names = new TreeMap<>();
        int lineNumber = 0;
        for (String line : text.lines().toList()) {
            lineNumber++;
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            String[] fields = line.split("\t", -1);
            if (fields.length != 2 || !fields[0].matches("[a-z0-9_]+") || !fields[1].matches("[0-9]{1,4}")) {
                throw new IllegalArgumentException(
                        source + ":" + lineNumber + ": not a name, a tab and a number below 10000: " + line);
            }
            int number = Integer.parseInt(fields[1]);
            if (numbers.put(fields[0], number) != null || names.put(number, fields[0]) != null) {
                throw new IllegalArgumentException(
                        source + ":" + lineNumber + ": this name or number stands twice: " + line);
            }
        }
        return new SyscallTable(numbers, names);
    }

    /** The number of that call; empty when this architecture does not have it. */
    public OptionalInt number(String name) {
        Integer number = numbers.get(name);
        return number == null ? OptionalInt.empty() : OptionalInt.of(number);
    }

    /** The name of the call with that number; empty when there is none, or none that this version knows. */
    public Optional<String> name(int number) {
        return Optional.ofNullable(names.get(number));
    }

    /** All calls, by number. */
    SortedMap<Integer, String> byNumber() {
        return Collections.unmodifiableSortedMap(names);
    }
}
