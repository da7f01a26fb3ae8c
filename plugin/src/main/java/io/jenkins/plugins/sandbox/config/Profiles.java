package io.jenkins.plugins.sandbox.config;

import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** The profiles that can be asked for, by name: the built-in ones, weakest first, then the administrator's own. */
public final class Profiles {
    static final String DEFAULT = "strict";

    private static final Pattern NAME = Pattern.compile("[a-z0-9-]{1,32}");

    private final Map<String, KnownProfile> byName = new LinkedHashMap<>();

    /**
     * @param own the administrator's own
     * @throws IllegalArgumentException when one of them cannot be used, or two have the same name
     */
    public Profiles(List<SandboxProfile> own) {
        for (String name : Profile.BUILT_IN) {
            byName.put(name, KnownProfile.builtIn(builtIn(name)));
        }
        for (SandboxProfile profile : own) {
            if (byName.put(profile.getName(), profile.resolve()) != null) {
                throw new IllegalArgumentException("There are two profiles '" + profile.getName() + "': rename one.");
            }
        }
    }

    /** @return a profile that comes with the plugin */
    static Profile builtIn(String name) {
        try {
            return Profile.named(name);
        } catch (SandboxException x) {
            throw new IllegalArgumentException(x.getMessage(), x);
        }
    }

    /**
     * Checks what a name of a profile looks like; whether there is one is known only when it is used.
     *
     * @return the name without surrounding blanks
     * @throws IllegalArgumentException when no profile can have this name
     */
    static String checkName(String name) {
        String profile = name.strip();
        if (!NAME.matcher(profile).matches()) {
            throw new IllegalArgumentException(
                    "'" + profile + "' is no name of a profile: use 1 to 32 of a-z, 0-9 and '-'.");
        }
        return profile;
    }

    /** @throws IllegalArgumentException when there is no such profile, or there is none any more */
    public KnownProfile get(String name) {
        KnownProfile profile = byName.get(name);
        if (profile == null) {
            throw new IllegalArgumentException("There is no profile '" + name + "': use one of "
                    + String.join(", ", byName.keySet())
                    + ", or define it under Manage Jenkins > Security > Process Sandbox.");
        }
        return profile;
    }

    /** @return all of them, in order */
    public List<KnownProfile> all() {
        return List.copyOf(byName.values());
    }
}
