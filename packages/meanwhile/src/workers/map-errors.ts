// What the chunks of a `map` fail with, made into what its reader can use.

import { TaskCancelledError } from "../errors.ts";
import { WorkerError } from "./errors.ts";
import type { PoolCore } from "./pool-core.ts";

/** The errors of the chunks of one loop. */
export class ChunkErrors {
  readonly #core: PoolCore;
  #endOfPool: unknown = null;
  readonly #known = new Map<string, WorkerError>();

  constructor(core: PoolCore) {
    this.#core = core;
  }

  /**
   * The error to be thrown for that of a chunk. What all of them meet, like the end of the pool, is the same error for all:
   * thrown once, and not reported as suppressed by itself.
   *
   * @param first - the number of the first item of the chunk
   */
  of(error: unknown, first: number): unknown {
    if (this.#isEndOfPool(error)) return (this.#endOfPool ??= error);
    if (!(error instanceof WorkerError)) return error;
    if (error.code === "MW_ERR_WORKER_NOT_CLONEABLE") nameItem(error, first);
    const known = this.#known.get(error.message);
    if (known !== undefined) return known;
    this.#known.set(error.message, error);
    return error;
  }

  #isEndOfPool(error: unknown): boolean {
    if (this.#core.state === "open") return false;
    if (error instanceof TaskCancelledError) return true;
    return error instanceof WorkerError && /_(?:CLOSED|TERMINATED)$/.test(error.code);
  }
}

/** The path to a value begins in its chunk, of which the reader does not know. */
function nameItem(error: WorkerError, first: number): void {
  const { message, stack = "" } = error;
  const told = message.replace(/: (items|the result)\[(\d+)\]/, (_, what: string, index: string) => {
    return `: ${what === "items" ? "items" : "results"}[${first + Number(index)}]`;
  });
  error.stack = stack.replace(message, () => told);
  error.message = told;
}
