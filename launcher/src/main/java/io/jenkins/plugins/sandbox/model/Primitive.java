package io.jenkins.plugins.sandbox.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * One row of the hardening sequence. The order of the constants is the order in which the launcher applies them.
 */
public enum Primitive {
    SESSION(true, "own session, so that nothing can type into the agent's terminal"),
    CLOSE_FDS(true, "no open file of the agent is inherited"),
    ENVIRONMENT(true, "the agent's own secrets are dropped from the environment"),
    CGROUP(true, "memory, process and CPU limits for the launch as a whole"),
    USER_NAMESPACE(true, "own user namespace: no privilege outside of it"),
    PID_NAMESPACE(true, "own process ids: other processes cannot be seen or signalled"),
    MOUNT_NAMESPACE(true, "own mount table"),
    IPC_NAMESPACE(true, "own System V and POSIX message queues and shared memory"),
    UTS_NAMESPACE(true, "own host name"),
    CGROUP_NAMESPACE(true, "own view of the control groups"),
    NETWORK_NAMESPACE(true, "own network, with nothing but loopback"),
    FILESYSTEM(true, "own view of the file system"),
    PROC(true, "own /proc"),
    RLIMIT_CPU(true, "CPU time of each process"),
    RLIMIT_NOFILE(true, "open files of each process"),
    RLIMIT_AS(true, "address space of each process"),
    RLIMIT_DATA(true, "data segment of each process"),
    RLIMIT_NPROC(true, "number of processes"),
    RLIMIT_FSIZE(true, "size of a file"),
    RLIMIT_CORE(true, "size of a core dump"),
    RLIMIT_STACK(true, "stack of each process"),
    RLIMIT_MEMLOCK(true, "locked memory of each process"),
    CPU_AFFINITY(true, "the processors that may be used"),
    NO_NEW_PRIVS(true, "set-user-id programs gain nothing"),
    CAPABILITIES(true, "no capability is left, nor can one be gained"),
    LANDLOCK_FS(true, "second wall around files"),
    LANDLOCK_NET(true, "second wall around TCP ports"),
    LANDLOCK_SCOPE(true, "second wall around abstract sockets and signals"),
    SECCOMP(true, "system calls that builds do not need are refused");

    private final boolean built;
    private final String summary;

    Primitive(boolean built, String summary) {
        this.built = built;
        this.summary = summary;
    }

    /**
     * @return the name in plans, reports, profiles and options: lower case, {@code [a-z_]}
     */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * @return whether this version of the launcher can apply it at all; a profile that asks for one that it cannot is
     *     refused when it is planned
     */
    public boolean isBuilt() {
        return built;
    }

    /**
     * @return what it does, as half a sentence without a full stop
     */
    public String summary() {
        return summary;
    }

    /**
     * Finds a primitive by its exact wire name.
     *
     * @param wireName for example {@code user_namespace}
     * @return the primitive, if there is one of that name
     */
    public static Optional<Primitive> named(String wireName) {
        return Arrays.stream(values())
                .filter(p -> p.wireName().equals(wireName))
                .findFirst();
    }

    /**
     * Reads a primitive by its exact wire name.
     *
     * @param wireName for example {@code user_namespace}
     * @return the primitive
     * @throws SandboxException when there is none of that name
     */
    public static Primitive parse(String wireName) throws SandboxException {
        return named(wireName)
                .orElseThrow(() -> new SandboxException("Unknown primitive " + Quoted.of(wireName) + ": use one of "
                        + Quoted.list(
                                Arrays.stream(values()).map(Primitive::wireName).toList())
                        + "."));
    }
}
