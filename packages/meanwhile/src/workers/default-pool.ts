// The pool of a run, for functions that have none of their own. It starts with the first call and is closed with the run.

import { UsageError } from "../errors.ts";
import { atRunExit, currentScopeNode, type Runner } from "../lowlevel.ts";
import { entryUrl } from "./entry-url.ts";
import { WorkerPool } from "./pool.ts";

type SourcePool = WorkerPool<typeof import("./source-functions.ts")>;

const pools = new WeakMap<Runner, SourcePool>();

/** The pool of the current run. */
export function defaultPool(): SourcePool {
  const { runner } = currentScopeNode();
  let pool = pools.get(runner);
  if (pool !== undefined) return pool;
  if (runner.createTask === null) {
    throw new UsageError(
      "MW_ERR_OUTSIDE_RUN",
      "Cannot run a function in a thread: no run is going on here; call toThread() inside run(main), or make a WorkerPool",
    );
  }
  const made: SourcePool = new WorkerPool(entryUrl("source-functions", import.meta.url), { name: "toThread" });
  pools.set(runner, made);
  // Newest first: what was made after it is gone, what was made before it may still be needed by its jobs.
  atRunExit(() => made.close());
  return made;
}
