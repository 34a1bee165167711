/** The client: one object per user, with a group of calls for each domain. */
import { AchievementsCalls, EventsCalls, FamilyCalls, HomeCalls, LibraryCalls, PlaytimeCalls, WishlistCalls, } from "./generated/calls.js";
import { given } from "./given.js";
import { MemoryEtagStore } from "./http/etags.js";
import { Returns } from "./http/returns.js";
import { TokenSource, userOf } from "./http/tokens.js";
import { Transport } from "./http/transport.js";
import { newId } from "./ids.js";
import { baseUrlOf } from "./inputs.js";
import { LiveUpdates } from "./live/updates.js";
import { OfflineQueue } from "./offline/queue.js";
import { MemoryQueueStore } from "./offline/stores.js";
import { pause } from "./pause.js";
import { PlaySession } from "./play/session.js";
import { Requests } from "./requests.js";
import { Saves } from "./saves/saves.js";
import { SaveStore } from "./saves/store.js";
import { Settings } from "./settings/settings.js";
export class LibraryClient {
    /** The id that messages about this client's own changes have as `origin`. */
    clientId;
    library;
    playtime;
    achievements;
    wishlist;
    saves;
    settings;
    family;
    events;
    /** What was played and unlocked without the service. */
    offline;
    #home;
    #deviceId;
    #live;
    /**
     * @param address Address of the API, such as `http://localhost:8084/api/v1/library`; in a page also `/api/v1/library`.
     * @param token The user's token, or a function that gives it, and a new one when the service has refused the last.
     * @throws TypeError for an address that is not one of HTTP, and for a token or an option that can't be sent.
     */
    constructor(address, token, options = {}) {
        this.clientId = options.clientId ?? newId();
        const baseUrl = baseUrlOf(address);
        const fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
        const retries = options.retries ?? {};
        const waits = { pause: options.pause ?? pause, random: options.random ?? Math.random };
        const tokens = new TokenSource(token);
        const common = { ...waits, tokens, returns: new Returns() };
        const transport = new Transport({
            ...common,
            fetch,
            etags: options.etags === false ? undefined : (options.etags ?? new MemoryEtagStore()),
            now: Date.now,
        });
        const sender = new Requests(transport, {
            baseUrl,
            language: options.language,
            clientId: this.clientId,
            clientVersion: options.clientVersion,
            timeoutSeconds: options.timeoutSeconds ?? 30,
            retries,
        });
        this.#home = new HomeCalls(sender);
        this.library = new LibraryCalls(sender);
        this.playtime = new PlaytimeCalls(sender);
        this.achievements = new AchievementsCalls(sender);
        this.wishlist = new WishlistCalls(sender);
        this.saves = new Saves(sender, {
            store: new SaveStore({ ...waits, fetch, retries }),
            pause: waits.pause,
            deviceId: options.deviceId ?? null,
        });
        this.settings = new Settings(sender);
        this.family = new FamilyCalls(sender);
        this.events = new EventsCalls(sender);
        this.offline = new OfflineQueue({
            store: options.queue ?? new MemoryQueueStore(),
            playtime: this.playtime,
            achievements: this.achievements,
            owner: {
                known: () => options.userId ?? tokens.user,
                asked: async () => {
                    if (options.userId !== undefined)
                        return { user: options.userId, options: {} };
                    const user = userOf(await tokens.current());
                    return { user, options: { user } };
                },
            },
        });
        this.#deviceId = options.deviceId ?? null;
        this.#live = (liveOptions) => {
            const socket = options.webSocket ?? globalThis.WebSocket;
            if (!socket)
                throw new TypeError("there is no global WebSocket: pass one as the option webSocket");
            const url = `${baseUrl.replace(/^http/, "ws")}/api/v1/ws/library-updates`;
            return new LiveUpdates({ ...common, url, socket }, liveOptions);
        };
    }
    /** The first screen of a launcher in one request, for this device if it has an id. */
    home(query = {}, options = {}) {
        return this.#home.home({ device_id: this.#deviceId ?? undefined, ...given(query) }, options);
    }
    /** The messages about changes, as they are made. Nothing is connected before the result is iterated. */
    live(options = {}) {
        return this.#live(options);
    }
    /**
     * Starts to play, also if the service can't be reached. `await using` ends the session, whatever happens.
     *
     * Rejects if the service refuses it: the player does not own the game, or somebody else plays the shared copy.
     */
    play(productId, options = {}) {
        const parts = { playtime: this.playtime, queue: this.offline, deviceId: this.#deviceId };
        return PlaySession.start(parts, productId, options);
    }
}
