package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Limits;
import io.jenkins.plugins.sandbox.policy.Size;
import picocli.CommandLine.Option;

/** The options that limit what a launch may use. */
final class LimitOptions {
    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            description =
                    "memory of the launch, for example 2G: of all processes together where a control group is delegated,"
                            + " else the private memory of each one")
    private String memory;

    @Option(
            names = "--limit-address-space",
            description = "limits the address space of each process too, to 8 times --memory, at least 4G")
    private boolean addressSpace;

    @Option(names = "--pids", paramLabel = "N", description = "processes and threads of the launch")
    private Integer pids;

    @Option(names = "--cpu-time", paramLabel = "SECONDS", description = "CPU time of all processes together")
    private Integer cpuTime;

    @Option(
            names = "--wall-time",
            paramLabel = "SECONDS",
            description = "time after which everything in the sandbox is killed")
    private Integer wallTime;

    @Option(names = "--files", paramLabel = "N", description = "open files of each process. Default: the profile's")
    private Integer files;

    @Option(names = "--file-size", paramLabel = "SIZE", description = "the size that a file can be made")
    private String fileSize;

    @Option(
            names = "--workspace-size",
            paramLabel = "SIZE",
            description = "the size of the workspace; holds where its file system has no more than that for it")
    private String workspaceSize;

    @Option(names = "--stack", paramLabel = "SIZE", description = "stack of each process")
    private String stack;

    @Option(names = "--locked-memory", paramLabel = "SIZE", description = "memory that each process can lock")
    private String lockedMemory;

    @Option(names = "--cpus", paramLabel = "LIST", description = "the processors that may be used, for example 0-3,8")
    private String cpus;

    @Option(
            names = "--cpu-quota",
            paramLabel = "PERCENT",
            description = "CPU time for each second, in per cent of one processor; needs a delegated control group")
    private Integer cpuQuota;

    Limits limits() throws SandboxException {
        return Limits.builder()
                .memory(size("--memory", memory))
                .addressSpace(addressSpace)
                .pids(pids)
                .cpuTime(cpuTime)
                .wallTime(wallTime)
                .openFiles(files)
                .fileSize(size("--file-size", fileSize))
                .workspaceSize(size("--workspace-size", workspaceSize))
                .stack(size("--stack", stack))
                .lockedMemory(size("--locked-memory", lockedMemory))
                .cpus(cpus)
                .cpuQuota(cpuQuota)
                .build();
    }

    private static Long size(String option, String text) throws SandboxException {
        return text == null ? null : Size.parse(option, text);
    }
}
