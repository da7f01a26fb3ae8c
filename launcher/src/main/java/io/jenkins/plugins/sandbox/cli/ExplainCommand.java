package io.jenkins.plugins.sandbox.cli;

import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.plan.Host;
import io.jenkins.plugins.sandbox.plan.Plan;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import io.jenkins.plugins.sandbox.seccomp.SeccompPolicy;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Says what would be done. */
@Command(
        name = "explain",
        description = "Says what would be applied: rows, mounts in order, limits, system calls.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ExplainCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private PolicyOptions options;

    @Option(names = "--syscall", paramLabel = "NAME", description = "only says what becomes of this system call")
    private String syscall;

    ExplainCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws SandboxException {
        console.outWriter().print(syscall == null ? plan() : verdict(options.profile()) + "\n");
        return 0;
    }

    private String plan() throws SandboxException {
        // A run makes one of its own; here it only has to have a name.
        String scratch = Path.of(System.getProperty("java.io.tmpdir"), "process-sandbox-RANDOM")
                .toString();
        Policy policy = options.policy().scratch(scratch).build();
        return Plan.imagined(policy, Host.current()).explain();
    }

    private String verdict(Profile profile) throws SandboxException {
        Optional<SeccompPolicy> policy = profile.syscallPolicy();
        try {
            // Asked in any case: an unknown name is an error under every profile.
            SeccompPolicy known = policy.orElseGet(() -> SeccompPolicy.builder().build());
            String text = known.verdict(syscall).describe();
            return syscall + ": "
                    + (policy.isPresent() ? text : "allowed, profile " + profile.name() + " has no filter");
        } catch (IllegalArgumentException e) {
            throw new SandboxException(e.getMessage() + ".", e);
        }
    }
}
