// The public API of meanwhile/workers: this list is it.

export { WorkerCrashedError, WorkerError, type WorkerErrorCode } from "./workers/errors.ts";
export type { AnyModule, ArgumentsOf, FunctionsOf, ItemFunctionsOf, ReturnOf } from "./workers/functions-of.ts";
export { isCancelRequested, reportProgress } from "./workers/inside.ts";
export type { Job, JobOptions } from "./workers/job.ts";
export { moved } from "./workers/moved.ts";
export type { PoolCloseOptions } from "./workers/pool-end.ts";
export type { PoolMapOptions, PoolResults } from "./workers/pool-map.ts";
export type { PoolStatistics } from "./workers/pool-statistics.ts";
export { WorkerPool } from "./workers/pool.ts";
export { ProcessPool } from "./workers/process-pool.ts";
export { retryingSync, type SyncRetryPolicy } from "./workers/retrying-sync.ts";
export { runSync } from "./workers/run-sync.ts";
export { SyncModule, type SyncModuleOptions } from "./workers/sync-module.ts";
export type { PoolOptions, WorkerPoolOptions } from "./workers/settings.ts";
export { toThread } from "./workers/to-thread.ts";
