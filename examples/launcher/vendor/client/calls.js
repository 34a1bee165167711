/** What the generated groups of calls are made of. */
import { ForeignAnswer } from "./errors.js";
import { Pages } from "./pages.js";
export { Pages } from "./pages.js";
/** The base of the generated groups. */
export class Calls {
    sender;
    constructor(sender) {
        this.sender = sender;
    }
    async answer(call, options) {
        const answered = await this.sender.send(call, options);
        if (!answered.document)
            throw new ForeignAnswer(`${call.path}: there is no document`, answered.status);
        return Object.defineProperty(answered.document, "response", { value: factsOf(answered) });
    }
    async done(call, options) {
        return { response: factsOf(await this.sender.send(call, options)) };
    }
    pages(call, options) {
        const query = (call.query ?? {});
        return new Pages((place) => this.answer({ ...call, query: { ...query, ...place } }, options), query);
    }
}
function factsOf({ status, headers, isStored }) {
    return {
        status,
        headers,
        // A proxy that compresses makes it weak, and no change accepts a weak one.
        etag: headers.get("ETag")?.replace(/^W\//, ""),
        requestId: headers.get("X-Request-ID") ?? undefined,
        isReplayed: headers.get("Idempotency-Replayed") === "true",
        isStored,
    };
}
