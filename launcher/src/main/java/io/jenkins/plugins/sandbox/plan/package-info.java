/** From a policy to the words that the native launcher understands. */
package io.jenkins.plugins.sandbox.plan;
