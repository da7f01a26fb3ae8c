/** Starts processes in a sandbox: the library's own entry point. */
package io.jenkins.plugins.sandbox;
