// How long an exchange may take: the three timeouts that run while it has its slot, and the errors they end in.

import type { Clock } from "meanwhile/lowlevel";

import { HttpTimeoutError, type RequestLine, type TimeoutPhase } from "./errors.ts";
import { LoopWatch } from "./loop-delay.ts";
import type { Settled } from "./options.ts";

export class Patience {
  readonly #clock: Clock;
  readonly #settled: Settled;
  #deadline: number;
  #connectDeadline = Infinity;
  #lastActivity: number;
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

  /** The answer is read as a stream from here on: it may take its time. */
  forgetTotal(): void {
    this.#deadline = Infinity;
  }

  stop(): void {
    this.#loopWatch?.stop();
  }

  /** The earliest time at which {@link overdue} can say something. */
  get next(): number {
    return Math.min(this.#deadline, this.#connectDeadline, this.#idleDeadline);
  }

  /** Which timeout has passed. */
  overdue(): TimeoutPhase | null {
    const now = this.#clock.now();
    if (this.#deadline <= now) return "total";
    if (this.#connectDeadline <= now) return "connect";
    return this.#idleDeadline <= now ? "idle" : null;
  }

  /** The error for a timeout, as things are now. */
  errorFor(phase: TimeoutPhase, request: RequestLine, isAnswered: boolean): () => HttpTimeoutError {
    const text = this.#describe(phase, isAnswered);
    return () => new HttpTimeoutError(phase, request, text);
  }

  get #idleDeadline(): number {
    return this.#connectDeadline === Infinity ? this.#lastActivity + this.#settled.idleMs : Infinity;
  }

  #describe(phase: TimeoutPhase, isAnswered: boolean): string {
    const { totalMs, connectMs, idleMs } = this.#settled;
    if (phase === "total")
      return `it was not done after ${totalMs} ms; raise timeouts.totalMs or read it with stream()`;
    if (phase === "idle") {
      const awaited = isAnswered ? "no more of the answer came" : "the server did not answer";
      return `${awaited} for ${idleMs} ms; raise timeouts.idleMs if that is normal`;
    }
    const blockedMs = Math.round(this.#loopWatch?.blockedMs ?? 0);
    const why = blockedMs === 0 ? "" : `, and the event loop of this program was blocked for ${blockedMs} ms meanwhile`;
    return `there was no connection after ${connectMs} ms${why}; raise timeouts.connectMs${
      blockedMs === 0 ? "" : " or move the blocking work to a worker"
    }`;
  }
}
