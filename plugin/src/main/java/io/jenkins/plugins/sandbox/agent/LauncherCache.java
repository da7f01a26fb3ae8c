package io.jenkins.plugins.sandbox.agent;

/** Where a node keeps the native launcher when it cannot be a memory file. */
public final class LauncherCache {
    private LauncherCache() {}

    /** @param nodeRoot the root directory of the node */
    public static String of(String nodeRoot) {
        return nodeRoot + "/caches/process-sandbox";
    }
}
