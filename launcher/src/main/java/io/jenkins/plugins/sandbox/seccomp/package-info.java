/**
 * From names of system call groups to the BPF program that the launcher loads as its last measure (row {@code seccomp}).
 *
 * <p>The way through: {@link io.jenkins.plugins.sandbox.seccomp.SeccompPolicy} collects groups and single names and knows
 * the verdict on every call by name, the same on each architecture.
 * {@link io.jenkins.plugins.sandbox.seccomp.SyscallTable} turns names into an
 * {@link io.jenkins.plugins.sandbox.seccomp.Architecture}'s numbers, and the assembler turns those into a
 * {@link io.jenkins.plugins.sandbox.seccomp.BpfProgram}, which is verified before anybody sees it.
 *
 * <p>The decisions stand as data with their reasons in {@code groups.txt}; those that depend on a call's arguments, in
 * {@code ArgumentChecks}. The tables are generated from the kernel's headers by {@code src/syscalls/generate}.
 *
 * <p>Nothing here calls the kernel: a policy for one architecture can be compiled on another.
 *
 * @see <a href="https://docs.kernel.org/userspace-api/seccomp_filter.html">Seccomp BPF, the kernel's documentation</a>
 */
package io.jenkins.plugins.sandbox.seccomp;
