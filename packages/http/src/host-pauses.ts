// Hosts that have asked to be left alone: who comes meanwhile waits, so that not only the request that was told so keeps
// off, but all of the session.

import { now, sleep } from "meanwhile";

import { HttpTimeoutError, type RequestLine } from "./errors.ts";

/** A map that grows with the hosts of a crawl is looked through when it has this many. */
const SWEEP_AT = 1_000;

export class HostPauses {
  readonly #until = new Map<string, number>();

  /** Whether any host was paused and not waited for since. */
  get isAnyone(): boolean {
    return this.#until.size > 0;
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
      if (until <= now()) {
        this.#until.delete(origin);
        return;
      }
      if (deadline <= now()) {
        const what = `the host has asked for a pause that is longer than ${poolMs} ms; raise timeouts.poolMs`;
        throw new HttpTimeoutError("pool", request, what);
      }
      await sleep(Math.min(until, deadline) - now());
    }
  }

  #sweep(): void {
    for (const [origin, until] of this.#until) if (until <= now()) this.#until.delete(origin);
  }
}
