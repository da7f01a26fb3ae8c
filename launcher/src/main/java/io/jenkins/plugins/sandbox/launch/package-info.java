/** How a plan gets to the native launcher and its report back, on the machine that launches. */
package io.jenkins.plugins.sandbox.launch;
