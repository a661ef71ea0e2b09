// A server on 127.0.0.1 that is no easy one: it knows its visitors by a cookie, asks for pauses, and breaks off.

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

const FILE = Buffer.alloc(1_000_000, "meanwhile ");
const PAUSE_S = 1;
const DRIP_MS = 10;

/** The SHA-256 of `/file`. */
export const FILE_SHA256: string = createHash("sha256").update(FILE).digest("hex");

/** The server of the chapter about sessions. */
export class Shop implements AsyncDisposable {
  readonly #server: Server;
  /** Where it listens: `http://127.0.0.1:<port>`. */
  readonly origin: string;
  /** Requests that came although it had asked to be left alone. */
  tooEarly = 0;
  /** The first byte of each part of the file that was asked for. */
  readonly askedFrom: number[] = [];
  /** Endless answers whose client has left. */
  abandoned = 0;
  #busyUntil = 0;

  private constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    this.origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`;
  }

  static async start(): Promise<Shop> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const started = new Shop(server);
    server.on("request", (request, response) => started.#answer(request, response));
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === "/login") response.setHeader("set-cookie", "visitor=Ada; Path=/; HttpOnly").end();
    else if (request.url === "/hello") response.end(`Hello, ${request.headers.cookie ?? "stranger"}`);
    else if (request.url === "/file") this.#sendFile(request, response);
    else if (request.url === "/endless") this.#drip(response);
    else this.#serve(response);
  }

  /** The first one is too much. */
  #serve(response: ServerResponse): void {
    if (this.#busyUntil === 0) {
      this.#busyUntil = performance.now() + PAUSE_S * 1_000;
      response.writeHead(429, { "retry-after": String(PAUSE_S) }).end();
      return;
    }
    if (performance.now() < this.#busyUntil) this.tooEarly += 1;
    response.end("served");
  }

  /** Breaks off in the middle, unless it is asked for the rest. */
  #sendFile(request: IncomingMessage, response: ServerResponse): void {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    this.askedFrom.push(from);
    const headers = { etag: '"1"', "content-length": FILE.length - from };
    if (from === 0) {
      response.writeHead(200, headers).write(FILE.subarray(0, FILE.length / 2), () => response.destroy());
      return;
    }
    const range = `bytes ${from}-${FILE.length - 1}/${FILE.length}`;
    response.writeHead(206, { ...headers, "content-range": range }).end(FILE.subarray(from));
  }

  #drip(response: ServerResponse): void {
    const timer = setInterval(() => response.write("drop "), DRIP_MS);
    response.once("close", () => {
      clearInterval(timer);
      this.abandoned += 1;
    });
  }
}
