package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;

/**
 * The first process of the sandbox, as its parent sees it. Killing it ends everything in the sandbox.
 *
 * @param pid in the process id namespace of whoever prepared the launch
 * @param startTime in clock ticks since boot, field 22 of {@code /proc/PID/stat} (proc(5)); compared before any signal is
 *     sent, since process ids are used again
 */
public record InitProcess(long pid, long startTime) implements Serializable {}
