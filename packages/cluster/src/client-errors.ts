// Why a client cannot say how a job has ended.

import type { ClientJob } from "./client-job.ts";
import { ClusterError } from "./errors.ts";
import { tooLarge } from "./worker-errors.ts";

/** The queue has given it up. */
export function workerLost(name: string, why: string): ClusterError {
  return new ClusterError("MW_ERR_CLUSTER_WORKER_LOST", `Cannot finish "${name}": ${why}`);
}

/** Its end is signed by somebody else. */
export function unreadableEnd(name: string): ClusterError {
  return new ClusterError(
    "MW_ERR_CLUSTER_REFUSED",
    `Cannot take the result of "${name}": it is not signed as this side expects; give both sides the same 'secret'`,
  );
}

/** Its end is not that of a job of so many items. */
export function otherResults(name: string, items: number, results: unknown): ClusterError {
  const what = Array.isArray(results) ? `has ${results.length} results` : "is no list of results";
  return new ClusterError(
    "MW_ERR_CLUSTER_REFUSED",
    `Cannot take the results of "${name}": the end of a job of ${items} items ${what}; have workers and clients of the queue run the same version, and give both the same 'secret'`,
  );
}

/** The queue knows no end of it. */
export function resultLost({ name, resent }: ClientJob): ClusterError {
  const what = resent === 0 ? "it may not begin again" : `it was sent ${resent + 1} times`;
  return new ClusterError(
    "MW_ERR_CLUSTER_RESULT_LOST",
    `Cannot tell how "${name}" has ended: the queue has forgotten it, and ${what}; see 'keepMs' and 'keepJobs'`,
  );
}

/** Its result is more than this side takes. */
export function resultTooLarge(name: string, bytes: number): ClusterError {
  return tooLarge(`take the result of "${name}"`, "maxResultBytes", bytes, "this side");
}

/** It has a key, and others did not want it. */
export function cancelledByOthers({ name, resent }: ClientJob): ClusterError {
  return new ClusterError(
    "MW_ERR_CLUSTER_RESULT_LOST",
    `Cannot finish "${name}": it began ${resent + 1} times, and others with the same key have cancelled it each time`,
  );
}

/** The queue was without this client for too long. */
export function cutOff(name: string): ClusterError {
  return new ClusterError(
    "MW_ERR_CLUSTER_UNREACHABLE",
    `Cannot finish "${name}": this client was cut off for longer than 'lostAfterMs', so its jobs were cancelled`,
  );
}
