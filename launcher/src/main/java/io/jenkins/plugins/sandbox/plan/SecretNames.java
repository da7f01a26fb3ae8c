package io.jenkins.plugins.sandbox.plan;

/** Decides by its name alone whether an environment variable or a system property holds a credential of the agent. */
public final class SecretNames {
    private SecretNames() {}

    /**
     * @param name of a variable or a property
     * @return whether {@code environment.txt} drops it
     */
    public static boolean contains(String name) {
        return Variables.isDropped(name);
    }
}
