package io.jenkins.plugins.sandbox.escape;

import io.jenkins.plugins.sandbox.cli.Main;
import io.jenkins.plugins.sandbox.escape.Attempt.Control;
import io.jenkins.plugins.sandbox.escape.Attempt.Setting;
import io.jenkins.plugins.sandbox.escape.Attempt.Start;
import io.jenkins.plugins.sandbox.launch.LiveInit;
import io.jenkins.plugins.sandbox.launch.PreparedLaunch;
import io.jenkins.plugins.sandbox.launch.RepositorySweep;
import io.jenkins.plugins.sandbox.launch.TransportChoice;
import io.jenkins.plugins.sandbox.model.InitProcess;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.Report;
import io.jenkins.plugins.sandbox.model.ReportParser;
import io.jenkins.plugins.sandbox.policy.Policy;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/** Runs one attempt in one scene: in a sandbox, or as its control. */
final class Runs {
    /** A variable that the step sets, which has to stay whatever it is called. */
    static final String STEP_VARIABLE = "STEP_TOKEN";

    /** Only so that a defect fails a test instead of hanging it; no test asserts a time. */
    private static final Duration HANGS_AFTER = Duration.ofSeconds(60);

    private static final Set<Primitive> PRIVILEGE_ROWS =
            EnumSet.of(Primitive.CAPABILITIES, Primitive.LANDLOCK_FS, Primitive.LANDLOCK_SCOPE, Primitive.SECCOMP);

    private final Setting setting;
    private final Scene scene;
    private final TransportChoice transport;
    private Report report;

    Runs(Setting setting, Scene scene, TransportChoice transport) {
        this.setting = setting;
        this.scene = scene;
        this.transport = transport;
    }

    /** The twin and then the attempt, under a built-in profile that reaches all that it asks for. */
    Result sandboxed(Attempt attempt, Profile profile) throws Exception {
        Level level = profile.isStandard() ? Level.BASELINE : Level.FULL;
        String script =
                scene.assignments(profile.name()) + "(\n" + attempt.twin() + "\n)\n" + "if [ $? = 0 ]; then echo "
                        + Result.TWIN_WORKED + "; else echo " + Result.TWIN_FAILED + "; fi\n" + attempt.script();
        if (setting.start() == Start.STAGED) {
            return staged(commandLine(profile, level), script);
        }
        return launched(scene.policy(profile).minimumLevel(level), script);
    }

    /** A script under a built-in profile, whatever of it holds here. */
    Result asFarAsItGoes(Profile profile, String script) throws Exception {
        return launched(scene.policy(profile).minimumLevel(Level.NONE), scene.assignments(profile.name()) + script);
    }

    /** Whether what is to stand behind the launch works on this machine. */
    boolean canBePrepared() throws IOException, InterruptedException {
        List<String> words = shell(setting.behind());
        words.addAll(List.of("sh", "-c", ":"));
        Process process = start(words);
        process.getInputStream().transferTo(OutputStream.nullOutputStream());
        return process.waitFor() == 0;
    }

    /** Of the launch before, if there was one. */
    Optional<Report> report() {
        return Optional.ofNullable(report);
    }

    /** An attempt, or several, where it must succeed. */
    Result control(String attempt) throws Exception {
        String script = scene.assignments("none") + attempt;
        if (setting.control() == Control.WITHOUT_PRIVILEGE_ROWS) {
            return launched(scene.policy(withoutPrivilegeRows()), script);
        }
        // A shell in between, so that the parent is this user's shell and not this JVM. And one in front that lives
        // until the
        // last process with this stdout is gone: a Process reads nothing any more when its own process has ended.
        List<String> words = List.of("sh", "-c", "sh -c 'sh -c \"$1\"; :' sh \"$1\" | cat", "sh", script);
        if (setting.start() == Start.STAGED) {
            return staged(words, script);
        }
        if (setting.start() == Start.FILES) {
            // Prepared, so that the files are there, and not launched.
            PreparedLaunch launch = prepare(scene.policy(Profile.named("strict")));
            try {
                return end(start(words), null, null);
            } finally {
                launch.close();
            }
        }
        if (setting.control() == Control.CHROOT) {
            List<String> jailed = new ArrayList<>(List.of("unshare", "--user", "--map-root-user", "--mount", "--"));
            jailed.addAll(
                    shell("mount --rbind / \"$JAIL\" && mount -t tmpfs t \"$JAIL/tmp\" && exec chroot \"$JAIL\" sh -c"
                            + " 'cd \"$0\" && exec \"$@\"' \"$WS\" \"$@\""));
            jailed.addAll(words);
            return end(start(jailed), null, null);
        }
        List<String> behind = shell(setting.behind());
        behind.addAll(words);
        return end(start(behind), null, null);
    }

