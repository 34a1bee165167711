/** The part of a game that is played in one state of the network. */

interface Played {
  /** Who was signed in when it began: what is noted of it is theirs. Undefined if that is not known yet. */
  user: string | undefined;
}

export type Stretch =
  /** The service knows the session. What no heartbeat's answer has confirmed is noted in the queue as it grows. */
  | (Played & {
      readonly kind: "online";
      readonly sessionId: string;
      readonly endKey: string;
      unackedFrom: number;
      unackedMs: number;
      /** Grows with each sleep of the machine: what was noted before it may have been sent meanwhile. */
      part: number;
      /** Whether something of it is in the queue. */
      isNoted: boolean;
    })
  /** The service knows nothing of it: it is noted in the queue. */
  | (Played & { readonly kind: "offline"; readonly clientSessionId: string; startedAt: number; lengthMs: number })
  | { readonly kind: "over" };

export type Online = Extract<Stretch, { kind: "online" }>;
