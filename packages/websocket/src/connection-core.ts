// The parts of a connection, put together: what its socket tells, and who of them is told.
//
// Callbacks of the socket run outside of every scope, and none of them throws.

import type { Duplex } from "node:stream";

import type { WebSocket } from "ws";

import { type ClosedInfo, fittingReason } from "./close-codes.ts";
import type { ConnectionSettled } from "./connection-options.ts";
import { Ending } from "./ending.ts";
import { type Flow, Inbox } from "./inbox.ts";
import { InflateGate } from "./inflate-gate.ts";
import { keepAlive, type KeptAlive, type Pulse } from "./keep-alive.ts";
import type { Message } from "./message.ts";
import { Outbox } from "./outbox.ts";
import { Pings } from "./pings.ts";
import { Pongs } from "./pongs.ts";
import { hold, release } from "./process-hold.ts";

/** The socket below a connection. */
export type Transport = Duplex & { readonly bytesRead?: number; readonly bytesWritten?: number };

/** What a core is made of. */
export interface CoreParts {
  readonly id: number;
  readonly socket: WebSocket;
  readonly transport: Transport;
  readonly settled: ConnectionSettled;
  readonly onClosed: ((info: ClosedInfo) => void) | undefined;
}

/** A shorter part of a buffer than this of it is copied, so that it does not keep all of it. */
const WORTH_KEEPING = 4;

export class ConnectionCore implements Flow, Pulse {
  readonly socket: WebSocket;
  readonly transport: Transport;
  readonly settled: ConnectionSettled;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly pings: Pings;
  readonly ending: Ending;
  readonly #id: number;
  readonly #gate: InflateGate;
  readonly #keptAlive: KeptAlive | null;
  readonly #onClosed: ((info: ClosedInfo) => void) | undefined;
  #resumes = 0;
  received = 0;

  constructor({ id, socket, transport, settled, onClosed }: CoreParts) {
    const what = `WebSocket ${id}`;
    this.#id = id;
    this.socket = socket;
    this.transport = transport;
    this.settled = settled;
    this.#onClosed = onClosed;
    this.ending = new Ending(what);
    this.#gate = new InflateGate(socket);
    this.inbox = new Inbox(what, settled, this, this.ending);
    const abandon = (code: number, reason: string): void => this.close(code, reason);
    this.outbox = new Outbox({ id, what, socket, settled, ending: this.ending, abandon });
    this.pings = new Pings(what, this, this.ending);
    this.#keptAlive = keepAlive(this, settled.pingIntervalMs, settled.pingTimeoutMs);
    this.#listen();
  }

  /** Begins the closing handshake, unless that has begun. What comes afterwards is not delivered. */
  close(code: number, reason: string): void {
    const { socket } = this;
    if (socket.readyState === socket.OPEN) {
      this.ending.ask(code, reason);
      socket.close(code, fittingReason(reason));
    }
    // Read to the close frame of the peer, even if nobody receives.
    this.inbox.stop();
  }

  /** Cuts the connection. */
  terminate(): void {
    if (this.ending.info !== null) return;
    if (this.socket.readyState === this.socket.OPEN) this.ending.cut();
    this.inbox.stop();
    this.socket.terminate();
  }

  #listen(): void {
    const { socket, transport, ending } = this;
    socket.on("message", (data: Buffer, isBinary) => this.#onMessage(data, isBinary));
    socket.on("pong", (data) => this.#onPong(data));
    const pongs = new Pongs(socket);
    socket.on("ping", (data) => pongs.answer(data));
    socket.on("error", (error) => ending.noteFrameError(error));
    socket.on("close", (code, reason) => this.#onClose(code, reason.toString()));
    // `ws` keeps to itself why a socket failed.
    transport.on("error", (error) => ending.noteNetworkError(error));
    transport.on("close", () => this.inbox.cut());
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    const message: Message = isBinary ? ownBytes(data) : data.toString();
    this.received += 1;
    const { trace } = this.settled;
    if (trace.isOn) trace.tell({ kind: "received", connection: this.#id, bytes: message.length });
    this.inbox.push(message);
  }

  #onPong(data: Buffer): void {
    const durationMs = this.pings.pong(data);
    if (durationMs === null) return;
    this.#keptAlive?.pong();
    const { trace } = this.settled;
    if (trace.isOn) trace.tell({ kind: "pong", connection: this.#id, durationMs });
  }

  #onClose(code: number, reason: string): void {
    this.#keptAlive?.stop();
    const closed = this.ending.finish(code, reason);
    this.inbox.end();
    this.outbox.end();
    this.pings.end();
    const { trace } = this.settled;
    if (trace.isOn) trace.tell({ kind: "closed", connection: this.#id, closed });
    this.#onClosed?.(closed);
  }

  // As Flow: what the inbox does when it is full.

  pause(): void {
    hold();
    this.#gate.close();
    this.socket.pause();
    const { trace } = this.settled;
    if (trace.isOn) trace.tell({ kind: "paused", connection: this.#id });
  }

  resume(): void {
    release();
    this.#resumes += 1;
    this.socket.resume();
    this.#gate.open();
    const { trace } = this.settled;
    if (trace.isOn) trace.tell({ kind: "resumed", connection: this.#id });
  }

  // As Pulse: what the keep-alive asks.

  ping(): void {
    if (this.socket.readyState === this.socket.OPEN) this.pings.send();
  }

  bytesRead(): number {
    return this.transport.bytesRead ?? 0;
  }

  bytesStuck(): number {
    return this.socket.bufferedAmount;
  }

  bytesFlushed(): number {
    return (this.transport.bytesWritten ?? 0) - this.socket.bufferedAmount;
  }

  isPaused(): boolean {
    return this.inbox.isPaused;
  }

  resumes(): number {
    return this.#resumes;
  }

  /** The peer is told, in case it hears that, and not waited for. */
  dead(blockedMs: number): void {
    const { socket } = this;
    const { pingTimeoutMs } = this.settled;
    const reason = "no pong in time";
    if (socket.readyState === socket.OPEN) {
      this.ending.ask(1011, reason, { why: whyDead(pingTimeoutMs, blockedMs), isPingTimeout: true });
      socket.close(1011, reason);
    }
    this.inbox.stop();
    socket.terminate();
  }
}

function whyDead(pingTimeoutMs: number, blockedMs: number): string {
  const what = `the peer did not answer a ping within ${pingTimeoutMs} ms, so this side closed the connection with 1011`;
  if (blockedMs === 0) return `${what}; open another one`;
  const blocked = `the event loop of this process was blocked for ${Math.round(blockedMs)} ms meanwhile`;
  return `${what}; but ${blocked}, which may be why: do less at once, or raise 'pingTimeoutMs'`;
}

/** What is received is a part of what the socket has read: a short message would keep 64 KiB in memory. */
function ownBytes(data: Buffer): Buffer {
  return data.byteLength * WORTH_KEEPING < data.buffer.byteLength ? Buffer.from(data) : data;
}
