// One message for many connections, without waiting for any of them.

import { badArgument, checks } from "./checks.ts";
import { Connection, offer } from "./connection.ts";
import { checkNames } from "./option-names.ts";

/** Options of {@link broadcast}. */
export interface BroadcastOptions<C extends Connection = Connection> {
  /** Who does not get it: one, or several. */
  readonly except?: C | Iterable<C> | undefined;
  /** Who gets it. */
  readonly filter?: ((connection: C) => boolean) | undefined;
}

/** How many have got a message. */
export interface BroadcastResult {
  /** How many it was handed over to. */
  readonly sent: number;
  /** How many were left out because they are slow, send a message piece by piece, or are about to close. */
  readonly skipped: number;
}

const NAMES = { except: true, filter: true } as const;

/**
 * Sends a message to many connections. It waits for nobody: a connection for which more than `writeLimitBytes` wait in this
 * process does not get it. Where each has to get everything, give each a queue of its own and end the slow ones.
 *
 * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT` for what is no message, or no connection
 * @see {@link https://websockets.readthedocs.io/en/stable/topics/broadcast.html}
 *
 * @example
 * ```ts
 * import { broadcast, type Connection, serve } from "@meanwhile/websocket";
 * import { run } from "meanwhile";
 *
 * await run(async () => {
 *   const room = new Set<Connection>();
 *   await using server = await serve(async (socket) => {
 *     room.add(socket);
 *     for await (const message of socket) broadcast(room, message, { except: socket });
 *     room.delete(socket);
 *   });
 * });
 * ```
 */
export function broadcast<C extends Connection>(
  connections: Iterable<C>,
  message: string | Uint8Array | ArrayBuffer,
  options: BroadcastOptions<C> = {},
): BroadcastResult {
  checkNames("options", options, NAMES);
  checks.function("filter", options.filter);
  const { filter } = options;
  const isText = typeof message === "string";
  const bytes = bytesOf(message);
  const left = exceptions(options.except);
  let sent = 0;
  let skipped = 0;
  for (const connection of checked("connections", connections)) {
    if (left.has(connection) || (filter !== undefined && !filter(connection))) continue;
    if (offer(connection, bytes, isText)) sent += 1;
    else skipped += 1;
  }
  return { sent, skipped };
}

/** A copy, which all share: what was given may change before the last of it is written. */
function bytesOf(message: unknown): Buffer {
  if (typeof message === "string") return Buffer.from(message);
  if (message instanceof Uint8Array) return Buffer.from(message);
  if (message instanceof ArrayBuffer) return Buffer.from(new Uint8Array(message));
  throw badArgument("message", message, "a text, a Uint8Array or an ArrayBuffer");
}

function exceptions<C extends Connection>(except: C | Iterable<C> | undefined): ReadonlySet<C> {
  if (except === undefined) return new Set();
  return new Set(except instanceof Connection ? [except] : checked("except", except));
}

/** All of them, before the first gets anything. */
function checked<C extends Connection>(name: string, connections: Iterable<C>): readonly C[] {
  const wanted = "connections in something that can be iterated, like a Set";
  const given: unknown = connections;
  if (typeof given !== "object" || given === null || !(Symbol.iterator in given))
    throw badArgument(name, given, wanted);
  const all = Array.from(connections);
  const wrong = all.findIndex((connection) => !(connection instanceof Connection));
  if (wrong !== -1) throw badArgument(`${name}[${wrong}]`, all[wrong], "a connection");
  return all;
}
