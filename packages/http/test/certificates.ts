// The certificates of the tests, and servers that have them.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { Socket } from "node:net";
import type { TlsOptions } from "node:tls";

import type { Handler, TestServer } from "./servers.ts";

const read = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

export const CA: Buffer = read("ca.pem");
export const SERVER: { readonly cert: Buffer; readonly key: Buffer } = {
  cert: read("server.pem"),
  key: read("server.key"),
};
export const CLIENT: { readonly cert: Buffer; readonly key: Buffer; readonly pfx: Buffer } = {
  cert: read("client.pem"),
  key: read("client.key"),
  pfx: read("client.pfx"),
};

/** An https server on 127.0.0.1. */
export async function serveSecure(handler: Handler, options: TlsOptions = {}): Promise<TestServer> {
  const server = createServer({ ...SERVER, keepAliveTimeout: 60_000, ...options }, (request, response) =>
    handler(request, response, ""),
  );
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => sockets.push(socket));
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const alive = (): Socket[] => sockets.filter((socket) => !socket.closed);
  return {
    port,
    url: `https://127.0.0.1:${port}`,
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
