package io.jenkins.plugins.sandbox.config;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.sandbox.model.Level;
import io.jenkins.plugins.sandbox.model.Primitive;
import io.jenkins.plugins.sandbox.model.SandboxException;
import io.jenkins.plugins.sandbox.policy.Limits;
import io.jenkins.plugins.sandbox.policy.Profile;
import java.io.Serializable;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What somebody asked for, and what was asked for around that. Immutable. Kept in jobs and in Pipelines' programs, as words:
 * both may come from another version or have been edited, so every word is looked at again each time that it is needed. Not a
 * record: the serialisation of a Pipeline's program does not know records.
 */
public final class SandboxSettings implements Serializable {
    private static final long serialVersionUID = 2;

    /** Who asks for nothing gets what the administrator chose. */
    public static final SandboxSettings NOTHING = new SandboxSettings(new TreeMap<>(), null);

    /** More than this is a mistake; all of them travel with each launch. */
    private static final int MAX_VALUES = 200;

    /** By {@link Setting#key}; the values of a list are lines. */
    private final TreeMap<String, String> words;

    @CheckForNull
    private final SandboxSettings around;

    private SandboxSettings(TreeMap<String, String> words, @CheckForNull SandboxSettings around) {
        this.words = words;
        this.around = around;
    }

    /**
     * @param value what is asked for; blank for nothing
     * @return the same with another value
     * @throws IllegalArgumentException when it cannot be that
     */
    public SandboxSettings with(Setting setting, @CheckForNull String value) {
        return value == null || value.isBlank() ? withWords(setting, null) : withWords(setting, setting.check(value));
    }

    /**
     * @param values what is asked for, each of them one value or several lines of them, as a text area sends them
     * @return the same with other values
     * @throws IllegalArgumentException when one of them cannot be that
     */
    public SandboxSettings with(Setting setting, @CheckForNull List<String> values) {
        List<String> all = values == null
                ? List.of()
                : values.stream()
                        .flatMap(String::lines)
                        .filter(v -> !v.isBlank())
                        .map(setting::check)
                        .distinct()
                        .toList();
        if (all.size() > MAX_VALUES) {
            throw new IllegalArgumentException(
                    setting.key() + " has " + all.size() + " values: use " + MAX_VALUES + " at most.");
        }
        return withWords(setting, all.isEmpty() ? null : String.join("\n", all));
    }

    private SandboxSettings withWords(Setting setting, @CheckForNull String text) {
        TreeMap<String, String> changed = new TreeMap<>(words);
        if (text == null) {
            changed.remove(setting.key());
        } else {
            changed.put(setting.key(), text);
        }
        return new SandboxSettings(changed, around);
    }

    /** @return what is asked for, as it was written; {@code null} when nothing is */
    @CheckForNull
    public String word(Setting setting) {
        return words.get(setting.key());
    }

    /** @return likewise, of a list */
    @CheckForNull
    public List<String> words(Setting setting) {
        String text = words.get(setting.key());
        return text == null ? null : text.lines().toList();
    }

    /** @return the words of a setting, those of a list as lines; for forms */
    @CheckForNull
    public String text(String key) {
        return words.get(key);
    }

    /** @return what was asked for around this; {@code null} when this is the outermost */
    @CheckForNull
    SandboxSettings around() {
        return around;
    }

    /** @return the same as a block inside of another one: it can take away from that, not add to it */
    public SandboxSettings inside(SandboxSettings outer) {
        if (equals(outer)) {
            return this;
        }
        return new SandboxSettings(words, around == null ? outer : around.inside(outer));
    }

    /**
     * Looks at every word.
     *
     * @throws IllegalArgumentException when one cannot be what it has to be
     */
    public void check() {
        if (words == null) {
            throw new IllegalArgumentException("the stored settings of the sandbox are damaged: store them again.");
        }
        words.forEach((key, text) -> {
            Setting setting = Setting.of(key)
                    .orElseThrow(() -> new IllegalArgumentException("There is no setting '" + key
                            + "' of the sandbox in this version: remove it, or update the plugin."));
            text.lines().forEach(setting::check);
        });
        limits();
    }

    @CheckForNull
    String profile() {
        return word(Setting.PROFILE);
    }

    @CheckForNull
    Level minimumLevel() {
        String word = word(Setting.MINIMUM_LEVEL);
        return word == null ? null : Levels.parse(word);
    }

    @CheckForNull
    OnShortfall onShortfall() {
        String word = word(Setting.ON_SHORTFALL);
        return word == null ? null : OnShortfall.parse(word);
    }

    Set<Primitive> requiredPrimitives() {
        return values(Setting.REQUIRED_PRIMITIVES).stream()
                .map(n -> Primitive.named(n).orElseThrow())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @CheckForNull
    Profile.Network network() {
        String word = word(Setting.NETWORK);
        return word == null ? null : Setting.choice("network", word, Profile.Network.class);
    }

    @CheckForNull
    Profile.Home home() {
        String word = word(Setting.HOME);
        return word == null ? null : Setting.choice("home", word, Profile.Home.class);
    }

    @CheckForNull
    Profile.Git git() {
        String word = word(Setting.GIT);
        return word == null ? null : Setting.choice("git", word, Profile.Git.class);
    }

    Limits limits() {
        return limits(Limits.builder());
    }

    /** @return these limits with those changed that are asked for */
    Limits limits(Limits.Builder limits) {
        for (Setting setting : Setting.limits()) {
            String word = word(setting);
            if (word != null) {
                setting.set(limits, word);
            }
        }
        try {
            return limits.build();
        } catch (SandboxException x) {
            throw new IllegalArgumentException(x.getMessage(), x);
        }
    }

    NamedPaths paths() {
        return new NamedPaths(
                paths(Setting.READ_PATHS),
                paths(Setting.WRITE_PATHS),
                paths(Setting.EXEC_PATHS),
                paths(Setting.HIDE_PATHS));
    }

    private List<SandboxPath> paths(Setting setting) {
        return values(setting).stream().map(SandboxPath::parse).toList();
    }

    Set<String> environment() {
        return new TreeSet<>(values(Setting.ENVIRONMENT));
    }

    private List<String> values(Setting setting) {
        List<String> values = words(setting);
        return values == null ? List.of() : values;
    }

    /** @return what is asked for, for logs: {@code memory: 2g, profile: strict} */
    @Override
    public String toString() {
        return words.entrySet().stream()
                .map(e -> e.getKey() + ": " + e.getValue().replace("\n", ", "))
                .collect(Collectors.joining(", "));
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof SandboxSettings other
                && Objects.equals(words, other.words)
                && Objects.equals(around, other.around);
    }

    @Override
    public int hashCode() {
        return Objects.hash(words, around);
    }
}
