/** What is asked for: profiles, and the policy of one launch. */
package io.jenkins.plugins.sandbox.policy;
