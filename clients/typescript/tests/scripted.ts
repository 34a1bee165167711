/** A `fetch` that gives answers in the order of a script, and what unit tests need around it. */

import { type ClientOptions, LibraryClient } from "../src/index.js";

export interface Sent {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** An answer, a failure of the network, or a function that makes one of either when it is asked. */
export type Scripted = Response | Error | ((sent: Sent, init: RequestInit) => Response | Promise<Response>);

export const URL_OF_SERVICE = "http://service.test";

/** A token that is a JSON Web Token by its form. */
export function tokenOf(user: string, number = 1): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ sub: user, number })}.signature`;
}

export function answer(document: object, init: ResponseInit = {}): Response {
  return Response.json(document, init);
}

export function refusal(status: number, code: string, more: { meta?: object; headers?: Record<string, string> } = {}) {
  const errors = [{ code, title: code, detail: `detail of ${code}`, meta: more.meta ?? {} }];
  return Response.json({ errors, meta: { trace_id: "t" } }, { status, headers: more.headers ?? {} });
}

/** A client whose requests are answered by the script; its pauses are noted and not waited for. */
export function scripted(
  script: Scripted[],
  token: string | ((renew: boolean) => string | Promise<string>) = tokenOf("anna"),
  options: ClientOptions = {},
) {
  const sent: Sent[] = [];
  const pauses: number[] = [];
  const client = new LibraryClient(URL_OF_SERVICE, token, {
    random: () => 1,
    pause: async (seconds, signal) => {
      pauses.push(seconds);
      signal?.throwIfAborted();
    },
    fetch: async (url, init) => {
      const request: Sent = {
        url,
        method: init.method ?? "GET",
        headers: init.headers as Record<string, string>,
        body: init.body as string | undefined,
      };
      sent.push(request);
      const next = script.shift();
      if (next === undefined) throw new Error(`the script has no answer for ${request.method} ${url}`);
      if (next instanceof Error) throw next;
      return next instanceof Response ? next : next(request, init);
    },
    ...options,
  });
  return { client, sent, pauses, left: script };
}

export const ITEM = { type: "libraryItem", id: "i1", attributes: { title: "Starfall" }, relationships: {}, links: {} };

export function page(ids: string[], next: boolean): Response {
  const links = { self: "/", first: "/", last: "/", ...(next ? { next: "/next" } : {}) };
  return answer({ data: ids.map((id) => ({ ...ITEM, id })), meta: {}, links });
}
