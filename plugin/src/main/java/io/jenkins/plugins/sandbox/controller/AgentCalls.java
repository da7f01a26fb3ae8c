package io.jenkins.plugins.sandbox.controller;

import hudson.AbortException;
import hudson.model.Computer;
import hudson.remoting.ChannelClosedException;
import hudson.remoting.RequestAbortedException;
import io.jenkins.plugins.sandbox.model.SandboxException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Calls to an agent that may hang: the thread that runs a Pipeline's program must not hang with them. */
public final class AgentCalls {
    private static final Logger LOGGER = Logger.getLogger(AgentCalls.class.getName());

    private AgentCalls() {}

    /**
     * Does something in another thread, and waits a limited time.
     *
     * @param what what is done, for messages
     * @param node the display name of the node
     * @throws SandboxException when {@code call} does
     * @throws AbortException when {@code call} does, the time is over, the agent is gone, or anything else happens
     * @throws InterruptedIOException when this thread was interrupted
     */
    public static <T> T limited(String what, String node, int seconds, Callable<T> call) throws IOException {
        return start(what, node, call).get(seconds);
    }

    /**
     * As {@link #limited}, and something else can be done meanwhile.
     *
     * @param what what is done, for messages
     * @param node the display name of the node
     */
    static <T> Pending<T> start(String what, String node, Callable<T> call) {
        return new Pending<>(what, node, Computer.threadPoolForRemoting.submit(call));
    }

    /** A call that is on its way. */
    record Pending<T>(String what, String node, Future<T> future) {
        /** As {@link #limited}. The time begins now. */
        T get(int seconds) throws IOException {
            return await(what, node, seconds, future);
        }
    }

    private static <T> T await(String what, String node, int seconds, Future<T> future) throws IOException {
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
            if (cause instanceof SandboxException || cause instanceof AbortException) {
                throw (IOException) cause;
            }
            if (isGone(cause)) {
                throw abort(Messages.AgentCalls_Gone(what, node), cause);
            }
            LOGGER.log(Level.WARNING, what + " on " + node, cause);
            throw abort(Messages.AgentCalls_Failed(what, node, cause), cause);
        }
    }

    /** What is thrown depends on the transport, and on what it was doing just then. */
    private static boolean isGone(Throwable problem) {
        for (Throwable t = problem; t != null; t = t.getCause()) {
            if (t instanceof RequestAbortedException
                    || t instanceof ClosedChannelException
                    || t instanceof EOFException) {
                return true;
            }
        }
        return problem instanceof ChannelClosedException;
    }

    private static AbortException abort(String message, Throwable cause) {
        AbortException x = new AbortException(message);
        x.initCause(cause);
        return x;
    }
}
