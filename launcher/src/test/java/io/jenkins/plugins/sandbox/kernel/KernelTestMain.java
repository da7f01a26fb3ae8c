package io.jenkins.plugins.sandbox.kernel;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The other JVM of {@link KernelTest}: runs the tests, and writes one line for each to stdout. */
final class KernelTestMain {
    static final String MARK = "\u0001kernel-test ";

    /** A test may be skipped when its reason has one of these in it, followed by the feature or the program. */
    static final List<String> LACKING = List.of("this kernel lacks ", "this machine lacks ");

    enum Result {
        PASSED,
        FAILED,
        SKIPPED
    }

    record Line(Result result, String test, String text) {
        String encode() {
            return MARK + result + " " + base64(test) + " " + base64(text);
        }

        static Line decode(String line) {
            String[] words = line.substring(MARK.length()).split(" ", -1);
            return new Line(Result.valueOf(words[0]), text(words[1]), text(words[2]));
        }

        private static String base64(String text) {
            return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
        }

        private static String text(String base64) {
            return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
        }
    }

    private KernelTestMain() {}

    public static void main(String[] arguments) {
        PrintStream out = System.out;
        System.setOut(System.err); // The lines are not to be mixed with what tests print.
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectPackage("io.jenkins.plugins.sandbox"))
                .filters(
                        TagFilter.includeTags("kernel"),
                        // For whoever works on some of them: -Dsandbox.test.classes='.*LimitsHoldTest'.
                        ClassNameFilter.includeClassNamePatterns(System.getProperty("sandbox.test.classes", ".*")))
                .build();
        LauncherFactory.create().execute(request, new Lines(out));
        System.exit(0);
    }

    private static final class Lines implements TestExecutionListener {
        private final PrintStream out;
        private TestPlan plan;

        Lines(PrintStream out) {
            this.out = out;
        }

        @Override
        public void testPlanExecutionStarted(TestPlan started) {
            plan = started;
        }

        @Override
        public void executionSkipped(TestIdentifier test, String reason) {
            write(Result.SKIPPED, test, reason);
        }

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            Throwable thrown = result.getThrowable().orElse(null);
            switch (result.getStatus()) {
                case SUCCESSFUL -> {
                    if (test.isTest()) {
                        write(Result.PASSED, test, "");
                    }
                }
                case ABORTED -> write(Result.SKIPPED, test, String.valueOf(thrown));
                case FAILED -> {
                    StringWriter text = new StringWriter();
                    if (thrown != null) {
                        thrown.printStackTrace(new PrintWriter(text, true));
                    }
                    write(Result.FAILED, test, text.toString());
                }
            }
        }

        private void write(Result result, TestIdentifier test, String text) {
            out.println(new Line(result, name(test), text).encode());
            out.flush();
        }

        private String name(TestIdentifier test) {
            String parent = plan.getParent(test)
                    .filter(p -> p.getParentId().isPresent())
                    .map(p -> name(p) + " > ")
                    .orElse("");
            return parent + test.getDisplayName();
        }
    }
}
