package io.jenkins.plugins.sandbox.agent;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * What the agent says when a block has ended. It comes from the agent: every part of it is to be checked.
 *
 * @param endings how launches ended, by id, as their launchers wrote it
 * @param notes what was done with repositories that they left, in sentences for people
 */
public record BlockEnd(Map<String, byte[]> endings, List<String> notes) implements Serializable {}