    private static Profile withoutPrivilegeRows() throws IOException {
        Profile strict = Profile.named("strict");
        String rows = strict.primitives().stream()
                .filter(p -> !PRIVILEGE_ROWS.contains(p))
                .map(Primitive::wireName)
                .collect(Collectors.joining(" "));
        return Profile.parse(
                "control", "primitives = " + rows + "\nroot = ro\ntmp = private\ndev = minimal\nhome = overlay\n");
    }

    private PreparedLaunch prepare(Policy.Builder builder) throws IOException {
        Policy policy =
                setting.policy().apply(scene.workspace(), builder).build().keepingVariables(List.of(STEP_VARIABLE));
        boolean files = setting.start() == Start.FILES || setting.start() == Start.AS_ROOT;
        return PreparedLaunch.prepare(
                policy, files ? TransportChoice.file(scene.launcherDirectory().toString()) : transport);
    }

    private Result launched(Policy.Builder builder, String script) throws Exception {
        Policy policy = builder.build();
        try (PreparedLaunch launch = prepare(builder)) {
            List<String> words = shell(setting.behind());
            words.addAll(launch.prefix());
            words.addAll(List.of("sh", "-c", script));
            Process front = start(words);
            byte[] bytes = launch.awaitReport(HANGS_AFTER, front::isAlive);
            report = ReportParser.parse(bytes, policy.profile().isStandard(), policy.primitives());
            Optional<String> unmet = policy.minimum().unmetBy(report);
            if (unmet.isPresent() || !report.ready()) {
                launch.abort();
                return ended(front, Result.refused(unmet.orElse(report.refusal())));
            }
            launch.openGate();
            Result result = end(front, launch, report.init());
            // As whoever ends a block does.
            RepositorySweep.run(Path.of(policy.scratch()));
            return result;
        }
    }

    private List<String> shell(String script) {
        return new ArrayList<>(List.of("sh", "-c", scene.assignments("none") + script, "sh"));
    }

    /**
     * Behind a stage, everything is done in a mount namespace that root of a user namespace has set; the driver and the
     * command are an ordinary user in it again, since they do not own it.
     */
    private Result staged(List<String> words, String script) throws Exception {
        String ids = " --map-user=" + id("-u") + " --map-group=" + id("-g");
        List<String> all = new ArrayList<>(List.of("unshare", "--user", "--map-root-user", "--mount", "--"));
        all.addAll(shell("set -e\n" + setting.stage() + "\nexec unshare --user" + ids + " -- \"$@\""));
        all.addAll(words);
        if (words.contains(Main.class.getName())) {
            all.addAll(List.of("--", "sh", "-c", script));
        }
        return end(start(all), null, null);
    }

    private static String id(String flag) throws IOException {
        try (InputStream out = new ProcessBuilder("id", flag).start().getInputStream()) {
            return new String(out.readAllBytes(), StandardCharsets.US_ASCII).strip();
        }
    }

    private List<String> commandLine(Profile profile, Level level) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "run",
                "--profile",
                profile.name(),
                "--workspace",
                scene.workspace().toString(),
                "--exec",
                scene.workspace().toString(),
                "--min-level",
                level.name());
    }

    private Process start(List<String> words) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(words)
                .directory(scene.directory(setting.directory()).toFile())
                .redirectInput(Path.of("/dev/null").toFile());
        builder.environment().put("HOME", scene.home().toString());
        builder.environment().put(STEP_VARIABLE, "step");
        return builder.start();
    }

    private static Result end(Process process, PreparedLaunch launch, InitProcess init) throws Exception {
        CompletableFuture<String> out = read(process.getInputStream());
        CompletableFuture<String> err = read(process.getErrorStream());
        try {
            long seconds = HANGS_AFTER.toSeconds();
            // To the end of the output, and not of the process: what a killed shell left behind may have more to say.
            String written = out.get(seconds, TimeUnit.SECONDS);
            String complaints = err.get(seconds, TimeUnit.SECONDS);
            if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
                throw new AssertionError("hangs");
            }
            String ending = null;
            if (launch != null) {
                Optional<byte[]> last =
                        launch.awaitEnding(HANGS_AFTER, () -> process.isAlive() || LiveInit.isAlive(init));
                ending = new String(last.orElse(new byte[0]), StandardCharsets.UTF_8);
            }
            return Result.of(written, complaints, ending);
        } catch (TimeoutException | ExecutionException e) {
            throw new AssertionError("hangs: " + process.info().commandLine(), e);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private static Result ended(Process front, Result result) throws InterruptedException {
        front.waitFor(HANGS_AFTER.toSeconds(), TimeUnit.SECONDS);
        front.destroyForcibly();
        return result;
    }

    private static CompletableFuture<String> read(InputStream in) {
        return CompletableFuture.supplyAsync(() -> {
            try (in) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    static List<Profile> plannable() throws IOException {
        List<Profile> profiles = new ArrayList<>();
        for (String name : Profile.BUILT_IN) {
            profiles.add(Profile.named(name));
        }
        return profiles;
    }
}
