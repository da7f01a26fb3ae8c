package io.jenkins.plugins.sandbox.controller;

import hudson.AbortException;
import hudson.model.Computer;
import hudson.remoting.ChannelClosedException;
import hudson.remoting.RequestAbortedException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Calls to an agent that may hang: the thread that runs a Pipeline's program must not hang with them. */
final class AgentCalls {
    private AgentCalls() {}

    /**
     * Does something in another thread, and waits a limited time.
     *
     * @param what what is done, for messages
     * @param node the display name of the node
     * @throws AbortException when the time is over, or the agent is gone
     * @throws IOException what {@code call} throws
     */
    static <T> T limited(String what, String node, int seconds, Callable<T> call) throws IOException {
        Future<T> future = Computer.threadPoolForRemoting.submit(call);
        try {
            return future.get(seconds, TimeUnit.SECONDS);
        } catch (TimeoutException x) {
            future.cancel(true);
            throw abort(Messages.AgentCalls_TimedOut(what, node, seconds), x);
        } catch (InterruptedException x) {
            future.cancel(true);
            throw (IOException) new InterruptedIOException(what).initCause(x);
        } catch (ExecutionException x) {
            Throwable cause = x.getCause();
            if (cause instanceof ChannelClosedException || cause instanceof RequestAbortedException) {
                throw abort(Messages.AgentCalls_Gone(what, node), cause);
            }
            if (cause instanceof IOException known) {
                throw known;
            }
            throw new IOException(Messages.AgentCalls_Failed(what, node), cause);
        }
    }

    private static AbortException abort(String message, Throwable cause) {
        AbortException x = new AbortException(message);
        x.initCause(cause);
        return x;
    }
}
