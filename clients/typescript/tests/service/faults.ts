/** A proxy before the service, or the object store, that does to a connection what networks do to it. */

import http from "node:http";
import net from "node:net";

export interface Seen {
  method: string;
  path: string;
  headers: http.IncomingHttpHeaders;
}

interface Upstream {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** What happens to one request. `forward` passes it on, and returns the answer without sending it. */
export type Fault = (client: http.ServerResponse, forward: Forward) => Promise<void>;
type Forward = (changed?: http.OutgoingHttpHeaders) => Promise<Upstream>;

/** The connection breaks before the service has the request. */
export const cutBefore: Fault = async (client) => {
  client.socket?.destroy();
};

/** The connection breaks while the service is still at work. */
export const cutEarly: Fault = async (client, forward) => {
  forward().catch(() => {});
  client.socket?.destroy();
};

/** The request has another token than that of the client: the service sees one that has expired meanwhile. */
export function withToken(token: string): Fault {
  return async (client, forward) => {
    const { status, headers, body } = await forward({ authorization: `Bearer ${token}` });
    client.writeHead(status, headers).end(body);
  };
}

/** The service has answered, and the connection breaks before a byte of that arrives. */
export const loseAnswer: Fault = async (client, forward) => {
  await forward();
  client.socket?.destroy();
};

/** The service has answered, and the connection breaks in the middle of the body. */
export const cutInBody: Fault = async (client, forward) => {
  const { status, headers, body } = await forward();
  client.writeHead(status, { ...headers, "content-length": body.length });
  client.write(body.subarray(0, body.length / 2), () => client.socket?.destroy());
};

/** The service has answered, and a proxy says something else in its place. */
export function answerAfter(status: number, headers: Record<string, string> = {}, body = "<html>Bad gateway"): Fault {
  return async (client, forward) => {
    await forward();
    client.writeHead(status, { "content-type": "text/html", ...headers }).end(body);
  };
}

/** A proxy answers, and the service has nothing of it. */
export function answerBefore(status: number, headers: Record<string, string> = {}, body = "<html>Sign in"): Fault {
  return async (client) => {
    client.writeHead(status, { "content-type": "text/html", ...headers }).end(body);
  };
}

export class FaultProxy implements AsyncDisposable {
  /** All requests, also those that nothing happened to. */
  readonly seen: Seen[] = [];
  /** How long the network takes for each piece of a request, some 64 KB. */
  pauseMs = 0;
  /** How often clients have sent something over their WebSockets. */
  received = 0;
  /** A token that WebSockets are opened with, and the one that the service sees in its place. */
  replaced: readonly [string, string] | undefined;
  readonly #upstream: URL;
  readonly #server: http.Server;
  readonly #faults: { fault: Fault; matches: RegExp }[] = [];
  readonly #sockets = new Set<net.Socket>();
  #isDown = false;

  private constructor(upstream: string) {
    this.#upstream = new URL(upstream);
    this.#server = http.createServer((request, response) => void this.#handle(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#tunnel(request, socket as net.Socket, head));
    this.#server.on("connection", (socket) => {
      if (this.#isDown) socket.destroy();
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
    });
  }

  static async before(upstream: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  /** The next requests whose line (`POST /path`) matches have these faults, one each. */
  next(matches: RegExp, ...faults: Fault[]): void {
    this.#faults.push(...faults.map((fault) => ({ fault, matches })));
  }

  /** Ends every connection. With `stays` no other is taken until `restore`. */
  cut({ stays = false } = {}): void {
    this.#isDown = stays;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.#isDown = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const line = `${request.method} ${request.url}`;
    this.seen.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers });
    const index = this.#faults.findIndex(({ matches }) => matches.test(line));
    const [planned] = index < 0 ? [] : this.#faults.splice(index, 1);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) {
        chunks.push(chunk as Buffer);
        if (this.pauseMs) await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
      }
      const forward: Forward = (changed) => this.#forward(request, Buffer.concat(chunks), changed);
      if (planned) return await planned.fault(response, forward);
      const { status, headers, body } = await forward();
      response.writeHead(status, headers).end(body);
    } catch {
      response.socket?.destroy(); // the service is down, and so the proxy looks to its client
    }
  }

  #forward(request: http.IncomingMessage, body: Buffer, changed: http.OutgoingHttpHeaders = {}): Promise<Upstream> {
    return new Promise((resolve, reject) => {
      const { host, hostname, port } = this.#upstream;
      const headers = { ...request.headers, ...changed, host }; // signed for the object store
      const options = { hostname, port, path: request.url, method: request.method, headers, agent: false };
      const forwarded = http.request(options, async (answer) => {
        const chunks: Buffer[] = [];
        try {
          for await (const chunk of answer) chunks.push(chunk as Buffer);
        } catch (error) {
          return reject(error);
        }
        const { "transfer-encoding": _, connection: __, ...others } = answer.headers;
        resolve({ status: answer.statusCode ?? 0, headers: others, body: Buffer.concat(chunks) });
      });
      forwarded.on("error", reject).end(body);
    });
  }

  /** A WebSocket: its bytes are passed on both ways. */
  #tunnel(request: http.IncomingMessage, client: net.Socket, head: Buffer): void {
    this.seen.push({ method: "WS", path: request.url ?? "", headers: request.headers });
    const upstream = net.connect(Number(this.#upstream.port), this.#upstream.hostname, () => {
      const lines = [`GET ${request.url} HTTP/1.1`];
      for (let index = 0; index < request.rawHeaders.length; index += 2) {
        const line = `${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`;
        lines.push(this.replaced ? line.replace(...this.replaced) : line);
      }
      upstream.write(`${lines.join("\r\n")}\r\n\r\n`);
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
      client.on("data", () => {
        this.received += 1;
      });
    });
    upstream.on("error", () => client.destroy());
    upstream.on("close", () => client.destroy());
    client.on("close", () => upstream.destroy());
    client.on("error", () => upstream.destroy());
  }
}
