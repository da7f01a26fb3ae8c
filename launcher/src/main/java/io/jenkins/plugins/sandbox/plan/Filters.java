package io.jenkins.plugins.sandbox.plan;

import io.jenkins.plugins.sandbox.policy.Profile;
import io.jenkins.plugins.sandbox.seccomp.Architecture;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Compiled filters. Launch after launch has the same one, and compiling it is most of the time that a plan takes. */
final class Filters {
    /** Of a few KiB each. */
    private static final int MOST = 32;

    /** Guards itself. Those that were asked for least lately go first. */
    private static final Map<Key, byte[]> COMPILED = new LinkedHashMap<>(MOST, 0.75f, true);

    /** All that a filter depends on. */
    private record Key(
            Architecture architecture,
            List<String> groups,
            List<String> allowed,
            List<String> denied,
            boolean sealed) {}

    private Filters() {}

    /** @return not to be changed; {@code null} when the profile asks for none, or there is none for this machine */
    static byte[] of(Profile profile, Optional<Architecture> architecture) {
        if (architecture.isEmpty() || profile.syscalls().isEmpty()) {
            return null;
        }
        Key key = new Key(
                architecture.get(),
                profile.syscalls(),
                profile.allowedSyscalls(),
                profile.deniedSyscalls(),
                profile.executesNamedFilesOnly());
        synchronized (COMPILED) {
            byte[] filter = COMPILED.get(key);
            if (filter == null) {
                filter = profile.syscallPolicy()
                        .orElseThrow()
                        .compile(architecture.get())
                        .bytes();
                COMPILED.put(key, filter);
                if (COMPILED.size() > MOST) {
                    COMPILED.remove(COMPILED.keySet().iterator().next());
                }
            }
            return filter;
        }
    }
}
