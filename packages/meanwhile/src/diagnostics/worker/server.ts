// The socket on which a program is asked. It only answers, unless the program allows more; whatever a client does stays here.

import { chmodSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { removeSocketAt } from "../socket-path.ts";
import { beforeOldestEvent, EventReader } from "./event-reader.ts";
import { round } from "./loop-delay.ts";
import type { Observer } from "./observer.ts";
import { Stream } from "./stream.ts";

/** How many may listen to the program at once, and how many may be connected. */
const MOST_STREAMS = 8;
const MOST_CONNECTIONS = 32;

/** A client that sends or reads nothing for so long is gone. */
const SILENT_MS = 30_000;

/** How much of the future a trace may ask for. */
const MOST_SECONDS = 3_600;

class RefusalError extends RangeError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Listens on a socket until it is disposed. */
export class SocketServer implements Disposable {
  readonly #observer: Observer;
  readonly #server: Server;
  readonly #streams = new Set<Stream>();

  constructor(observer: Observer) {
    this.#observer = observer;
    this.#server = createServer(
      { requestTimeout: SILENT_MS, keepAliveTimeout: 5_000, maxHeaderSize: 8_192 },
      (...exchange) => {
        void this.#answer(...exchange);
      },
    );
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.setTimeout(SILENT_MS);
  }

  /** Begins to listen at a path that nobody else uses. Rejects if that cannot be. */
  async listen(path: string): Promise<void> {
    // What a killed program with our number has left.
    removeSocketAt(path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(path, () => {
        this.#server.off("error", reject);
        this.#server.on("error", () => {});
        resolve();
      });
    });
    // Its folder is the user's alone, so nobody else could have connected before.
    if (process.platform !== "win32") chmodSync(path, 0o600);
  }

  [Symbol.dispose](): void {
    for (const stream of this.#streams) stream.end();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => {}); // a client that has gone
    try {
      await this.#route(request, response);
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      const [status, text] =
        error instanceof RefusalError ? [error.status, error.message] : [503, `Cannot answer: ${String(error)}`];
      respond(response, status, { type: "refusal", error: text });
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? "/", "http://socket");
    if (url === null) throw new RefusalError(400, "Cannot read the address of the question; ask for /v1/hello");
    const { pathname, searchParams } = url;
    if (request.method !== "GET") {
      if (request.method === "POST" && pathname === "/v1/cancel") return this.#cancel(searchParams, response);
      throw new RefusalError(405, `Cannot ${request.method} ${pathname}: the socket answers questions; send GET`);
    }
    if (pathname === "/v1/hello") respond(response, 200, this.#observer.hello());
    else if (pathname === "/v1/snapshot") {
      const [stacks, ended] = [flag(searchParams, "stacks", true), flag(searchParams, "ended", false)];
      const remote = flag(searchParams, "remote", false);
      respond(response, 200, await this.#observer.snapshot({ stacks, ended, remote }));
    } else if (pathname === "/v1/remote") {
      respond(response, 200, await this.#observer.remotesOf(number(searchParams, "task", Number.MAX_SAFE_INTEGER)));
    } else if (pathname === "/v1/stream") await this.#stream(searchParams, response);
    else if (pathname === "/v1/trace") await this.#trace(searchParams, response);
    else {
      throw new RefusalError(
        404,
        `Cannot find ${pathname}: there are /v1/hello, /v1/snapshot, /v1/remote, /v1/stream and /v1/trace`,
      );
    }
  }

  async #cancel(query: URLSearchParams, response: ServerResponse): Promise<void> {
    const { setup, program } = this.#observer.options;
    if (!setup.allow.includes("cancel")) {
      throw new RefusalError(
        403,
        'Cannot cancel a task: the program does not allow it; start it with allow: ["cancel"]',
      );
    }
    const task = number(query, "task", Number.MAX_SAFE_INTEGER);
    const isCancelled = await program.cancel(task);
    if (isCancelled === null) {
      throw new RefusalError(
        503,
        `Cannot tell whether task ${task} is there: the event loop is blocked; it is cancelled when that turns, if it is there`,
      );
    }
    if (!isCancelled)
      throw new RefusalError(404, `Cannot cancel task ${task}: no live task has that id; look at /v1/snapshot`);
    respond(response, 200, { type: "cancelled", task });
  }

  async #stream(query: URLSearchParams, response: ServerResponse): Promise<void> {
    const events = flag(query, "events", false);
    if (events) this.#checkEvents();
    const from = query.has("from") ? number(query, "from", Number.MAX_SAFE_INTEGER) : null;
    await this.#open(response, { events, stacks: flag(query, "stacks", false), from, forMs: null });
  }

  async #trace(query: URLSearchParams, response: ServerResponse): Promise<void> {
    this.#checkEvents();
    const seconds = query.has("seconds") ? number(query, "seconds", MOST_SECONDS) : 10;
    if (flag(query, "follow", false)) {
      return this.#open(response, { events: true, stacks: false, from: null, forMs: seconds * 1_000 });
    }
    // What happened before the state, then the state.
    const { memory, clock } = this.#observer.options;
    const since = clock() - seconds * 1_000;
    const reader = new EventReader(memory, beforeOldestEvent(memory));
    beginLines(response);
    const write = (message: object): void => void response.write(`${JSON.stringify(message)}\n`);
    write(this.#observer.hello());
    const snapshot = await this.#observer.snapshot({ stacks: false, ended: true });
    for (let isBefore = true; isBefore && !reader.isThrough;) {
      const events = reader.read().events.filter(([seq, atMs]) => atMs >= since && seq <= snapshot.seq);
      if (events.length > 0) write({ type: "events", events });
      isBefore = (events.at(-1)?.[0] ?? 0) < snapshot.seq;
    }
    write(snapshot);
    write({ type: "bye", atMs: round(clock()) });
    response.end();
  }

  #checkEvents(): void {
    const { level } = this.#observer.options.setup;
    if (level >= 2) return;
    throw new RefusalError(400, `Cannot send events: level ${level} records none; start diagnostics with level 2`);
  }

  async #open(response: ServerResponse, options: ConstructorParameters<typeof Stream>[2]): Promise<void> {
    if (this.#streams.size >= MOST_STREAMS) {
      throw new RefusalError(503, `Cannot open another stream: ${MOST_STREAMS} are open; close one`);
    }
    beginLines(response);
    const stream = new Stream(this.#observer, response, options);
    this.#streams.add(stream);
    response.on("close", () => this.#streams.delete(stream));
    await stream.start();
  }
}

/** A stream may be silent, and its client too. */
function beginLines(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  response.socket?.setTimeout(0);
}

function respond(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}

function flag(query: URLSearchParams, name: string, otherwise: boolean): boolean {
  const value = query.get(name);
  if (value === null) return otherwise;
  if (value === "0" || value === "1") return value === "1";
  throw new RefusalError(400, `Cannot use ${name}=${JSON.stringify(value)}; pass 0 or 1`);
}

function number(query: URLSearchParams, name: string, most: number): number {
  const value = query.get(name) ?? "";
  const parsed = Number(value);
  if (/^\d+(\.\d+)?$/u.test(value) && parsed <= most) return parsed;
  throw new RefusalError(400, `Cannot use ${name}=${JSON.stringify(value)}; pass a number of at most ${most}`);
}
