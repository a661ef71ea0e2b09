// What a request has to be to get a connection, whoever asks: RFC 6455, section 4.2.1.

import type { IncomingMessage } from "node:http";

import { Refusal } from "./refusal.ts";

const MOST_HEADERS = 128;
const VERSION = "13";
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** Why the request cannot become a connection; null if it can. */
export function faultOf({ httpVersion, method, headers, rawHeaders }: IncomingMessage): Refusal | null {
  if (httpVersion === "1.0") return new Refusal(505, "A WebSocket is opened with HTTP/1.1", {});
  if (method !== "GET") return new Refusal(405, "A WebSocket is opened with GET", { Allow: "GET" });
  if (headers.upgrade?.toLowerCase() !== "websocket") {
    return new Refusal(426, "Only upgrades to websocket are done here", { Upgrade: "websocket" });
  }
  if (rawHeaders.length / 2 > MOST_HEADERS) return new Refusal(431, `More than ${MOST_HEADERS} headers`, {});
  if (headers["sec-websocket-version"] !== VERSION) {
    return new Refusal(426, `Only version ${VERSION} is spoken here`, { "Sec-WebSocket-Version": VERSION });
  }
  if (!KEY.test(headers["sec-websocket-key"] ?? "")) {
    return new Refusal(400, "The header Sec-WebSocket-Key is missing, or is no key", {});
  }
  return null;
}

/** The subprotocols that are offered, in order; null for a header that cannot be read. */
export function offeredSubprotocols({ headers }: IncomingMessage): readonly string[] | null {
  const header = headers["sec-websocket-protocol"];
  if (header === undefined) return [];
  const offered = header.split(",").map((name) => name.trim());
  const isGood = offered.every((name) => /^[!#$%&'*+\-.0-9A-Z^_`|a-z~]+$/.test(name));
  return isGood && new Set(offered).size === offered.length ? offered : null;
}
