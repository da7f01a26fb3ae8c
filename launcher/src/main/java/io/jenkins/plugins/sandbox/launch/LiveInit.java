package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.InitProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Looks at, and kills, the first process of a sandbox by its process id, and never another one that got the same id. */
public final class LiveInit {
    private LiveInit() {}

    /**
     * @param init a process that a report named
     * @return whether that very process is still there, a zombie not counting
     */
    public static boolean isAlive(InitProcess init) {
        String[] fields = fields(init.pid());
        return fields != null && !fields[0].equals("Z") && fields[19].equals(String.valueOf(init.startTime()));
    }

    /**
     * Sends SIGTERM to the first process of a sandbox, which passes it on to all the others, kills those that are left after the
     * grace of its plan, says how the launch ended, and ends.
     *
     * @param init a process that a report named
     * @return whether it was there and could be signalled
     */
    public static boolean terminate(InitProcess init) {
        return isAlive(init)
                && ProcessHandle.of(init.pid()).map(ProcessHandle::destroy).orElse(false);
    }

    /**
     * Sends SIGKILL to the first process of a sandbox, upon which the kernel ends all the others (pid_namespaces(7)).
     *
     * @param init a process that a report named
     * @return whether it was there and could be signalled
     */
    public static boolean kill(InitProcess init) {
        // Between the look and the signal lies a moment in which the id could be used again; ids are handed out in
        // turn.
        return isAlive(init)
                && ProcessHandle.of(init.pid())
                        .map(ProcessHandle::destroyForcibly)
                        .orElse(false);
    }

    /** The fields of /proc/PID/stat from the third, the state, on (proc(5)); null when there is no such process. */
    private static String[] fields(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc", String.valueOf(pid), "stat"), StandardCharsets.ISO_8859_1);
            // The second field is the program's name in parentheses, and may hold anything.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return fields.length >= 20 ? fields : null;
        } catch (IOException | IndexOutOfBoundsException e) {
            return null;
        }
    }
}
