// An open connection, of a client or a server: send, receive, iterate, ping, close.

import { isCancelled, shield } from "meanwhile";
import { enterCheckpoint } from "meanwhile/lowlevel";
import type { WebSocket } from "ws";

import { badArgument } from "./checks.ts";
import { type ClosedInfo, isCloseCode, isCloseReason } from "./close-codes.ts";
import { ConnectionCore, type Transport } from "./connection-core.ts";
import type { ConnectionSettled } from "./connection-options.ts";
import type { ConnectionStatistics } from "./connection-statistics.ts";
import { parseJson, toJson } from "./json.ts";
import type { Message, Sendable } from "./message.ts";
import { type Ends, endsOf, type PeerAddress } from "./peer-address.ts";

/** Header fields of a handshake, names in small letters. */
export type HandshakeHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** @internal What a connection is made of. */
export interface ConnectionParts {
  /** Just opened: nothing that it has told must have been missed. */
  readonly socket: WebSocket;
  /** The socket below. */
  readonly transport: Transport;
  readonly settled: ConnectionSettled;
  readonly requestHeaders: HandshakeHeaders;
  readonly responseHeaders: HandshakeHeaders;
  /** Is told first that it is over. Must not throw. */
  readonly onClosed?: ((info: ClosedInfo) => void) | undefined;
}

/** How long a closing handshake may go on that somebody waits for who is cancelled. */
const GRACE_MS = 500;

let lastId = 0;
// Not a method: it would be one for everybody.
let offerTo: (connection: Connection, message: Message, isText: boolean) => boolean;

/**
 * An open WebSocket. Whoever sends waits while the peer does not take what was sent, and a peer that sends faster than is
 * received is slowed down. Iterating over it receives until the peer closes it. Leaving the block of `await using` closes it.
 *
 * @see {@link https://websockets.readthedocs.io/en/stable/reference/asyncio/client.html}
 *
 * @example
 * ```ts
 * import { connect, serve } from "@meanwhile/websocket";
 * import { run } from "meanwhile";
 *
 * await run(async () => {
 *   await using server = await serve(async (socket) => {
 *     for await (const message of socket) await socket.send(message);
 *   });
 *   await using socket = await connect(server.url);
 *   await socket.send("hello");
 *   console.log(await socket.recv()); //> hello
 * });
 * ```
 */
export class Connection implements AsyncIterable<Message, undefined>, AsyncDisposable {
  /** Tells it from every other connection of the process, in traces and dumps. */
  readonly id: number;
  /** The subprotocol that both sides have agreed on; `""` for none. */
  readonly subprotocol: string;
  /** The extensions that both sides use, like `permessage-deflate`; `""` for none. */
  readonly extensions: string;
  readonly #core: ConnectionCore;
  readonly #ends: Ends;
  readonly #requestHeaders: HandshakeHeaders;
  readonly #responseHeaders: HandshakeHeaders;

  /** @internal */
  constructor({ socket, transport, settled, requestHeaders, responseHeaders, onClosed }: ConnectionParts) {
    lastId += 1;
    this.id = lastId;
    this.subprotocol = socket.protocol;
    this.extensions = socket.extensions;
    this.#ends = endsOf(transport);
    this.#requestHeaders = requestHeaders;
    this.#responseHeaders = responseHeaders;
    this.#core = new ConnectionCore({ id: this.id, socket, transport, settled, onClosed });
  }

  /** Whether messages can be sent: `"closing"` from the first close frame on, `"closed"` when the connection is over. */
  get state(): "open" | "closing" | "closed" {
    const { ending, socket } = this.#core;
    if (ending.info !== null) return "closed";
    return socket.readyState === socket.OPEN ? "open" : "closing";
  }

  /** How the connection ended; undefined while it has not. */
  get closed(): ClosedInfo | undefined {
    return this.#core.ending.info ?? undefined;
  }

  /** How long the peer took to answer the last ping, in milliseconds; undefined before the first answer. */
  get latencyMs(): number | undefined {
    return this.#core.pings.latencyMs;
  }

  /** How many bytes wait in this process to be sent. */
  get bufferedBytes(): number {
    return this.#core.socket.bufferedAmount;
  }

  /** This end of it; undefined for a Unix socket. */
  get localAddress(): PeerAddress | undefined {
    return this.#ends.local;
  }

  /** The other end of it, which may be a proxy; undefined for a Unix socket. */
  get remoteAddress(): PeerAddress | undefined {
    return this.#ends.remote;
  }

  /** The header that the client sent. There may be credentials in it. */
  get requestHeaders(): HandshakeHeaders {
    return this.#requestHeaders;
  }

  /** The header that the server answered with. */
  get responseHeaders(): HandshakeHeaders {
    return this.#responseHeaders;
  }

  /**
   * Sends a message: a string as text, bytes as bytes, and an iterable of either piece by piece as one message. Waits while
   * more than `writeLimitBytes` wait in this process. Bytes are not copied: leave them as they are afterwards. While one is
   * sent piece by piece, others wait for its end. An iterable that is empty sends nothing.
   *
   * Cancellation: loses the connection if a message is partly out, as that cannot be taken back: it is closed with 1011. A
   * whole message is sent or it is not; it was if the call is cancelled while it waits for room.
   *
   * @throws {@link ConnectionClosedError} `MW_ERR_WS_CLOSED`, or `MW_ERR_WS_PING_TIMEOUT`
   * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT` if it is nothing that can be sent
   * @throws {@link WebSocketError} `MW_ERR_WS_MESSAGE` if a piece is no string and no bytes, or other than those before
   *
   * @example A message piece by piece
   * ```ts
   * import { connect, serve } from "@meanwhile/websocket";
   * import { run } from "meanwhile";
   *
   * await run(async () => {
   *   await using server = await serve(async (socket) => console.log(await socket.recv())); //> one two
   *   await using socket = await connect(server.url);
   *   await socket.send(["one ", "two"]);
   *   await socket.waitClosed();
   * });
   * ```
   */
  send(message: Sendable): Promise<void> {
    return this.#core.outbox.send(message);
  }

