// The answer to a client that gets no connection: an HTTP response, after which its socket is closed.

import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import type { Duplex } from "node:stream";

import { badArgument } from "./checks.ts";
import { WebSocketError } from "./errors.ts";

/** How long a client may take to read why it was refused. */
const LINGER_MS = 1_000;

/** The answer to a client that gets no connection; `refuse` makes one. */
export class Refusal {
  /** The status of the response, 300 to 599. */
  readonly status: number;
  /** The text of the response. */
  readonly body: string;
  /** Further headers of the response. */
  readonly headers: Readonly<Record<string, string>>;

  /** @internal */
  constructor(status: number, body: string, headers: Readonly<Record<string, string>>) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/**
 * What `authenticate` returns for a client that is to get no connection.
 *
 * @param status - of the response, 300 to 599
 * @param body - a text that says why; default: the usual words for the status
 * @param headers - of the response, like `WWW-Authenticate`
 * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT` for what is no status or no header
 *
 * @example
 * ```ts
 * import { connect, HandshakeError, refuse, serve, type ServerConnection } from "@meanwhile/websocket";
 * import { run } from "meanwhile";
 *
 * const greet = (socket: ServerConnection<string>) => socket.send(`hello ${socket.user}`);
 * await run(async () => {
 *   await using server = await serve(greet, {
 *     allowedOrigins: "same-host",
 *     authenticate: ({ headers }) => headers.get("x-name") ?? refuse(401, "say who you are"),
 *   });
 *   await using socket = await connect(server.url, { headers: { "X-Name": "ada" } });
 *   console.log(await socket.recv()); //> hello ada
 *   const refused = await connect(server.url).catch((error) => error);
 *   if (refused instanceof HandshakeError) console.log(refused.status, refused.body); //> 401 say who you are
 * });
 * ```
 */
export function refuse(status: number, body?: string, headers: Readonly<Record<string, string>> = {}): Refusal {
  if (!Number.isInteger(status) || status < 300 || status > 599) {
    throw badArgument("status", status, "a status of HTTP from 300 to 599");
  }
  if (body !== undefined && typeof body !== "string") throw badArgument("body", body, "a text");
  checkHeaders("headers", headers, /^connection$/i);
  return new Refusal(status, body ?? STATUS_CODES[status] ?? "Refused", headers);
}

const OF_BODIES = /^(?:content-length|transfer-encoding|trailer)$/i;

/** Refuses what cannot stand in a head, what says where a body ends, and names that are `ours`. */
export function checkHeaders(name: string, headers: unknown, ours: RegExp): void {
  if (headers === undefined) return;
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    throw badArgument(name, headers, "an object of names and texts");
  }
  for (const [key, value] of Object.entries(headers)) {
    if (ours.test(key) || OF_BODIES.test(key)) {
      const text = `Cannot use '${name}': '${key.toLowerCase()}' is set by the server itself; leave it out`;
      throw new WebSocketError("MW_ERR_WS_INVALID_ARGUMENT", text);
    }
    try {
      validateHeaderName(key);
      validateHeaderValue(key, value);
    } catch {
      throw badArgument(`${name}[${JSON.stringify(key)}]`, value, "a name and a text that may stand in a header");
    }
  }
}

/** Answers, and closes the socket when the client has read it, or after a second. */
export function answerRefusal(socket: Duplex, { status, body, headers }: Refusal): void {
  if (socket.destroyed) return;
  const fields = {
    Connection: "close",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": String(Buffer.byteLength(body)),
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${lines.join("")}\r\n${body}`);
  // What it still sends is thrown away: closing with unread bytes would take the answer from it.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once("end", () => {
    if (socket.writableFinished) socket.destroy();
    else socket.once("finish", () => socket.destroy());
  });
  socket.once("close", () => clearTimeout(timer));
}
