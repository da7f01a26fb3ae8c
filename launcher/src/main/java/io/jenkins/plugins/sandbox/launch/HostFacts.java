package io.jenkins.plugins.sandbox.launch;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings of this machine that decide what a sandbox can do, as far as they can be read. They explain a finding of the
 * probe; they are none themselves.
 *
 * @param values name and value, in a fixed order
 */
public record HostFacts(Map<String, String> values) {
    private static final String MAX_USER_NAMESPACES = "user.max_user_namespaces";
    private static final String CLONE = "kernel.unprivileged_userns_clone";
    private static final String APPARMOR = "kernel.apparmor_restrict_unprivileged_userns";

    /**
     * @return this machine's
     */
    public static HostFacts read() {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("kernel", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        values.put("architecture", System.getProperty("os.arch"));
        values.put("user", System.getProperty("user.name"));
        for (String name : List.of(MAX_USER_NAMESPACES, CLONE, APPARMOR)) {
            String value = sysctl(name);
            if (value != null) {
                values.put(name, value);
            }
        }
        return new HostFacts(values);
    }

    /**
     * @return what to change on this machine, one sentence each
     */
    public List<String> remedies() {
        List<String> remedies = new ArrayList<>();
        if ("0".equals(values.get(MAX_USER_NAMESPACES))) {
            remedies.add("User namespaces are switched off: sysctl -w user.max_user_namespaces=15000");
        }
        if ("0".equals(values.get(CLONE))) {
            remedies.add("User namespaces are for root alone: sysctl -w kernel.unprivileged_userns_clone=1");
        }
        if ("1".equals(values.get(APPARMOR))) {
            remedies.add(
                    "AppArmor takes the rights in a user namespace away from programs without a profile. Keep the launcher"
                            + " as a file in a directory DIR (--launcher-dir DIR; an agent has it in its caches/process-sandbox), write"
                            + " 'abi <abi/4.0>, profile process-sandbox DIR/launcher-* flags=(unconfined) { userns, }' to"
                            + " /etc/apparmor.d/process-sandbox and load it with apparmor_parser -r. Or switch the restriction off:"
                            + " sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
        }
        return remedies;
    }

    private static String sysctl(String name) {
        // In one read(2): the kernel ends such a file after the first, however little that took.
        try (InputStream file = Files.newInputStream(Path.of("/proc/sys/" + name.replace('.', '/')))) {
            byte[] buffer = new byte[64];
            int length = file.read(buffer);
            return length <= 0 ? null : new String(buffer, 0, length, StandardCharsets.US_ASCII).strip();
        } catch (IOException e) {
            return null; // This kernel does not have it.
        }
    }
}