  /**
   * Sends a value as JSON.
   *
   * Cancellation: safe. The message is sent or it is not; it was if the call is cancelled while it waits for room.
   *
   * @throws {@link ConnectionClosedError} `MW_ERR_WS_CLOSED`, or `MW_ERR_WS_PING_TIMEOUT`
   * @throws {@link WebSocketError} `MW_ERR_WS_MESSAGE` if there is no JSON for it
   */
  async sendJson(value: unknown): Promise<void> {
    await this.send(toJson(value));
  }

  /**
   * Waits for the next message: a string if it is a text, else bytes. Those that had come before the connection was closed
   * are still received.
   *
   * Cancellation: safe. A call that throws has taken nothing.
   *
   * @throws {@link ConnectionClosedError} `MW_ERR_WS_CLOSED`, or `MW_ERR_WS_PING_TIMEOUT`
   * @throws {@link WebSocketError} `MW_ERR_WS_BUSY` if another task waits for a message
   */
  recv(): Promise<Message> {
    try {
      const turn = enterCheckpoint();
      return turn === null ? this.#core.inbox.take() : turn.then(() => this.#core.inbox.take());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Waits for the next message and reads it as JSON, text or bytes.
   *
   * Cancellation: safe. A call that is cancelled has taken nothing.
   *
   * @throws {@link ConnectionClosedError} `MW_ERR_WS_CLOSED`, or `MW_ERR_WS_PING_TIMEOUT`
   * @throws {@link WebSocketError} `MW_ERR_WS_MESSAGE` if it is no JSON; the message is gone then
   * @throws {@link WebSocketError} `MW_ERR_WS_BUSY` if another task waits for a message
   */
  async recvJson<T = unknown>(): Promise<T> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a peer sends is the caller's to know
    return parseJson(await this.recv()) as T;
  }

  /** Receives until the connection is closed. Ends without an error for the codes 1000, 1001 and 1005. */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return { next: () => this.#next() };
  }

  #next(): Promise<IteratorResult<Message, undefined>> {
    try {
      const turn = enterCheckpoint();
      return turn === null ? this.#core.inbox.next() : turn.then(() => this.#core.inbox.next());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Pings the peer, and waits for its answer. It comes behind what the peer has sent before: while messages that nobody receives
   * keep the peer from being read, no answer can come.
   *
   * Cancellation: safe. The answer is not waited for any more.
   *
   * @returns how long that took, in milliseconds
   * @throws {@link ConnectionClosedError} `MW_ERR_WS_CLOSED`, or `MW_ERR_WS_PING_TIMEOUT`
   * @throws {@link WebSocketError} `MW_ERR_WS_PING_TIMEOUT` if nothing came, or could be read, within `pingTimeoutMs`; the
   *   connection stays as it is
   */
  async ping(): Promise<number> {
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    if (this.state === "open") return this.#core.pings.ask();
    await this.#core.ending.wait();
    throw this.#core.ending.error("ping");
  }

  /**
   * Closes the connection, and waits until the peer has agreed; after `closeTimeoutMs` it is cut. What the peer does meanwhile
   * is no error, and what it sends is not delivered. Does nothing if the connection is closed.
   *
   * Cancellation: safe. The connection is closed nonetheless; it has half a second for that, then it is cut.
   *
   * @param code - 1000 to 1014 without 1004 to 1006, or 3000 to 4999
   * @param reason - at most 123 bytes
   * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT` if one of them is anything else
   */
  async close(code = 1000, reason = ""): Promise<void> {
    if (!isCloseCode(code)) throw badArgument("code", code, "1000, another code that may be sent, or 3000 to 4999");
    if (!isCloseReason(reason)) throw badArgument("reason", reason, "a text of at most 123 bytes");
    const core = this.#core;
    if (core.ending.info !== null) return;
    core.close(code, reason);
    try {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
      await core.ending.wait();
    } catch (error) {
      if (isCancelled(error)) await shield(() => core.ending.wait(), { timeoutMs: GRACE_MS }).catch(nothing);
      core.terminate();
      throw error;
    }
  }

  /** Cuts the connection at once: what was not sent is lost, and the peer is not told. */
  terminate(): void {
    this.#core.terminate();
  }

  /**
   * Waits until the connection is over. It does not receive: messages that nobody takes keep a peer from being heard.
   *
   * Cancellation: safe. It has no effect.
   */
  async waitClosed(): Promise<ClosedInfo> {
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    return this.#core.ending.wait();
  }

  /**
   * Closes it with 1000.
   *
   * Cancellation: safe. The connection is closed nonetheless; it has half a second for that, then it is cut.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A snapshot, for dumps and tests. */
  statistics(): ConnectionStatistics {
    const { inbox, outbox, pings, transport, received } = this.#core;
    return {
      messagesSent: outbox.sent,
      messagesReceived: received,
      bytesSent: transport.bytesWritten ?? 0,
      bytesReceived: transport.bytesRead ?? 0,
      queued: inbox.size,
      isPaused: inbox.isPaused,
      bufferedBytes: this.bufferedBytes,
      latencyMs: pings.latencyMs,
    };
  }

  static {
    offerTo = (connection, message, isText) => connection.#core.outbox.offer(message, isText);
  }
}

/** Sends a whole message if that needs no waiting; false if it was skipped. `isText` says what bytes are. */
export function offer(connection: Connection, message: Message, isText: boolean): boolean {
  return offerTo(connection, message, isText);
}

function nothing(): void {}
