package io.jenkins.plugins.sandbox.config;

import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import java.util.List;
import java.util.Set;

/**
 * The administrator's settings at one moment: what a launch gets for which nobody asked for anything, and how far a job may go
 * below that.
 *
 * @param profile the default profile
 * @param minimumLevel the lowest level that will do
 * @param onShortfall what happens below it
 * @param requiredPrimitives what must have been applied whatever the level is
 * @param relaxations what jobs may loosen
 * @param allowedPaths where jobs may name paths
 * @param profiles all profiles that can be asked for
 */
public record Floor(
        KnownProfile profile,
        Level minimumLevel,
        OnShortfall onShortfall,
        Set<Primitive> requiredPrimitives,
        Set<Relaxation> relaxations,
        List<SandboxPath> allowedPaths,
        Profiles profiles) {
    public Floor {
        requiredPrimitives = Set.copyOf(requiredPrimitives);
        relaxations = Set.copyOf(relaxations);
        allowedPaths = List.copyOf(allowedPaths);
    }
}
