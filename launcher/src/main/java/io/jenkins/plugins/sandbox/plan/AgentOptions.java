package io.jenkins.plugins.sandbox.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Finds the credentials in a Jenkins agent's command line; {@code agent.txt} lists the options. */
public final class AgentOptions {
    private static final Map<String, List<String>> FILE = DataFile.read("agent.txt");

    /** An HMAC-SHA256. */
    private static final Pattern CONNECTION_SECRET = Pattern.compile("[0-9a-f]{64}");

    private static final String PROPERTY = "-D";

    /**
     * A credential.
     *
     * @param word index of the word that holds it
     * @param start index of its first character in that word; it extends to the end of the word
     */
    public record Credential(int word, int start) {}

    private AgentOptions() {}

    /**
     * @param words of a command line
     * @return the credentials in it, in order; none that is empty
     */
    public static List<Credential> credentials(List<String> words) {
        List<Credential> found = new ArrayList<>();
        for (int i = 0; i < words.size(); i++) {
            int start = start(words, i);
            // remoting reads the value from the file that follows the @.
            if (start >= 0 && start < words.get(i).length() && words.get(i).charAt(start) != '@') {
                found.add(new Credential(i, start));
            }
        }
        return found;
    }

    /** Where the credential starts in a word; negative when it holds none. */
    private static int start(List<String> words, int i) {
        String word = words.get(i);
        if (i > 0 && isValueOption(words.get(i - 1))) {
            return 0;
        }
        int equals = word.indexOf('=');
        if (equals > 0 && (isValueOption(word.substring(0, equals)) || isSecretProperty(word.substring(0, equals)))) {
            return equals + 1;
        }
        // remoting still accepts it as a positional argument.
        return isConnectionSecret(word) ? 0 : -1;
    }

    /**
     * @param text a word of a command line, or the value of a variable
     * @return whether it looks like the secret that an inbound agent connects with
     */
    public static boolean isConnectionSecret(String text) {
        return CONNECTION_SECRET.matcher(text).matches();
    }

    private static boolean isValueOption(String word) {
        return FILE.get("value").contains(word);
    }

    private static boolean isSecretProperty(String name) {
        return name.startsWith(PROPERTY) && SecretNames.contains(name.substring(PROPERTY.length()));
    }

    /**
     * @param name of an environment variable
     * @return whether it holds options, separated by blanks
     */
    public static boolean areIn(String name) {
        return FILE.get("words").contains(name);
    }

    static boolean isFileOption(String word) {
        return FILE.get("file").contains(word);
    }

    /** Names, with {@code *} in them. */
    static List<String> beside() {
        return FILE.get("beside");
    }
}
