package io.jenkins.plugins.sandbox.seccomp;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Allow-lists of made-up numbers, chosen around the lengths where 8-bit jumps overflow. No kernel has calls with these
 * numbers: what a filter lets through gets ENOSYS, and nothing happens.
 */
final class SyntheticLists {
    /** Every list lies within these, with room for numbers that are not listed on both sides. */
    static final int FIRST = 600;

    static final int LAST = 2600;

    /** Refused calls get this, which no call that does not exist would return. */
    static final int EXDEV = 18;

    private SyntheticLists() {}

    static Map<String, List<Integer>> all() {
        Map<String, List<Integer>> lists = new LinkedHashMap<>();
        for (int size : new int[] {1, 255, 256, 500}) {
            lists.put(size + " contiguous", numbers(IntStream.range(0, size)));
            // Nothing to merge: twice as many intervals as numbers, the longest program there can be.
            lists.put(size + " even", numbers(IntStream.range(0, size).map(i -> 2 * i)));
            TreeSet<Integer> random = new TreeSet<>();
            Random source = new Random(size);
            while (random.size() < size) {
                random.add(FIRST + 100 + source.nextInt(1500));
            }
            lists.put(size + " random", List.copyOf(random));
        }
        return Collections.unmodifiableMap(lists);
    }

    private static List<Integer> numbers(IntStream offsets) {
        return offsets.map(i -> FIRST + 100 + i).boxed().toList();
    }
}
