/** One connection, from its handshake to its end. */
import { readMessage } from "./messages.js";
import { isSilent } from "./reconnects.js";
const PING = JSON.stringify({ type: "ping" });
const now = () => ({ wallMs: Date.now(), steadyMs: performance.now() });
/** Connects, and returns when the connection has ended, for whatever reason. */
export function connect(options) {
    return new Promise((resolve) => {
        const began = performance.now();
        let [isAccepted, isOver, last] = [false, false, now()];
        const socket = new options.socket(options.url, ["bearer", options.token]);
        const end = (ended) => {
            if (isOver)
                return;
            isOver = true;
            clearInterval(timer);
            clearTimeout(accepting);
            options.signal.removeEventListener("abort", aborted);
            // Not awaited: over a dead network the answer to a close frame never comes.
            if (ended === "silent" || ended === "full")
                socket.close(1000);
            resolve({ ended, isAccepted, seconds: (performance.now() - began) / 1000 });
        };
        const aborted = () => {
            socket.close(1000);
            end({ code: 1000 });
        };
        // At its own rhythm, whatever arrives: a stream of messages must not keep pings from being sent.
        const timer = setInterval(() => {
            if (isSilent(last, now(), options.silenceSeconds))
                return end("silent");
            if (isAccepted)
                socket.send(PING);
        }, options.pingSeconds * 1000);
        // A service that stops may take a connection that it never answers.
        const accepting = setTimeout(() => end("silent"), options.connectSeconds * 1000);
        options.signal.addEventListener("abort", aborted, { once: true });
        socket.addEventListener("message", ({ data }) => {
            if (isOver)
                return;
            last = now();
            const message = readMessage(data);
            if (!message)
                return;
            if (message.event_type === "auth.success") {
                isAccepted = true;
                clearTimeout(accepting);
            }
            if (!options.receive(message))
                end("full");
        });
        socket.addEventListener("close", ({ code }) => end({ code }));
        // A close follows; without a listener some implementations throw.
        socket.addEventListener("error", () => { });
        if (options.signal.aborted)
            aborted();
    });
}
