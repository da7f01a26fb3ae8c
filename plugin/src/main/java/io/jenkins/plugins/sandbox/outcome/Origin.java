package io.jenkins.plugins.sandbox.outcome;

/**
 * Where a launch came from, for people to find it again. It may be wrong, and decides nothing.
 *
 * @param step the step's function name, for example {@code sh}
 * @param flowNode the id of the step in the Pipeline's graph
 */
public record Origin(String step, String flowNode) {}
