package io.jenkins.plugins.sandbox.policy;

import io.jenkins.plugins.sandbox.model.Limit;
import io.jenkins.plugins.sandbox.model.Outcome;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.model.SetLimit;
import io.jenkins.plugins.sandbox.model.SetLimit.Holds;
import io.jenkins.plugins.sandbox.model.Status;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The limits that a launch asks for, or a profile for all of its launches. {@code null} leaves a limit alone. A limit that the
 * machine has set already and that is lower stays as it is.
 *
 * @param memory memory of the launch as a whole, in bytes, 16 MiB to 16 TiB: the control group's {@code memory.max}; where
 *     none is delegated to the agent, the writable private memory of each process by itself instead (RLIMIT_DATA)
 * @param addressSpace whether each process' address space is limited as well, to eight times {@code memory} and at least
 *     4 GiB (RLIMIT_AS); runtimes reserve far more than they use, so this is for those who know their programs
 * @param pids processes and threads of the launch, 1 to 4194304: RLIMIT_NPROC in the launch's own user namespace, and
 *     {@code pids.max} where a control group is delegated
 * @param cpuTime CPU time of all processes together, in seconds, 1 to 31536000; also of each by itself (RLIMIT_CPU)
 * @param wallTime time from the start of the command until everything in the sandbox is killed, in seconds, 1 to 31536000
 * @param openFiles open files of each process (RLIMIT_NOFILE), 16 to 1048576
 * @param fileSize the size that a file can be made, in bytes, 4 KiB to 16 TiB (RLIMIT_FSIZE)
 * @param workspaceSize the size of the workspace with everything in it, in bytes, 1 MiB to 16 TiB; holds where root has seen
 *     to it that its file system has no more than that for it
 * @param stack stack of each process, in bytes, 256 KiB to 1 TiB (RLIMIT_STACK)
 * @param lockedMemory memory that each process can lock, in bytes, 0 to 1 TiB (RLIMIT_MEMLOCK)
 * @param cpus the processors that may be used, as {@code 0-3,8} (sched_setaffinity(2))
 * @param cpuQuota CPU time for each second, in per cent of one processor, 1 to 102400: the control group's {@code cpu.max}
 */
