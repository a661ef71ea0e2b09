// Pings that are not answered yet, and how long the last answer took.

import { suspend, type Waiter, type WaitTarget } from "meanwhile/lowlevel";
import type { WebSocket } from "ws";

import type { Ending } from "./ending.ts";

const { performance } = globalThis;
const PAYLOAD_BYTES = 4;

/** A ping that is out. */
interface Ping {
  readonly sentAt: number;
  /** Who waits for the answer; null for one of the keep-alive. */
  readonly waiter: Waiter<number> | null;
}

export class Pings {
  readonly #socket: WebSocket;
  readonly #ending: Ending;
  readonly #target: WaitTarget;
  // By the number it carries, the oldest first; made by the first ping, as most connections are idle most of the time.
  #outstanding: Map<number, Ping> | null = null;
  #lastNumber = 0;
  /** How long the last answer took, in milliseconds. */
  latencyMs: number | undefined = undefined;

  constructor(what: string, socket: WebSocket, ending: Ending) {
    this.#socket = socket;
    this.#ending = ending;
    this.#target = { describe: () => `the answer of ${what} to a ping`, foreign: true };
  }

  /** Sends one, and waits for its answer. Cancellation: safe. */
  ask(): Promise<number> {
    return suspend<number>((waiter) => {
      const number = this.#send(waiter);
      return () => void this.#outstanding?.delete(number);
    }, this.#target);
  }

  /** Sends one whose answer nobody waits for. */
  send(): void {
    this.#send(null);
  }

  /** A pong has come. Answers the ping that it names, and all before; returns its latency, null for one not asked for. */
  pong(data: Buffer): number | null {
    const outstanding = this.#outstanding;
    const number = data.length === PAYLOAD_BYTES ? data.readUInt32BE(0) : -1;
    const named = outstanding?.get(number);
    if (outstanding === null || named === undefined) return null;
    const now = performance.now();
    for (const [other, { sentAt, waiter }] of outstanding) {
      outstanding.delete(other);
      waiter?.wake(now - sentAt);
      if (other === number) break;
    }
    this.latencyMs = now - named.sentAt;
    return this.latencyMs;
  }

  /** The connection is over: whoever waits is told. */
  end(): void {
    const outstanding = this.#outstanding;
    this.#outstanding = null;
    for (const { waiter } of outstanding?.values() ?? []) waiter?.failWith(() => this.#ending.error("ping"));
  }

  #send(waiter: Waiter<number> | null): number {
    this.#lastNumber = (this.#lastNumber + 1) >>> 0;
    const payload = Buffer.allocUnsafe(PAYLOAD_BYTES);
    payload.writeUInt32BE(this.#lastNumber, 0);
    this.#outstanding ??= new Map();
    this.#outstanding.set(this.#lastNumber, { sentAt: performance.now(), waiter });
    this.#socket.ping(payload);
    return this.#lastNumber;
  }
}
