// What a worker says when it cannot carry out a job.

import { ClusterError, type WorkerIdentity } from "./errors.ts";

/** There is no such function. */
export function notServed(name: string, { host }: Pick<WorkerIdentity, "host">): ClusterError {
  return new ClusterError(
    "MW_ERR_CLUSTER_UNKNOWN_FUNCTION",
    `Cannot call ${JSON.stringify(name)}: the worker on ${host} serves no function of that name; is it of the same version as this program?`,
  );
}

/** It was begun before, by a worker that is lost. */
export function lostBefore(name: string): ClusterError {
  return new ClusterError(
    "MW_ERR_CLUSTER_WORKER_LOST",
    `Cannot finish "${name}": its worker was lost while it ran, and 'isIdempotent' is false, so it does not begin again`,
  );
}

/** It was begun, and its worker has left. */
export function leftBehind(name: string): ClusterError {
  return new ClusterError(
    "MW_ERR_CLUSTER_WORKER_LOST",
    `Cannot finish "${name}": its worker has left before it ended, and 'isIdempotent' is false, so it does not begin again`,
  );
}

/** Whoever is told of troubles has one: it must not end the worker. */
export function warnOfListener(failure: unknown): void {
  const text = failure instanceof Error ? failure.message : String(failure);
  process.emitWarning(`'onError' of a cluster worker has thrown: ${text}`, {
    type: "MeanwhileWarning",
    code: "MW_WARN_CLUSTER_LISTENER",
  });
}

/** It is more than is allowed. */
export function tooLarge(what: string, option: string, bytes: number, whose: string = "the worker"): ClusterError {
  return new ClusterError(
    "MW_ERR_CLUSTER_TOO_LARGE",
    `Cannot ${what}: it is more than ${bytes} bytes, which is '${option}' of ${whose}; put the data where both sides can read it and pass the place`,
  );
}
