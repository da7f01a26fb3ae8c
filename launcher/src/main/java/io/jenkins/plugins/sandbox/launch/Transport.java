package io.jenkins.plugins.sandbox.launch;

import io.jenkins.plugins.sandbox.model.SandboxException;

/**
 * A way to hand the launcher over, and what each launch needs beside it. Shared by all launches of a JVM.
 */
interface Transport {
    /**
     * @return the name for people: {@code memfd} or {@code file}
     */
    String name();

    /**
     * Opens the report, the gate and room for the plan of one launch.
     *
     * @param id names the launch
     * @return open until it is closed
     * @throws SandboxException when something cannot be made
     */
    Wire open(String id) throws SandboxException;

    /**
     * The things of one launch. Every method may be called from any thread, and none but {@link #await} blocks for longer than a
     * system call.
     */
    interface Wire extends AutoCloseable {
        /**
         * @return where the launcher itself can be executed
         */
        String launcher();

        /**
         * @return where the launcher appends its report
         */
        String report();

        /**
         * @return where the launcher waits for leave
         */
        String gate();

        /**
         * Keeps content for the launcher that nobody can change any more.
         *
         * @param name what it is, {@code [a-z]}
         * @param content what it says
         * @return where the launcher can read it
         * @throws SandboxException when there is no room for it
         */
        String put(String name, byte[] content) throws SandboxException;

        /**
         * Reads on in the report.
         *
         * @param max most bytes to read, at least 1
         * @return what is there now, empty when that is nothing; {@code null} when nothing will ever come
         * @throws SandboxException when it cannot be read
         */
        byte[] read(int max) throws SandboxException;

        /**
         * Waits until there may be more to {@link #read}.
         *
         * @param max the longest time to wait, in milliseconds
         * @throws InterruptedException when this thread was interrupted
         */
        void await(int max) throws InterruptedException;

        /**
         * Says that the launcher has opened everything: from now on the end of the report can be seen, where the transport
         * can see it.
         */
        void reportBegun();

        /**
         * Writes the byte that the launcher waits for.
         *
         * @param word {@code o} opens, anything else aborts
         * @throws SandboxException when nobody can read it any more
         */
        void gate(char word) throws SandboxException;

        /** Closes and removes everything. More than one call does no more. */
        @Override
        void close();
    }
}
