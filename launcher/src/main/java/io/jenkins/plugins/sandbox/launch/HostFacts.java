package io.jenkins.plugins.sandbox.launch;

import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings of this machine that decide what a sandbox can do, as far as they can be read. They explain a finding of the
 * probe; they are none themselves.
 *
 * @param values name and value, in a fixed order; a name is missing where the machine does not say
 */
public record HostFacts(Map<String, String> values) implements Serializable {
    static final String MAX_USER_NAMESPACES = "user.max_user_namespaces";
    static final String CLONE = "kernel.unprivileged_userns_clone";
    static final String APPARMOR_RESTRICTION = "kernel.apparmor_restrict_unprivileged_userns";

    /** {@code yes} when a seccomp filter is around this process. */
    static final String SECCOMP = "seccomp filter";

    /** The AppArmor profile or SELinux type of this process. */
    static final String LABEL = "security label";

    /** What covers parts of /proc, as paths. */
    static final String MASKED = "covered in /proc";

    /** {@code yes} when the root directory is not that of the mount namespace. */
    static final String CHROOT = "chroot";

    private static final int MOST_PATHS = 8;

    public HostFacts {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /**
     * @return this machine's
     */
    public static HostFacts read() {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("kernel", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        values.put("architecture", System.getProperty("os.arch"));
        values.put("user", System.getProperty("user.name"));
        String status = text("/proc/self/status");
        putField(values, "user id", status, "Uid:");
        putField(values, "capabilities", status, "CapEff:");
        putYes(values, "no new privileges", "1".equals(field(status, "NoNewPrivs:")));
        putYes(values, SECCOMP, "2".equals(field(status, "Seccomp:")));
        put(values, LABEL, text("/proc/self/attr/current").replace("\0", "").strip());
        for (String name : List.of(MAX_USER_NAMESPACES, CLONE, APPARMOR_RESTRICTION)) {
            put(values, name, text("/proc/sys/" + name.replace('.', '/')).strip());
        }
        mounts(values, text("/proc/self/mountinfo"));
        put(values, "container", container());
        return new HostFacts(values);
    }

    /** From lines of mountinfo (proc_pid_mountinfo(5)): field 5 is the mount point, field 6 its options. */
    static void mounts(Map<String, String> values, String mountinfo) {
        List<String> masked = new ArrayList<>();
        boolean root = mountinfo.isEmpty();
        for (String line : mountinfo.split("\n")) {
            String[] fields = line.split(" ");
            if (fields.length < 10) {
                continue;
            }
            root |= fields[4].equals("/");
            // binfmt_misc is mounted there on every machine, on a directory that is empty for that.
            if (fields[4].startsWith("/proc/") && !fields[4].equals("/proc/sys/fs/binfmt_misc")) {
                masked.add(fields[4]);
            }
            String options = fields[fields.length - 1];
            if (fields[4].equals("/proc") && options.contains("hidepid=")) {
                values.put("/proc", options);
            }
        }
        if (!masked.isEmpty()) {
            int more = masked.size() - MOST_PATHS;
            values.put(
                    MASKED,
                    String.join(" ", masked.subList(0, Math.min(masked.size(), MOST_PATHS)))
                            + (more > 0 ? " and " + more + " more" : ""));
        }
        putYes(values, CHROOT, !root);
    }

    boolean is(String name, String value) {
        return value.equals(values.get(name));
    }

    /** Whether a security module has given this process a profile of its own. */
    boolean isConfined() {
        return has(LABEL) && !values.get(LABEL).contains("unconfined");
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    /** The processors that this process may use, as {@code 0-3,8}. */
    static String processors() {
        return processors(text("/proc/self/status"));
    }

    /** @param status without that line in gVisor */
    static String processors(String status) {
        String allowed = field(status, "Cpus_allowed_list:");
        return allowed.isEmpty() ? "0-" + (Runtime.getRuntime().availableProcessors() - 1) : allowed;
    }

    /** Whether AppArmor lets only programs with a profile use user namespaces, which a memory file cannot have. */
    static boolean isRestrictedByAppArmor() {
        return text("/proc/sys/" + APPARMOR_RESTRICTION.replace('.', '/'))
                .strip()
                .equals("1");
    }

    private static String container() {
        if (System.getenv("KUBERNETES_SERVICE_HOST") != null) {
            return "Kubernetes";
        }
        if (Files.exists(Path.of("/run/.containerenv"))) {
            return "Podman";
        }
        return Files.exists(Path.of("/.dockerenv")) ? "Docker" : "";
    }

    private static void putField(Map<String, String> values, String name, String status, String key) {
        put(values, name, field(status, key));
    }

    private static void put(Map<String, String> values, String name, String value) {
        if (!value.isEmpty()) {
            values.put(name, value);
        }
    }

    private static void putYes(Map<String, String> values, String name, boolean yes) {
        if (yes) {
            values.put(name, "yes");
        }
    }

    /** The first word behind a key of /proc/self/status. */
    private static String field(String status, String key) {
        return status.lines()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(key.length()).strip().split("\\s")[0])
                .findFirst()
                .orElse("");
    }

    /** Empty where there is no such file, or it may not be read. */
    private static String text(String path) {
        try (InputStream file = Files.newInputStream(Path.of(path))) {
            // Large reads: a sysctl ends after the first one, however little that took.
            byte[] buffer = new byte[1 << 16];
            StringBuilder text = new StringBuilder();
            for (int n = file.read(buffer); n > 0; n = file.read(buffer)) {
                text.append(new String(buffer, 0, n, StandardCharsets.ISO_8859_1));
            }
            return text.toString();
        } catch (IOException e) {
            return "";
        }
    }
}
