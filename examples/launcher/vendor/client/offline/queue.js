/** The offline queue: what was played and unlocked without the service, sent when it can be reached. */
import { ForeignAnswer, LibraryError, LibraryRefusal } from "../errors.js";
import { given } from "../given.js";
import { newId } from "../ids.js";
import { batchesOf, halvesOf, isHeld, movedOf, restOf, } from "./entries.js";
import { Failures } from "./failures.js";
/** A session that the service still takes for running is not ended by a report that is older than this. */
const FRESH_MS = 5_000;
export class OfflineQueue {
    #store;
    #playtime;
    #achievements;
    #owner;
    #now;
    #flushing;
    /** Of the requests of the run: another player may sign in while it waits for an answer. */
    #options = {};
    #next;
    constructor({ store, playtime, achievements, owner, now = Date.now }) {
        this.#store = store;
        this.#playtime = playtime;
        this.#achievements = achievements;
        this.#owner = owner;
        this.#now = now;
    }
    /** The player who is signed in; undefined if that is not known yet. */
    get user() {
        return this.#owner.known();
    }
    /** Everything of this player that is kept: what waits, and with a `code` what the service has refused. */
    async entries() {
        const { user } = this;
        return (await this.#store.load()).filter((entry) => isOf(entry, user));
    }
    /** Lets refused entries be sent again, such as after the player has access again. */
    async retry(...ids) {
        for (const { code, ...entry } of await this.entries()) {
            if (code !== undefined && ids.includes(entry.id))
                await this.#store.put(entry);
        }
    }
    /** Removes entries, such as refused ones. */
    discard(...ids) {
        return this.#store.remove(ids);
    }
    /**
     * Keeps a session. `heldUntil`: it still grows, and is sent if it was not noted again until then. `user`: who has
     * played it, by default the player who is signed in.
     */
    addSession(session, heldUntil = 0, user) {
        const id = `session-${session.device_id ?? ""}-${session.client_session_id}`;
        return this.#put({ kind: "session", id, session, heldUntil, user });
    }
    /** Keeps an unlock, or progress. The id and the time are made here if they are left out. */
    async addAchievement(achievement) {
        const whole = { client_id: newId(), happened_at: new Date(this.#now()).toISOString(), ...given(achievement) };
        await this.#put({ kind: "achievement", id: `achievement-${whole.client_id}`, achievement: whole });
    }
    /** Keeps the end of a session that the service knows, or a part of what it may have missed. */
    addEnd(entry) {
        return this.#put({ ...entry, kind: "end", id: `end-${entry.sessionId}${entry.part ? `-${entry.part}` : ""}` });
    }
    /** Removes the ends of a session, all of its parts: the service has counted it. */
    async removeEnds(sessionId) {
        const ends = (await this.#store.load()).filter((entry) => entry.kind === "end" && entry.sessionId === sessionId);
        await this.#store.remove(ends.map((entry) => entry.id));
    }
    /**
     * Sends what waits. Calls during a run share the one after it, since the first may have passed what they mean. Each
     * result is in the report of one run.
     */
    flush() {
        if (this.#next)
            return this.#next;
        if (!this.#flushing)
            return this.#run();
        const begin = () => {
            this.#next = undefined;
            return this.#run();
        };
        this.#next = this.#flushing.then(begin, begin);
        return this.#next;
    }
    #run() {
        this.#flushing = this.#flush().finally(() => {
            this.#flushing = undefined;
        });
        return this.#flushing;
    }
    #put(entry) {
        const user = entry.user ?? this.user;
        return this.#store.put(user === undefined ? entry : { ...entry, user });
    }
    async #flush() {
        const results = [];
        const failures = new Failures();
        try {
            const entries = await this.#waiting();
            const of = (kind) => entries.filter((entry) => entry.kind === kind);
            const isDue = (entry) => !isHeld(entry, this.#now());
            const ended = await this.#ends(of("end").filter(isDue), results, failures);
            const sessions = [...of("session").filter(isDue), ...ended];
            sessions.sort((one, other) => Date.parse(one.session.start_time) - Date.parse(other.session.start_time));
            for (const batch of batchesOf(sessions)) {
                await failures.after(async () => results.push(...(await this.#sessions(batch))));
            }
            const achievements = of("achievement").sort((one, other) => Date.parse(one.achievement.happened_at) - Date.parse(other.achievement.happened_at));
            for (const batch of batchesOf(achievements)) {
                await failures.after(async () => results.push(...(await this.#unlocks(batch))));
            }
        }
        catch (error) {
            if (!(error instanceof LibraryError))
                throw error;
            return { results, error };
        }
        return { results, error: failures.first };
    }
    /** What was not refused. What another player has played in this program waits for that player's token. */
    async #waiting() {
        const waiting = (await this.#store.load()).filter((entry) => entry.code === undefined);
        if (waiting.length === 0)
            return [];
        const { user, options } = await this.#owner.asked();
        this.#options = options;
        return waiting.filter((entry) => isOf(entry, user));
    }
    /** Ends that the service has missed become sessions of the rest; the others are done. */
    async #ends(entries, results, failures) {
        const rests = [];
        for (const entry of entries) {
            await failures.after(async () => {
                try {
                    const rest = await this.#settled(entry, results);
                    if (rest)
                        rests.push(rest);
                }
                catch (error) {
                    if (!(error instanceof LibraryRefusal) || error.isTemporary)
                        throw error;
                    results.push(await this.#finished(entry, "rejected", error.code));
                }
            });
        }
        return rests;
    }
    /** Settles an end. What it leaves to be sent stands in its place. */
    async #settled(entry, results) {
        const ended = await this.#ended(entry);
        if (ended === "runs")
            return undefined;
        const rest = ended === "counted" ? undefined : restOf(entry, ended.at);
        if (rest)
            await this.#store.put(rest);
        else
            results.push(await this.#finished(entry, "accepted", null));
        return rest;
    }
    /** What the service knows of an end: all of it is counted, it ended at its last heartbeat, or it still runs. */
    async #ended(entry) {
        const { end_time, end_reason } = (await this.#playtime.getSession(entry.sessionId, this.#options)).data.attributes;
        if (end_time)
            return end_reason === "timeout" ? { at: end_time } : "counted";
        // Ended now, it would count the time since then as well: it waits for its time-out. So does one whose game has
        // crashed, or is still played by another process.
        const agoMs = this.#now() - entry.endedAt; // below zero: the clock has been set back since then
        if (entry.heldUntil || agoMs < 0 || agoMs > FRESH_MS)
            return "runs";
        const options = { ...this.#options, idempotencyKey: entry.idempotencyKey };
        const { data } = await this.#playtime.endSession(entry.sessionId, options);
        // It may have timed out since it was asked for.
        const { end_time: endTime, end_reason: endReason } = data.attributes;
        return endReason === "timeout" && endTime ? { at: endTime } : "counted";
    }
    async #sessions(batch) {
        return this.#imported(batch, async (part) => {
            const { outcomes, serverMs } = await this.#import(part);
            const badTimes = [...outcomes.keys()].filter((index) => outcomes[index]?.code === "VALIDATION_ERROR");
            const moved = movedOf(part, new Set(badTimes), this.#now(), serverMs);
            if (moved.size === 0)
                return outcomes;
            // Kept first: a crash after this import repeats the same one.
            for (const entry of moved.values())
                await this.#store.put(entry);
            const later = (await this.#import([...moved.values()])).outcomes;
            for (const [place, index] of [...moved.keys()].entries())
                outcomes[index] = later[place] ?? outcomes[index];
            return outcomes;
        });
    }
    async #import(part) {
        const sessions = part.map((entry) => entry.session);
        const { data, response } = await this.#playtime.importSessions({ sessions }, this.#options);
        const outcomes = data.map((one) => one.attributes);
        return { outcomes, serverMs: Date.parse(response.headers.get("Date") ?? "") };
    }
    async #unlocks(batch) {
        return this.#imported(batch, async (part) => {
            const achievements = part.map((entry) => entry.achievement);
            const { data } = await this.#achievements.importAchievements({ achievements }, this.#options);
            return data.map((one) => one.attributes);
        });
    }
    /** Imports a batch. One that is refused as a whole is halved until the element is found for which it is. */
    async #imported(batch, send) {
        let outcomes;
        try {
            outcomes = await send(batch);
        }
        catch (error) {
            if (!(error instanceof LibraryRefusal) || error.isTemporary)
                throw error;
            const [entry] = batch;
            if (batch.length === 1 && entry)
                return [await this.#finished(entry, "rejected", error.code)];
            const [first, second] = halvesOf(batch);
            return [...(await this.#imported(first, send)), ...(await this.#imported(second, send))];
        }
        if (outcomes.length !== batch.length)
            throw new ForeignAnswer("an import has not answered each element", 200);
        const results = batch.map((entry, index) => {
            const outcome = outcomes[index];
            return resultOf(entry, outcome?.result ?? "rejected", (outcome?.code ?? null));
        });
        await this.#finish(results);
        return results;
    }
    async #finished(entry, result, code) {
        const finished = resultOf(entry, result, code);
        await this.#finish([finished]);
        return finished;
    }
    /** Removes what is done, which also makes room; what was refused stays, with the reason. */
    async #finish(results) {
        await this.#store.remove(results.filter((one) => one.result !== "rejected").map((one) => one.entry.id));
        for (const { entry, result } of results)
            if (result === "rejected")
                await this.#store.put(entry);
    }
}
/** Whether an entry is this player's. One that names nobody is sent by the first token that there is. */
function isOf(entry, user) {
    return entry.user === undefined || entry.user === user;
}
function resultOf(entry, result, reason) {
    if (result !== "rejected")
        return { entry, result, code: null };
    const code = reason ?? "UNKNOWN";
    return { entry: { ...entry, code }, result, code };
}
