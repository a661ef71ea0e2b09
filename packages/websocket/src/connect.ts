// Opens a connection as a client.

import { now } from "meanwhile";
import { enterCheckpoint, enterScope, LoopWatch } from "meanwhile/lowlevel";

import { checkConnectOptions, type ConnectOptions, type ConnectSettled } from "./connect-options.ts";
import { Connection } from "./connection.ts";
import { dial } from "./dial.ts";
import { ConnectError } from "./errors.ts";
import { refused } from "./handshake-failure.ts";
import { openSocket } from "./open-socket.ts";
import { redactUrl } from "./redact.ts";
import { type Hop, nextHop } from "./redirects.ts";
import type { RequestFields } from "./request-fields.ts";
import { parseTarget, type Target } from "./target.ts";

const { performance } = globalThis;

/**
 * Opens a connection to a WebSocket server. `await using` closes it at the end of the block.
 *
 * Cancellation: safe. What was begun is taken back.
 *
 * @param uri - `ws:` or `wss:`; a user name and a password in it are sent as `Authorization`
 * @throws {@link ConnectError} if there is no way to the server, or no answer within `openTimeoutMs`
 * @throws {@link HandshakeError} if the server answers something else
 * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_URL` or `MW_ERR_WS_INVALID_ARGUMENT`: nothing was tried
 * @see {@link https://websockets.readthedocs.io/en/stable/reference/asyncio/client.html}
 *
 * @example
 * ```ts
 * import { connect, serve } from "@meanwhile/websocket";
 * import { run } from "meanwhile";
 *
 * await run(async () => {
 *   await using server = await serve((socket) => socket.sendJson({ welcome: socket.subprotocol }), {
 *     subprotocols: ["chat"],
 *   });
 *   await using socket = await connect(server.url, { subprotocols: ["chat"] });
 *   console.log(await socket.recvJson()); //> { welcome: 'chat' }
 * });
 * ```
 */
export async function connect(uri: string | URL, options: ConnectOptions = {}): Promise<Connection> {
  const settled = checkConnectOptions(options);
  const target = parseTarget(uri);
  const turn = enterCheckpoint();
  if (turn !== null) await turn;
  const { trace } = settled.connection;
  if (!trace.isOn) return open(target, settled);
  const url = redactUrl(target.url);
  const startedAt = performance.now();
  trace.tell({ kind: "connect-start", url });
  try {
    const connection = await open(target, settled);
    trace.tell({ kind: "open", connection: connection.id, url, durationMs: performance.now() - startedAt });
    return connection;
  } catch (error) {
    trace.tell({ kind: "connect-error", url, durationMs: performance.now() - startedAt, error });
    throw error;
  }
}

async function open(target: Target, settled: ConnectSettled): Promise<Connection> {
  const { openTimeoutMs } = settled;
  const watch = new LoopWatch();
  try {
    const ending = await enterScope(() => follow(target, settled), { deadline: now() + openTimeoutMs });
    if (ending.kind === "value") return ending.value;
    const blocked = Math.round(watch.blockedMs);
    const why =
      blocked === 0 ? "is the server overloaded?" : `the event loop of this process was blocked for ${blocked} ms`;
    const what = `the connection was not open within ${openTimeoutMs} ms; ${why}`;
    throw new ConnectError("MW_ERR_WS_OPEN_TIMEOUT", target.url, what);
  } finally {
    watch.stop();
  }
}

async function follow(target: Target, settled: ConnectSettled): Promise<Connection> {
  const limits = { most: settled.maxRedirects, stays: settled.socketPath !== undefined };
  let hop: Hop = { target, settled: { ...settled, fields: fieldsOf(target, settled) }, count: 0 };
  for (;;) {
    const { url } = hop.target;
    const transport = await dial(hop.target, hop.settled);
    const headers = { ...agentOf(settled), ...hop.settled.fields };
    const plan = { url, transport, headers, settled: hop.settled };
    const result = await openSocket(plan).catch((error: unknown) => {
      // It may not have begun.
      transport.destroy();
      throw error;
    });
    if (result instanceof Connection) return result;
    const next = nextHop(hop, result, limits);
    if (next === null) throw refused(url, result);
    hop = next;
  }
}

/** What only the origin that was asked for gets. */
function fieldsOf({ authorization }: Target, { fields }: ConnectSettled): RequestFields {
  return authorization === undefined ? fields : { authorization, ...fields };
}

function agentOf({ userAgent }: ConnectSettled): RequestFields {
  return userAgent === null ? {} : { "user-agent": userAgent };
}
