package io.jenkins.plugins.sandbox.controller;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What a step says about the environment of its command. Steps hand on everything that the agent told Jenkins about its own
 * environment, so a variable that is handed on need not be one that the step set.
 *
 * @param variables as {@code NAME=value}; durable tasks double every dollar in the values, others do not
 * @param set the names of those that the steps around the command set by themselves
 */
record StepEnvironment(String[] variables, Set<String> set) {
    /** Beyond this, the rest is as hidden as if nobody had named it. */
    private static final int MAX_FILES = 64;

    /**
     * The variables that are meant for the command, and so are not the agent's to lose: those that a step around it sets,
     * whatever their value is, and those with a value that the agent does not have.
     *
     * @param agents the environment of the agent itself
     */
    Set<String> meant(Map<String, String> agents) {
        Set<String> names = new TreeSet<>();
        for (String variable : variables) {
            int equals = variable.indexOf('=');
            if (equals <= 0) {
                continue;
            }
            String name = variable.substring(0, equals);
            String value = variable.substring(equals + 1);
            String inherited = agents.get(name);
            if (set.contains(name)
                    || inherited == null
                    || !(value.equals(inherited) || value.equals(inherited.replace("$", "$$")))) {
                names.add(name);
            }
        }
        return names;
    }

    /**
     * The files that variables name, alone or in a list, as the bindings of credentials do.
     *
     * @param directories where they have to be below; none is outside, but some may not exist, or be more than they seem
     */
    Set<String> filesBelow(List<String> directories) {
        Set<String> files = new LinkedHashSet<>();
        Arrays.stream(variables)
                .map(v -> v.substring(v.indexOf('=') + 1))
                .filter(v -> directories.stream().anyMatch(d -> v.contains(d.replace("$", "$$")) || v.contains(d)))
                .flatMap(v -> Stream.of(v, v.replace("$$", "$")))
                .flatMap(v -> Stream.concat(Stream.of(v), Arrays.stream(v.split(":"))))
                .filter(v -> directories.stream().anyMatch(d -> v.startsWith(d + "/")))
                .distinct()
                .limit(MAX_FILES)
                .forEach(files::add);
        return files;
    }
}
