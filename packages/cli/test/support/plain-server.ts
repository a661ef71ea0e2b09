// A server that answers everything in the same way, with as little work as can be: what is measured is the client.

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

const ANSWER = Buffer.from("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");

export class PlainServer implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ noDelay: true }, (socket) => this.#talk(socket));
  #next = Promise.withResolvers<number>();
  requests = 0;

  /** Starts one. */
  static async start(): Promise<PlainServer> {
    const server = new PlainServer();
    server.#server.listen(0, "127.0.0.1", 1_024);
    await once(server.#server, "listening");
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** When the next request will have come, by `performance.now()`. */
  nextRequest(): Promise<number> {
    this.#next = Promise.withResolvers();
    return this.#next.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #talk(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    // A client that waits for each answer before it asks again, with heads that come in one piece.
    socket.on("data", () => {
      this.#next.resolve(performance.now());
      this.requests += 1;
      socket.write(ANSWER);
    });
  }
}
