/** The clock of the machine while a game is played: what has passed, and what the service's clock is ahead. */
import { CLOCK_SLACK_MS } from "../offline/entries.js";
/** A clock that goes back by less than this against the steady one is only slowed down, as NTP does it. */
const JITTER_MS = 1_000;
export class PlayClock {
    #now;
    #steady;
    #last;
    #serverAheadMs;
    constructor({ now = Date.now, steady = () => performance.now() }) {
        this.#now = now;
        this.#steady = steady;
        this.#last = this.#read();
    }
    /** The present. A clock that was set back since the last turn shows it only from the next one on. */
    get nowMs() {
        const { nowMs, setBackMs } = this.turn();
        return nowMs + setBackMs;
    }
    /** What the service's clock is ahead of this machine's; undefined if it is not known. */
    get serverAheadMs() {
        return this.#serverAheadMs;
    }
    /** A time of this machine's clock as the service's has shown it, as far as that is known. */
    atService(ms) {
        const aheadMs = this.#serverAheadMs ?? 0;
        return Math.abs(aheadMs) > CLOCK_SLACK_MS ? ms + aheadMs : ms;
    }
    /** Compares the clocks by a time of the service that is the present one; none changes nothing. */
    compare(serverTime) {
        const ms = Date.parse(serverTime ?? "");
        if (!Number.isNaN(ms))
            this.#serverAheadMs = ms - this.nowMs;
    }
    /** What a turn that is taken now is. It is repeated, with what has passed until then, unless it is accepted. */
    turn() {
        const read = this.#read();
        const gapMs = read.nowMs - this.#last.nowMs;
        const setBackMs = read.steadyMs - this.#last.steadyMs - gapMs;
        // The other way round the machine has slept, or its clock was set forward: nobody can say which.
        if (setBackMs <= JITTER_MS)
            return { ...read, gapMs: Math.max(0, gapMs), setBackMs: 0 };
        return { ...read, gapMs: gapMs + setBackMs, setBackMs };
    }
    /** All of a turn is noted. */
    accept({ nowMs, steadyMs, setBackMs }) {
        this.#last = { nowMs, steadyMs };
        if (this.#serverAheadMs !== undefined)
            this.#serverAheadMs += setBackMs;
    }
    #read() {
        return { nowMs: this.#now(), steadyMs: this.#steady() };
    }
}
