// A server that behaves as its paths say, and notes what it saw.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

export interface Seen {
  readonly path: string;
  readonly at: number;
  readonly headers: IncomingMessage["headers"];
}

type Behaviour = (request: IncomingMessage, response: ServerResponse, server: TestServer) => void;

// The first part of the path says what happens; "/ok/7" and "/ok/8" are different URLs that behave alike.
const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  ok: (request, response) => response.end(`body of ${request.url}`),
  status: (request, response) => {
    response.statusCode = Number(request.url?.split("/")[2]);
    response.end("as you wish");
  },
  reset: (request) => request.socket.resetAndDestroy(),
  stall: () => {},
  "stall-body": (_, response) => {
    response.setHeader("content-length", 100);
    response.write("the beginning");
  },
  /** Sends a byte now and then, and never ends. `/drip/404` with that status. */
  drip: ({ url }, response) => {
    response.statusCode = Number(url?.split("/")[2] ?? 200);
    const timer = setInterval(() => response.write("."), 5);
    response.once("close", () => clearInterval(timer));
  },
  slow: (_, response) => void setTimeout(() => response.end("late"), 200),
  /** Answers after a few milliseconds. */
  pause: ({ url }, response) => void setTimeout(() => response.end(`body of ${url}`), 5),
  big: (_, response) => response.end(Buffer.alloc(300_000, "x")),
  /** The same as `big`, packed. */
  packed: (_, response) =>
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(300_000, "x"))),
  /** As `ok`, without saying how long it is. */
  pieces: ({ url }, response) => {
    response.write("body of ");
    setTimeout(() => response.end(url), 5);
  },
  redirect: (_, response) => response.writeHead(302, { location: "/ok/redirected" }).end(),
  /** Redirects to what the rest of the path says. */
  away: ({ url }, response) => response.writeHead(302, { location: decodeURIComponent(url?.slice(6) ?? "") }).end(),
  loop: (_, response) => response.writeHead(302, { location: "/loop" }).end(),
  short: (request, response) => {
    response.setHeader("content-length", 100);
    response.write("too short", () => request.socket.destroy());
  },
  garbage: (request) => request.socket.end("this is not HTTP\r\n\r\n"),
  /** Fails once with 503, then succeeds. */
  once: (request, response, server) => {
    if (server.count(request.url ?? "") === 1) response.statusCode = 503;
    response.end("ok");
  },
  /** Wants to be left alone for a second when first asked. */
  busy: (request, response, server) => {
    if (server.count(request.url ?? "") === 1) response.writeHead(429, { "retry-after": "1" });
    response.end("ok");
  },
  closed: (_, response) => response.writeHead(503, { "retry-after": "3600" }).end(),
  headers: (request, response) => response.end(JSON.stringify(request.headers)),
  /** Method, headers and body of the request, as JSON. */
  echo: (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, headers } = request;
      response.end(JSON.stringify({ method, headers, body: Buffer.concat(chunks).toString() }));
    });
  },
  /** Says that nothing is left for a second when first asked, and succeeds. */
  spent: (request, response, server) => {
    if (server.count(request.url ?? "") === 1) {
      response.setHeader("ratelimit-remaining", "0");
      response.setHeader("ratelimit-reset", "1");
    }
    response.end("ok");
  },
  /** Bears four requests at a time. */
  strict: (_, response, server) => {
    if (server.running > 4) {
      server.refused += 1;
      response.statusCode = 503;
    }
    setTimeout(() => response.end("ok"), 20);
  },
  cookie: (_, response) => response.writeHead(200, { "set-cookie": "taste=sweet; Path=/" }).end("ok"),
  /** Proposes what the rest of the path says as the name of the file. */
  named: ({ url }, response) => {
    response.setHeader("content-disposition", `attachment; filename*=UTF-8''${url?.slice("/named/".length)}`);
    response.end("named");
  },
  /** Breaks off in the middle when first asked, and gives the rest to those who ask for it. */
  broken: (request, response, server) => {
    const body = Buffer.alloc(200_000, "x");
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const isRange = request.headers.range !== undefined && request.headers["if-range"] === '"v1"';
    const rest = isRange ? body.subarray(start) : body;
    response.writeHead(isRange ? 206 : 200, {
      etag: '"v1"',
      "content-length": rest.length,
      ...(isRange ? { "content-range": `bytes ${start}-${body.length - 1}/${body.length}` } : {}),
    });
    if (server.count(request.url ?? "") > 1) response.end(rest);
    else response.write(rest.subarray(0, 100_000), () => setTimeout(() => request.socket.destroy(), 50));
  },
  evil: (_, response) => response.writeHead(200, "\u009b2J").end("\u001b]0;evil\u0007\u202e"),
};

export class TestServer implements AsyncDisposable {
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly seen: Seen[] = [];
  running = 0;
  mostRunning = 0;
  refused = 0;
  origin = "";

  /** Starts one; each listens at an address of its own, so that it is a host of its own. */
  static async start(): Promise<TestServer> {
    const server = new TestServer();
    server.#server.listen(0, "127.0.0.1", 4_096);
    await once(server.#server, "listening");
    server.origin = `http://127.0.0.1:${(server.#server.address() as AddressInfo).port}`;
    return server;
  }

  /** How often the path was asked. */
  count(path: string): number {
    return this.seen.filter((seen) => seen.path === path).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "";
    this.seen.push({ path, at: performance.now(), headers: request.headers });
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    response.once("close", () => (this.running -= 1));
    const behaviour = BEHAVIOURS[path.split("/")[1] ?? ""];
    if (behaviour === undefined) response.writeHead(404).end();
    else behaviour(request, response, this);
  }
}
