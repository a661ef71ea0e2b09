// What happens between a request that may have a connection and the connection: who is it, what do we speak, and the answer.

import type { Duplex } from "node:stream";

import { cancellable, type CancelScope, isCancelled, now, shield } from "meanwhile";
import { currentScopeNode, enterScope } from "meanwhile/lowlevel";

import { WebSocketError } from "./errors.ts";
import type { HandlerFailures } from "./handler-failures.ts";
import { offeredSubprotocols } from "./handshake-rules.ts";
import { redactUrl } from "./redact.ts";
import { answerRefusal, Refusal } from "./refusal.ts";
import type { Found } from "./routes.ts";
import type { Handler, ServeErrorInfo, ServeSettled } from "./serve-options.ts";
import { ServerConnection } from "./server-connection.ts";
import type { ServerRequest } from "./server-request.ts";
import { isTaken } from "./upgrade-owners.ts";
import type { Upgrade, Upgrader } from "./upgrader.ts";

/** A request that has passed what can be checked at once. */
export interface Arrival<User> {
  readonly upgrade: Upgrade;
  readonly request: ServerRequest;
  readonly found: Found<Handler<User>>;
  /** How long it has taken so far. */
  readonly elapsedMs: number;
}

/** What a handshake needs of its server. */
export interface HandshakeContext<User> {
  readonly settled: ServeSettled<User>;
  readonly upgrader: Upgrader;
  readonly failures: HandlerFailures<User>;
  /** Whether the server takes connections still. */
  readonly isOpen: () => boolean;
  /** Answers with a refusal, and tells of it. */
  readonly refuse: (upgrade: Upgrade, request: ServerRequest, refusal: Refusal) => void;
}

/** How much longer an `authenticate` that is cancelled is waited for. */
const GRACE_MS = 500;
const STRANGER = new Refusal(401, "Log in first", {});
const FAILED = new Refusal(500, "The server failed", {});
/** Nobody reads it. */
const GONE = new Refusal(408, "The client has gone", {});
export const CLOSING: Refusal = new Refusal(503, "The server is closing", {});

/**
 * Opens the connection; null if the client was refused, or is gone.
 *
 * Cancellation: reaches `authenticate`; the client is refused with 503.
 */
