/** The vocabulary: primitives, what became of them, levels, and the report that says so. */
package io.jenkins.plugins.sandbox.model;
