package io.jenkins.plugins.sandbox.outcome;

import com.thoughtworks.xstream.XStreamException;
import com.thoughtworks.xstream.io.HierarchicalStreamReader;
import com.thoughtworks.xstream.io.xml.CompactWriter;
import hudson.util.XStream2;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The launches of a build, in a file of their own beside build.xml: that one is written whole, and with its blocks on the disk
 * before anything goes on, which is too much for each launch of a thousand alike. Here a launch appends one line when it
 * starts and one when it ends. A line replaces the earlier one of the same launch; {@code totals} replace what was counted
 * above them. Now and then the file is written anew. What is not on the disk yet when the machine loses its power is lost.
 *
 * <p>Guarded by the lock of the build.
 */
final class LaunchLog {
    static final String NAME = "process-sandbox-launches";

    /** A line is 100 to 300 bytes long. */
    private static final int MAX_LINES = 4 * SandboxAction.MAX_LAUNCHES;

    /** In bytes; more than this class ever writes. */
    private static final long MAX_FILE = 8 << 20;

    private static final Logger LOGGER = Logger.getLogger(LaunchLog.class.getName());

    private final Path file;
    private final StringBuilder pending = new StringBuilder();
    private int lines;
    private boolean anew = true;

    LaunchLog(Path buildDirectory) {
        file = buildDirectory.resolve(NAME);
    }

    /** To be written with the next {@link #write}. */
    void add(int finding, Launch launch) {
        pending.append(line("launch", finding, launch));
        lines++;
    }

    /** Nothing of what is there is to be kept: all of it is written with the next {@link #write}. */
    void startAnew() {
        anew = true;
    }

    /**
     * @param groups all of the build's, by their findings' places in build.xml
     * @throws IOException when it cannot be written; then all of it is with the next call
     */
    void write(List<LaunchGroup> groups) throws IOException {
        if (groups.isEmpty()) {
            return;
        }
        int listed = groups.stream().mapToInt(LaunchGroup::remembered).sum();
        if (anew || lines > MAX_LINES + 2 * listed) {
            writeAnew(groups);
        } else if (!pending.isEmpty()) {
            String added = pending.toString();
            pending.setLength(0);
            anew = true; // unless this succeeds: there may be half a line then
            Files.writeString(file, added, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            anew = false;
        }
    }

    private void writeAnew(List<LaunchGroup> groups) throws IOException {
        StringBuilder all = new StringBuilder();
        lines = 0;
        pending.setLength(0);
        for (int i = 0; i < groups.size(); i++) {
            for (Launch launch : groups.get(i).getLaunches()) {
                all.append(line("launch", i, launch));
                lines++;
            }
            all.append(line("totals", i, groups.get(i).getTotals()));
        }
        Path beside = file.resolveSibling(NAME + ".new");
        Files.writeString(beside, all);
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        anew = false;
    }

    private static String line(String name, int finding, Object content) {
        StringWriter text = new StringWriter();
        CompactWriter writer = new CompactWriter(text);
        writer.startNode(name);
        writer.addAttribute("finding", Integer.toString(finding + 1));
        if (content instanceof Launch launch) {
            StoredForm.writeLaunch(writer, launch);
        } else {
            StoredForm.writeTotals(writer, (Totals) content);
        }
        writer.endNode();
        writer.flush();
        return text.append('\n').toString();
    }

    /**
     * Puts what is in the file into the groups. What cannot be read is left out: a file that was edited, or is of another
     * version, must not cost the build its page.
     *
     * @param groups as they were in build.xml, whose totals may be older than the file
     */
    void readInto(List<LaunchGroup> groups) {
        if (!Files.isRegularFile(file)) {
            return;
        }
        List<LaunchGroup> read =
                groups.stream().map(g -> new LaunchGroup(g.getFinding())).toList();
        try {
            if (Files.size(file) > MAX_FILE) {
                throw new IOException("larger than " + MAX_FILE + " bytes");
            }
            String text = Files.readString(file, StandardCharsets.UTF_8);
            // The controller may have ended in the middle of a line.
            String whole = text.substring(0, text.lastIndexOf('\n') + 1);
            HierarchicalStreamReader reader =
                    XStream2.getDefaultDriver().createReader(new StringReader("<launches>\n" + whole + "</launches>"));
            while (reader.hasMoreChildren()) {
                reader.moveDown();
                int finding = StoredForm.integer(reader, "finding") - 1;
                if (finding >= 0 && finding < read.size()) {
                    readLine(reader, read.get(finding));
                }
                reader.moveUp();
            }
        } catch (IOException | XStreamException x) {
            LOGGER.log(Level.WARNING, x, () -> "not all launches can be read: " + file);
        }
        for (int i = 0; i < groups.size(); i++) {
            groups.get(i).replaceBy(read.get(i));
        }
    }

    private static void readLine(HierarchicalStreamReader reader, LaunchGroup group) {
        switch (reader.getNodeName()) {
            case "launch" -> group.restore(StoredForm.readLaunch(reader));
            case "totals" -> group.restore(StoredForm.readTotals(reader));
            default -> {
                // of a later version
            }
        }
    }
}
