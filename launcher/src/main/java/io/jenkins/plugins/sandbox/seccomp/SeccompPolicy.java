package io.jenkins.plugins.sandbox.seccomp;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which system calls a sandboxed process may make: an allow-list put together from groups and single names.
 *
 * <p>The verdict goes by name and is the same on every architecture; a name that only one of them has is left out on the
 * other. Whatever is not allowed fails with an errno, EPERM for known dangers and ENOSYS for everything else, calls that
 * are younger than this list among them: programs then take the path that they have for older kernels.
 *
 * <p>Immutable. Group {@code @launcher} is always part of it: what the launcher does between loading the filter and
 * becoming the command.
 */
public final class SeccompPolicy {
    private static final Verdict.Deny UNKNOWN = new Verdict.Deny(Errno.ENOSYS);

    /** Known from other tools and not there yet: a clear answer instead of "unknown group". */
    private static final String COMPAT32 = "compat32";

    private static final String HELPER = "@helper";

    private final Set<String> groups;
    private final SortedMap<String, Verdict> verdicts;

    private SeccompPolicy(Set<String> groups, SortedMap<String, Verdict> verdicts) {
        this.groups = groups;
        this.verdicts = verdicts;
    }

    /** Starts with the default groups ({@code @build}) and no single names. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The policy of exactly these groups.
     *
     * @throws IllegalArgumentException for an unknown group, which the message names
     */
    public static SeccompPolicy of(Collection<String> groups) {
        return builder().groups(groups).build();
    }

    /**
     * The policy of the launcher's helper, which starts no program: the calls of {@code helper.txt} and no others, without
     * {@code @launcher}.
     */
    public static SeccompPolicy helper() {
        SyscallGroups.Group group = SyscallGroups.parse("helper.txt", Resources.read("helper.txt"))
                .groups()
                .get(HELPER);
        SortedMap<String, Verdict> verdicts = Builder.refused();
        group.allowed().forEach(call -> verdicts.put(call, Builder.checked(call)));
        return new SeccompPolicy(Set.of(HELPER), verdicts);
    }

    /** The groups that {@link Builder#groups} and {@link Builder#add} know, with one line each on what they are for. */
    public static Map<String, String> availableGroups() {
        Map<String, String> summaries = new LinkedHashMap<>();
        SyscallGroups.builtIn().groups().values().forEach(group -> summaries.put(group.name(), group.summary()));
        return Collections.unmodifiableMap(summaries);
    }

    /** The groups of this policy, in the order in which they were added; {@code @launcher} comes first. */
    public Set<String> groups() {
        return groups;
    }

    /**
     * The verdict on a call.
     *
     * @param syscall the kernel's name
     * @throws IllegalArgumentException when no supported architecture has a call of that name
     */
    public Verdict verdict(String syscall) {
        return verdicts.get(SyscallGroups.known(syscall, ""));
    }

    /** The verdicts on all calls that this version knows, by name. */
    public SortedMap<String, Verdict> verdicts() {
        return Collections.unmodifiableSortedMap(verdicts);
    }

    /**
     * The filter for that architecture. It allows nothing on any other one, nor i386 and x32 calls on x86_64.
     *
     * @throws IllegalStateException when it would be longer than the kernel takes (4096 instructions)
     */
    public BpfProgram compile(Architecture architecture) {
        SyscallTable table = SyscallTable.of(architecture);
        SortedMap<Integer, Verdict> byNumber = new TreeMap<>();
        table.byNumber().forEach((number, name) -> {
            Verdict verdict = verdicts.get(name);
            if (!(verdict instanceof Verdict.Conditional)) {
                byNumber.put(number, verdict);
            }
        });
        Map<Integer, ArgumentCheck> checks = new LinkedHashMap<>();
        ArgumentChecks.all().forEach((name, check) -> {
            if (verdicts.get(name) instanceof Verdict.Conditional) {
                table.number(name).ifPresent(number -> checks.put(number, check));
            }
        });
        return FilterAssembler.assemble(architecture, byNumber, checks, UNKNOWN);
    }

    /** Not thread-safe. Each method throws {@link IllegalArgumentException} for a name that it does not know. */
    public static final class Builder {
        private final Set<String> groups = new LinkedHashSet<>(List.of(SyscallGroups.LAUNCHER, SyscallGroups.BUILD));
        private final Set<String> excluded = new LinkedHashSet<>();
        private final Map<String, Verdict> singles = new LinkedHashMap<>();
        private boolean memoryFilesAreSealed;

        private Builder() {}

        /** These groups and no others, but for {@code @launcher}. */
        public Builder groups(Collection<String> names) {
            groups.clear();
            groups.add(SyscallGroups.LAUNCHER);
            names.forEach(this::add);
            return this;
        }

