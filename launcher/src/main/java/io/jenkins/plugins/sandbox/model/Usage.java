package io.jenkins.plugins.sandbox.model;

import java.io.Serializable;

/**
 * What the processes of the sandbox used (getrusage(2), RUSAGE_CHILDREN of the init).
 *
 * @param wallMillis from the start of the command to its end, in milliseconds
 * @param userMillis CPU time in user mode, in milliseconds
 * @param systemMillis CPU time in the kernel, in milliseconds
 * @param maxRssKiB the largest resident set of any one process, in KiB
 */
public record Usage(long wallMillis, long userMillis, long systemMillis, long maxRssKiB) implements Serializable {}
