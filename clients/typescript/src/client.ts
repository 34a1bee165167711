/** The client: one object per user, with a group of calls for each domain. */

import type { Answer, CallOptions } from "./calls.js";
import {
  AchievementsCalls,
  EventsCalls,
  FamilyCalls,
  HomeCalls,
  type HomeQuery,
  LibraryCalls,
  PlaytimeCalls,
  WishlistCalls,
} from "./generated/calls.js";
import type { HomeDocument } from "./generated/schemas.js";
import { given } from "./given.js";
import { type EtagStore, MemoryEtagStore } from "./http/etags.js";
import type { RetryPolicy } from "./http/retries.js";
import { Returns } from "./http/returns.js";
import { type TokenProvider, TokenSource, userOf } from "./http/tokens.js";
import { type Fetch, Transport } from "./http/transport.js";
import { newId } from "./ids.js";
import { baseUrlOf } from "./inputs.js";
import type { SocketConstructor } from "./live/connection.js";
import { type LiveOptions, LiveUpdates } from "./live/updates.js";
import { OfflineQueue } from "./offline/queue.js";
import { MemoryQueueStore, type QueueStore } from "./offline/stores.js";
import { type Pause, pause } from "./pause.js";
import type { PlayOptions } from "./play/notices.js";
import { PlaySession } from "./play/session.js";
import { Requests } from "./requests.js";
import { Saves } from "./saves/saves.js";
import { SaveStore } from "./saves/store.js";
import { Settings } from "./settings/settings.js";

export interface ClientOptions {
  /** Id of this device: play sessions, saves and settings differ by it. */
  deviceId?: string;
  /**
   * Id of the player, the `sub` of the token; read from the token if it is left out. A program that several players use
   * gives it: without a network there may be no token yet, and what is played then has to be sent as this player's.
   */
  userId?: string;
  /** Language of titles and errors, such as `en`. The service answers in Russian if it is left out. */
  language?: string;
  /**
   * Id of this client, 1 to 64 printable ASCII characters. Messages about its own changes have it as `origin`. A random
   * one is made if it is left out.
   */
  clientId?: string;
  /** Name and version of the program, for the service's logs. */
  clientVersion?: string;
  /** Where answers with an `ETag` are kept. `false`: nowhere. */
  etags?: EtagStore | false;
  /** Where the offline queue is kept; in memory, and so until the program ends, if it is left out. */
  queue?: QueueStore;
  retries?: Partial<RetryPolicy>;
  /** For how long one try of a call may take. */
  timeoutSeconds?: number;
  /** Used in place of the global `fetch`, such as the one of Tauri's HTTP plugin. */
  fetch?: Fetch;
  /** Used in place of the global `WebSocket`, which Node has from version 22 on, such as that of the package `ws`. */
  webSocket?: SocketConstructor;
  /** Waits between tries; a test passes one that does not. */
  pause?: Pause;
  /** A number from 0 to 1, for the jitter of pauses. */
  random?: () => number;
}

export class LibraryClient {
  /** The id that messages about this client's own changes have as `origin`. */
  readonly clientId: string;
  readonly library: LibraryCalls;
  readonly playtime: PlaytimeCalls;
  readonly achievements: AchievementsCalls;
  readonly wishlist: WishlistCalls;
  readonly saves: Saves;
  readonly settings: Settings;
  readonly family: FamilyCalls;
  readonly events: EventsCalls;
  /** What was played and unlocked without the service. */
  readonly offline: OfflineQueue;
  readonly #home: HomeCalls;
  readonly #deviceId: string | null;
  readonly #live: (options: LiveOptions) => LiveUpdates;

  /**
   * @param address Address of the API, such as `http://localhost:8084/api/v1/library`; in a page also `/api/v1/library`.
   * @param token The user's token, or a function that gives it, and a new one when the service has refused the last.
   * @throws TypeError for an address that is not one of HTTP, and for a token or an option that can't be sent.
   */
  constructor(address: string, token: string | TokenProvider, options: ClientOptions = {}) {
    this.clientId = options.clientId ?? newId();
    const baseUrl = baseUrlOf(address);
    const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
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
          if (options.userId !== undefined) return { user: options.userId, options: {} };
          const user = userOf(await tokens.current());
          return { user, options: { user } };
        },
      },
    });
    this.#deviceId = options.deviceId ?? null;
    this.#live = (liveOptions) => {
      const socket = options.webSocket ?? globalThis.WebSocket;
      if (!socket) throw new TypeError("there is no global WebSocket: pass one as the option webSocket");
      const url = `${baseUrl.replace(/^http/, "ws")}/api/v1/ws/library-updates`;
      return new LiveUpdates({ ...common, url, socket }, liveOptions);
    };
  }

  /** The first screen of a launcher in one request, for this device if it has an id. */
  home(query: HomeQuery = {}, options: CallOptions = {}): Promise<Answer<HomeDocument>> {
    return this.#home.home({ device_id: this.#deviceId ?? undefined, ...given(query) }, options);
  }

  /** The messages about changes, as they are made. Nothing is connected before the result is iterated. */
  live(options: LiveOptions = {}): LiveUpdates {
    return this.#live(options);
  }

  /**
   * Starts to play, also if the service can't be reached. `await using` ends the session, whatever happens.
   *
   * Rejects if the service refuses it: the player does not own the game, or somebody else plays the shared copy.
   */
  play(productId: string, options: PlayOptions = {}): Promise<PlaySession> {
    const parts = { playtime: this.playtime, queue: this.offline, deviceId: this.#deviceId };
    return PlaySession.start(parts, productId, options);
  }
}
