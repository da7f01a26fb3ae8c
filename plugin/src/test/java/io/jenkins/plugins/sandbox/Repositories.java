package io.jenkins.plugins.sandbox;

/** Shell scripts about git: what a build may leave, and what shows that git outside of the sandbox obeyed it. */
public final class Repositories {
    /** Git starts the monitor to find out a status. */
    private static final String WORDS = """
            evil() { printf '[core]\\n\\trepositoryformatversion = 0\\n\\tfsmonitor = touch "%s/ran"; false\\n' "$PWD"; }
            commit() { git -C "$1" -c user.name=a -c user.email=a@b commit -q --allow-empty -m "$2"; }
            """;

    /** A repository that is there before the block. */
    public static final String MAKE = WORDS + "git init -q . && commit . one\n";

    /** Changes the orders of that one, and makes another. */
    public static final String ATTACK = WORDS
            + "git init -q sub && commit sub one; evil > sub/.git/config\n"
            + "commit . inside; evil > .git/config; echo ATTACKED\n";

    /** The next build, as far as it runs git. */
    public static final String NEXT =
            "git status > /dev/null; git -C sub status > /dev/null; git log --format='LOG %s'\n"
                    + "git -C sub log --format='SUB %s'; if test -e ran; then echo OBEYED; else echo SAFE; fi\n";

    private Repositories() {}

    /** As a step of a Pipeline. */
    public static String step(String script) {
        return "sh '''#!/bin/sh\n" + script.replace("\\", "\\\\") + "'''\n";
    }
}
