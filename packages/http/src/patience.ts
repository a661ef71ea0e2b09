// How long an exchange may take: the three timeouts that run while it has its slot, and the errors they end in.

import { type Clock, LoopWatch } from "meanwhile/lowlevel";

import { HttpTimeoutError, type RequestLine, type TimeoutPhase } from "./errors.ts";
import type { Settled } from "./options.ts";

export class Patience {
  readonly #clock: Clock;
  readonly #settled: Settled;
  #deadline: number;
  #connectDeadline = Infinity;
  #lastActivity: number;
  // Only while somebody waits for the body: how long so far in this window, and what came.
  #waitedMs = 0;
  #waitingSince: number | null = null;
  #received = 0;
  #loopWatch: LoopWatch | null = null;

  /** @param deadline - when the whole attempt must be over */
  constructor(settled: Settled, deadline: number, clock: Clock) {
    this.#settled = settled;
    this.#deadline = deadline;
    this.#clock = clock;
    this.#lastActivity = clock.now();
  }

  /** A connection is being made: until it stands, nobody is idle. */
  connecting(): void {
    this.#loopWatch ??= new LoopWatch();
    this.#connectDeadline = this.#clock.now() + this.#settled.connectMs;
  }

  connected(): void {
    this.#connectDeadline = Infinity;
    this.stop();
    this.touch();
  }

  /** Something came, or is waited for only from now on. */
  touch(): void {
    this.#lastActivity = this.#clock.now();
  }

  /** Somebody waits for the body: what happens from here on is the server's doing. */
  startWaiting(): void {
    this.touch();
    this.#waitingSince = this.#lastActivity;
  }

  stopWaiting(): void {
    if (this.#waitingSince === null) return;
    this.#waitedMs += this.#clock.now() - this.#waitingSince;
    this.#waitingSince = null;
    if (this.#waitedMs < this.#settled.speedMs) return;
    this.#waitedMs = 0;
    this.#received = 0;
  }

  received(bytes: number): void {
    this.touch();
    this.#received += bytes;
  }

  /** The answer is read as a stream from here on: it may take its time. */
  forgetTotal(): void {
    this.#deadline = Infinity;
  }

  stop(): void {
    this.#loopWatch?.stop();
  }

  /** The earliest time at which {@link overdue} can say something. */
  get next(): number {
    return Math.min(this.#deadline, this.#connectDeadline, this.#idleDeadline, this.#speedDeadline);
  }

  /** Which timeout has passed. */
  overdue(): TimeoutPhase | null {
    const now = this.#clock.now();
    if (this.#deadline <= now) return "total";
    if (this.#connectDeadline <= now) return "connect";
    if (this.#idleDeadline <= now) return "idle";
    return this.#speedDeadline <= now ? "speed" : null;
  }

  /** The error for a timeout, as things are now. */
  errorFor(phase: TimeoutPhase, request: RequestLine, isAnswered: boolean): () => HttpTimeoutError {
    const text = this.#describe(phase, isAnswered);
    return () => new HttpTimeoutError(phase, request, text);
  }

  get #idleDeadline(): number {
    return this.#connectDeadline === Infinity ? this.#lastActivity + this.#settled.idleMs : Infinity;
  }

  /** When the window ends in which too little has come so far. */
  get #speedDeadline(): number {
    const { minBytesPerSecond, speedMs } = this.#settled;
    if (this.#waitingSince === null || this.#received * 1_000 >= minBytesPerSecond * speedMs) return Infinity;
    return this.#waitingSince + speedMs - this.#waitedMs;
  }

  #describe(phase: TimeoutPhase, isAnswered: boolean): string {
    const { totalMs, connectMs, idleMs, minBytesPerSecond, speedMs } = this.#settled;
    if (phase === "total")
      return `it was not done after ${totalMs} ms; raise timeouts.totalMs or read it with stream()`;
    if (phase === "idle") {
      const awaited = isAnswered ? "no more of the answer came" : "the server did not answer";
      return `${awaited} for ${idleMs} ms; raise timeouts.idleMs if that is normal`;
    }
    if (phase === "speed") {
      return `${this.#received} bytes came in ${speedMs} ms, less than timeouts.minBytesPerSecond (${minBytesPerSecond})`;
    }
    const blockedMs = Math.round(this.#loopWatch?.blockedMs ?? 0);
    const why = blockedMs === 0 ? "" : `, and the event loop of this program was blocked for ${blockedMs} ms meanwhile`;
    return `there was no connection after ${connectMs} ms${why}; raise timeouts.connectMs${
      blockedMs === 0 ? "" : " or move the blocking work to a worker"
    }`;
  }
}
