// A job in the pool of a worker.

import { TaskCancelledError } from "meanwhile";
import { type CancelScope, currentScopeNode, type Scope } from "meanwhile/lowlevel";
import type { ProcessPool, WorkerPool } from "meanwhile/workers";

import { Belt } from "./belt.ts";
import { detached } from "./detached.ts";
import type { JobHead } from "./wire.ts";

const { performance } = globalThis;

/** Functions by name, as the types of a module nobody knows. */
export type Functions = Record<string, (...args: unknown[]) => unknown>;
/** A pool of any module. */
export type AnyPool = WorkerPool<Functions> | ProcessPool<Functions>;

/** How a job has ended. */
export type JobEnding =
  | { readonly kind: "value"; readonly value: unknown; readonly ms: number }
  | { readonly kind: "failure"; readonly error: unknown }
  | { readonly kind: "cancelled" };

/** Why a job of a client that is gone ends. */
export const GONE = "its client is gone";

/** A job that runs. */
export class RunningJob {
  readonly head: JobHead;
  /** Why it is to end; null as long as it is not. */
  why: string | null = null;
  /** Whether it is to go back into the queue when it has ended by that. */
  isGivenBack = false;
  /** Whether somebody else may have it by now: what becomes of it here is no news. */
  isLost = false;
  /** Whether it is to end because its client seems to be gone. */
  isOrphan = false;
  /** How many workers have been lost with it. */
  readonly losses: number;
  /** Where it waits for its thread; null before that. */
  scope: Scope | null = null;
  readonly #begunAt = performance.now();
  #cancel: ((why: string) => void) | null = null;

  constructor(head: JobHead, losses: number) {
    this.head = head;
    this.losses = losses;
  }

  /** For how long it has run. */
  get runningMs(): number {
    return performance.now() - this.#begunAt;
  }

  /** Asks it to end. */
  cancel(why: string): void {
    if (this.why !== null) return;
    this.why = why;
    this.#cancel?.(why);
  }

  /** Asks it to end because nobody waits for it. */
  orphan(): void {
    if (this.why === null) this.isOrphan = true;
    this.cancel(GONE);
  }

  /** Asks it to end because somebody else may have begun it. */
  lose(): void {
    this.isLost = true;
    this.cancel("another worker has it: this one was cut off for too long");
  }

  /** Asks it to end, so that somebody else can begin it. */
  giveBack(why: string): void {
    if (this.why === null) this.isGivenBack = true;
    this.cancel(why);
  }

  /** Runs it to its end. Never throws. @param msLeft - after how long it is cancelled; asked again when that has passed */
  async run(
    pool: AnyPool,
    args: unknown,
    msLeft: () => Promise<number>,
    progressed: (value: unknown) => void,
  ): Promise<JobEnding> {
    const belt = new Belt(msLeft, () => this.cancel("its time is up"));
    try {
      const ending = await detached((scope) => {
        this.scope = currentScopeNode();
        return this.head.isEach
          ? this.#each(pool, scope, args as unknown[])
          : this.#one(pool, args as unknown[], progressed);
      });
      return ending.kind === "value"
        ? { kind: "value", value: ending.value, ms: this.runningMs }
        : { kind: "cancelled" };
    } catch (error) {
      const isOurs = this.why !== null && error instanceof TaskCancelledError;
      return isOurs ? { kind: "cancelled" } : { kind: "failure", error };
    } finally {
      belt.off();
    }
  }

  async #each(pool: AnyPool, scope: CancelScope, items: unknown[]): Promise<unknown> {
    // A chunk of one is what takes long: it has its time to end, as a call has. In longer ones that is the pool's.
    if (items.length === 1) return [await this.#one(pool, items, ignore)];
    this.#begin((why) => scope.cancel(why));
    const size = Math.max(1, items.length);
    return await pool.map(this.head.name, items, { chunk: size, window: size }).toArray();
  }

  async #one(pool: AnyPool, args: unknown[], progressed: (value: unknown) => void): Promise<unknown> {
    const { name, isIdempotent, graceMs, wantsProgress } = this.head;
    await using job = pool.start(name, args, { isIdempotent, graceMs: graceMs ?? Infinity });
    this.#begin((why) => job.cancel(why));
    const relayed = wantsProgress ? relay(job.progress, progressed) : null;
    try {
      return await job;
    } finally {
      // All of it before the end: whoever knows that the job has ended listens no more.
      await relayed;
    }
  }

  #begin(cancel: (why: string) => void): void {
    this.#cancel = cancel;
    if (this.why !== null) cancel(this.why);
  }
}

async function relay(values: AsyncIterable<unknown>, progressed: (value: unknown) => void): Promise<void> {
  try {
    for await (const value of values) progressed(value);
  } catch {
    // Whoever awaits the job gets its error.
  }
}

function ignore(): void {}