        /** This group as well. */
        public Builder add(String group) {
            if (group.equals(COMPAT32)) {
                throw new IllegalArgumentException("seccomp group 'compat32' is not built yet: 32-bit programs"
                        + " do not run under the filter. Leave the group out, and build for 64 bits");
            }
            groups.add(knownGroup(group));
            return this;
        }

        /**
         * Without this group. What another group that stays allows is still allowed.
         *
         * @throws IllegalArgumentException also for {@code @launcher}, which cannot be left out
         */
        public Builder remove(String group) {
            if (knownGroup(group).equals(SyscallGroups.LAUNCHER)) {
                throw new IllegalArgumentException("seccomp group '@launcher' cannot be removed: " + NEEDED);
            }
            groups.remove(group);
            return this;
        }

        /**
         * Takes the calls of this group out of all the others, but for those that the launcher itself uses.
         *
         * @throws IllegalArgumentException also for {@code @launcher}
         */
        public Builder exclude(String group) {
            if (knownGroup(group).equals(SyscallGroups.LAUNCHER)) {
                throw new IllegalArgumentException("seccomp group '@launcher' cannot be taken away: " + NEEDED);
            }
            excluded.add(group);
            return this;
        }

        /**
         * Allows one call, whatever its groups say; its argument check, where there is one, stays. Of {@code allow} and
         * {@link #deny} for the same name the later counts.
         */
        public Builder allow(String syscall) {
            SyscallGroups.known(syscall, "");
            singles.put(syscall, checked(syscall));
            return this;
        }

        /**
         * Refuses one call, whatever its groups say.
         *
         * @param errno what the caller gets, 1 to 4095
         * @throws IllegalArgumentException also for a call that the launcher itself needs
         */
        public Builder deny(String syscall, int errno) {
            SyscallGroups.known(syscall, "");
            if (group(SyscallGroups.LAUNCHER).allowed().contains(syscall)) {
                throw new IllegalArgumentException("system call '" + syscall + "' cannot be denied: " + NEEDED);
            }
            singles.put(syscall, new Verdict.Deny(errno));
            return this;
        }

        /**
         * Where {@code memfd_create} is allowed, allows only files that cannot be executed: no path names such a file, so
         * neither mounts nor Landlock decide about it.
         */
        public Builder sealMemoryFiles() {
            memoryFilesAreSealed = true;
            return this;
        }

        /** The policy; the builder can be used on. */
        public SeccompPolicy build() {
            SortedMap<String, Verdict> verdicts = refused();
            groups.forEach(name -> group(name).allowed().forEach(call -> verdicts.put(call, checked(call))));
            groups.forEach(name -> group(name).unchecked().forEach(call -> verdicts.put(call, Verdict.ALLOW)));
            Map<String, Integer> refused = SyscallGroups.builtIn().refused();
            excluded.stream()
                    .flatMap(name -> group(name).allowed().stream())
                    .filter(call -> !group(SyscallGroups.LAUNCHER).allowed().contains(call))
                    .forEach(call -> verdicts.put(
                            call, refused.containsKey(call) ? new Verdict.Deny(refused.get(call)) : UNKNOWN));
            verdicts.putAll(singles);
            if (memoryFilesAreSealed) {
                verdicts.computeIfPresent(
                        ArgumentChecks.MEMFD_CREATE,
                        (name, verdict) -> verdict.equals(Verdict.ALLOW) ? conditional(name) : verdict);
            }
            return new SeccompPolicy(Collections.unmodifiableSet(new LinkedHashSet<>(groups)), verdicts);
        }

        /** Where every policy starts: nothing is allowed. */
        private static SortedMap<String, Verdict> refused() {
            SortedMap<String, Verdict> verdicts = new TreeMap<>();
            SyscallTable.allNames().forEach(name -> verdicts.put(name, UNKNOWN));
            SyscallGroups.builtIn().refused().forEach((name, errno) -> verdicts.put(name, new Verdict.Deny(errno)));
            return verdicts;
        }

        private static final String NEEDED = "the launcher itself uses it after it has loaded the filter";

        private static Verdict checked(String syscall) {
            return syscall.equals(ArgumentChecks.MEMFD_CREATE) ? Verdict.ALLOW : conditional(syscall);
        }

        private static Verdict conditional(String syscall) {
            return ArgumentChecks.of(syscall)
                    .<Verdict>map(check -> new Verdict.Conditional(check.text()))
                    .orElse(Verdict.ALLOW);
        }

        private static SyscallGroups.Group group(String name) {
            return SyscallGroups.builtIn().groups().get(name);
        }

        private static String knownGroup(String name) {
            if (group(name) == null) {
                throw new IllegalArgumentException("unknown seccomp group '" + name + "'; there are "
                        + String.join(", ", SyscallGroups.builtIn().groups().keySet()));
            }
            return name;
        }
    }
}
