// Pings that are not answered yet, and how long the last answer took.
//
// The keep-alive judges the connection. Whoever waits for an answer is told here if none can come: without a keep-alive, or
// behind messages that nobody receives, the connection lives on.

import { suspend, type Waiter, type WaitTarget } from "meanwhile/lowlevel";
import type { WebSocket } from "ws";

import type { Ending } from "./ending.ts";
import { WebSocketError } from "./errors.ts";
import { inRootContext } from "./root-context.ts";

const { setImmediate, setTimeout, clearTimeout, performance } = globalThis;
const PAYLOAD_BYTES = 4;
const LONGEST_TIMER_MS = 2_147_483_647;

/** What pings need to know of their connection. */
export interface PingPath {
  readonly socket: WebSocket;
  readonly settled: { readonly pingTimeoutMs: number };
  /** How many bytes have come. */
  bytesRead(): number;
  /** Whether this side does not read: then no answer can come. */
  isPaused(): boolean;
  /** How often it has begun to read again. */
  resumes(): number;
}

/** A ping that is out. */
interface Ping {
  readonly sentAt: number;
  /** Who waits for the answer; null for one of the keep-alive. */
  readonly waiter: Waiter<number> | null;
  /** When it is time to look whether the answer may still come, and what there was to see the last time. */
  dueAt: number;
  bytesSeen: number;
  resumesSeen: number;
}

export class Pings {
  readonly #path: PingPath;
  readonly #ending: Ending;
  readonly #target: WaitTarget;
  // By the number it carries, the oldest first; made by the first ping, as most connections are idle most of the time.
  #outstanding: Map<number, Ping> | null = null;
  #lastNumber = 0;
  // Keeps the process alive: there is somebody who waits.
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** How long the last answer took, in milliseconds. */
  latencyMs: number | undefined = undefined;

  constructor(what: string, path: PingPath, ending: Ending) {
    this.#path = path;
    this.#ending = ending;
    this.#target = { describe: () => `the answer of ${what} to a ping`, foreign: true };
  }

  /**
   * Sends one, and waits for its answer.
   *
   * Cancellation: safe. The answer is not waited for any more.
   */
  ask(): Promise<number> {
    return suspend<number>((waiter) => {
      const number = this.#send(waiter);
      this.#arm(this.#path.settled.pingTimeoutMs);
      return () => this.#forget(number);
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
    this.#restIfIdle();
    this.latencyMs = now - named.sentAt;
    return this.latencyMs;
  }

  /** The connection is over: whoever waits is told. */
  end(): void {
    const outstanding = this.#outstanding;
    this.#outstanding = null;
    this.#restIfIdle();
    for (const { waiter } of outstanding?.values() ?? []) waiter?.failWith(() => this.#ending.error("ping"));
  }

  #send(waiter: Waiter<number> | null): number {
    this.#lastNumber = (this.#lastNumber + 1) >>> 0;
    const payload = Buffer.allocUnsafe(PAYLOAD_BYTES);
    payload.writeUInt32BE(this.#lastNumber, 0);
    const sentAt = performance.now();
    this.#outstanding ??= new Map();
    this.#outstanding.set(this.#lastNumber, { sentAt, waiter, ...this.#look(sentAt) });
    this.#path.socket.ping(payload);
    return this.#lastNumber;
  }

  #look(now: number): Pick<Ping, "dueAt" | "bytesSeen" | "resumesSeen"> {
    const path = this.#path;
    return { dueAt: now + path.settled.pingTimeoutMs, bytesSeen: path.bytesRead(), resumesSeen: path.resumes() };
  }

  #forget(number: number): void {
    this.#outstanding?.delete(number);
    this.#restIfIdle();
  }

  #arm(ms: number): void {
    if (this.#timer !== null || ms === Infinity) return;
    this.#timer = inRootContext(() => setTimeout(this.#onTimer, Math.min(ms, LONGEST_TIMER_MS)));
  }

  #restIfIdle(): void {
    if (this.#timer === null || (this.#outstanding !== null && this.#outstanding.size > 0)) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  // A turn later: what has come while the event loop was blocked is read before.
  readonly #onTimer = (): void => void setImmediate(this.#judge);

  readonly #judge = (): void => {
    this.#timer = null;
    const now = performance.now();
    let nextAt = Infinity;
    for (const [number, ping] of this.#outstanding ?? []) {
      if (ping.waiter === null) continue;
      if (ping.dueAt <= now && this.#isHopeless(ping)) this.#giveUp(number, ping.waiter);
      else {
        if (ping.dueAt <= now) Object.assign(ping, this.#look(now));
        nextAt = Math.min(nextAt, ping.dueAt);
      }
    }
    this.#arm(Math.max(nextAt - now, 1));
  };

  /** The answer is behind anything that comes, and behind what is read again. */
  #isHopeless({ bytesSeen, resumesSeen }: Ping): boolean {
    const path = this.#path;
    return path.resumes() === resumesSeen && (path.isPaused() || path.bytesRead() === bytesSeen);
  }

  #giveUp(number: number, waiter: Waiter<number>): void {
    this.#outstanding?.delete(number);
    const isPaused = this.#path.isPaused();
    waiter.failWith(() => noAnswer(this.#path.settled.pingTimeoutMs, isPaused));
  }
}

function noAnswer(ms: number, isPaused: boolean): WebSocketError {
  const why = isPaused
    ? `no answer could come within ${ms} ms, as nothing is read while messages wait to be received; receive them, in another task if need be`
    : `the peer did not answer within ${ms} ms; ping again, or close the connection`;
  return new WebSocketError("MW_ERR_WS_PING_TIMEOUT", `Cannot ping: ${why}`);
}
