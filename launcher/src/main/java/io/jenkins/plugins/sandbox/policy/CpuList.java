package io.jenkins.plugins.sandbox.policy;

import io.jenkins.plugins.sandbox.model.Quoted;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.util.BitSet;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sets of processors as the kernel writes them, {@code 0-3,8} (cpuset(7), "List format"). */
final class CpuList {
    /** As many as the launcher knows (CPU_SETSIZE of the C library). */
    static final int MAX = 1024;

    private static final Pattern RANGE = Pattern.compile("(\\d{1,4})(?:-(\\d{1,4}))?");

    private CpuList() {}

    static BitSet parse(String text) throws SandboxException {
        BitSet cpus = new BitSet(MAX);
        for (String part : text.split(",", -1)) {
            Matcher m = RANGE.matcher(part);
            int first = m.matches() ? Integer.parseInt(m.group(1)) : MAX;
            int last = first < MAX && m.group(2) != null ? Integer.parseInt(m.group(2)) : first;
            if (first > last || last >= MAX) {
                throw new SandboxException("CPUs " + Quoted.of(text) + " are no list of processors from 0 to "
                        + (MAX - 1) + ": write for example 0-3,8.");
            }
            cpus.set(first, last + 1);
        }
        return cpus;
    }

    static String format(BitSet cpus) {
        StringJoiner parts = new StringJoiner(",");
        for (int first = cpus.nextSetBit(0); first >= 0; ) {
            int end = cpus.nextClearBit(first);
            parts.add(end == first + 1 ? String.valueOf(first) : first + "-" + (end - 1));
            first = cpus.nextSetBit(end);
        }
        return parts.toString();
    }
}
