/** Reads an answer: is it the service's, and which one of its kinds? Plain values, no I/O. */
import { ForeignAnswer, LibraryRefusal } from "../errors.js";
import { retryAfterSeconds } from "./retries.js";
/** The document of a success; undefined for 204. Throws what the service has refused, or that it was not the service. */
export function documentOf(received, nowMs, mayBeApplied = false) {
    const { status } = received;
    if (status === 204)
        return undefined;
    const document = json(received);
    if (status >= 200 && status < 300 && isObject(document) && "data" in document)
        return document;
    if (status >= 400 && isObject(document) && isProblems(document["errors"])) {
        throw new LibraryRefusal(status, document["errors"], {
            headers: received.headers,
            retryAfterSeconds: retryAfterSeconds(received.headers, nowMs),
            mayBeApplied,
        });
    }
    throw new ForeignAnswer(`the answer is not the service's (${described(received)})`, status);
}
function json(received) {
    try {
        return JSON.parse(received.text);
    }
    catch {
        return undefined;
    }
}
function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
function isProblems(value) {
    const [first] = Array.isArray(value) ? value : [];
    return isObject(first) && typeof first["code"] === "string" && typeof first["detail"] === "string";
}
/** Status, type and the first words: enough to recognise the page of a hotspot in a log. */
function described({ status, headers, text }) {
    const words = text.slice(0, 80).replace(/\s+/g, " ").trim();
    return `${status}, ${headers.get("Content-Type") ?? "no type"}, ${JSON.stringify(words)}`;
}
