package io.jenkins.plugins.sandbox.bench;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URL;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** A way to a controller on which everything takes some milliseconds in each direction, as if it were far away. */
final class SlowLink implements Closeable {
    private final URL controller;
    private final long delayMillis;
    private final ServerSocket server;
    private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(1);
    private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();

    /** @param delayMillis in each direction: a round trip takes twice that */
    SlowLink(URL controller, long delayMillis) throws IOException {
        this.controller = controller;
        this.delayMillis = delayMillis;
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        inBackground(() -> {
            while (true) {
                Socket near = server.accept();
                Socket far = new Socket(controller.getHost(), controller.getPort());
                sockets.add(near);
                sockets.add(far);
                inBackground(() -> pump(near, far));
                inBackground(() -> pump(far, near));
            }
        });
    }

    URL url() throws IOException {
        return new URL(
                controller.getProtocol(),
                server.getInetAddress().getHostAddress(),
                server.getLocalPort(),
                controller.getFile());
    }

    /** One thread reads and one clock writes: what is under way does not hold up what follows. */
    private void pump(Socket from, Socket to) throws IOException {
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        byte[] buffer = new byte[65536];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            byte[] chunk = java.util.Arrays.copyOf(buffer, n);
            clock.schedule(
                    () -> {
                        out.write(chunk);
                        out.flush();
                        return null;
                    },
                    delayMillis,
                    TimeUnit.MILLISECONDS);
        }
        clock.schedule(
                () -> {
                    to.close();
                    return null;
                },
                delayMillis,
                TimeUnit.MILLISECONDS);
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void inBackground(Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException closed) {
                        // The end of the benchmark, or of a connection.
                    }
                },
                "slow link");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        server.close();
        clock.shutdownNow();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
