// A server on 127.0.0.1 with real latencies, that counts what it sees.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

const FASTEST_MS = 5;
const SLOWEST_MS = 15;
const FAILURES = 2;

/** The server of the tour. */
export class TourServer implements AsyncDisposable {
  readonly #server: Server;
  /** Where it listens: `http://127.0.0.1:<port>`. */
  readonly origin: string;
  running = 0;
  mostRunning = 0;
  answered = 0;
  /** Requests whose client left before the answer. */
  abandoned = 0;
  #flakyAsked = 0;

  private constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    this.origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`;
  }

  static async start(): Promise<TourServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const started = new TourServer(server);
    server.on("request", (request, response) => started.#answer(request, response));
    return started;
  }

  /** Starts counting anew. */
  reset(): void {
    this.mostRunning = 0;
    this.answered = 0;
    this.abandoned = 0;
    this.#flakyAsked = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    const timer = setTimeout(() => this.#end(request, response), latencyOf(request.url ?? ""));
    response.once("close", () => {
      this.running -= 1;
      if (response.writableFinished) this.answered += 1;
      else this.abandoned += 1;
      clearTimeout(timer);
    });
  }

  #end({ url }: IncomingMessage, response: ServerResponse): void {
    if (url === "/flaky") {
      this.#flakyAsked += 1;
      if (this.#flakyAsked <= FAILURES) response.statusCode = 503;
    }
    response.end(JSON.stringify({ url, status: response.statusCode }));
  }
}

/** The same for the same path: every way to fetch them waits for the same latencies. */
function latencyOf(path: string): number {
  if (path === "/slow") return 10_000;
  const digits = Number(/\d+$/.exec(path)?.[0] ?? 0);
  return FASTEST_MS + ((digits * 7) % (SLOWEST_MS - FASTEST_MS + 1));
}
