// Servers on 127.0.0.1 for the tests: an honest one, and one that writes whatever it likes.

import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createRawServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";

/** A running server; disposing it closes its connections too. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** All connections it ever had. */
  readonly sockets: Socket[];
  /** How many of them are open. */
  open(): number;
  /** Resolves when none is open. */
  allClosed(): Promise<void>;
}

/** A handler that gets the body as well. */
export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => unknown;

/** Answers each request, once its body has come. */
export function serve(handler: Handler): Promise<TestServer> {
  return serveAtOnce((request, response) => {
    text(request).then(
      (body) => handler(request, response, body),
      () => {},
    );
  });
}

/** Answers each request without waiting for its body. */
export function serveAtOnce(handler: RequestListener): Promise<TestServer> {
  return started(createServer({ keepAliveTimeout: 60_000 }, handler));
}

/** Hands each connection to `talk`, with the number of connections before it. */
export function serveRaw(talk: (socket: Socket, index: number) => void): Promise<TestServer> {
  let count = 0;
  return started(
    createRawServer((socket) => {
      socket.on("error", () => {});
      talk(socket, count);
      count += 1;
    }),
  );
}

/** Sends `answer` for each request head that comes in. */
export function answering(...answers: ReadonlyArray<string | Buffer>): (socket: Socket) => void {
  return (socket) => {
    let next = 0;
    onEachHead(socket, () => {
      socket.write(answers[Math.min(next, answers.length - 1)] ?? "");
      next += 1;
    });
  };
}

/** Calls back for each request head on a raw connection. */
export function onEachHead(socket: Socket, callback: (head: string) => unknown): void {
  let seen = "";
  socket.on("data", (chunk) => {
    seen += chunk.toString("latin1");
    for (let end = seen.indexOf("\r\n\r\n"); end !== -1; end = seen.indexOf("\r\n\r\n")) {
      const head = seen.slice(0, end);
      seen = seen.slice(end + 4);
      callback(head);
    }
  });
}

/** A server that listens on 127.0.0.1; `scheme` is that of its URL. */
export async function started(server: Server, scheme: "http" | "https" = "http"): Promise<TestServer> {
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => sockets.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const alive = (): Socket[] => sockets.filter((socket) => !socket.closed);
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    sockets,
    open: () => alive().length,
    async allClosed() {
      await Promise.all(alive().map((socket) => new Promise((resolve) => socket.once("close", resolve))));
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** An address on which nobody listens. */
export async function deadUrl(): Promise<string> {
  const server = await serveRaw(() => {});
  const { url } = server;
  await server[Symbol.asyncDispose]();
  return url;
}