public record Limits(
        Long memory,
        boolean addressSpace,
        Integer pids,
        Integer cpuTime,
        Integer wallTime,
        Integer openFiles,
        Long fileSize,
        Long workspaceSize,
        Long stack,
        Long lockedMemory,
        String cpus,
        Integer cpuQuota)
        implements Serializable {
    /** No limit but the profile's own. */
    public static final Limits NONE =
            new Limits(null, false, null, null, null, null, null, null, null, null, null, null);

    /** RLIMIT_NOFILE where a profile asks for that row and nobody gives a number. */
    public static final int DEFAULT_OPEN_FILES = 65_536;

    private static final long KIB = 1L << 10;
    private static final long MIB = 1L << 20;
    private static final long GIB = 1L << 30;
    private static final long TIB = 1L << 40;
    private static final int YEAR = 31_536_000;

    /**
     * @return a builder with no limit set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * @return a builder with these limits set
     */
    public Builder toBuilder() {
        return new Builder()
                .memory(memory)
                .addressSpace(addressSpace)
                .pids(pids)
                .cpuTime(cpuTime)
                .wallTime(wallTime)
                .openFiles(openFiles)
                .fileSize(fileSize)
                .workspaceSize(workspaceSize)
                .stack(stack)
                .lockedMemory(lockedMemory)
                .cpus(cpus)
                .cpuQuota(cpuQuota);
    }

    /**
     * Both at once: of each limit the lower one, and of the processors those that both allow.
     *
     * @param other limits that must hold as well, for example an administrator's
     * @return what keeps to both
     * @throws SandboxException when there is no processor that both allow
     */
    public Limits stricter(Limits other) throws SandboxException {
        return new Limits(
                lower(memory, other.memory),
                addressSpace || other.addressSpace,
                lower(pids, other.pids),
                lower(cpuTime, other.cpuTime),
                lower(wallTime, other.wallTime),
                lower(openFiles, other.openFiles),
                lower(fileSize, other.fileSize),
                lower(workspaceSize, other.workspaceSize),
                lower(stack, other.stack),
                lower(lockedMemory, other.lockedMemory),
                both(cpus, other.cpus),
                lower(cpuQuota, other.cpuQuota));
    }

    private static <T extends Comparable<T>> T lower(T a, T b) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        return a.compareTo(b) <= 0 ? a : b;
    }

    private static String both(String a, String b) throws SandboxException {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        BitSet cpus = CpuList.parse(a);
        cpus.and(CpuList.parse(b));
        if (cpus.isEmpty()) {
            throw new SandboxException("CPUs " + a + " and " + b + " have none in common: name some that both have.");
        }
        return CpuList.format(cpus);
    }

    /**
     * Those that are set, and what became of them.
     *
     * @param outcomes the rows of a launch with these limits
     * @return in the order of {@link Limit}
     */
    public List<SetLimit> set(List<Outcome> outcomes) {
        EnumSet<Primitive> applied = EnumSet.noneOf(Primitive.class);
        outcomes.stream().filter(o -> o.status() == Status.APPLIED).forEach(o -> applied.add(o.primitive()));
        List<SetLimit> set = new ArrayList<>();
        add(set, Limit.MEMORY, memory, together(applied, Primitive.CGROUP, each(applied, Primitive.RLIMIT_DATA)));
        add(set, Limit.ADDRESS_SPACE, addressSpace ? true : null, each(applied, Primitive.RLIMIT_AS));
        Holds counted = together(applied, Primitive.CGROUP, Holds.NOT);
        add(set, Limit.PIDS, pids, together(applied, Primitive.RLIMIT_NPROC, counted));
        add(set, Limit.CPU_TIME, cpuTime, Holds.TOGETHER);
        add(set, Limit.WALL_TIME, wallTime, Holds.TOGETHER);
        add(set, Limit.OPEN_FILES, openFiles, each(applied, Primitive.RLIMIT_NOFILE));
        add(set, Limit.FILE_SIZE, fileSize, each(applied, Primitive.RLIMIT_FSIZE));
        add(set, Limit.WORKSPACE_SIZE, workspaceSize, together(applied, Primitive.WORKSPACE_SIZE, Holds.NOT));
        add(set, Limit.STACK, stack, each(applied, Primitive.RLIMIT_STACK));
        add(set, Limit.LOCKED_MEMORY, lockedMemory, each(applied, Primitive.RLIMIT_MEMLOCK));
        add(set, Limit.CPUS, cpus, together(applied, Primitive.CPU_AFFINITY, Holds.NOT));
        add(set, Limit.CPU_QUOTA, cpuQuota, counted);
        return set;
    }

    private static Holds together(Set<Primitive> applied, Primitive row, Holds otherwise) {
        return applied.contains(row) ? Holds.TOGETHER : otherwise;
    }

    private static Holds each(Set<Primitive> applied, Primitive row) {
        return applied.contains(row) ? Holds.EACH : Holds.NOT;
    }

    private static void add(List<SetLimit> set, Limit limit, Object value, Holds holds) {
        if (value != null) {
            set.add(new SetLimit(limit, value.toString(), holds));
        }
    }

    /**
     * @return whether no limit is set
     */
    public boolean isEmpty() {
        return equals(NONE);
    }

    void check() throws SandboxException {
        checkBytes("Memory", memory, 16 * MIB, 16 * TIB);
        checkNumber("process", "processes", pids, 1, 4_194_304);
        checkSeconds("CPU time", cpuTime);
        checkSeconds("Wall time", wallTime);
        checkNumber("open file", "open files", openFiles, 16, 1_048_576);
        checkBytes("File size", fileSize, 4 * KIB, 16 * TIB);
        checkBytes("Workspace size", workspaceSize, MIB, 16 * TIB);
        checkBytes("Stack", stack, 256 * KIB, TIB);
        checkBytes("Locked memory", lockedMemory, 0, TIB);
        if (cpus != null) {
            CpuList.parse(cpus);
        }
        if (cpuQuota != null && (cpuQuota < 1 || cpuQuota > 102_400)) {
            throw new SandboxException("A CPU quota of " + cpuQuota
                    + " % is out of range: use 1 to 102400, in per cent of one processor.");
        }
    }

    /** Of the limits of a launch as a whole: one may come from its profile and the other from the step. */
    void checkAddressSpace() throws SandboxException {
        if (addressSpace && memory == null) {
            throw new SandboxException(
                    "A limit on address space is a multiple of the memory limit, and there is none: set one.");
        }
    }

    private static void checkBytes(String what, Long bytes, long min, long max) throws SandboxException {
        if (bytes != null && (bytes < min || bytes > max)) {
            throw new SandboxException(what + " of " + bytes + " bytes is out of range: use " + Size.format(min)
                    + " to " + Size.format(max) + ".");
        }
    }

    private static void checkSeconds(String what, Integer seconds) throws SandboxException {
        if (seconds != null && (seconds < 1 || seconds > YEAR)) {
            throw new SandboxException(what + " of " + seconds + " s is out of range: use 1 to " + YEAR + " seconds.");
        }
    }

    private static void checkNumber(String one, String many, Integer number, int min, int max) throws SandboxException {
        if (number != null && (number < min || number > max)) {
            throw new SandboxException("A limit of " + number + " " + (number == 1 ? one : many)
                    + " is out of range: use " + min + " to " + max + ".");
        }
    }

    /**
     * @return RLIMIT_CPU in seconds, or {@code null} when it is left alone; SIGXCPU comes a second before it, at
     *     {@link #cpuTime}, so that a program can say what happened to it
     */
    public Long rlimitCpu() {
        return cpuTime == null ? null : cpuTime + 1L;
    }

    /**
     * @return RLIMIT_AS in bytes, or {@code null} when it is left alone
     */
    public Long rlimitAs() {
        return addressSpace && memory != null ? Math.max(8 * memory, 4 * GIB) : null;
    }

    /** Collects limits. Every method returns the builder itself; {@code null} leaves a limit alone. */
    public static final class Builder {
        private Long memory;
        private boolean addressSpace;
        private Integer pids;
        private Integer cpuTime;
        private Integer wallTime;
        private Integer openFiles;
        private Long fileSize;
        private Long workspaceSize;
        private Long stack;
        private Long lockedMemory;
        private String cpus;
        private Integer cpuQuota;

        private Builder() {}

        /**
         * @param bytes see {@link Limits#memory}
         */
        public Builder memory(Long bytes) {
            memory = bytes;
            return this;
        }

        /**
         * @param limited see {@link Limits#addressSpace}
         */
        public Builder addressSpace(boolean limited) {
            addressSpace = limited;
            return this;
        }

        /**
         * @param number see {@link Limits#pids}
         */
        public Builder pids(Integer number) {
            pids = number;
            return this;
        }

        /**
         * @param seconds see {@link Limits#cpuTime}
         */
        public Builder cpuTime(Integer seconds) {
            cpuTime = seconds;
            return this;
        }

        /**
         * @param seconds see {@link Limits#wallTime}
         */
        public Builder wallTime(Integer seconds) {
            wallTime = seconds;
            return this;
        }

        /**
         * @param number see {@link Limits#openFiles}
         */
        public Builder openFiles(Integer number) {
            openFiles = number;
            return this;
        }

        /**
         * @param bytes see {@link Limits#fileSize}
         */
        public Builder fileSize(Long bytes) {
            fileSize = bytes;
            return this;
        }

        /**
         * @param bytes see {@link Limits#workspaceSize}
         */
        public Builder workspaceSize(Long bytes) {
            workspaceSize = bytes;
            return this;
        }

        /**
         * @param bytes see {@link Limits#stack}
         */
        public Builder stack(Long bytes) {
            stack = bytes;
            return this;
        }

        /**
         * @param bytes see {@link Limits#lockedMemory}
         */
        public Builder lockedMemory(Long bytes) {
            lockedMemory = bytes;
            return this;
        }

        /**
         * @param list see {@link Limits#cpus}
         */
        public Builder cpus(String list) {
            cpus = list;
            return this;
        }

        /**
         * @param percent see {@link Limits#cpuQuota}
         */
        public Builder cpuQuota(Integer percent) {
            cpuQuota = percent;
            return this;
        }

        /**
         * @return the limits
         * @throws SandboxException when one is out of range; the message says which, and the range
         */
        public Limits build() throws SandboxException {
            Limits limits = new Limits(
                    memory,
                    addressSpace,
                    pids,
                    cpuTime,
                    wallTime,
                    openFiles,
                    fileSize,
                    workspaceSize,
                    stack,
                    lockedMemory,
                    cpus,
                    cpuQuota);
            limits.check();
            return limits;
        }
    }
}
