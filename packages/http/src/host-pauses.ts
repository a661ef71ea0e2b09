// Hosts that have asked to be left alone: who comes meanwhile waits, so that not only the request that was told so keeps
// off, but all of the session.

import { now } from "meanwhile";
import { suspend, type Waiter, type WaitTarget, wakeAt } from "meanwhile/lowlevel";

import { HttpTimeoutError, type RequestLine } from "./errors.ts";
import { sessionClosed } from "./failures.ts";
import { retryAfterMs } from "./retry-after.ts";

/** Is told of the head of an answer: the origin, the status and `Retry-After`. */
export type Heed = (origin: string, status: number, retryAfter: string | string[] | undefined) => void;

/** A map that grows with the hosts of a crawl is looked through when it has this many. */
const SWEEP_AT = 1_000;

const PAUSE: WaitTarget = { describe: () => "a host that has asked for a pause" };

export class HostPauses {
  // Invariant: a host is in here from the answer that asked for a pause until somebody finds that it is over.
  readonly #until = new Map<string, number>();
  readonly #waiting = new Set<Waiter<void>>();
  #isClosed = false;

  /** Whether any host was paused and not waited for since. */
  get isAnyone(): boolean {
    return this.#until.size > 0;
  }

  /** Whether the host is to be left alone now. */
  isPaused(origin: string): boolean {
    return this.#until.size > 0 && (this.#until.get(origin) ?? 0) > now();
  }

  /** Pauses hosts that ask for it, but for longer than `longestMs`: who would wait that long is to be told so. */
  heed(longestMs: number): Heed {
    return (origin, status, retryAfter) => {
      if (status !== 429 && status !== 503) return;
      const forMs = retryAfterMs(retryAfter) ?? 0;
      if (forMs > 0 && forMs <= longestMs) this.pause(origin, forMs);
    };
  }

  /** Leaves the host alone for so many milliseconds, unless that is for longer already. */
  pause(origin: string, forMs: number): void {
    const until = now() + forMs;
    if (until > (this.#until.get(origin) ?? 0)) this.#until.set(origin, until);
    if (this.#until.size >= SWEEP_AT) this.#sweep();
  }

  /** Waits until the host may be asked. Part of the wait for a slot: it counts as `poolMs`. */
  async wait(origin: string, request: RequestLine, poolMs: number): Promise<void> {
    const deadline = now() + poolMs;
    for (let until = this.#until.get(origin); until !== undefined; until = this.#until.get(origin)) {
      if (this.#isClosed) throw sessionClosed(request);
      if (until <= now()) {
        this.#until.delete(origin);
        return;
      }
      if (deadline <= now()) {
        const what = `the host has asked for a pause that is longer than ${poolMs} ms; raise timeouts.poolMs`;
        throw new HttpTimeoutError("pool", request, what);
      }
      await this.#waitUntil(Math.min(until, deadline));
    }
  }

  /** Ends all waits. */
  close(): void {
    this.#isClosed = true;
    for (const waiter of this.#waiting) waiter.wake();
    this.#waiting.clear();
  }

  async #waitUntil(deadline: number): Promise<void> {
    const own: { waiter: Waiter<void> | null } = { waiter: null };
    await suspend<void>((waiter) => {
      own.waiter = waiter;
      this.#waiting.add(waiter);
      wakeAt(waiter, deadline);
      return () => void this.#waiting.delete(waiter);
    }, PAUSE);
    if (own.waiter !== null) this.#waiting.delete(own.waiter);
  }

  #sweep(): void {
    for (const [origin, until] of this.#until) if (until <= now()) this.#until.delete(origin);
  }
}
