/** The command line: a thin client of the library. */
package io.jenkins.plugins.sandbox.cli;
