import assert from "node:assert/strict";

import { cancelScope, isCancelled } from "meanwhile";
import { type ProcessPool, WorkerCrashedError, type WorkerPool } from "meanwhile/workers";

import { Random } from "../../src/testing/random.ts";
import type { Jobs } from "./pools.ts";

// Random calls, cancellations and crashes. Whatever happens: every call ends, with its own result, a cancellation of its
// own, or the death of its own worker; nothing runs twice; in the end there is no worker, no job and no wait.

type Pool = WorkerPool<Jobs> | ProcessPool<Jobs>;

const DEADLY = ["exit", "throwInTimer"] as const;

/** Calls made all at once, by a seed. */
export class Schedule {
  readonly #pool: Pool;
  readonly #random: Random;
  /** Whether a job that dies takes no other one with it. */
  readonly #isAlone: boolean;
  /** What the jobs have counted themselves; null where they share no memory. */
  readonly #counted: Int32Array<SharedArrayBuffer> | null;
  /** How many of them have returned, and how many may have run without. */
  returned = 0;
  unclear = 0;

  constructor(pool: Pool, seed: number, isAlone: boolean, counted: Int32Array<SharedArrayBuffer> | null) {
    this.#pool = pool;
    this.#random = new Random(seed);
    this.#isAlone = isAlone;
    this.#counted = counted;
  }

  async run(calls: number): Promise<void> {
    await Promise.all(Array.from({ length: calls }, () => this.#callOnce()));
  }

  async #callOnce(): Promise<void> {
    const kind = this.#random.below(12);
    const isCounting = kind > 7 && this.#counted !== null;
    await cancelScope(async (scope) => {
      const call = this.#call(kind);
      call.catch(() => {}); // a neighbour's crash may end it before it is awaited
      // A timer that outlives its cancelled job would kill whoever comes next.
      if (kind === 2 || kind === 3 || (kind > 1 && this.#random.below(3) === 0)) {
        for (let turns = this.#random.below(30); turns > 0; turns--)
          await new Promise((resolve) => setImmediate(resolve));
        scope.cancel();
      }
      try {
        await call;
        if (isCounting) this.returned += 1;
      } catch (error) {
        if (isCounting) this.unclear += 1;
        if (isCancelled(error) && scope.cancelled) return;
        assert.ok(error instanceof WorkerCrashedError, String(error));
        assert.ok(kind < DEADLY.length || !this.#isAlone, `"${error.job}" did nothing: ${error.message}`);
      }
    });
  }

  async #call(kind: number): Promise<void> {
    const deadly = DEADLY[kind];
    if (deadly !== undefined) await this.#pool.call(deadly, 1);
    else if (kind < 4) await this.#pool.call("waitForever");
    else if (kind < 8) assert.equal(await this.#pool.call("squareLater", kind), kind * kind);
    else if (this.#counted === null) assert.equal(await this.#pool.call("square", kind), kind * kind);
    else await this.#pool.call("increment", this.#counted, 1);
  }
}
