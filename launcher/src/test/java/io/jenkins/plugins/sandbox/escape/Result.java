package io.jenkins.plugins.sandbox.escape;

import java.util.List;

/**
 * What one run left behind.
 *
 * @param refusal why the command was not run; {@code null} when it was
 * @param twinWorked whether the harmless twin ended with status 0
 * @param out what the attempt wrote to stdout, line by line
 * @param err what the run wrote to stderr
 * @param ending what init appended to its report at the end, as it stands there; {@code null} without a
 *     sandbox of our own
 */
record Result(String refusal, boolean twinWorked, List<String> out, String err, String ending) {
    static final String TWIN_WORKED = "TWIN-WORKED";
    static final String TWIN_FAILED = "TWIN-FAILED";

    static Result refused(String reason) {
        return new Result(reason, false, List.of(), "", null);
    }

    /** Of a script that ran a twin first. */
    static Result of(String out, String err, String ending) {
        List<String> lines = out.lines().toList();
        int worked = lines.indexOf(TWIN_WORKED);
        int failed = lines.indexOf(TWIN_FAILED);
        return new Result(null, worked >= 0, lines.subList(Math.max(worked, failed) + 1, lines.size()), err, ending);
    }

    boolean says(String word) {
        return out.stream().anyMatch(line -> line.equals(word) || line.startsWith(word + " "));
    }

    /** Init did not live to say that the command had ended by itself. */
    boolean isCutShort() {
        return ending != null && !ending.contains("exit code");
    }

    /** What this kernel has not, or {@code null}. */
    String lacking() {
        return out.stream()
                .filter(line -> line.startsWith(Attempt.LACKING))
                .map(line -> line.substring(Attempt.LACKING.length()))
                .findFirst()
                .orElse(null);
    }

    @Override
    public String toString() {
        return (refusal == null ? "" : "refused: " + refusal + "\n")
                + "twin: " + (twinWorked ? "worked" : "failed")
                + "\nout: " + out + "\nerr: " + err + "\nending: " + ending;
    }
}
