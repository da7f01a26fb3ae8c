package io.jenkins.plugins.sandbox.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * One row of the hardening sequence. The order of the constants is the order in which the launcher applies them.
 */
public enum Primitive {
    SESSION("own session, so that nothing can type into the agent's terminal"),
    CLOSE_FDS("no open file of the agent is inherited"),
    ENVIRONMENT("the agent's own secrets are dropped from the environment"),
    CGROUP("memory, process and CPU limits for the launch as a whole"),
    WORKSPACE_SIZE("size of the workspace"),
    USER_NAMESPACE("own user namespace: no privilege outside of it"),
    PID_NAMESPACE("own process ids: other processes cannot be seen or signalled"),
    MOUNT_NAMESPACE("own mount table"),
    IPC_NAMESPACE("own System V and POSIX message queues and shared memory"),
    UTS_NAMESPACE("own host name"),
    CGROUP_NAMESPACE("own view of the control groups"),
    NETWORK_NAMESPACE("own network, with nothing but loopback"),
    FILESYSTEM("own view of the file system"),
    PROC("own /proc"),
    RLIMIT_CPU("CPU time of each process"),
    RLIMIT_NOFILE("open files of each process"),
    RLIMIT_AS("address space of each process"),
    RLIMIT_DATA("data segment of each process"),
    RLIMIT_NPROC("number of processes"),
    RLIMIT_FSIZE("size of a file"),
    RLIMIT_CORE("size of a core dump"),
    RLIMIT_STACK("stack of each process"),
    RLIMIT_MEMLOCK("locked memory of each process"),
    CPU_AFFINITY("the processors that may be used"),
    NO_NEW_PRIVS("set-user-id programs gain nothing"),
    CAPABILITIES("no capability is left, nor can one be gained"),
    LANDLOCK_FS("second wall around files"),
    LANDLOCK_NET("second wall around TCP ports"),
    LANDLOCK_SCOPE("second wall around abstract sockets and signals"),
    SECCOMP("system calls that builds do not need are refused");

    private final String summary;

    Primitive(String summary) {
        this.summary = summary;
    }

    /**
     * @return the name in plans, reports, profiles and options: lower case, {@code [a-z_]}
     */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
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
