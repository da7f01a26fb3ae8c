package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.launch.Concealment.State;
import io.jenkins.plugins.sandbox.plan.AgentOptions;
import io.jenkins.plugins.sandbox.plan.SecretNames;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Overwrites the credentials that this process was started with, where other processes of the same user can read them: without
 * a pid namespace a build sees /proc/PID/cmdline of its agent.
 *
 * <p>The kernel shows the process' own memory there (fields 48 to 51 of /proc/PID/stat, proc_pid_stat(5)), so that a process
 * can change what others see. The JVM and its program have made their copies by then: {@code main} got strings, and
 * {@link System#getenv()} is a map. Nothing is written unless the memory holds exactly what the kernel shows. Each value keeps
 * its length, and the NUL behind it stays.
 *
 * <p>The JVM's performance data, a file in /tmp that is mapped into its memory, has the command line as well.
 *
 * <p>Who replaces this process by exec(2) with its own command line, as Jenkins does when an agent reconnects, has to call
 * {@link #restore()} first.
 */
public final class OwnSecrets {
    private static final byte FILLER = '*';

    /** Shorter values may be part of anything: they are overwritten where they stand, and not looked for elsewhere. */
    private static final int LONG_ENOUGH = 16;

    private static final int MAX_AREA = 8 << 20;
    private static final int MAX_OTHER = 1 << 18;
    private static final int MAX_ELSEWHERE = 20;

    private static final Pattern PERFORMANCE_DATA =
            Pattern.compile("(?m)^([0-9a-f]+)-([0-9a-f]+) rw-s .* /.*/hsperfdata_[^/\n]*/\\d+$");

    private OwnSecrets() {}

    /**
     * Keeps what was overwritten as long as the JVM lives. Each connection of an agent loads this class again, and a field of it
     * would be empty then; a thread can be found by its name. The class loader of the first connection stays with it.
     */
    private static final class Keeper extends Thread implements Supplier<List<Object[]>> {
        private static final String NAME = "Process Sandbox: keeps the original command line";

        /** An address and the bytes that were there, each: no class of this class loader's. */
        private final transient List<Object[]> patches = new CopyOnWriteArrayList<>();

        private Keeper() {
            super(NAME);
            setDaemon(true);
            setContextClassLoader(null);
        }

        /** @return those of this JVM, whatever class loader made them */
        @SuppressWarnings("unchecked") // a thread of that name is one of these
        static List<Object[]> patchesOfJvm() {
            for (Thread thread : Thread.getAllStackTraces().keySet()) {
                if (thread.getName().equals(NAME) && thread instanceof Supplier<?> keeper) {
                    return (List<Object[]>) keeper.get();
                }
            }
            Keeper keeper = new Keeper();
            keeper.start();
            return keeper.get();
        }

        @Override
        public List<Object[]> get() {
            return patches;
        }

        @Override
        public void run() {
            while (true) {
                LockSupport.park(this);
            }
        }
    }

    /** Bytes of this process' memory. */
    private record Patch(long address, byte[] original) {
        static List<Patch> all() {
            return Keeper.patchesOfJvm().stream()
                    .map(p -> new Patch((long) p[0], (byte[]) p[1]))
                    .toList();
        }

        void keep() {
            Keeper.patchesOfJvm().add(new Object[] {address, original});
        }

        byte[] filler() {
            byte[] filler = new byte[original.length];
            Arrays.fill(filler, FILLER);
            return filler;
        }
    }

    /** Text of which each character is a byte of memory. */
    private record Area(String file, long address, String text) {
        Patch patch(int start, int end) {
            return new Patch(address + start, text.substring(start, end).getBytes(StandardCharsets.ISO_8859_1));
        }
    }

    /**
     * Overwrites them. Can be called again: what is overwritten stays so.
     *
     * @return what became of it
     */
    public static synchronized Concealment conceal() {
        return conceal(OwnMemory.WAYS);
    }

    static synchronized Concealment conceal(OwnMemory... ways) {
        // The first access copies the environment, which must not happen after it is overwritten.
        System.getenv();
        Set<String> values = new LinkedHashSet<>();
        List<String> problems = new ArrayList<>();
        State commandLine = conceal("/proc/self/cmdline", 48, ways, values, problems);
        State environment = conceal("/proc/self/environ", 50, ways, values, problems);
        if (commandLine == State.OVERWRITTEN || environment == State.OVERWRITTEN) {
            // Those of an earlier call, too.
            Patch.all().forEach(p -> values.add(new String(p.original(), StandardCharsets.ISO_8859_1)));
        }
        values.removeIf(v -> v.length() < LONG_ENOUGH);
        if (commandLine != State.NONE && !concealPerformanceData(ways, values, problems)) {
            commandLine = State.VISIBLE;
        }
        return new Concealment(
                commandLine, environment, problems.isEmpty() ? null : problems.get(0), elsewhere(connection(values)));
    }

    /** Every process inherits variables: of those that they hold, only the agent's connection secret is looked for. */
    private static Set<String> connection(Set<String> values) {
        return values.stream().filter(AgentOptions::isConnectionSecret).collect(Collectors.toSet());
    }

    private static State conceal(String file, int field, OwnMemory[] ways, Set<String> values, List<String> problems) {
        try {
            String text = text(file, MAX_AREA);
            List<int[]> spans = file.endsWith("cmdline") ? inCommandLine(text) : inEnvironment(text);
            if (spans.isEmpty()) {
                return State.NONE;
            }
            spans.removeIf(span -> isFilled(text, span));
            spans.forEach(span -> values.add(text.substring(span[0], span[1])));
            Area area = new Area(file, address(field, text.length()), text);
            for (int[] span : spans) {
                overwrite(ways, area, area.patch(span[0], span[1]));
            }
            if (!text(file, MAX_AREA).equals(filled(text, spans))) {
                throw new IOException(file + " shows something else afterwards");
            }
            return State.OVERWRITTEN;
        } catch (IOException e) {
            problems.add(String.valueOf(e.getMessage()));
            return State.VISIBLE;
        }
    }

    /** Where a list of words, each with a NUL behind it, has credentials. */
    static List<int[]> inCommandLine(String text) {
        List<int[]> words = new ArrayList<>();
        for (int start = 0; start < text.length(); ) {
            int end = text.indexOf('\0', start);
            end = end < 0 ? text.length() : end;
            words.add(new int[] {start, end});
            start = end + 1;
        }
        return credentials(text, words);
    }

    private static List<int[]> credentials(String text, List<int[]> words) {
        List<int[]> spans = new ArrayList<>();
        List<String> texts = words.stream().map(w -> text.substring(w[0], w[1])).toList();
        for (AgentOptions.Credential credential : AgentOptions.credentials(texts)) {
            int[] word = words.get(credential.word());
            spans.add(new int[] {word[0] + credential.start(), word[1]});
        }
        return spans;
    }

    /** As above, for variables. */
    static List<int[]> inEnvironment(String text) {
        List<int[]> spans = new ArrayList<>();
        for (int start = 0; start < text.length(); ) {
            int end = text.indexOf('\0', start);
            end = end < 0 ? text.length() : end;
            int equals = text.indexOf('=', start);
            if (equals > start && equals + 1 < end) {
                String name = text.substring(start, equals);
                if (SecretNames.contains(name)) {
                    spans.add(new int[] {equals + 1, end});
                } else if (AgentOptions.areIn(name)) {
                    spans.addAll(credentials(text, words(text, equals + 1, end)));
                }
            }
            start = end + 1;
        }
        return spans;
    }

    private static List<int[]> words(String text, int from, int to) {
        List<int[]> words = new ArrayList<>();
        Matcher matcher = Pattern.compile("\\S+").matcher(text).region(from, to);
        while (matcher.find()) {
            words.add(new int[] {matcher.start(), matcher.end()});
        }
        return words;
    }

    private static boolean isFilled(String text, int[] span) {
        return text.substring(span[0], span[1]).chars().allMatch(c -> c == FILLER);
    }

    private static String filled(String text, List<int[]> spans) {
        StringBuilder filled = new StringBuilder(text);
        for (int[] span : spans) {
            for (int i = span[0]; i < span[1]; i++) {
                filled.setCharAt(i, (char) FILLER);
            }
        }
        return filled.toString();
    }

    /** The address of an area of this process. */
    private static long address(int field, int length) throws IOException {
        String stat = text("/proc/self/stat", 1 << 16);
        // Field 2 is the name, which may have blanks and parentheses in it.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 1).trim().split(" ");
        if (fields.length <= field - 2) {
            throw new IOException("/proc/self/stat has no field " + (field + 1));
        }
        try {
            long start = Long.parseUnsignedLong(fields[field - 3]);
            long end = Long.parseUnsignedLong(fields[field - 2]);
            if (start == 0 || end - start != length) {
                throw new IOException("/proc/self/stat does not say where the kernel has it from");
            }
            return start;
        } catch (NumberFormatException e) {
            throw new IOException("/proc/self/stat is no list of numbers", e);
        }
    }

    /** Writes by the first way that works; only where memory and kernel agree about the whole area. */
    private static void overwrite(OwnMemory[] ways, Area area, Patch patch) throws IOException {
        IOException problem = null;
        for (OwnMemory way : ways) {
            try {
                byte[] there = way.read(area.address(), area.text().length());
                int start = Math.toIntExact(patch.address() - area.address());
                int end = start + patch.original().length;
                if (!Arrays.equals(there, start, end, patch.original(), 0, patch.original().length)
                        || !startsAs(there, area.text(), start)) {
                    throw new IOException("The memory does not hold what " + area.file() + " shows");
                }
                patch.keep();
                way.write(patch.address(), patch.filler());
                return;
            } catch (IOException e) {
                problem = e;
            }
        }
        throw problem == null ? new IOException("There is no way to write") : problem;
    }

    /** Words before the patch may be overwritten already; NULs and lengths never change. */
    private static boolean startsAs(byte[] there, String text, int end) {
        for (int i = 0; i < end; i++) {
            if (there[i] != (byte) text.charAt(i) && (there[i] != FILLER || text.charAt(i) == '\0')) {
                return false;
            }
        }
        return true;
    }

    /** @return whether none of the values is left there */
    private static boolean concealPerformanceData(OwnMemory[] ways, Set<String> values, List<String> problems) {
        try {
            Matcher mapping = PERFORMANCE_DATA.matcher(text("/proc/self/maps", MAX_AREA));
            while (mapping.find()) {
                long start = Long.parseUnsignedLong(mapping.group(1), 16);
                int length = Math.toIntExact(Long.parseUnsignedLong(mapping.group(2), 16) - start);
                concealAll(ways, start, length, values);
            }
            return true;
        } catch (IOException | ArithmeticException e) {
            problems.add("The JVM's performance data in /tmp: " + e.getMessage());
            return false;
        }
    }

    private static void concealAll(OwnMemory[] ways, long start, int length, Set<String> values) throws IOException {
        IOException problem = null;
        for (OwnMemory way : ways) {
            try {
                Area area = new Area(
                        "performance data", start, new String(way.read(start, length), StandardCharsets.ISO_8859_1));
                for (String value : values) {
                    for (int i = area.text().indexOf(value);
                            i >= 0;
                            i = area.text().indexOf(value, i + 1)) {
                        Patch patch = area.patch(i, i + value.length());
                        way.write(patch.address(), patch.filler());
                    }
                }
                return;
            } catch (IOException e) {
                problem = e;
            }
        }
        if (problem != null) {
            throw problem;
        }
    }

    /**
     * @return whether something in the command line or the environment is overwritten now
     */
    public static synchronized boolean areOverwritten() {
        return !Patch.all().isEmpty();
    }

    /**
     * Puts back what was overwritten in the command line and the environment.
     *
     * @return whether all of it is there again
     */
    public static synchronized boolean restore() {
        boolean whole = true;
        for (Patch patch : Patch.all()) {
            whole &= restore(patch);
        }
        if (whole) {
            Keeper.patchesOfJvm().clear();
        }
        return whole;
    }

    private static boolean restore(Patch patch) {
        for (OwnMemory way : OwnMemory.WAYS) {
            try {
                if (Arrays.equals(way.read(patch.address(), patch.original().length), patch.filler())) {
                    way.write(patch.address(), patch.original());
                }
                return Arrays.equals(way.read(patch.address(), patch.original().length), patch.original());
            } catch (IOException e) {
                continue;
            }
        }
        return false;
    }

    /** Other processes that show this user one of the values; a starter that stays, as {@code docker-init} does. */
    private static List<String> elsewhere(Set<String> values) {
        List<String> found = new ArrayList<>();
        String own = String.valueOf(ProcessHandle.current().pid());
        if (values.isEmpty()) {
            return found;
        }
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                String pid = process.getFileName().toString();
                if (!pid.equals(own) && (shows(process, "cmdline", values) || shows(process, "environ", values))) {
                    found.add(pid + " ("
                            + text(process.resolve("comm").toString(), 100).strip() + ")");
                }
                if (found.size() >= MAX_ELSEWHERE) {
                    break;
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // A process that ended meanwhile, at worst: the list is a hint for people.
            return found;
        }
        return found;
    }

    private static boolean shows(Path process, String file, Set<String> values) {
        try {
            String text = text(process.resolve(file).toString(), MAX_OTHER);
            return values.stream().anyMatch(text::contains);
        } catch (IOException e) {
            return false;
        }
    }

    private static String text(String file, int max) throws IOException {
        try (InputStream in = Files.newInputStream(Path.of(file))) {
            return new String(in.readNBytes(max), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new IOException(file + " cannot be read (" + e + ")", e);
        }
    }
}
