// Errors of workers, as their callers get them.

import { TaskCancelledError } from "meanwhile";

import { decodeValue } from "./decode.ts";
import { define } from "./error-classes.ts";
import { ClusterError, type WorkerIdentity } from "./errors.ts";
import { CALLED_FROM, callerFrames } from "./stacks.ts";

/** What was thrown in a worker: with its own stack, that of the call, and who the worker is. */
export function remoteError(table: unknown, worker: WorkerIdentity, site: Error): unknown {
  const thrown = decodeValue(table);
  if (!Error.isError(thrown)) return thrown;
  if (thrown.constructor === Error && thrown.name === "CancelledError")
    return new TaskCancelledError(`a call on ${worker.host}`, withCall(thrown, worker, site));
  return withCall(thrown, worker, site);
}

function withCall(error: Error, worker: WorkerIdentity, site: Error): Error {
  const place = `    at worker ${worker.id} (process ${worker.pid} on ${worker.host})`;
  const frames = callerFrames(site.stack ?? "");
  const call = frames === "" ? "" : `\n${CALLED_FROM}\n${frames}`;
  define(error, "stack", `${error.stack}\n${place}${call}`, false);
  // A function may have something of its own to say there; the stack tells it anyhow.
  if (!Object.hasOwn(error, "worker")) define(error, "worker", worker, false);
  return error;
}

/** Somebody else has cancelled the job. */
export function jobCancelled(name: string, why: string): TaskCancelledError {
  const reason = why === "" ? undefined : new ClusterError("MW_ERR_CLUSTER_CLOSED", why);
  return new TaskCancelledError(`"${name}" in a cluster`, reason);
}
