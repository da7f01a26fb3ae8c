package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.ArrayList;
import java.util.List;

/** An agent that stops between the report and the gate. */
final class DyingJvm {
    private DyingJvm() {}

    public static void main(String[] arguments) throws Exception {
        Policy policy = Policy.builder(Profile.named("standard"), arguments[0]).build();
        PreparedLaunch launch = PreparedLaunch.prepare(policy, TransportChoice.memfd());
        List<String> words = new ArrayList<>(launch.prefix());
        words.addAll(List.of("touch", arguments[1]));
        Process process = new ProcessBuilder(words)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        launch.awaitReport(TransportContract.LONG);
        System.out.println(process.pid());
        System.out.flush();
        Runtime.getRuntime().halt(1);
    }
}
