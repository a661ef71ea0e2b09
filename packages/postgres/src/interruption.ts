// What happens when whoever waits for an operation is cancelled: the server is asked to end it, and the link is whole again
// when two things have come, in any order: ReadyForQuery, and the end of the connection over which it was asked. Before the
// second, the request could still hit what runs next.
//
// A server drops a request that comes before it has read the statement, so it is asked again until it is ready.
//
//   asking ⇄ asked ──both have come──▶ whole
//      └────────┴──────too late──────▶ given up: the link is destroyed

import { type BackendKey, type CancelRequest, requestCancel } from "./cancel-request.ts";
import type { DialedServer, DialSettings } from "./dial.ts";

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const { setTimeout, clearTimeout, setImmediate } = globalThis;

/** How long a server that was asked may take before it is asked again. */
const AGAIN_MS = 100;
/** A timer for longer would run at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Whom to ask, and for how long. */
export interface InterruptionPlan {
  readonly server: DialedServer;
  readonly key: BackendKey;
  readonly settings: DialSettings;
  readonly timeoutMs: number;
}

export class Interruption {
  readonly #plan: InterruptionPlan;
  readonly #done: (isWhole: boolean) => void;
  readonly #timer: NodeJS.Timeout;
  #again: NodeJS.Timeout | undefined;
  // Null while the server is not being asked.
  #request: CancelRequest | null = null;
  #isReady = false;
  #isOver = false;

  /** Begins. `done` is called once, later. */
  constructor(plan: InterruptionPlan, done: (isWhole: boolean) => void) {
    this.#plan = plan;
    this.#done = done;
    // What has come while the event loop was blocked counts: it is read before the immediate.
    this.#timer = setTimeout(() => setImmediate(() => this.#end(false)), Math.min(plan.timeoutMs, LONGEST_MS));
    this.#ask();
  }

  /** The server is ready for the next operation. */
  ready(): void {
    this.#isReady = true;
    if (this.#request === null) this.#end(true);
  }

  /** There is nothing left to wait for. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
    this.#request?.abort();
  }

  #ask(): void {
    const { server, key, settings } = this.#plan;
    this.#request = requestCancel(server, key, settings, () => this.#closed());
  }

  #closed(): void {
    this.#request = null;
    if (this.#isReady) this.#end(true);
    else if (!this.#isOver) this.#again = setTimeout(() => this.#ask(), AGAIN_MS);
  }

  #end(isWhole: boolean): void {
    if (this.#isOver) return;
    this.stop();
    this.#done(isWhole);
  }
}
