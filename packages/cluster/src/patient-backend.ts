// BullMQ on PostgreSQL, more patient: what a worker says of the end of a job is said again when the server is back.
//
// BullMQ itself does so only for the errors of Redis. Others it takes for failures of the job: results were lost, and jobs
// failed whose functions had succeeded.

import type { PostgresQueueBackend } from "bullmq";

import { isConnectionTrouble } from "./control.ts";

const { performance, setTimeout } = globalThis;

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;

/**
 * Makes the backend patient, and returns it. When nobody could be reached for `ms`, the lock of the job is gone.
 *
 * What was recorded, but not answered, is refused the second time; the job has ended all the same.
 */
export function patient(backend: PostgresQueueBackend, ms: number): PostgresQueueBackend {
  backend.moveToCompleted = again(backend, backend.moveToCompleted.bind(backend), ms);
  backend.moveToFailed = again(backend, backend.moveToFailed.bind(backend), ms);
  backend.moveJobFromActiveToWait = again(backend, backend.moveJobFromActiveToWait.bind(backend), ms);
  return backend;
}

// oxlint-disable-next-line typescript/no-explicit-any -- whatever the method takes and gives
function again<F extends (...args: any[]) => Promise<any>>(backend: PostgresQueueBackend, method: F, ms: number): F {
  const patiently = async (...args: unknown[]): Promise<unknown> => {
    const end = performance.now() + ms;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)) {
      try {
        return (await method(...args)) as unknown;
      } catch (error) {
        if (!isConnectionTrouble(error) || backend.closing !== undefined || performance.now() > end) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  };
  return patiently as F;
}
