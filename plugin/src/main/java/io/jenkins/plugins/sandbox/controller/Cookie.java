package io.jenkins.plugins.sandbox.controller;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * By what Jenkins finds the processes of a launch when it ends them: the value of a variable that it gave them. Several
 * launches may have the same one; those of all shell steps in one directory have.
 */
final class Cookie {
    private static final String VARIABLE = "JENKINS_SERVER_COOKIE";

    /** A durable task sets it for the script alone, so that it is not its own heartbeat that is ended. */
    private static final Pattern IN_COMMAND =
            Pattern.compile("(?:\\bjsc=|^-cookieval=)(durable-[0-9a-f]+)(?:; " + VARIABLE + "=.*)?", Pattern.DOTALL);

    private Cookie() {}

    /**
     * @param block the id of the block
     * @param node the name of the node
     * @param words the command that is launched
     * @param variables its environment, as {@code NAME=value}
     * @return what the launch is known by; {@code null} when Jenkins will not find it
     */
    @CheckForNull
    static String of(String block, String node, List<String> words, String[] variables) {
        for (String word : words) {
            Matcher m = IN_COMMAND.matcher(word);
            if (m.find()) {
                return of(block, node, m.group(1));
            }
        }
        return Arrays.stream(variables)
                .filter(v -> v.startsWith(VARIABLE + "="))
                .reduce((first, last) -> last)
                .map(v -> of(block, node, v.substring(VARIABLE.length() + 1)))
                .orElse(null);
    }

    /** @return whether it is a durable task that is launched, whose work goes on when the launched process has ended */
    static boolean isInCommand(List<String> words) {
        return words.stream().anyMatch(w -> IN_COMMAND.matcher(w).find());
    }

    /** @param environment what Jenkins looks for; {@code null} when it looks for anything else */
    @CheckForNull
    static String of(String block, String node, Map<String, String> environment) {
        String value = environment.get(VARIABLE);
        return value == null ? null : of(block, node, value);
    }

    /** Short, since there is one in the build record for each launch. */
    private static String of(String block, String node, String value) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest((block + "\n" + value + "\n" + node).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException x) {
            throw new AssertionError("every JVM has it", x);
        }
    }
}
