package io.jenkins.plugins.sandbox.model;

import java.util.Arrays;
import java.util.Collection;

/**
 * How much of a profile held in one launch, weakest first. {@link #compareTo} is the order that minimum levels use.
 *
 * <p>A level is always computed from the rows of a report and never taken from anybody's word.
 */
public enum Level {
    /** Nothing was asked for, or nothing held; also {@code standard} with a row that did not hold. */
    NONE,
    /** Profile {@code standard} with all its rows applied. */
    BASELINE,
    /** Some, but not all, of the rows that the profile asked for were applied. */
    PARTIAL,
    /** Every row that the profile asked for was applied. */
    FULL;

    /**
     * Computes the level of the rows that were asked for, that is of all that are not {@link Status#SKIPPED}.
     *
     * <p>{@code standard} knows only {@link #BASELINE} and {@link #NONE}: half of the smallest profile must not rank above
     * the whole of it, which {@link #PARTIAL} would.
     *
     * @param standardProfile whether the launch used the built-in profile {@code standard}
     * @param outcomes one outcome for each row
     * @return the level; {@link #NONE} when every row was skipped
     */
    public static Level of(boolean standardProfile, Collection<Outcome> outcomes) {
        long asked = outcomes.stream().filter(o -> o.status() != Status.SKIPPED).count();
        long applied =
                outcomes.stream().filter(o -> o.status() == Status.APPLIED).count();
        if (applied == 0) {
            return NONE;
        }
        boolean all = applied == asked;
        if (standardProfile) {
            return all ? BASELINE : NONE;
        }
        return all ? FULL : PARTIAL;
    }

    /**
     * Reads a level by its exact, upper-case name.
     *
     * @param name for example {@code FULL}
     * @return the level
     * @throws SandboxException when there is no level of that name
     */
    public static Level parse(String name) throws SandboxException {
        for (Level level : values()) {
            if (level.name().equals(name)) {
                return level;
            }
        }
        throw new SandboxException(
                "Unknown level " + Quoted.of(name) + ": use one of " + Quoted.list(Arrays.asList(values())) + ".");
    }
}