export async function shakeHands<User>(
  arrival: Arrival<User>,
  context: HandshakeContext<User>,
): Promise<ServerConnection<User> | null> {
  const { authenticate } = context.settled;
  const refuse = (refusal: Refusal): null => {
    context.refuse(arrival.upgrade, arrival.request, refusal);
    return null;
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without `authenticate` User is what it is by default
  const user = authenticate === undefined ? (undefined as User) : await identify(authenticate, arrival, context);
  if (isTaken(arrival.upgrade.socket)) return null;
  if (user instanceof Refusal) return refuse(user);
  if (!context.isOpen()) return refuse(CLOSING);
  const subprotocol = subprotocolOf(arrival, context);
  if (subprotocol instanceof Refusal) return refuse(subprotocol);
  return openConnection(arrival, context, { subprotocol, user });
}

async function identify<User>(
  authenticate: NonNullable<ServeSettled<User>["authenticate"]>,
  arrival: Arrival<User>,
  { settled: { openTimeoutMs }, failures, refuse }: HandshakeContext<User>,
): Promise<User | Refusal> {
  const { request, upgrade } = arrival;
  const info: ServeErrorInfo<User> = { during: "authenticate", request, socket: undefined };
  try {
    const deadline = now() + openTimeoutMs - arrival.elapsedMs;
    const asked = (): Promise<User | Refusal | Unknown> => called(() => authenticate(request));
    const ending = await enterScope((scope) => whileThere(upgrade.socket, scope, asked), { deadline });
    if (ending.kind === "value") return isUnknown(ending.value) ? STRANGER : ending.value;
    if (ending.by !== "deadline") return GONE;
    const what = `'authenticate' has not ended within ${openTimeoutMs} ms; do less in it, or raise 'openTimeoutMs'`;
    failures.tell(new WebSocketError("MW_ERR_WS_OPEN_TIMEOUT", `Cannot finish a handshake: ${what}`), info);
    return new Refusal(503, "The server is too slow", {});
  } catch (error) {
    if (isCancelled(error) && currentScopeNode().effective !== null) {
      refuse(upgrade, request, CLOSING);
      throw error;
    }
    failures.tell(error, info);
    return FAILED;
  }
}

/** Waits for a function of the user; when it is cancelled, for its cleanup, but not for ever. */
async function called<T>(call: () => T | PromiseLike<T>): Promise<T> {
  const ended = Promise.resolve(call());
  try {
    return await cancellable(ended);
  } catch (error) {
    if (isCancelled(error)) await shield(() => cancellable(ended), { timeoutMs: GRACE_MS }).catch(nothing);
    throw error;
  }
}

/** Cancels the scope when the client goes: its answer would reach nobody, and it holds a place that others may want. */
async function whileThere<T>(socket: Duplex, scope: CancelScope, body: () => Promise<T>): Promise<T> {
  const gone = (): void => scope.cancel("the client is gone");
  const events = ["end", "close"] as const;
  for (const event of events) socket.once(event, gone);
  try {
    return await body();
  } finally {
    for (const event of events) socket.off(event, gone);
  }
}

/** What `authenticate` says of somebody it does not know. */
type Unknown = undefined | null | false;

function isUnknown(user: unknown): user is Unknown {
  return user === undefined || user === null || user === false;
}

function nothing(): void {}

function subprotocolOf<User>(
  { upgrade, request }: Arrival<User>,
  { settled: { subprotocols }, failures }: HandshakeContext<User>,
): string | null | Refusal {
  const offered = offeredSubprotocols(upgrade.message);
  if (offered === null) return new Refusal(400, "The header Sec-WebSocket-Protocol cannot be read", {});
  if (subprotocols === undefined) return null;
  if (typeof subprotocols !== "function") {
    const best = subprotocols.find((name) => offered.includes(name));
    return best ?? new Refusal(400, `The subprotocols spoken here are ${subprotocols.join(", ")}`, {});
  }
  try {
    const chosen = subprotocols(offered, request);
    if (chosen === null || offered.includes(chosen)) return chosen;
    // A promise, which the types forbid. What it comes to is told below.
    if (typeof chosen === "object") Promise.resolve<unknown>(chosen).catch(nothing);
    const what =
      "'subprotocols' chose what the client does not offer; return one of the first argument, or null, at once";
    throw new WebSocketError("MW_ERR_WS_SUBPROTOCOL", `Cannot finish a handshake: ${what}`);
  } catch (error) {
    failures.tell(error, { during: "subprotocol", request, socket: undefined });
    return FAILED;
  }
}

/** Done at once: nothing that comes after the response may be missed. */
function openConnection<User>(
  { upgrade, request, found: { params } }: Arrival<User>,
  { settled: { connection: settled }, upgrader }: HandshakeContext<User>,
  { subprotocol, user }: { subprotocol: string | null; user: User },
): ServerConnection<User> | null {
  const opened = upgrader.upgrade(upgrade, subprotocol);
  if (opened === null) return null;
  const { socket, responseHeaders } = opened;
  const { message, socket: transport } = upgrade;
  const { headers: requestHeaders } = message;
  const parts = { socket, transport, settled, requestHeaders, responseHeaders, request, params, user };
  const connection = new ServerConnection(parts);
  const { trace } = settled;
  if (trace.isOn) trace.tell({ kind: "open", connection: connection.id });
  return connection;
}

/** Answers with the refusal, and tells of it. */
export function refuseUpgrade(
  { socket }: Upgrade,
  request: ServerRequest,
  refusal: Refusal,
  trace: ServeSettled["connection"]["trace"],
): void {
  answerRefusal(socket, refusal);
  if (trace.isOn) trace.tell({ kind: "refused", url: redactUrl(request.url), status: refusal.status });
}
