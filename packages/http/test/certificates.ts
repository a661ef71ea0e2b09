// The certificates of the tests, and servers that have them.

import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { TlsOptions } from "node:tls";

import { type Handler, started, type TestServer } from "./servers.ts";

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
  server.on("tlsClientError", () => {});
  return started(server, "https");
}
